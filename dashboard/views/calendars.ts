import type { FoundPage } from "../../shared/http/openapi/operators.js";
import { hrefTo, mailboxHref } from "../address.js";
import { el } from "../dom.js";
import { filtersOf, yesNo } from "../filters.js";
import { nameOf } from "../names.js";
import { pagedList } from "../pagedList.js";
import { swatchOf } from "../swatch.js";
import { tableOf } from "../table.js";
import { timeAgo } from "../times.js";
import type { View } from "../view.js";
import { kindNames, kinds } from "../words.js";

/** Calendars of all mailboxes, found by name, owner, and what their users may do with them. */
export const calendars: View = {
  route: "/calendars",
  title: "Find calendars",
  nav: "Calendars",
  mount: (root, address, { api }) => {
    const filters = filtersOf({
      prefix: "calendars-filter",
      fields,
      hrefOf: (values) => hrefTo("/calendars", values),
      submit: "Find",
      again: () => void read(true),
    });
    const place = el("div", { id: "found", class: "card" });
    const age = el("p", { class: "empty" });
    root.append(filters.form, age, place);
    let query = address.query;
    let readings = 0;
    filters.fill(query);
    const list = pagedList<Found>({
      place,
      prefix: "found",
      read: async (cursor) => {
        const given = new URLSearchParams({ top: "50", ...filters.asked(query) });
        if (cursor !== null) given.set("cursor", cursor);
        const page = await api.get<FoundPage>(`calendars?${given}`);
        age.replaceChildren("Stalest mailbox: read ", timeAgo(page.oldestSuccess), ".");
        return { items: page.value, cursor: page.cursor };
      },
      draw: table,
      more: "More calendars",
      none: "No calendar matches.",
    });
    const read = async (isAnew = false) => {
      if (isAnew) readings += 1;
      const given = new URLSearchParams(filters.asked(query));
      // A search reads all rows of the mirror: it is made where somebody has asked for something, and not again by itself.
      if (given.size > 0) return list.refresh(`${readings} ${given}`);
      age.replaceChildren();
      place.replaceChildren(el("p", { class: "empty" }, "Say what to look for."));
    };
    return {
      refresh: () => read(),
      update: (to) => {
        query = to.query;
        filters.fill(query);
        void read();
      },
    };
  },
};

type Found = FoundPage["value"][number];

const fields = [
  { name: "name", label: "Part of the name", kind: "text", lengthMax: 256 },
  { name: "owner", label: "Owner's address", kind: "text", lengthMax: 256 },
  { name: "shared", label: "Shared by its user", kind: "choice", choices: yesNo },
  { name: "editable", label: "May be edited", kind: "choice", choices: yesNo },
  { name: "default", label: "Default calendar", kind: "choice", choices: yesNo },
  {
    name: "kind",
    label: "Kind of mailbox",
    kind: "choice",
    choices: kindNames.map((name) => [name, kinds[name].label] as const),
  },
] as const;

function table(found: readonly Found[]): HTMLElement {
  return tableOf(["Calendar", "Owner", "In the mailbox of", "Shared", "May be edited"], found.map(cellsOf));
}

function cellsOf({ calendar, mailbox }: Found, index: number) {
  const { name, owner, isDefaultCalendar, isShared, canEdit } = calendar;
  const owned = [owner?.name, owner?.address].filter((text) => typeof text === "string" && text !== "").join(", ");
  const whose = nameOf(mailbox);
  const looks = whose === mailbox.id ? "id" : "wrap";
  const { userPrincipalName, id, kind } = mailbox;
  const href = mailboxHref(id);
  const swatch = swatchOf({ hexColor: calendar.hexColor ?? null, color: calendar.color ?? null });
  const badge = isDefaultCalendar === true ? el("span", { class: "badge" }, "default") : null;
  const link = el("a", { id: `found-${index}`, class: looks, title: userPrincipalName ?? id, href }, whose);
  return [
    { class: "name", children: [swatch, el("span", { class: "wrap" }, name || "(no name)"), badge] },
    { class: "wrap", children: [owned] },
    {
      class: "wrap",
      children: [link, " ", kind === "unknown" ? null : el("span", { class: "badge" }, kinds[kind].label)],
    },
    { children: [yesOrNo(isShared)] },
    { children: [yesOrNo(canEdit)] },
  ];
}

/** Empty where Graph does not say. */
function yesOrNo(value: boolean | null | undefined): string {
  return typeof value === "boolean" ? (value ? "yes" : "no") : "";
}
