import { ApiError, api, type Mailbox } from "./api.js";
import { byId, el, show } from "./dom.js";
import { openMailbox } from "./panel.js";
import { timeAgo } from "./times.js";
import { number, type StateName, stateNames, states } from "./words.js";

/** The roster's mailboxes: searched, filtered, page by page. */

const pageSize = 50;
let held: readonly Mailbox[] = [];
let cursor: string | null = null;
/** Answers of an older search are dropped. */
let asked = 0;

export function initList(): void {
  const select = byId<HTMLSelectElement>("search-state");
  select.append(
    el("option", { value: "" }, "any"),
    ...stateNames.map((name) => el("option", { value: name }, states[name].label)),
  );
  byId<HTMLFormElement>("search").addEventListener("submit", (event) => {
    event.preventDefault();
    void refreshList();
  });
}

export function refreshList(): Promise<void> {
  return load([], null);
}

/** Brings the list up to date, unless somebody has paged on in it: that would throw them back. */
export async function refreshFirstPage(): Promise<void> {
  if (held.length <= pageSize) await refreshList();
}

async function load(before: readonly Mailbox[], from: string | null): Promise<void> {
  asked += 1;
  const turn = asked;
  const search = byId<HTMLInputElement>("search-text").value.trim();
  const state = byId<HTMLSelectElement>("search-state").value;
  try {
    const page = await api.mailboxes(search, state, from);
    if (turn !== asked) return;
    held = [...before, ...page.value];
    cursor = page.cursor;
    draw();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (turn === asked) show(byId("mailbox-list"), el("p", { class: "failure" }, error.message));
  }
}

function draw(): void {
  const more =
    cursor === null
      ? null
      : el("button", { id: "list-more", onclick: () => void load(held, cursor) }, "More mailboxes");
  const none = el(
    "p",
    { class: "empty" },
    cursor === null ? "No mailbox is like that." : "None among those that were looked at.",
  );
  show(byId("mailbox-list"), held.length === 0 ? none : tableOf(held), more);
}

function tableOf(mailboxes: readonly Mailbox[]): HTMLElement {
  const columns = ["Mailbox", "State", "Calendars", "Last success", "Last change"];
  const head = el("tr", {}, ...columns.map((text) => el("th", { scope: "col" }, text)));
  const body = el("tbody");
  for (const { id, displayName, state, calendarCount, lastSuccess, lastChange } of mailboxes) {
    const { label } = states[state as StateName] ?? { label: state };
    const name = displayName === null || displayName === "" ? null : el("span", { class: "clip" }, displayName);
    const open = el("button", { id: `open-${id}`, class: "link id", onclick: () => openMailbox(id) }, id);
    body.append(
      el(
        "tr",
        {},
        el("td", { class: "name" }, name, open),
        el("td", {}, el("span", { class: `badge state-${state}` }, label)),
        el("td", { class: "count" }, number(calendarCount)),
        el("td", { class: "time" }, timeAgo(lastSuccess)),
        el("td", { class: "time" }, timeAgo(lastChange)),
      ),
    );
  }
  return el("div", { class: "scroll" }, el("table", {}, el("thead", {}, head), body));
}
