import type { HistoryPage, MailboxView } from "./api.js";
import { el } from "./dom.js";
import { changeLines, historyPath, type Item } from "./history.js";
import { type PagedList, pagedList } from "./pagedList.js";
import { clockTime, dayAndTime, mirrorNowMs, timeAgo } from "./times.js";
import { changes, counted, number, rounds } from "./words.js";

/** A mailbox's last syncs: how the newest went, and what each found that found something. */

/** Changes that are read at once: several syncs' worth. */
const changesAtOnce = 30;

/** The sync in progress, the last one, the last full one and the last that failed, as far as the mirror keeps them. */
export function syncFacts(mailbox: MailboxView): HTMLElement {
  const { round, phase, failuresInARow, failingSince, lastErrorCode, lastFullRound } = mailbox;
  const isInRound = phase !== "idle" && round.started !== null && round.pages > 0;
  const pages = round.pages === 0 ? "" : `, ${counted(round.pages, "page")}`;
  const code = lastErrorCode === null ? null : el("code", {}, ` ${lastErrorCode}`);
  const since = failingSince === null ? [] : [", since ", timeAgo(failingSince)];
  const failed =
    failuresInARow === 0 ? ["None since the last success"] : [`${number(failuresInARow)} in a row`, ...since, code];
  const fact = (name: string, ...value: (Node | string | null)[]) =>
    el("div", {}, el("dt", {}, name), el("dd", {}, ...value));
  return el(
    "dl",
    { class: "facts" },
    fact(
      isInRound ? "In progress" : "Last",
      isInRound ? "began " : null,
      timeAgo(round.started),
      ` · ${rounds[round.reason] ?? round.reason}${pages}`,
    ),
    fact("Last full", timeAgo(lastFullRound)),
    fact("Last failed", ...failed),
  );
}

/** Makes the list of syncs that changed something, in its place: one line each, which opens to its changes. */
export function syncList(
  place: HTMLElement,
  id: string,
  read: (path: string) => Promise<HistoryPage>,
  prefix = "panel-sync-of",
): PagedList {
  /** As the viewer left them; the newest is open at first. */
  const opened = new Map<string, boolean>();
  let hasMore = false;
  const draw = (items: readonly Item[]) => {
    const syncs = bySync(items);
    const lines = syncs.map(([time, found], index) => {
      const isOpen = opened.get(time) ?? index === 0;
      const rest = hasMore && index === syncs.length - 1 ? " and more" : "";
      const summary = el("summary", { id: `${prefix}-${time}` }, `${timeText(time)} · ${foundText(found)}${rest}`);
      const details = el("details", { open: isOpen }, summary, changeLines(found, prefix, false));
      details.addEventListener("toggle", () => opened.set(time, details.open));
      return el("li", {}, details);
    });
    return el("ul", { class: "syncs" }, ...lines);
  };
  return pagedList<Item>({
    place,
    prefix,
    read: async (cursor) => {
      const route = `mailboxes/${encodeURIComponent(id)}/history`;
      const { value, lookedBackTo, cursor: next } = await read(historyPath(route, {}, cursor, changesAtOnce));
      hasMore = next !== null;
      return { items: value, cursor: next, lookedBackTo };
    },
    draw,
    more: "Earlier syncs",
    none: "No sync has changed anything, as far as the change log goes back.",
  });
}

/** What one sync found has been logged at one time: with the transaction that found it. */
function bySync(items: readonly Item[]): readonly (readonly [time: string, found: readonly Item[]])[] {
  const syncs = new Map<string, Item[]>();
  for (const item of items) {
    const found = syncs.get(item.time) ?? [];
    found.push(item);
    syncs.set(item.time, found);
  }
  return [...syncs];
}

/** `17:20`, of another day with its date. */
function timeText(iso: string): string {
  const ms = Date.parse(iso);
  const isToday = new Date(ms).toDateString() === new Date(mirrorNowMs()).toDateString();
  return isToday ? clockTime(ms) : dayAndTime(ms);
}

/** `2 updated, 1 added`; what became of the mailbox has no number. */
function foundText(items: readonly Item[]): string {
  const counts = new Map<Item["kind"], number>();
  for (const { kind, leftOut } of items) counts.set(kind, (counts.get(kind) ?? 0) + (kind === "leftOut" ? leftOut : 1));
  const parts = [...counts].map(([kind, count]) => {
    const label = (changes[kind]?.label ?? kind).toLowerCase();
    const isOfMailbox = kind === "joined" || kind === "suspended" || kind === "resumed" || kind === "left";
    return isOfMailbox ? label : `${number(count)} ${label}`;
  });
  return parts.join(", ");
}
