import { releaseMailbox, resyncMailbox, syncMailbox } from "./actions.js";
import { ApiError, api, type MailboxCalendarsView, type MailboxView } from "./api.js";
import { announce } from "./confirm.js";
import { byId, changeOnly, el, openModal, show } from "./dom.js";
import { historyList } from "./history.js";
import { learn, namedAs, nameOf } from "./names.js";
import { timeAgo } from "./times.js";
import { counted, explained, kinds, number, states } from "./words.js";

/** One mailbox: its state, its calendars, what was removed, and the actions that an operator has. */

let shownId: string | null = null;
/** As `refreshMailbox` was last told. */
let logged = "";
const historyPlace = el("div", { id: "panel-history" });
const history = historyList({
  place: historyPlace,
  prefix: "panel-change",
  read: (cursor) => api.mailboxHistory(shownId ?? "", cursor),
  open: null,
});

/** Shows one mailbox in the dialog, and reads it. */
export function openMailbox(id: string): void {
  shownId = id;
  history.clear();
  const dialog = byId<HTMLDialogElement>("mailbox");
  draw({ id, loaded: null });
  if (!dialog.open) openModal(dialog);
  void refreshMailbox();
}

/** Makes the dialog work. */
export function initPanel(): void {
  const dialog = byId<HTMLDialogElement>("mailbox");
  dialog.addEventListener("close", () => {
    shownId = null;
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // On the backdrop.
  });
}

/**
 * Reads the mailbox that is shown, if one is.
 * @param loggedNow While it is the same, the change log has not grown.
 */
export async function refreshMailbox(loggedNow = logged): Promise<void> {
  logged = loggedNow;
  const id = shownId;
  if (id === null) return;
  void history.refresh(loggedNow);
  try {
    const loaded = await api.calendars(id);
    learn([loaded.mailbox]);
    if (shownId === id) draw({ id, loaded });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (shownId !== id) return;
    if (error.status === 404) draw({ id, loaded: null, mistake: error.message });
    else announce(error.message);
  }
}

type Calendar = MailboxCalendarsView["value"][number];
type Shown = { readonly id: string; readonly loaded: MailboxCalendarsView | null; readonly mistake?: string };

const draw = changeOnly(({ id, loaded, mistake }: Shown) => {
  const close = el(
    "button",
    { id: "panel-close", "aria-label": "Close", onclick: () => byId<HTMLDialogElement>("mailbox").close() },
    "✕",
  );
  const title = el("h2", { id: "mailbox-title" }, nameOf(loaded?.mailbox ?? namedAs(id)));
  const head = el("div", { class: "panel-head" }, title, close);
  const changed = [el("h3", {}, "Recent changes"), historyPlace];
  if (loaded === null && mistake === undefined) return show(byId("mailbox-body"), head, el("p", {}, "Loading …"));
  if (loaded === null) return show(byId("mailbox-body"), head, el("p", {}, mistake ?? ""), ...changed);
  const { mailbox, value } = loaded;
  const alive = value.filter(({ removed }) => removed === null);
  const gone = value.filter(({ removed }) => removed !== null);
  show(
    byId("mailbox-body"),
    head,
    whose(mailbox),
    standing(mailbox),
    buttons(mailbox),
    el("h3", {}, counted(alive.length, "calendar")),
    alive.length === 0 ? el("p", { class: "empty" }, "None has been read.") : calendarTable(alive),
    gone.length === 0 ? null : el("h3", {}, `Removed (${number(gone.length)})`),
    gone.length === 0 ? null : removedList(gone),
    ...changed,
  );
});

/** Address and id, unless they are the title already. */
function whose(mailbox: MailboxView): HTMLElement | null {
  const { id, userPrincipalName } = mailbox;
  const title = nameOf(mailbox);
  if (title === id) return null;
  const hasAddress = userPrincipalName !== null && userPrincipalName !== "" && userPrincipalName !== title;
  return el("p", {}, hasAddress ? `${userPrincipalName} · ` : null, el("span", { class: "id" }, id));
}

function standing(mailbox: MailboxView): HTMLElement {
  const { label } = states[mailbox.state] ?? { label: mailbox.state };
  const reason = mailbox.parkedReason ?? mailbox.lastErrorCode;
  const facts: (readonly [string, string | HTMLElement])[] = [
    ["Last success", timeAgo(mailbox.lastSuccess)],
    ["Last change", timeAgo(mailbox.lastChange)],
    ["Last full round", timeAgo(mailbox.lastFullRound)],
    ["Read by", mailbox.strategy === "delta" ? "changes" : "the whole list"],
    ["Failures in a row", number(mailbox.failuresInARow)],
    ["Found by audits", number(mailbox.driftFound)],
  ];
  if (mailbox.notBefore !== null) facts.push(["Asked again", timeAgo(mailbox.notBefore)]);
  if (mailbox.heldRemovals !== null) facts.push(["Removals held", number(mailbox.heldRemovals)]);
  const list = el("dl", { class: "facts" });
  for (const [name, text] of facts) list.append(el("div", {}, el("dt", {}, name), el("dd", {}, text)));
  return el(
    "div",
    {},
    el(
      "p",
      {},
      el("span", { class: `badge state-${mailbox.state}` }, label),
      " ",
      el("span", { class: "badge kind" }, kinds[mailbox.kind]?.label ?? mailbox.kind),
      reason === null ? null : el("code", {}, ` ${reason}`),
    ),
    reason === null ? null : el("p", {}, explained(reason)),
    list,
  );
}

function buttons({ id, state }: MailboxView): HTMLElement | null {
  if (state === "suspended" || state === "removing") return null;
  const button = (name: string, label: string, doIt: (mailbox: string) => Promise<boolean>) =>
    el("button", { id: name, onclick: () => void doIt(id).then(() => refreshMailbox()) }, label);
  return el(
    "div",
    { class: "buttons" },
    button("panel-sync", "Read now …", syncMailbox),
    button("panel-resync", "Start over …", resyncMailbox),
    button("panel-release", "Release …", releaseMailbox),
  );
}

function calendarTable(calendars: readonly Calendar[]): HTMLElement {
  const body = el("tbody");
  for (const calendar of calendars) {
    const owner = [calendar.ownerName, calendar.ownerAddress].filter((text) => text !== null && text !== "").join(", ");
    const badge = calendar.isDefaultCalendar ? el("span", { class: "badge" }, "default") : null;
    body.append(
      el(
        "tr",
        {},
        el(
          "td",
          { class: "name" },
          swatch(calendar),
          el("span", { class: "clip" }, calendar.name ?? "(no name)"),
          badge,
        ),
        el("td", {}, el("span", { class: "clip" }, owner)),
        el("td", { class: "time" }, timeAgo(calendar.changed)),
      ),
    );
  }
  const head = el("tr", {}, ...["Calendar", "Owner", "Changed"].map((text) => el("th", { scope: "col" }, text)));
  return el("div", { class: "scroll" }, el("table", {}, el("thead", {}, head), body));
}

function removedList(calendars: readonly Calendar[]): HTMLElement {
  const list = el("ul", { class: "removed" });
  for (const { name, removed } of calendars) {
    list.append(el("li", {}, el("span", { class: "clip" }, name ?? "(no name)"), " · ", timeAgo(removed)));
  }
  return list;
}

/** Outlook's colours by name. */
const colours: Readonly<Record<string, string>> = {
  lightBlue: "#a6d1f5",
  lightGreen: "#87d28e",
  lightOrange: "#fcab73",
  lightGray: "#c0c0c0",
  lightYellow: "#f2d46b",
  lightTeal: "#4adacc",
  lightPink: "#e8a3d2",
  lightBrown: "#bba98a",
  lightRed: "#f88c9b",
  maxColor: "#a6d1f5",
};

/** The calendar's own colour, if what it says is one: anything else is drawn neutral. */
function swatch({ hexColor, color }: Calendar): HTMLElement {
  const own = /^#[0-9a-f]{6}$/i.test(hexColor ?? "") ? hexColor : null;
  const named = color !== null && Object.hasOwn(colours, color) ? (colours[color] ?? null) : null;
  const element = el("span", { class: "swatch", "aria-hidden": "true" });
  const colour = own ?? named;
  if (colour !== null) element.style.backgroundColor = colour;
  return element;
}
