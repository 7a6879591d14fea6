import { goTo, hrefTo } from "../address.js";
import type { Status } from "../api.js";
import { forgetAnswered } from "../asked.js";
import { groupsOf } from "../attention.js";
import { type Charts, chartsIn, type Mark } from "../charts.js";
import { el } from "../dom.js";
import { drawFigures, drawFreshness } from "../freshness.js";
import { type Range, rangeOf, ranges } from "../measures.js";
import { lookUp } from "../names.js";
import { ticksTable } from "../ticksTable.js";
import { troublesDrawer } from "../troubles.js";
import type { Mounted, Tools, View } from "../view.js";
import { number } from "../words.js";

/** How fresh everything is, what needs attention, and how that went over time. */
export const overview: View = { route: "/", title: "Overview", nav: "Overview", mount };

function mount(root: HTMLElement, address: { readonly query: URLSearchParams }, { refreshNow }: Tools): Mounted {
  const [freshness, troubles, activity, figures] = [
    el("div", { id: "freshness" }),
    el("div", { id: "troubles" }),
    el("div"),
    el("div", { id: "figures" }),
  ];
  const title = el("h2", { id: "troubles-title" }, "Needs attention");
  root.append(
    section("freshness-title", el("h2", { id: "freshness-title" }, "Freshness"), freshness),
    section("troubles-title", title, troubles),
    section("activity-title", el("h2", { id: "activity-title" }, "Over time"), activity),
    section("figures-title", el("h2", { id: "figures-title" }, "Figures"), figures),
  );
  let range = rangeOf(address.query.get("range"));
  const pressed = rangeButtons(activity);
  const charts: Charts = chartsIn(activity);
  const drawTicks = ticksTable(activity);
  const trouble = troublesDrawer(troubles, refreshNow);
  let last: Status | null = null;
  const drawCharts = () => {
    pressed(range);
    if (last === null) return;
    const { ticks } = last.activity;
    charts.draw({ ticks, range, intervalSeconds: last.ticks.intervalSeconds, marks: marksOf(last) });
  };
  return {
    refresh: async ({ status, census }) => {
      last = status;
      forgetAnswered(status);
      drawFreshness(freshness, status);
      trouble.draw(status);
      const total = groupsOf(status).reduce((sum, { count }) => sum + count, 0);
      title.textContent = total === 0 ? "Needs attention" : `Needs attention (${number(total)})`;
      drawCharts();
      drawTicks(status.activity.ticks);
      drawFigures(figures, status);
      const oldest = status.mailboxes.oldestSuccess;
      const named = [...trouble.namedIn(status), ...(oldest === null ? [] : [oldest.mailbox])];
      if (!(await lookUp(named, census))) return;
      trouble.draw(status);
      drawFigures(figures, status);
    },
    update: ({ query }) => {
      range = rangeOf(query.get("range"));
      drawCharts();
    },
    unmount: charts.destroy,
  };
}

function section(id: string, title: HTMLElement, place: HTMLElement): HTMLElement {
  return el("section", { "aria-labelledby": id }, title, place);
}

/** Buttons for the range, which stands in the address. What is given back shows which one is chosen. */
function rangeButtons(place: HTMLElement): (range: Range) => void {
  const names = Object.keys(ranges) as readonly Range[];
  const buttons = names.map((name) =>
    el("button", { id: `range-${name}`, onclick: () => goTo(hrefTo("/", { range: name }), true) }, ranges[name].label),
  );
  place.append(el("div", { class: "ranges", role: "group", "aria-label": "Range" }, ...buttons));
  return (range) => {
    for (const [index, button] of buttons.entries())
      button.setAttribute("aria-pressed", String(names[index] === range));
  };
}

/** What happened meanwhile, as far as the status tells. */
function marksOf({ brake, application }: Status): readonly Mark[] {
  const why = application ?? (brake.isOn ? brake : null);
  const atMs = Date.parse(why?.since ?? "");
  return Number.isNaN(atMs) ? [] : [{ atMs, text: "the brake came on" }];
}
