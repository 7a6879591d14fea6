import { releaseAll, releaseMailbox } from "./actions.js";
import { hrefTo, mailboxHref } from "./address.js";
import { examplesShown, type MailboxView, type Status } from "./api.js";
import { askedFor, noteAsked, retryText } from "./asked.js";
import { el } from "./dom.js";
import { requestLine } from "./mailboxParts.js";
import { calledBy, namedAs, nameOf, viewOf } from "./names.js";
import { explained } from "./reasons.js";
import { tableOf } from "./table.js";
import { timeAgo } from "./times.js";
import { counted, kinds, number, states } from "./words.js";

/** Mailboxes in need, by reason: how many, what it means, who, and one action for all of them. */

const shown = ["parked", "held", "waiting", "suspended"] as const;
type TroubledState = (typeof shown)[number];
type Trouble = Status["troubles"][TroubledState][number];
export type Group = Trouble & {
  readonly state: TroubledState;
  /** The reason is the refusal of the whole application, which ends without a release. */
  readonly isPart: boolean;
};

/** What holds these mailboxes, as `asked.ts` keeps it. */
export const groupKey = ({ state, reason }: Pick<Group, "state" | "reason">) => `${state} ${reason}`;

/** All groups, the most urgent first. */
export function groupsOf({ troubles, application }: Pick<Status, "troubles" | "application">): readonly Group[] {
  const code = application?.code ?? null;
  const isPart = (reason: string) => code !== null && (reason === code || reason.endsWith(`:${code}`));
  return shown.flatMap((state) =>
    troubles[state].map((trouble) => ({ ...trouble, state, isPart: isPart(trouble.reason) })),
  );
}

/** @param isOpen Whether its mailboxes show at once. */
export function groupCard(group: Group, status: Status, isOpen: boolean, refresh: () => void): HTMLElement {
  const { state, reason, count, isPart } = group;
  const guide = hrefTo("/guide", { code: state === "held" ? "held" : reason });
  const all = hrefTo("/mailboxes", { state, ...(reason === "other" || state === "held" ? {} : { reason }) });
  const text = isPart ? "Read again once Graph answers the mailbox that is tried." : explained(reason);
  return el(
    "article",
    { class: `card trouble state-${state}` },
    el("h3", {}, `${states[state].label}: `, el("code", {}, reason), ` · ${counted(count, "mailbox", "mailboxes")}`),
    el("p", {}, text, " ", el("a", { id: `guide-${groupKey(group)}`, href: guide }, "What to do")),
    el(
      "div",
      { class: "deeds" },
      allButton(group, status, refresh),
      el("a", { id: `all-${groupKey(group)}`, href: all }, count === 1 ? "In the list" : `List all ${number(count)}`),
    ),
    who(group, status, isOpen, refresh),
  );
}

function who(group: Group, status: Status, isOpen: boolean, refresh: () => void): HTMLElement | null {
  const { examples, state, count } = group;
  const ids = examples.slice(0, examplesShown);
  if (ids.length === 0) return null;
  const rows = [...ids]
    .sort((one, other) => calledBy(one).localeCompare(calledBy(other)))
    .map((id) => rowOf(id, group, status, refresh));
  const columns = [
    "Mailbox",
    "Kind",
    "Since",
    "Last success",
    "Graph said",
    "Tried again",
    ...(state === "suspended" ? [] : [""]),
  ];
  const title = count > ids.length ? `${number(ids.length)} of ${number(count)}` : "Which";
  return el(
    "details",
    { id: `who-${groupKey(group)}`, open: isOpen },
    el("summary", {}, title),
    tableOf(columns, rows, "who"),
  );
}

function rowOf(id: string, group: Group, status: Status, refresh: () => void) {
  const view = viewOf(id);
  const named = namedAs(id);
  const isId = nameOf(named) === id;
  const link = el(
    "a",
    { id: `trouble-${id}`, class: isId ? "id" : null, title: id, href: mailboxHref(id) },
    calledBy(id),
  );
  const failures = view === null || view.failuresInARow < 2 ? "" : `, ${number(view.failuresInARow)} times`;
  const code = view?.lastErrorCode ?? null;
  const next = view?.notBefore == null ? "–" : timeAgo(view.notBefore);
  const kind = view === null ? "…" : (kinds[view.kind]?.label ?? view.kind);
  const said = [code === null ? "–" : el("code", {}, code), failures, requestLine(view?.lastRequestId ?? null)];
  const cells = [
    { class: "name", children: [link] },
    { children: [kind] },
    { class: "time", children: [sinceText(view)] },
    { class: "time", children: [view === null ? "…" : timeAgo(view.lastSuccess)] },
    { children: said },
    { class: "time", children: [next] },
  ];
  if (group.state === "suspended") return cells;
  return [...cells, { children: [canRetryOne(group) ? releaseButton(id, group, status, refresh) : null] }];
}

/** Stands where the button was, by its id: whoever has pressed it by a key keeps the focus there. */
function askedText(id: string, asked: string): HTMLElement {
  return el("span", { id, class: "asked", tabindex: -1 }, asked);
}

function sinceText(view: MailboxView | null): Node | string {
  if (view === null) return "…";
  return view.failingSince === null ? "–" : timeAgo(view.failingSince);
}

function releaseButton(id: string, group: Group, status: Status, refresh: () => void): HTMLElement {
  const asked = askedFor(id) ?? askedFor(groupKey(group));
  if (asked !== null) return askedText(`release-${id}`, asked);
  const onclick = async () => {
    if (!(await releaseMailbox(id))) return;
    noteAsked(id, status.brake.isOn || status.application !== null ? retryText(status) : "Retrying now");
    refresh();
  };
  const label = `Retry now: ${calledBy(id)}`;
  return el(
    "button",
    { id: `release-${id}`, "data-acts": true, "aria-label": label, onclick: () => void onclick() },
    "Retry now",
  );
}

/**
 * Whether one press retries all of them: there are several, a release can help, and one reason names them.
 * @internal For tests.
 */
export function canRetryAll({ state, reason, count, isPart }: Group): boolean {
  return !isPart && count > 1 && (state === "parked" || state === "waiting") && reason !== "other";
}

/**
 * Whether a mailbox of the group is offered to be retried.
 * @internal For tests.
 */
export function canRetryOne({ state, isPart }: Group): boolean {
  return !isPart && state !== "suspended";
}

/** Releases all mailboxes with one reason; only where there are several and a release can help. */
function allButton(group: Group, status: Status, refresh: () => void): HTMLElement | null {
  const { reason, count } = group;
  if (!canRetryAll(group)) return null;
  const asked = askedFor(groupKey(group));
  if (asked !== null) return askedText(`release-all-${groupKey(group)}`, asked);
  const onclick = async () => {
    const isDone = await releaseAll(reason, count, (text) => {
      noteAsked(groupKey(group), text);
      refresh();
    });
    // A reason holds whoever is parked or waits for it, whichever card it was asked on.
    if (isDone)
      for (const one of ["parked", "waiting"] as const) noteAsked(groupKey({ state: one, reason }), retryText(status));
    refresh();
  };
  return el(
    "button",
    { id: `release-all-${groupKey(group)}`, "data-acts": true, onclick: () => void onclick() },
    `Retry all ${number(count)} now …`,
  );
}
