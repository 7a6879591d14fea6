import { actionList, period } from "../actionList.js";
import { actionText, releaseMailbox, removeMailbox, resumeMailbox, resyncMailbox, syncMailbox } from "../actions.js";
import { type Address, goTo, hrefTo } from "../address.js";
import { ApiError, type HistoryPage, type MailboxCalendarsView, type MailboxView } from "../api.js";
import { changeOnly, el, show } from "../dom.js";
import { replacedReader, splitGone } from "../gone.js";
import { historyPath } from "../history.js";
import { calendarTable, goneList, standing, whose } from "../mailboxParts.js";
import { learn, namedAs, nameOf } from "../names.js";
import { syncFacts, syncList } from "../syncs.js";
import { clockTime } from "../times.js";
import type { Mounted, Tools, View } from "../view.js";
import { counted } from "../words.js";

/** One mailbox: how it stands and why, its syncs, its calendars, what was removed, what changed, and what operators did and can do. */
export const mailbox: View = { route: "/mailboxes/:id", title: "Mailbox", nav: null, mount };

type Asked = {
  readonly text: string;
  /** How the mailbox stood then: as soon as it is otherwise, the round has begun, or ended. */
  readonly before: string;
};
type Shown = {
  readonly loaded: MailboxCalendarsView | null;
  /** Ids of those of its calendars that were replaced. */
  readonly replacedIds: readonly string[];
  readonly mistake: string | null;
  readonly asked: Asked | null;
};

function mount(root: HTMLElement, _address: Address, { api, id, setTitle, refreshNow }: Tools): Mounted {
  const place = el("div", { id: "mailbox-body", class: "card" }, el("p", {}, "Loading …"));
  const changesPlace = el("div", { id: "panel-history" });
  const actionsPlace = el("div", { id: "panel-actions", class: "card" });
  const factsPlace = el("div", { id: "panel-syncs" });
  const note = el("p", { class: "empty" }, "Quiet syncs leave no trace: below are those that changed something.");
  const syncsPlace = el("div", { class: "card" }, factsPlace, note, changesPlace);
  root.append(place, el("h2", {}, "Last syncs"), syncsPlace, el("h2", {}, "Actions"), actionsPlace);
  setTitle(nameOf(namedAs(id)));
  const historyRoute = `mailboxes/${encodeURIComponent(id)}/history`;
  const history = syncList(changesPlace, id, (path) => api.get<HistoryPage>(path));
  const actions = actionList({ place: actionsPlace, prefix: "panel-action", api, mailbox: () => id, isOfAll: false });
  let shown: Shown = { loaded: null, replacedIds: [], mistake: null, asked: null };
  let actionsDone = 0;

  const draw = changeOnly((now: Shown) => {
    if (now.loaded !== null) setTitle(nameOf(now.loaded.mailbox));
    show(place, ...contents(now, doIt));
    show(factsPlace, now.loaded === null ? null : syncFacts(now.loaded.mailbox));
  });
  const replacedOf = replacedReader(api, (filter, cursor) => historyPath(historyRoute, filter, cursor));
  const load = async () => {
    try {
      const loaded = await api.calendars(id);
      learn([loaded.mailbox]);
      const replacedIds = [...(await replacedOf(loaded.value.filter(({ removed }) => removed !== null)))];
      shown = { loaded, replacedIds, mistake: null, asked: shown.asked };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const isGone = error.status === 404 || error.status === 400;
      shown = { ...shown, ...(isGone ? { loaded: null, asked: null } : {}), mistake: error.message };
    }
    draw(shown);
  };
  const doIt = async (action: Doing) => {
    const { loaded } = shown;
    if (loaded === null || !(await does[action](id))) return;
    actionsDone += 1;
    void actions.refresh(`${actionsDone} ${period()}`);
    if (action === "remove") return goTo(hrefTo("/mailboxes"));
    // At once, and not with the next tick: nobody is to ask thrice.
    const at = clockTime(Date.now());
    shown = { ...shown, asked: { text: `${actionText[action]} at ${at}.`, before: stamp(loaded.mailbox) } };
    draw(shown);
    await load();
    refreshNow();
  };
  return {
    refresh: async ({ logged }) => {
      void history.refresh(logged);
      void actions.refresh(`${actionsDone} ${period()}`);
      await load();
    },
  };
}

type Doing = keyof typeof does;
const does = {
  sync: syncMailbox,
  resync: resyncMailbox,
  release: releaseMailbox,
  resume: resumeMailbox,
  remove: removeMailbox,
} as const;

function stamp({ lastSuccess, round, failuresInARow, state }: MailboxView): string {
  return JSON.stringify([lastSuccess, round.started, failuresInARow, state]);
}

function contents(
  { loaded, replacedIds, mistake, asked }: Shown,
  doIt: (action: Doing) => Promise<void>,
): (HTMLElement | null)[] {
  const trouble = mistake === null ? null : el("p", { class: "failure" }, mistake);
  if (loaded === null) return [trouble ?? el("p", {}, "Loading …")];
  const { mailbox, value } = loaded;
  const alive = value.filter(({ removed }) => removed === null);
  const gone = value.filter(({ removed }) => removed !== null);
  const { replaced, removed } = splitGone(gone, new Set(replacedIds));
  return [
    trouble,
    whose(mailbox),
    standing(mailbox, asked === null ? null : askedText(asked, mailbox)),
    buttons(mailbox, doIt),
    links(mailbox),
    el("h2", {}, counted(alive.length, "calendar")),
    alive.length === 0 ? el("p", { class: "empty" }, "None has been read.") : calendarTable(alive),
    ...goneList("Removed", removed, null),
    ...goneList("Replaced", replaced, "Each by the same calendar, with another id."),
  ];
}

/** Stays until the view is left: what a round has done so soon would else never be seen to have been asked for. */
function askedText({ text, before }: Asked, mailbox: MailboxView): string {
  return stamp(mailbox) === before ? text : `${text} It has been asked since.`;
}

function buttons({ state }: MailboxView, doIt: (action: Doing) => Promise<void>): HTMLElement | null {
  /** @param means What it is in the contract, where that is another word. */
  const button = (action: Doing, label: string, means: string | null = null) =>
    el(
      "button",
      {
        id: `panel-${action}`,
        type: "button",
        title: means,
        "data-acts": true,
        onclick: () => void doIt(action),
      },
      label,
    );
  const ofState =
    state === "suspended"
      ? [button("resume", "Mirror by hand …")]
      : state === "removing"
        ? []
        : [
            button("sync", "Sync now …", "A sync (a round) at once"),
            button("resync", "Full sync …", "Resync: a sync that reads all of it anew"),
            button("release", "Retry now …", "Release: no longer parked, held or waiting, and a sync at once"),
          ];
  return el("div", { class: "buttons" }, ...ofState, button("remove", "Remove …"));
}

/** What of this person stands in other mailboxes too. */
function links({ userPrincipalName }: MailboxView): HTMLElement | null {
  if (userPrincipalName === null || userPrincipalName === "") return null;
  const owner = userPrincipalName;
  const link = (id: string, text: string, href: string) => el("li", {}, el("a", { id, href }, text));
  return el(
    "ul",
    { class: "presets" },
    link("panel-shared", "All calendars that this person shares", hrefTo("/calendars", { owner, shared: "true" })),
    link("panel-owned", "All calendars that this person owns", hrefTo("/calendars", { owner })),
    link("panel-owned-changes", "Changes of them, in all mailboxes", hrefTo("/changes", { owner })),
  );
}
