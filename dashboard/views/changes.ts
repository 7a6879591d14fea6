import { hrefTo } from "../address.js";
import type { HistoryPage } from "../api.js";
import { el, show } from "../dom.js";
import { filtersOf } from "../filters.js";
import { historyList, historyPath } from "../history.js";
import type { View } from "../view.js";
import { changes as kinds } from "../words.js";

/** What changed lately in all mailboxes: who, which calendar, before and after. */
export const changes: View = {
  route: "/changes",
  title: "Recent changes",
  nav: "Changes",
  mount: (root, address, { api }) => {
    const filters = filtersOf({
      prefix: "changes-filter",
      fields,
      hrefOf: (values) => hrefTo("/changes", values),
      submit: "Show",
      again: () => void read(true),
    });
    const times = el("p", { class: "presets" });
    const place = el("div", { id: "history", class: "card" });
    const note =
      "Graph does not say who made a change: whoever may edit the calendar can have. Audit logs in Microsoft Purview know.";
    root.append(filters.form, times, el("p", { class: "empty" }, note), place);
    let query = address.query;
    let logged = "";
    let readings = 0;
    const list = historyList({
      place,
      prefix: "change",
      read: (cursor) => api.get<HistoryPage>(historyPath("history", filters.asked(query), cursor)),
      none: "No such change is known.",
    });
    const read = (isAnew = false) => {
      if (isAnew) readings += 1;
      return list.refresh(`${readings} ${logged} ${new URLSearchParams(filters.asked(query))}`);
    };
    const follow = () => {
      filters.fill(query);
      show(times, ...presetsOf(filters.values()));
    };
    follow();
    return {
      refresh: (now) => {
        logged = now.logged;
        return read();
      },
      update: (to) => {
        query = to.query;
        follow();
        void read();
      },
    };
  },
};

const fields = [
  {
    name: "kind",
    label: "Kind",
    kind: "choice",
    choices: Object.entries(kinds).map(([kind, { label }]) => [kind, label] as const),
  },
  { name: "owner", label: "Owner's address", kind: "text", lengthMax: 320 },
  { name: "since", label: "Since", kind: "time" },
  { name: "until", label: "Until", kind: "time" },
] as const;

/** Times that people ask for, of the reader's zone; other filters stay. */
function presetsOf(values: Readonly<Record<string, string>>): HTMLElement[] {
  const hourMs = 3_600_000;
  const dayStart = (daysAgo: number) => {
    const day = new Date();
    day.setHours(0, 0, 0, 0);
    day.setDate(day.getDate() - daysAgo); // Days are not all of 24 hours.
    return day.toISOString();
  };
  const presets: readonly (readonly [id: string, label: string, times: { since: string; until: string }])[] = [
    ["hour", "Last hour", { since: new Date(Date.now() - hourMs).toISOString(), until: "" }],
    ["today", "Today", { since: dayStart(0), until: "" }],
    ["yesterday", "Yesterday", { since: dayStart(1), until: dayStart(0) }],
    ["week", "Last 7 days", { since: dayStart(6), until: "" }],
    ["any", "Any time", { since: "", until: "" }],
  ];
  return presets.map(([id, label, times]) =>
    el("a", { id: `changes-${id}`, href: hrefTo("/changes", { ...values, ...times }) }, label),
  );
}
