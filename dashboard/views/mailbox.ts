import { releaseMailbox, resyncMailbox, syncMailbox } from "../actions.js";
import type { Address } from "../address.js";
import { ApiError, type MailboxCalendarsView, type MailboxView } from "../api.js";
import { announce } from "../confirm.js";
import { changeOnly, el, show } from "../dom.js";
import { historyList } from "../history.js";
import { learn, namedAs, nameOf } from "../names.js";
import { explained } from "../reasons.js";
import { timeAgo } from "../times.js";
import type { Mounted, Tools, View } from "../view.js";
import { counted, kinds, number, states } from "../words.js";

/** One mailbox: its state, its calendars, what was removed, and the actions that an operator has. */
export const mailbox: View = { route: "/mailboxes/:id", title: "Mailbox", nav: null, mount };

function mount(root: HTMLElement, _address: Address, { api, id, setTitle }: Tools): Mounted {
  const body = el("div", { id: "mailbox-body", class: "card" }, el("p", {}, "Loading …"));
  const historyPlace = el("div", { id: "panel-history" });
  root.append(body);
  setTitle(nameOf(namedAs(id)));
  const list = historyList({
    place: historyPlace,
    prefix: "panel-change",
    read: (cursor) => api.mailboxHistory(id, cursor),
    isOfAll: false,
  });
  const draw = changeOnly((shown: Shown) => {
    if (shown.loaded !== null) setTitle(nameOf(shown.loaded.mailbox));
    show(body, ...contents(shown, () => void load()), el("h2", {}, "Recent changes"), historyPlace);
  });
  const load = async () => {
    try {
      const loaded = await api.calendars(id);
      learn([loaded.mailbox]);
      draw({ loaded, mistake: null });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 404 || error.status === 400) draw({ loaded: null, mistake: error.message });
      else announce(error.message);
    }
  };
  return {
    refresh: async ({ logged }) => {
      void list.refresh(logged);
      await load();
    },
  };
}

type Calendar = MailboxCalendarsView["value"][number];
type Shown = { readonly loaded: MailboxCalendarsView | null; readonly mistake: string | null };

function contents({ loaded, mistake }: Shown, reload: () => void): (HTMLElement | null)[] {
  if (loaded === null) return [el("p", {}, mistake ?? "")];
  const { mailbox, value } = loaded;
  const alive = value.filter(({ removed }) => removed === null);
  const gone = value.filter(({ removed }) => removed !== null);
  return [
    whose(mailbox),
    standing(mailbox),
    buttons(mailbox, reload),
    el("h2", {}, counted(alive.length, "calendar")),
    alive.length === 0 ? el("p", { class: "empty" }, "None has been read.") : calendarTable(alive),
    gone.length === 0 ? null : el("h2", {}, `Removed (${number(gone.length)})`),
    gone.length === 0 ? null : removedList(gone),
  ];
}

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

function buttons({ id, state }: MailboxView, reload: () => void): HTMLElement | null {
  if (state === "suspended" || state === "removing") return null;
  const button = (name: string, label: string, doIt: (mailbox: string) => Promise<boolean>) =>
    el("button", { id: name, onclick: () => void doIt(id).then(reload) }, label);
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
