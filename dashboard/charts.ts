import type uPlot from "uplot";
import { type Chart, chartCursor } from "./chartCursor.js";
import { byId, el, nextTask, show } from "./dom.js";
import { type Mark, type Measure, measures, ranges, type Shown, startOf, type Tick } from "./measures.js";
import { clockTime } from "./times.js";

/** Charts over the ticks that the mirror remembers. */

export type Charts = { draw(shown: Shown): void; destroy(): void };

const height = 110;
/** Fresh share and attention: what comes below is not pushed away, and the page is light. */
export const chartsAtFirst = 2;
/** Distances of the axes' labels: whole numbers, and whole minutes, for labels that say nothing finer would repeat. */
const countSteps = Array.from({ length: 10 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();
const timeSteps = [1, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 14_400].map((minutes) => minutes * 60);
const timeWidthMin = 90;
const inks = () => getComputedStyle(document.documentElement);

/** Makes charts in their place. With the focus on them, the arrow keys move the cursor. */
export function chartsIn(place: HTMLElement): Charts {
  const container = el("div", {
    ...{ id: "charts", class: "charts", tabindex: 0, role: "group" },
    "aria-label": "Charts. The arrow keys move from tick to tick.",
  });
  const told = el("p", { id: "charts-told", class: "told", role: "status" });
  place.append(container, told);
  const charts: Chart[] = [];
  const ended = new AbortController();
  let shown: Shown = { ticks: [], intervalSeconds: null, marks: [], range: "day", isWhole: false };
  let last = "";
  const cursor = chartCursor(charts, () => shown, told);
  container.addEventListener("keydown", cursor.onKey);
  container.addEventListener("pointerleave", () => cursor.point(null));
  followSizeAndScheme(container, charts, ended.signal);

  const take = (chart: Chart) => {
    if (ended.signal.aborted) return false;
    cursor.fill(chart);
    charts.push(chart);
    return true;
  };
  const destroy = () => {
    for (const { plot } of charts.splice(0)) plot.destroy();
  };
  return {
    draw: (given) => {
      const text = JSON.stringify([
        given.ticks.at(-1),
        given.ticks.length,
        given.range,
        given.marks,
        given.intervalSeconds,
        given.isWhole,
      ]);
      if (text === last) return;
      last = text;
      const hadTicks = shown.ticks;
      shown = { ...given, ticks: inRange(given) };
      cursor.stay(hadTicks);
      if (shown.ticks.length < 2) {
        destroy(); // Their container is about to be replaced.
        show(container, el("p", { class: "empty" }, "The charts begin with the second tick."));
        return;
      }
      if (container.querySelector("figure") === null) show(container);
      void fillAll(charts, cursor.fill);
      const drawn = container.querySelectorAll("figure").length;
      const wanted = measures.slice(drawn, shown.isWhole ? undefined : chartsAtFirst);
      if (wanted.length > 0) void createCharts(wanted, container, () => shown, cursor.point, take);
      else if (!shown.isWhole) keepFirst(container, charts);
    },
    destroy: () => {
      ended.abort();
      destroy();
    },
  };
}

/** Ticks of the range, up to the newest one. */
function inRange({ ticks, range }: Shown): readonly Tick[] {
  const sinceMs = startOf(ticks.at(-1)) - ranges[range].ms;
  return ticks.filter((tick) => startOf(tick) >= sinceMs);
}

/** One after the other, so that no piece of work is long. */
async function fillAll(charts: readonly Chart[], fill: (chart: Chart) => void): Promise<void> {
  for (const chart of [...charts]) {
    await nextTask();
    if (charts.includes(chart)) fill(chart);
  }
}

/** Takes away all but the first. */
function keepFirst(container: HTMLElement, charts: Chart[]): void {
  for (const { plot } of charts.splice(chartsAtFirst)) plot.destroy();
  for (const figure of [...container.querySelectorAll("figure")].slice(chartsAtFirst)) figure.remove();
}

declare global {
  interface Window {
    Plot?: { readonly default: typeof uPlot };
  }
}

/** The library, which the page holds as a text: the first chart has it run. Views without charts never parse it. */
function plotLibrary(): typeof uPlot {
  if (window.Plot === undefined) document.head.append(el("script", {}, byId("plot").textContent));
  if (window.Plot === undefined) throw new Error("The library of the charts did not run.");
  return window.Plot.default;
}

/** In pieces: evaluating the library, making a chart and drawing what it holds. @param take Told of each; false: no more are wanted. */
async function createCharts(
  wanted: readonly Measure[],
  container: HTMLElement,
  shown: () => Shown,
  onCursor: (index: number | null) => void,
  take: (chart: Chart) => boolean,
): Promise<void> {
  const parts = wanted.map((measure) => {
    const caption = el("span", { class: "now" });
    const plot = el("div", { class: "plot", "aria-hidden": "true" });
    const head = el("figcaption", {}, el("b", {}, measure.name), ` ${measure.means}`, caption);
    return { measure, caption, place: plot, figure: el("figure", { class: "card" }, head, plot) };
  });
  container.append(...parts.map(({ figure }) => figure));
  await nextTask();
  const Plot = plotLibrary();
  for (const { measure, caption, place } of parts) {
    await nextTask();
    if (!place.isConnected) return;
    const plot = new Plot(optionsOf(measure, place.clientWidth, shown, onCursor), [[], []], place);
    await nextTask();
    if (place.isConnected && take({ measure, caption, plot, values: [] })) continue;
    plot.destroy();
    return;
  }
}

function optionsOf(
  measure: Measure,
  width: number,
  shown: () => Shown,
  onCursor: (index: number | null) => void,
): uPlot.Options {
  const axis = { stroke: () => inks().getPropertyValue("--quiet"), grid: { show: false }, ticks: { show: false } };
  return {
    ...{ width, height },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    legend: { show: false },
    scales: { y: { range: (_plot, _min, max) => [0, Math.max(measure.topMin, max * 1.1)] } },
    axes: [
      {
        ...{ ...axis, size: 28, incrs: timeSteps, space: timeWidthMin },
        values: (_plot, splits) => splits.map((seconds) => clockTime(seconds * 1000)),
      },
      {
        ...axis,
        ...{ size: 60, incrs: countSteps },
        grid: { stroke: () => inks().getPropertyValue("--line"), width: 1 },
        values: (_plot, splits) => splits.map((value) => measure.text(value)),
      },
    ],
    series: [{}, { stroke: () => inks().getPropertyValue(measure.colour), width: 2, points: { show: false } }],
    hooks: {
      setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)],
      draw: [(plot) => drawLines(plot, measure, shown())],
    },
  };
}

type Line = readonly [from: readonly [number, number], to: readonly [number, number]];

/** The threshold across, and marks from top to bottom. */
function drawLines(plot: uPlot, measure: Measure, { intervalSeconds, marks }: Shown): void {
  const { ctx, bbox } = plot;
  const draw = (ink: string, lines: readonly Line[]) => {
    if (lines.length === 0) return;
    ctx.save();
    ctx.strokeStyle = inks().getPropertyValue(ink);
    ctx.setLineDash([4, 4]);
    ctx.beginPath();
    for (const [from, to] of lines) {
      ctx.moveTo(...from);
      ctx.lineTo(...to);
    }
    ctx.stroke();
    ctx.restore();
  };
  const threshold = measure.threshold(intervalSeconds);
  if (threshold !== null && threshold <= (plot.scales["y"]?.max ?? 0)) {
    const y = plot.valToPos(threshold, "y", true);
    draw("--bad", [
      [
        [bbox.left, y],
        [bbox.left + bbox.width, y],
      ],
    ]);
  }
  const linesOf = (kind: Mark["kind"]) =>
    marks
      .filter((mark) => mark.kind === kind)
      .map(({ atMs }) => plot.valToPos(atMs / 1000, "x", true))
      .filter((x) => x >= bbox.left && x <= bbox.left + bbox.width)
      .map(
        (x): Line => [
          [x, bbox.top],
          [x, bbox.top + bbox.height],
        ],
      );
  draw("--quiet", linesOf("event"));
  draw("--accent", linesOf("deployment"));
}

function followSizeAndScheme(container: HTMLElement, charts: readonly Chart[], signal: AbortSignal): void {
  const observer = new ResizeObserver(() => {
    for (const { plot } of charts) {
      const width = plot.root.parentElement?.clientWidth ?? plot.width;
      if (width > 0 && width !== plot.width) plot.setSize({ width, height });
    }
  });
  observer.observe(container);
  signal.addEventListener("abort", () => observer.disconnect());
  // Lines are drawn in colours of the scheme.
  const redraw = () => {
    for (const { plot } of charts) plot.redraw();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw, { signal });
}
