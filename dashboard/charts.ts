import uPlot from "uplot";
import type { Status } from "./api.js";
import { byId, changeOnly, el, show } from "./dom.js";
import { timeAgo } from "./times.js";
import { number, span } from "./words.js";

/** Rounds, changes, throttles and lag over the ticks that the mirror remembers: a day of five-minute ticks. */

type Tick = Status["activity"]["ticks"][number];
type Measure = {
  readonly name: string;
  readonly means: string;
  readonly colour: string;
  of(tick: Tick, before: Tick | undefined): number;
};

/** The longest that a change had waited when the tick ended, in seconds: since the start of the tick before, which may have just missed it. */
function lagSeconds(tick: Tick, before: Tick | undefined): number {
  if (before === undefined || before.started === null || tick.started === null) return tick.seconds;
  return (Date.parse(tick.started) - Date.parse(before.started)) / 1000 + tick.seconds;
}

const measures: readonly Measure[] = [
  { name: "Rounds", means: "mailboxes read in a tick", colour: "--chart-1", of: ({ rounds }) => rounds },
  { name: "Changes", means: "calendars that changed", colour: "--chart-2", of: ({ changes }) => changes },
  {
    name: "Throttles",
    means: "answers of Graph that said: too many",
    colour: "--chart-3",
    of: ({ throttles }) => throttles,
  },
  { name: "Lag", means: "seconds that a change waited at the most", colour: "--chart-4", of: lagSeconds },
];

const height = 130;
const tableRows = 20;

export type Activity = { draw(ticks: readonly Tick[]): void; destroy(): void };

/** Makes charts and the table of the last ticks in their place. */
export function activityDrawer(place: HTMLElement): Activity {
  const container = el("div", { id: "charts", class: "charts" });
  const table = el("div", { id: "ticks-table", class: "scroll" });
  place.append(container, el("details", { id: "ticks" }, el("summary", {}, "The last ticks as a table"), table));
  const plots: uPlot[] = [];
  const ended = new AbortController();
  const destroy = () => {
    for (const plot of plots.splice(0)) plot.destroy();
  };
  followSizeAndScheme(container, plots, ended.signal);
  const draw = changeOnly((ticks: readonly Tick[]) => {
    drawTable(table, ticks);
    if (ticks.length < 2) {
      destroy(); // Their container is about to be replaced.
      return show(container, el("p", { class: "empty" }, "The charts begin with the second tick."));
    }
    const times = ticks.map(({ started }) => Date.parse(started ?? "") / 1000);
    const series = measures.map(({ of }) => ticks.map((tick, index) => of(tick, ticks[index - 1])));
    if (plots.length === 0) createPlots(container, plots);
    for (const [index, plot] of plots.entries()) {
      const values = series[index] ?? [];
      plot.setData([times, values]);
      const figure = byId(`chart-${index}`);
      const now = values.at(-1) ?? 0;
      figure.textContent = `${number(Math.round(now))} now, ${number(Math.round(Math.max(...values)))} at the most`;
    }
  });
  return {
    draw,
    destroy: () => {
      ended.abort();
      destroy();
    },
  };
}

function followSizeAndScheme(container: HTMLElement, plots: readonly uPlot[], signal: AbortSignal): void {
  const observer = new ResizeObserver(() => {
    for (const plot of plots) {
      const width = plot.root.parentElement?.clientWidth ?? plot.width;
      if (width > 0 && width !== plot.width) plot.setSize({ width, height });
    }
  });
  observer.observe(container);
  signal.addEventListener("abort", () => observer.disconnect());
  // Lines are drawn in colours of the scheme.
  const redraw = () => {
    for (const plot of plots) plot.redraw();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw, { signal });
}

function createPlots(container: HTMLElement, plots: uPlot[]): void {
  const figures = measures.map(({ name, means }, index) => {
    const caption = el(
      "figcaption",
      {},
      el("b", {}, name),
      ` ${means}`,
      el("span", { id: `chart-${index}`, class: "now" }),
    );
    return el("figure", { class: "card" }, caption, el("div", { class: "plot", "aria-hidden": "true" }));
  });
  show(container, ...figures);
  const inks = () => getComputedStyle(document.documentElement);
  for (const [index, { colour }] of measures.entries()) {
    const place = figures[index]?.querySelector<HTMLElement>(".plot");
    if (place == null) continue;
    const axis = { stroke: () => inks().getPropertyValue("--quiet"), grid: { show: false }, ticks: { show: false } };
    plots.push(
      new uPlot(
        {
          width: place.clientWidth,
          height,
          cursor: { show: false },
          legend: { show: false },
          scales: { y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.1)] } },
          axes: [
            { ...axis, size: 36 },
            { ...axis, size: 44, grid: { stroke: () => inks().getPropertyValue("--line"), width: 1 } },
          ],
          series: [{}, { stroke: () => inks().getPropertyValue(colour), width: 2, points: { show: false } }],
        },
        [[], []],
        place,
      ),
    );
  }
}

function drawTable(place: HTMLElement, ticks: readonly Tick[]): void {
  const columns = ["Started", "Took", "Rounds", "Pages", "Changes", "Graph requests", "Throttles", "Table requests"];
  const head = el("tr", {}, ...columns.map((text) => el("th", { scope: "col" }, text)));
  const body = el("tbody");
  for (const tick of ticks.slice(-tableRows).reverse()) {
    const figures = [tick.rounds, tick.pages, tick.changes, tick.graphRequests, tick.throttles, tick.transactions];
    body.append(
      el(
        "tr",
        {},
        el("th", { scope: "row", title: tick.started ?? "" }, timeAgo(tick.started)),
        el("td", { class: "count" }, span(tick.seconds)),
        ...figures.map((figure) => el("td", { class: "count" }, number(figure))),
      ),
    );
  }
  show(place, el("table", {}, el("thead", {}, head), body));
}
