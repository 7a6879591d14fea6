import { ApiError, api, type Mailbox } from "./api.js";
import { say } from "./confirm.js";
import { byId, el, show } from "./dom.js";
import { openMailbox } from "./panel.js";
import { timeAgo } from "./times.js";
import { number, type StateName, stateNames, states } from "./words.js";

/** The roster's mailboxes: searched, filtered, page by page. */

/** As last asked for: what is being typed counts when it is submitted. */
let search = "";
let state = "";
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
    search = byId<HTMLInputElement>("search-text").value.trim();
    state = byId<HTMLSelectElement>("search-state").value;
    void refreshList();
  });
}

/** The first page of what was searched. */
function refreshList(): Promise<void> {
  return load([], null);
}

/** Reads what is shown anew: as many mailboxes as there are, so that whoever has paged on stays where they are. */
export function refreshShown(): Promise<void> {
  return load([], null, held.length);
}

async function load(before: readonly Mailbox[], from: string | null, countMin = 1): Promise<void> {
  asked += 1;
  const turn = asked;
  let rows = before;
  let next = from;
  try {
    do {
      const page = await api.mailboxes(search, state, next);
      if (turn !== asked) return;
      rows = [...rows, ...page.value];
      next = page.cursor;
    } while (next !== null && rows.length < countMin);
    held = rows;
    cursor = next;
    draw();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (turn === asked) say(error.message);
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
    cursor === null ? "No mailbox matches." : "None among those that were looked at.",
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
