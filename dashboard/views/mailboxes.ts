import type { MailboxPage } from "../../shared/http/openapi/operators.js";
import { addMailbox, discoverNow } from "../actions.js";
import { type Address, goTo, hrefTo, mailboxHref } from "../address.js";
import type { MailboxView } from "../api.js";
import { el } from "../dom.js";
import { filtersOf } from "../filters.js";
import { learn, nameOf } from "../names.js";
import { pagedList } from "../pagedList.js";
import { tableOf } from "../table.js";
import { timeAgo } from "../times.js";
import type { Mounted, Tools, View } from "../view.js";
import { kindNames, kinds, number, stateNames, states } from "../words.js";

/** The roster's mailboxes: searched, filtered, page by page; and how one gets there. */
export const mailboxes: View = { route: "/mailboxes", title: "Mailboxes", nav: "Mailboxes", mount };

const fields = [
  { name: "search", label: "Search by name, address or id", kind: "text", lengthMax: 128 },
  {
    name: "state",
    label: "State",
    kind: "choice",
    choices: stateNames.map((name) => [name, states[name].label] as const),
  },
  { name: "reason", label: "Reason or code", kind: "text", lengthMax: 256 },
  { name: "kind", label: "Kind", kind: "choice", choices: kindNames.map((name) => [name, kinds[name].label] as const) },
] as const;

function mount(root: HTMLElement, address: Address, { api, refreshNow }: Tools): Mounted {
  const filters = filtersOf({
    prefix: "search",
    fields,
    hrefOf: (values) => hrefTo("/mailboxes", values),
    submit: "Search",
    again: () => void read(true),
  });
  const place = el("div", { id: "mailbox-list" });
  root.append(filters.form, place, addForm(refreshNow));
  let query = address.query;
  let census = "";
  let readings = 0;
  filters.fill(query);
  const list = pagedList<MailboxView>({
    place,
    prefix: "list",
    read: async (cursor) => {
      const given = new URLSearchParams({ top: "50", ...filters.asked(query) });
      if (cursor !== null) given.set("cursor", cursor);
      const page = await api.get<MailboxPage>(`mailboxes?${given}`);
      learn(page.value);
      return { items: page.value, cursor: page.cursor };
    },
    draw: table,
    more: "More mailboxes",
    none: "No mailbox matches.",
  });
  const read = (isAnew = false) => {
    if (isAnew) readings += 1;
    return list.refresh(`${readings} ${census} ${new URLSearchParams(filters.asked(query))}`);
  };
  return {
    refresh: (now) => {
      census = now.census;
      return read();
    },
    update: (to) => {
      query = to.query;
      filters.fill(query);
      void read();
    },
  };
}

function table(mailboxes: readonly MailboxView[]): HTMLElement {
  return tableOf(["Mailbox", "Kind", "State", "Calendars", "Last success", "Last change"], mailboxes.map(cellsOf));
}

function cellsOf(mailbox: MailboxView) {
  const { state, kind, calendarCount, lastSuccess, lastChange } = mailbox;
  const { label } = states[state] ?? { label: state };
  const reason = state === "fresh" ? null : (mailbox.parkedReason ?? mailbox.lastErrorCode);
  const code = reason === null || reason === state ? null : el("code", { class: "reason" }, reason);
  return [
    { class: "name", children: linkOf(mailbox) },
    { children: [el("span", { class: "badge" }, kinds[kind]?.label ?? kind)] },
    { children: [el("span", { class: `badge state-${state}` }, label), code] },
    { class: "count", children: [number(calendarCount)] },
    { class: "time", children: [timeAgo(lastSuccess)] },
    { class: "time", children: [timeAgo(lastChange)] },
  ];
}

/** A link with the name, and the address beside it; the id where nothing else is known. */
function linkOf(mailbox: MailboxView): (HTMLElement | null)[] {
  const { id, userPrincipalName } = mailbox;
  const name = nameOf(mailbox);
  const open = el(
    "a",
    { id: `open-${id}`, class: name === id ? "id" : "wrap", title: id, href: mailboxHref(id) },
    name,
  );
  const hasAddress = userPrincipalName !== null && userPrincipalName !== "" && userPrincipalName !== name;
  return [open, hasAddress ? el("span", { class: "wrap address" }, userPrincipalName) : null];
}

/** How a mailbox gets onto the roster: by hand, or because the directory is read now. */
function addForm(refreshNow: () => void): HTMLElement {
  const id = el("input", {
    id: "add-id",
    type: "text",
    required: true,
    maxlength: 64,
    autocomplete: "off",
    spellcheck: "false",
  });
  const name = el("input", { id: "add-name", type: "text", maxlength: 256, autocomplete: "off" });
  const onsubmit = (event: Event) => {
    event.preventDefault();
    const added = id.value.trim();
    void addMailbox(added, name.value.trim()).then((isDone) => {
      if (!isDone) return;
      refreshNow();
      goTo(mailboxHref(added));
    });
  };
  const discover = () => void discoverNow().then(refreshNow);
  return el(
    "details",
    { id: "add", class: "card", "data-acts": true },
    el("summary", {}, "Add a mailbox, or discover them"),
    el(
      "form",
      { class: "search", onsubmit },
      el("label", { for: "add-id" }, "Object id of its user"),
      id,
      el("label", { for: "add-name" }, "Name, if you like"),
      name,
      el("button", { id: "add-now", type: "submit" }, "Add …"),
    ),
    el("p", {}, "A mailbox that is added by hand stays until somebody removes it, whatever the directory says."),
    el("button", { id: "discover", type: "button", onclick: discover }, "Discover now …"),
  );
}
