import type uPlot from "uplot";
import { type Measure, measures, type Shown, startOf, type Tick } from "./measures.js";
import { dayAndTime } from "./times.js";
import { number } from "./words.js";

/** The cursor that all charts share: the tick that is looked at, and what is told of it. */

export type Chart = {
  readonly measure: Measure;
  readonly plot: uPlot;
  readonly caption: HTMLElement;
  values: (number | null)[];
};

export type ChartCursor = {
  /** Moves to this tick; null: away. */
  point(index: number | null): void;
  onKey(event: KeyboardEvent): void;
  /** Stays with its tick, where the ticks that are shown are others now. */
  stay(hadTicks: readonly Tick[]): void;
  /** Has a chart show the ticks, and the cursor. */
  fill(chart: Chart): void;
};

/** @param told Where the tick is told, in words. */
export function chartCursor(charts: readonly Chart[], shown: () => Shown, told: HTMLElement): ChartCursor {
  let cursor: number | null = null;
  let isFilling = false;
  const drawIn = ({ measure, plot, caption, values }: Chart) => {
    const tick = cursor === null ? undefined : shown().ticks[cursor];
    const left = tick === undefined ? -10 : plot.valToPos(startOf(tick) / 1000, "x");
    plot.setCursor({ left, top: tick === undefined ? -10 : 1 }, false);
    caption.textContent = captionOf(measure, values, cursor);
  };
  const tell = () => {
    const text = cursor === null ? "" : tickText(shown(), cursor);
    if (told.textContent !== text) told.textContent = text; // The same is not read out again.
  };
  const point = (index: number | null) => {
    if (isFilling) return; // The library tells which tick has come to where the cursor was.
    if (index !== cursor) {
      cursor = index;
      charts.forEach(drawIn);
    }
    tell();
  };
  return {
    point,
    onKey: (event) => {
      const to = keyTarget(event.key, cursor, shown().ticks.length);
      if (to === undefined) return;
      event.preventDefault();
      point(to);
    },
    stay: (hadTicks) => {
      const looked = hadTicks[cursor ?? -1];
      const index = shown().ticks.findIndex(({ started }) => started === looked?.started);
      cursor = index === -1 ? null : index;
      tell();
    },
    fill: (chart) => {
      isFilling = true;
      fill(chart, shown().ticks);
      isFilling = false;
      drawIn(chart);
    },
  };
}

/** A tick in one line: when, each value, and what happened then. */
function tickText(shown: Shown, index: number): string {
  const tick = shown.ticks[index];
  if (tick === undefined) return "";
  const values = measures.map(
    (measure) => `${measure.name} ${valueText(measure, measure.of(tick, shown.ticks[index - 1]))}`,
  );
  const counts = new Map<string, number>();
  for (const { atMs, text } of shown.marks) {
    if (isNear(atMs, tick, shown)) counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  const near = [...counts].map(([text, count]) => (count === 1 ? text : `${text} × ${number(count)}`));
  return [dayAndTime(startOf(tick)), ...values, ...near].join(" · ");
}

function isNear(atMs: number, tick: Tick, { intervalSeconds }: Shown): boolean {
  const gapMs = atMs - startOf(tick);
  return gapMs >= 0 && gapMs < (intervalSeconds ?? 0) * 1000;
}

/** Where a key moves the cursor; undefined: it is not for the charts. */
function keyTarget(key: string, cursor: number | null, count: number): number | null | undefined {
  if (key === "Escape") return cursor === null ? undefined : null;
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  const step = key === "ArrowLeft" ? -1 : key === "ArrowRight" ? 1 : 0;
  if (step === 0) return undefined;
  return Math.min(count - 1, Math.max(0, (cursor ?? count) + step));
}

const valueText = (measure: Measure, value: number | null | undefined) =>
  value === null || value === undefined ? "not known" : measure.text(value);

function captionOf(measure: Measure, values: readonly (number | null)[], cursor: number | null): string {
  if (cursor !== null) return valueText(measure, values[cursor]);
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return "not known";
  const worst =
    measure.topMin === 100
      ? `${measure.text(Math.min(...known))} at the least`
      : `${measure.text(Math.max(...known))} at the most`;
  return `${valueText(measure, values.at(-1))} now, ${worst}`;
}

function fill(chart: Chart, ticks: readonly Tick[]): void {
  chart.values = ticks.map((tick, index) => chart.measure.of(tick, ticks[index - 1]));
  const starts = ticks.map((tick) => startOf(tick) / 1000);
  chart.plot.batch(() => chart.plot.setData([starts, chart.values])); // Done when it returns.
}
