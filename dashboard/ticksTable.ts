import { changeOnly, el, show } from "./dom.js";
import type { Tick } from "./measures.js";
import { type Cell, tableOf } from "./table.js";
import { timeAgo } from "./times.js";
import { number, span } from "./words.js";

const rows = 20;

/** Makes what draws the last ticks as a table, the newest first. It is folded, and drawn only while somebody looks. */
export function ticksTable(place: HTMLElement): (ticks: readonly Tick[]) => void {
  const table = el("div", { id: "ticks-table" });
  const details = el("details", { id: "ticks" }, el("summary", {}, "The last ticks as a table"), table);
  place.append(details);
  let known: readonly Tick[] = [];
  const draw = changeOnly((ticks: readonly Tick[]) => show(table, tableOf(columns, ticks.map(rowOf))));
  details.addEventListener("toggle", () => {
    if (details.open) draw(known);
  });
  return (ticks) => {
    known = ticks.slice(-rows).reverse();
    if (details.open) draw(known);
  };
}

const columns = ["Started", "Took", "Syncs", "Pages", "Changes", "Graph requests", "429 responses", "Table requests"];

function rowOf(tick: Tick): readonly Cell[] {
  const figures = [tick.rounds, tick.pages, tick.changes, tick.graphRequests, tick.throttles, tick.transactions];
  const texts = [span(tick.seconds), ...figures.map((figure) => number(figure))];
  return [{ children: [timeAgo(tick.started)] }, ...texts.map((text) => ({ class: "count", children: [text] }))];
}
