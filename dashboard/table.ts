import { el } from "./dom.js";

export type Cell = { readonly class?: string; readonly children: readonly (Node | string | null)[] };

/** A table that a narrow window shows as one block for each row: so its roles are said, which a block would lose. @param columns An empty one has no heading. */
export function tableOf(columns: readonly string[], rows: readonly (readonly Cell[])[], looks = ""): HTMLElement {
  const head = el(
    "tr",
    { role: "row" },
    ...columns.map((text) =>
      text === "" ? el("td", { role: "cell" }) : el("th", { scope: "col", role: "columnheader" }, text),
    ),
  );
  const body = el("tbody", { role: "rowgroup" }, ...rows.map((cells) => rowOf(columns, cells)));
  const thead = el("thead", { role: "rowgroup" }, head);
  return el("div", { class: "scroll" }, el("table", { class: `stacked ${looks}`.trim(), role: "table" }, thead, body));
}

/** The first cell names the row, and needs no label. */
function rowOf(columns: readonly string[], cells: readonly Cell[]): HTMLElement {
  const drawn = cells.map(({ class: looks = null, children }, index) =>
    el("td", { role: "cell", class: looks, "data-label": index === 0 ? null : columns[index] || null }, ...children),
  );
  return el("tr", { role: "row" }, ...drawn);
}
