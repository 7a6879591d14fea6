import { changeOnly, el, show } from "./dom.js";
import type { Tick } from "./measures.js";
import { timeAgo } from "./times.js";
import { number, span } from "./words.js";

const rows = 20;

/** Makes what draws the last ticks as a table, the newest first. It is folded, and drawn only while somebody looks. */
export function ticksTable(place: HTMLElement): (ticks: readonly Tick[]) => void {
  const table = el("div", { id: "ticks-table", class: "scroll" });
  const details = el("details", { id: "ticks" }, el("summary", {}, "The last ticks as a table"), table);
  place.append(details);
  let known: readonly Tick[] = [];
  const draw = changeOnly((ticks: readonly Tick[]) => show(table, tableOf(ticks)));
  details.addEventListener("toggle", () => {
    if (details.open) draw(known);
  });
  return (ticks) => {
    known = ticks.slice(-rows).reverse();
    if (details.open) draw(known);
  };
}

function tableOf(ticks: readonly Tick[]): HTMLElement {
  const columns = ["Started", "Took", "Syncs", "Pages", "Changes", "Graph requests", "429 responses", "Table requests"];
  const head = el("tr", {}, ...columns.map((text) => el("th", { scope: "col" }, text)));
  const body = el("tbody");
  for (const tick of ticks) {
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
  return el("table", {}, el("thead", {}, head), body);
}
