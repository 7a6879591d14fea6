import type { ActionPage } from "../../shared/views/actionSchema.js";
import { period } from "../actionList.js";
import { goTo, hrefTo } from "../address.js";
import { type Api, ApiError, type Status } from "../api.js";
import { forgetAnswered } from "../asked.js";
import { groupsOf } from "../attention.js";
import { type Charts, chartsAtFirst, chartsIn } from "../charts.js";
import { el, nextTask } from "../dom.js";
import { drawFigures, drawFreshness } from "../freshness.js";
import { deploymentsIn, type Mark, measures, type Range, rangeOf, ranges, type Tick } from "../measures.js";
import { lookUp } from "../names.js";
import { ticksTable } from "../ticksTable.js";
import { troublesDrawer } from "../troubles.js";
import type { Mounted, Tools, View } from "../view.js";
import { actions, number } from "../words.js";

/** How fresh everything is, what needs attention, and how that went over time. */
export const overview: View = { route: "/", title: "Overview", nav: "Overview", mount };

function mount(root: HTMLElement, address: { readonly query: URLSearchParams }, { api, refreshNow }: Tools): Mounted {
  const [freshness, activity, troubles, figures] = [
    el("div", { id: "freshness" }),
    el("div"),
    el("div", { id: "troubles" }),
    el("div", { id: "figures" }),
  ];
  const title = el("h2", { id: "troubles-title" }, "Needs attention");
  root.append(
    section("freshness-title", el("h2", { id: "freshness-title" }, "Freshness"), freshness),
    section("activity-title", el("h2", { id: "activity-title" }, "Over time"), activity),
    section("troubles-title", title, troubles),
    section("figures-title", el("h2", { id: "figures-title" }, "Figures"), figures),
  );
  let seen = seenIn(address.query);
  const pressed = chartButtons(activity);
  const charts: Charts = chartsIn(activity);
  const drawTicks = ticksTable(activity);
  const trouble = troublesDrawer(troubles, refreshNow);
  let last: Status | null = null;
  const acted = actionMarks(api);
  const drawCharts = () => {
    pressed(seen);
    if (last === null) return;
    const ticks = endedTicks(last.activity.ticks);
    const deployments = deploymentsIn(ticks).map((mark): Mark => ({ ...mark, kind: "deployment" }));
    charts.draw({
      ...seen,
      ticks,
      intervalSeconds: last.ticks.intervalSeconds,
      marks: [...brakeMarks(last), ...deployments, ...acted.marks()],
    });
  };
  return {
    refresh: async ({ status, census }) => {
      last = status;
      forgetAnswered(status);
      drawFreshness(freshness, status);
      await nextTask();
      drawCharts();
      await nextTask();
      trouble.draw(status);
      const total = groupsOf(status).reduce((sum, { count }) => sum + count, 0);
      title.textContent = total === 0 ? "Needs attention" : `Needs attention (${number(total)})`;
      await nextTask();
      drawTicks(status.activity.ticks);
      drawFigures(figures, status);
      void acted.refresh().then(drawCharts);
      await nextTask(); // Each request that is sent takes a while of its own.
      const oldest = status.mailboxes.oldestSuccess;
      const named = [...trouble.namedIn(status), ...(oldest === null ? [] : [oldest.mailbox])];
      if (!(await lookUp(named, census))) return;
      trouble.draw(status);
      drawFigures(figures, status);
    },
    update: ({ query }) => {
      seen = seenIn(query);
      drawCharts();
    },
    unmount: charts.destroy,
  };
}

/** Without the newest tick as long as shards are still at work on it: what it holds so far is not how things stand now. */
function endedTicks(ticks: readonly Tick[]): readonly Tick[] {
  const [before, newest] = ticks.slice(-2);
  const isUnderWay = before !== undefined && newest !== undefined && newest.shards < before.shards;
  return isUnderWay ? ticks.slice(0, -1) : ticks;
}

function section(id: string, title: HTMLElement, place: HTMLElement): HTMLElement {
  return el("section", { "aria-labelledby": id }, title, place);
}

/** What of the charts is seen: it stands in the address. */
type Seen = { readonly range: Range; readonly isWhole: boolean };

function seenIn(query: URLSearchParams): Seen {
  return { range: rangeOf(query.get("range")), isWhole: query.get("charts") === "all" };
}

/** Buttons for the range, and for the charts that do not show at first. What is given back shows what is chosen. */
function chartButtons(place: HTMLElement): (seen: Seen) => void {
  let chosen: Seen = seenIn(new URLSearchParams());
  const see = ({ range, isWhole }: Seen) =>
    goTo(hrefTo("/", { range: range === "day" ? "" : range, charts: isWhole ? "all" : "" }), true);
  const names = Object.keys(ranges) as readonly Range[];
  const buttons = names.map((range) =>
    el("button", { id: `range-${range}`, onclick: () => see({ ...chosen, range }) }, ranges[range].label),
  );
  const more = el("button", { id: "charts-more", onclick: () => see({ ...chosen, isWhole: !chosen.isWhole }) });
  const group = el("div", { class: "ranges", role: "group", "aria-label": "Range" }, ...buttons);
  place.append(el("div", { class: "ranges" }, group, more));
  return (seen) => {
    chosen = seen;
    for (const [index, button] of buttons.entries())
      button.setAttribute("aria-pressed", String(names[index] === seen.range));
    more.textContent = seen.isWhole ? `First ${chartsAtFirst} charts` : `All ${measures.length} charts`;
  };
}

/** Of the log of actions only the newest are marked. */
const actionsMarked = 50;

/** What operators have done lately, as marks: read again now and then. */
function actionMarks(api: Api): { refresh(): Promise<void>; marks(): readonly Mark[] } {
  let marks: readonly Mark[] = [];
  let readIn = Number.NaN;
  return {
    marks: () => marks,
    refresh: async () => {
      if (period() === readIn) return;
      readIn = period();
      try {
        const { value } = await api.get<ActionPage>(`actions?top=${actionsMarked}`);
        marks = value.map(({ time, action }) => ({
          atMs: Date.parse(time),
          text: actions[action] ?? action,
          kind: "event",
        }));
      } catch (error) {
        if (!(error instanceof ApiError)) throw error; // Charts without marks are charts: the view of actions says what is wrong.
      }
    },
  };
}

/** When Graph began to throttle or refuse the application, as far as the status tells. */
function brakeMarks({ brake, application }: Status): readonly Mark[] {
  const why = application ?? (brake.isOn ? brake : null);
  const atMs = Date.parse(why?.since ?? "");
  const text = application === null ? "throttled from here" : "refused from here";
  return Number.isNaN(atMs) ? [] : [{ atMs, text, kind: "event" }];
}
