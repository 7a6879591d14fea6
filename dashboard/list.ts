import { ApiError, api, type MailboxView } from "./api.js";
import { announce } from "./confirm.js";
import { byId, el, show } from "./dom.js";
import { openMailbox } from "./panel.js";
import { timeAgo } from "./times.js";
import { number, stateNames, states } from "./words.js";

/** The roster's mailboxes: searched, filtered, page by page. */

/** As last submitted, not as it is being typed. */
let search = "";
let state = "";
let shown: readonly MailboxView[] = [];
let cursor: string | null = null;
/** Number of the latest request: answers to older ones are dropped. */
let latest = 0;

/** Makes the search form work. */
export function initList(): void {
  const select = byId<HTMLSelectElement>("search-state");
  select.append(
    el("option", { value: "" }, "any"),
    ...stateNames.map((name) => el("option", { value: name }, states[name].label)),
  );
  byId<HTMLFormElement>("search").addEventListener("submit", (event) => {
    event.preventDefault();
    search = byId<HTMLInputElement>("search-text").value.trim();
    state = byId<HTMLSelectElement>("search-state").value;
    void refreshList();
  });
}

/** Reads the first page of the search. */
function refreshList(): Promise<void> {
  return load([], null);
}

/** Reads again what is shown, with all its pages. */
export function refreshShown(): Promise<void> {
  return load([], null, shown.length);
}

async function load(before: readonly MailboxView[], from: string | null, countMin = 1): Promise<void> {
  latest += 1;
  const request = latest;
  let rows = before;
  let next = from;
  try {
    do {
      const page = await api.mailboxes(search, state, next);
      if (request !== latest) return;
      rows = [...rows, ...page.value];
      next = page.cursor;
    } while (next !== null && rows.length < countMin);
    shown = rows;
    cursor = next;
    draw();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (request === latest) announce(error.message);
  }
}

function draw(): void {
  const more =
    cursor === null
      ? null
      : el("button", { id: "list-more", onclick: () => void load(shown, cursor) }, "More mailboxes");
  const none = el(
    "p",
    { class: "empty" },
    cursor === null ? "No mailbox matches." : "None among those that were looked at.",
  );
  show(byId("mailbox-list"), shown.length === 0 ? none : tableOf(shown), more);
}

function tableOf(mailboxes: readonly MailboxView[]): HTMLElement {
  const columns = ["Mailbox", "State", "Calendars", "Last success", "Last change"];
  const head = el("tr", {}, ...columns.map((text) => el("th", { scope: "col" }, text)));
  const body = el("tbody");
  for (const { id, displayName, state, calendarCount, lastSuccess, lastChange } of mailboxes) {
    const { label } = states[state] ?? { label: state };
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
