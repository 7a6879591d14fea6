import { type Address, goTo, hrefTo, mailboxHref } from "../address.js";
import { ApiError, type MailboxSearch, type MailboxView } from "../api.js";
import { announce } from "../confirm.js";
import { el, show } from "../dom.js";
import { learn, nameOf } from "../names.js";
import { timeAgo } from "../times.js";
import type { Mounted, Tools, View } from "../view.js";
import { kindNames, kinds, number, stateNames, states } from "../words.js";

/** The roster's mailboxes: searched, filtered, page by page. What is looked for stands in the address. */
export const mailboxes: View = { route: "/mailboxes", title: "Mailboxes", nav: "Mailboxes", mount };

function mount(root: HTMLElement, address: Address, { api }: Tools): Mounted {
  const fields = fieldsOf();
  const place = el("div", { id: "mailbox-list" });
  root.append(formOf(fields), place);
  let wanted = wantedIn(address);
  let shown: readonly MailboxView[] = [];
  let cursor: string | null = null;
  let census = "";
  /** Number of the latest request: answers to older ones are dropped. */
  let latest = 0;
  fill(fields, wanted);

  const load = async (before: readonly MailboxView[], from: string | null, countMin = 1): Promise<void> => {
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
      draw(place, shown, cursor, () => void load(shown, cursor));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      census = ""; // The next reading of the page tries again.
      if (request === latest) announce(error.message);
    }
  };
  return {
    refresh: async (now) => {
      if (now.census === census) return;
      census = now.census;
      await load([], null, shown.length);
    },
    update: (to) => {
      wanted = wantedIn(to);
      fill(fields, wanted);
      void load([], null);
    },
  };
}

type Fields = ReturnType<typeof fieldsOf>;

function fieldsOf() {
  const state = el("select", { id: "search-state" }, anyOption());
  const kind = el("select", { id: "search-kind" }, anyOption());
  state.append(...stateNames.map((name) => el("option", { value: name }, states[name].label)));
  kind.append(...kindNames.map((name) => el("option", { value: name }, kinds[name].label)));
  const search = el("input", {
    id: "search-text",
    type: "search",
    maxlength: 128,
    autocomplete: "off",
    spellcheck: "false",
  });
  return { search, state, kind };
}

const anyOption = () => el("option", { value: "" }, "any");

function formOf({ search, state, kind }: Fields): HTMLElement {
  const onsubmit = (event: Event) => {
    event.preventDefault();
    goTo(hrefTo("/mailboxes", { search: search.value.trim(), state: state.value, kind: kind.value }));
  };
  return el(
    "form",
    { id: "search", class: "search", role: "search", onsubmit },
    el("label", { for: "search-text" }, "Search by name, address or id"),
    search,
    el("label", { for: "search-state" }, "State"),
    state,
    el("label", { for: "search-kind" }, "Kind"),
    kind,
    el("button", { type: "submit" }, "Search"),
  );
}

/** As last submitted, not as it is being typed. */
function wantedIn({ query }: Address): MailboxSearch {
  const given = (name: string) => query.get(name) ?? "";
  return { search: given("search"), state: given("state"), kind: given("kind") };
}

function fill(fields: Fields, wanted: MailboxSearch): void {
  fields.search.value = wanted.search;
  fields.state.value = wanted.state;
  fields.kind.value = wanted.kind;
}

function draw(place: HTMLElement, shown: readonly MailboxView[], cursor: string | null, onclick: () => void): void {
  const more = cursor === null ? null : el("button", { id: "list-more", onclick }, "More mailboxes");
  const none = el(
    "p",
    { class: "empty" },
    cursor === null ? "No mailbox matches." : "None among those that were looked at.",
  );
  show(place, shown.length === 0 ? none : tableOf(shown), more);
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
        el("td", { class: "name" }, ...linkOf(mailbox)),
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

/** A link with the name, and the address beside it; the id where nothing else is known. */
function linkOf(mailbox: MailboxView): (HTMLElement | null)[] {
  const { id, userPrincipalName } = mailbox;
  const name = nameOf(mailbox);
  const looks = name === id ? "id" : "clip";
  const open = el("a", { id: `open-${id}`, class: looks, title: id, href: mailboxHref(id) }, name);
  const hasAddress = userPrincipalName !== null && userPrincipalName !== "" && userPrincipalName !== name;
  return [open, hasAddress ? el("span", { class: "clip address" }, userPrincipalName) : null];
}
