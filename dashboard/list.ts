import { ApiError, api, type MailboxSearch, type MailboxView } from "./api.js";
import { announce } from "./confirm.js";
import { byId, el, show } from "./dom.js";
import { learn, nameOf } from "./names.js";
import { openMailbox } from "./panel.js";
import { timeAgo } from "./times.js";
import { kindNames, kinds, number, stateNames, states } from "./words.js";

/** The roster's mailboxes: searched, filtered, page by page. */

/** As last submitted, not as it is being typed. */
let wanted: MailboxSearch = { search: "", state: "", kind: "" };
let shown: readonly MailboxView[] = [];
let cursor: string | null = null;
/** Number of the latest request: answers to older ones are dropped. */
let latest = 0;

/** Makes the search form work. */
export function initList(): void {
  const [state, kind] = [byId<HTMLSelectElement>("search-state"), byId<HTMLSelectElement>("search-kind")];
  state.append(anyOption(), ...stateNames.map((name) => el("option", { value: name }, states[name].label)));
  kind.append(anyOption(), ...kindNames.map((name) => el("option", { value: name }, kinds[name].label)));
  byId<HTMLFormElement>("search").addEventListener("submit", (event) => {
    event.preventDefault();
    const search = byId<HTMLInputElement>("search-text").value.trim();
    wanted = { search, state: state.value, kind: kind.value };
    void refreshList();
  });
}

const anyOption = () => el("option", { value: "" }, "any");

/** Lists what a figure has counted: the mailboxes of one state, or of one kind. */
export function listOnly(filter: "state" | "kind", value: string): void {
  for (const name of ["state", "kind"]) {
    byId<HTMLSelectElement>(`search-${name}`).value = name === filter ? value : "";
  }
  byId<HTMLFormElement>("search").requestSubmit();
  byId("mailboxes-title").scrollIntoView();
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
      const page = await api.mailboxes(wanted, next);
      if (request !== latest) return;
      rows = [...rows, ...page.value];
      learn(page.value);
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
  const columns = ["Mailbox", "Kind", "State", "Calendars", "Last success", "Last change"];
  const head = el("tr", {}, ...columns.map((text) => el("th", { scope: "col" }, text)));
  const body = el("tbody");
  for (const mailbox of mailboxes) {
    const { state, kind, calendarCount, lastSuccess, lastChange } = mailbox;
    const { label } = states[state] ?? { label: state };
    body.append(
      el(
        "tr",
        {},
        el("td", { class: "name" }, ...openerOf(mailbox)),
        el("td", {}, el("span", { class: "badge" }, kinds[kind]?.label ?? kind)),
        el("td", {}, el("span", { class: `badge state-${state}` }, label)),
        el("td", { class: "count" }, number(calendarCount)),
        el("td", { class: "time" }, timeAgo(lastSuccess)),
        el("td", { class: "time" }, timeAgo(lastChange)),
      ),
    );
  }
  return el("div", { class: "scroll" }, el("table", {}, el("thead", {}, head), body));
}

/** A button with the name, and the address beside it; the id where nothing else is known. */
function openerOf(mailbox: MailboxView): (HTMLElement | null)[] {
  const { id, userPrincipalName } = mailbox;
  const name = nameOf(mailbox);
  const looks = name === id ? "link id" : "link clip";
  const open = el("button", { id: `open-${id}`, class: looks, title: id, onclick: () => openMailbox(id) }, name);
  const hasAddress = userPrincipalName !== null && userPrincipalName !== "" && userPrincipalName !== name;
  return [open, hasAddress ? el("span", { class: "clip address" }, userPrincipalName) : null];
}
