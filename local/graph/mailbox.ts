import type { Purpose } from "./accounts.js";
import { type CalendarMaker, calendarMaker } from "./calendars.js";
import type { Calendar, CalendarChanges } from "./types.js";

/** Codes of a 404 that says: no usable mailbox here. */
export const GONE_CODES = [
  "MailboxNotEnabledForRESTAPI",
  "MailboxNotSupportedForRESTAPI",
  "ResourceNotFound",
  "ErrorInvalidUser",
  "ErrorNonExistentMailbox",
  "Request_ResourceNotFound",
] as const;
/** One of those codes. */
type GoneCode = (typeof GONE_CODES)[number];

/** How a link is refused although the mailbox is well: 404 with an empty message, 400, 403, or 404 without a body. */
export const LINK_REFUSALS = ["UnknownError", "BadRequest", "ErrorAccessDenied", "emptyBody"] as const;
/** One of those refusals. */
export type LinkRefusal = (typeof LINK_REFUSALS)[number];

/** `full`: delta alone is refused, the list works. */
export type MailboxState =
  | { readonly kind: "normal" | "full" | "denied" }
  | { readonly kind: "gone"; readonly code: GoneCode };

const NORMAL: MailboxState = { kind: "normal" };

/** What differs from the first contents of one calendar. */
type Entry = {
  readonly createdAt: number;
  changedAt: number;
  removed: boolean;
  values: Record<string, unknown> | null;
  /** Number of the last change of each property in `values`. */
  readonly valuesAt: Record<string, number>;
};

/**
 * A mailbox's calendars, kept compactly: calendars stand in slots, and a slot without an entry is as it was at first,
 * which follows from the seed. Changes are numbered from 1; the entries lie in the order of their last change.
 */
export type Mailbox = {
  readonly id: string;
  readonly index: number;
  readonly seed: number;
  slots: number;
  sequence: number;
  /** +1 when all calendars take new ids; links of an older epoch are void. */
  epoch: number;
  /** +1 with each link. */
  generation: number;
  /** Links up to this generation are forgotten. */
  forgottenUpTo: number;
  /** Links up to this generation are refused for good, although the mailbox is well. */
  refusedUpTo: number;
  refusedWith: LinkRefusal;
  entries: Map<number, Entry> | null;
  state: MailboxState;
  purpose: Purpose;
};

/** A place in the order of changes: everything up to it has been handed out. Slots break ties among the first. */
export type Cursor = { readonly at: number; readonly slot: number };

/** One row that is still to be returned from a link on. */
export type Change = { readonly slot: number; readonly at: number; readonly removed: boolean };

/** The cursor of a full round that has returned nothing yet. */
export const CURSOR_BEFORE_ALL: Cursor = { at: -1, slot: -1 };
const SLOT_MAX = 0xffffffff;

/** A mailbox as it is at first, with at least one calendar: its ids and contents follow from `seed` and `index`. */
export function createMailbox(seed: number, index: number, id: string, calendars: number, purpose: Purpose): Mailbox {
  const counters = {
    slots: Math.max(1, calendars),
    sequence: 0,
    epoch: 0,
    generation: 0,
    forgottenUpTo: 0,
    refusedUpTo: 0,
  };
  return { id, index, seed, ...counters, refusedWith: "UnknownError", entries: null, state: NORMAL, purpose };
}

/** What makes the ids and calendars of a mailbox, in its present epoch. */
export function makerFor(mailbox: Mailbox): CalendarMaker {
  return calendarMaker({ seed: mailbox.seed, mailboxIndex: mailbox.index, epoch: mailbox.epoch });
}

/** The cursor of a link behind which nothing is left. */
export function cursorAtEnd(mailbox: Mailbox): Cursor {
  return { at: mailbox.sequence, slot: SLOT_MAX };
}

/** Whether a slot holds a calendar that was not removed. */
export function isAlive(mailbox: Mailbox, slot: number): boolean {
  return slot < mailbox.slots && mailbox.entries?.get(slot)?.removed !== true;
}

/** Slots of living calendars, in the order of the list. */
export function aliveSlots(mailbox: Mailbox): number[] {
  const slots: number[] = [];
  for (let slot = 0; slot < mailbox.slots; slot++) if (isAlive(mailbox, slot)) slots.push(slot);
  return slots;
}

/** The calendar in a slot as it is now. */
export function calendarAt(mailbox: Mailbox, maker: CalendarMaker, slot: number): Calendar {
  const entry = mailbox.entries?.get(slot);
  return maker.make(slot, entry?.changedAt ?? 0, entry?.values ?? null);
}

/** Values that changed after change number `at`; null when the calendar itself is newer, so that all of it is news. */
export function valuesChangedAfter(mailbox: Mailbox, slot: number, at: number): CalendarChanges | null {
  const entry = mailbox.entries?.get(slot);
  if (entry === undefined || entry.values === null || entry.createdAt > at) return null;
  const values = Object.entries(entry.values).filter(([name]) => (entry.valuesAt[name] ?? 0) > at);
  return Object.fromEntries(values);
}

/**
 * What is still to be returned from a link at `cursor` on, oldest change first. What changes while a round goes on moves to the end, so a
 * link stands for exactly what was handed out on the way to it.
 * @param roundStart The mailbox's sequence when a full round began: what was removed before it never shows up in the
 *   round. Null in an incremental round.
 */
export function changesAfter(mailbox: Mailbox, cursor: Cursor, roundStart: number | null): Change[] {
  const changes: Change[] = [];
  if (cursor.at <= 0) {
    const from = cursor.at < 0 ? 0 : cursor.slot + 1;
    for (let slot = from; slot < mailbox.slots; slot++) {
      if (mailbox.entries?.has(slot) !== true) changes.push({ slot, at: 0, removed: false });
    }
  }
  if (mailbox.entries === null || cursor.at >= mailbox.sequence) return changes;
  for (const [slot, entry] of mailbox.entries) {
    if (entry.changedAt <= cursor.at) continue;
    if (entry.removed && !wasHandedOut(entry, slot, cursor)) continue;
    if (entry.removed && roundStart !== null && entry.changedAt <= roundStart) continue;
    changes.push({ slot, at: entry.changedAt, removed: entry.removed });
  }
  return changes;
}

function wasHandedOut(entry: Entry, slot: number, cursor: Cursor): boolean {
  return entry.createdAt < cursor.at || (entry.createdAt === cursor.at && slot <= cursor.slot);
}

/** Rows that came before the link already, up to `count`: for answers that repeat themselves. */
export function handedOutBefore(mailbox: Mailbox, cursor: Cursor, count: number): Change[] {
  const found: Change[] = [];
  for (let slot = 0; slot < mailbox.slots && found.length < count; slot++) {
    const entry = mailbox.entries?.get(slot);
    const at = entry?.changedAt ?? 0;
    if (at > cursor.at || (at === cursor.at && slot > cursor.slot)) continue;
    found.push({ slot, at, removed: entry?.removed ?? false });
  }
  return found;
}

/** Adds a calendar and returns its slot. */
export function addCalendar(mailbox: Mailbox, values: CalendarChanges): number {
  const slot = mailbox.slots++;
  const at = ++mailbox.sequence;
  const contents = { ...OWN_CALENDAR, ...values };
  entriesOf(mailbox).set(slot, { createdAt: at, changedAt: at, removed: false, values: contents, valuesAt: {} });
  return slot;
}

/** Without these a new calendar would look as its slot does, which may be a shared one. */
const OWN_CALENDAR = { color: "auto", canShare: true, canEdit: true, isSharedWithMe: false, canViewPrivateItems: true };

/** Sets properties of a calendar: one change, whether or not the values differ. */
export function changeCalendar(mailbox: Mailbox, slot: number, values: CalendarChanges): void {
  const entry = touch(mailbox, slot);
  entry.values = { ...entry.values, ...values };
  for (const name of Object.keys(values)) entry.valuesAt[name] = entry.changedAt;
}

/** Removes a calendar. Its slot is never used again. */
export function removeCalendar(mailbox: Mailbox, slot: number): void {
  const entry = touch(mailbox, slot);
  entry.removed = true;
  entry.values = null;
}

/** Gives the next change number to a slot and moves it behind all others. */
function touch(mailbox: Mailbox, slot: number): Entry {
  const entries = entriesOf(mailbox);
  const at = ++mailbox.sequence;
  const entry = entries.get(slot) ?? { createdAt: 0, changedAt: at, removed: false, values: null, valuesAt: {} };
  entry.changedAt = at;
  entries.delete(slot);
  entries.set(slot, entry);
  return entry;
}

function entriesOf(mailbox: Mailbox): Map<number, Entry> {
  mailbox.entries ??= new Map();
  return mailbox.entries;
}
