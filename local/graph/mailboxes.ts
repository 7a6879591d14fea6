import { type AccountsPerHundred, accountPlanOf, type Purpose } from "./accounts.js";
import { createMailbox, type Mailbox } from "./mailbox.js";
import { guidOf, scatter } from "./random.js";
import type { CalendarCount } from "./types.js";
import { type DirectoryUser, firstUser, indexInPrincipalName, type UserChanges } from "./users.js";

/** Why a user left the directory: `changed` can be restored, `deleted` is for good. */
export type RemovalReason = "changed" | "deleted";

/** What differs from a user as first made. */
export type UserEntry = {
  readonly createdAt: number;
  changedAt: number;
  removed: RemovalReason | null;
  values: UserChanges;
};

/** One row of a directory round. */
export type UserRow = {
  readonly index: number;
  readonly at: number;
  readonly removed: RemovalReason | null;
  readonly user: DirectoryUser;
  /** What ever changed of it; null when the user itself is news. */
  readonly changed: UserChanges | null;
};

/** All mailboxes, and the directory that they are users of. Users change by number, as calendars do in a mailbox. */
export type MailboxStore = {
  readonly seed: number;
  /** Of all that ever were; indexes run from 0 up to, not including, this. */
  size(): number;
  directorySequence(): number;
  at(index: number): Mailbox | null;
  /** By object id, or by present principal name. Removed users are not found. */
  find(idOrName: string): Mailbox | null;
  user(index: number): DirectoryUser | null;
  add(count: number, calendars: CalendarCount): string[];
  remove(mailbox: Mailbox, reason: RemovalReason): void;
  /** Brings a user back that was removed as `changed`; false when there is none. */
  restore(id: string): boolean;
  updateUser(mailbox: Mailbox, values: UserChanges): void;
  /** What the mailbox was for when it was made. */
  firstPurpose(index: number): Purpose;
  /** Whether the mailbox was added later than the first ones. */
  isAdded(index: number): boolean;
  /** What differs from users as they were made, in the order of the last change. */
  userEntries(): readonly (readonly [index: number, entry: UserEntry])[];
  /** Brings the users of a new store to where those of another one were. Added mailboxes are made, and their calendars are the caller's. */
  restoreUsers(size: number, sequence: number, entries: readonly (readonly [index: number, entry: UserEntry])[]): void;
  /** Up to `limit` rows after a place in the order of changes; see `changesAfter` for the rules. */
  userRowsAfter(at: number, index: number, roundStart: number | null, limit: number): UserRow[];
};

/** A store with its first mailboxes. @param calendars In each of them. @param perHundred Null: people only. */
export function createMailboxStore(
  seed: number,
  initial: number,
  calendars: CalendarCount,
  perHundred: AccountsPerHundred | null,
): MailboxStore {
  const store = new LazyMailboxStore(seed, perHundred);
  store.begin(initial, calendars);
  return store;
}

class LazyMailboxStore implements MailboxStore {
  readonly seed: number;
  private readonly byIndex: Mailbox[] = [];
  private readonly byId = new Map<string, Mailbox>();
  /** In the order of the last change. */
  private readonly entries = new Map<number, UserEntry>();
  private readonly perHundred: AccountsPerHundred | null;
  private sequence = 0;
  private firstCount = 0;

  constructor(seed: number, perHundred: AccountsPerHundred | null) {
    this.seed = seed;
    this.perHundred = perHundred;
  }

  size = () => this.byIndex.length;
  directorySequence = () => this.sequence;

  begin(count: number, calendars: CalendarCount): void {
    this.fill(count, calendars);
    this.firstCount = count;
  }

  firstPurpose = (index: number) => accountPlanOf(index, this.perHundred).purpose;
  isAdded = (index: number) => index >= this.firstCount;
  userEntries = () => [...this.entries];

  restoreUsers(size: number, sequence: number, entries: readonly (readonly [index: number, entry: UserEntry])[]): void {
    this.fill(size - this.byIndex.length, 1);
    this.sequence = sequence;
    for (const [index, entry] of entries) this.entries.set(index, entry);
  }

  fill(count: number, calendars: CalendarCount): string[] {
    const ids: string[] = [];
    for (let added = 0; added < count; added++) {
      const index = this.byIndex.length;
      const { purpose } = accountPlanOf(index, this.perHundred);
      const count = this.countOf(index, calendars);
      const mailbox = createMailbox(this.seed, index, guidOf(this.seed, index, 42), count, purpose);
      this.byIndex.push(mailbox);
      this.byId.set(mailbox.id, mailbox);
      ids.push(mailbox.id);
    }
    return ids;
  }

  add(count: number, calendars: CalendarCount): string[] {
    const first = this.byIndex.length;
    const ids = this.fill(count, calendars);
    for (let index = first; index < this.byIndex.length; index++) {
      const at = ++this.sequence;
      this.entries.set(index, { createdAt: at, changedAt: at, removed: null, values: {} });
    }
    return ids;
  }

  at(index: number): Mailbox | null {
    return this.byIndex[index] ?? null;
  }

  find(idOrName: string): Mailbox | null {
    const mailbox =
      this.byId.get(idOrName) ??
      this.byId.get(idOrName.toLowerCase()) ??
      (idOrName.includes("@") ? this.findByName(idOrName.toLowerCase()) : null);
    return mailbox === null || this.entries.get(mailbox.index)?.removed ? null : mailbox;
  }

  user(index: number): DirectoryUser | null {
    const mailbox = this.byIndex[index];
    if (mailbox === undefined) return null;
    const first = firstUser(mailbox.id, index, accountPlanOf(index, this.perHundred));
    return { ...first, ...this.entries.get(index)?.values };
  }

  remove(mailbox: Mailbox, reason: RemovalReason): void {
    this.touch(mailbox.index).removed = reason;
  }

  restore(id: string): boolean {
    const mailbox = this.byId.get(id);
    if (mailbox === undefined || this.entries.get(mailbox.index)?.removed !== "changed") return false;
    this.touch(mailbox.index).removed = null;
    return true;
  }

  updateUser(mailbox: Mailbox, values: UserChanges): void {
    const entry = this.touch(mailbox.index);
    entry.values = { ...entry.values, ...values };
  }

  userRowsAfter(at: number, index: number, roundStart: number | null, limit: number): UserRow[] {
    const rows: UserRow[] = [];
    if (at <= 0) {
      for (let next = at < 0 ? 0 : index + 1; next < this.byIndex.length && rows.length < limit; next++) {
        if (!this.entries.has(next)) this.pushRow(rows, next, 0, null, null);
      }
    }
    for (const [next, entry] of this.entries) {
      if (rows.length >= limit) break;
      if (entry.changedAt <= at) continue;
      const wasHandedOut = entry.createdAt < at || (entry.createdAt === at && next <= index);
      const isOldNews = roundStart !== null && entry.changedAt <= roundStart;
      if (entry.removed !== null && (!wasHandedOut || isOldNews)) continue;
      this.pushRow(rows, next, entry.changedAt, entry.removed, wasHandedOut ? entry.values : null);
    }
    return rows;
  }

  private pushRow(
    rows: UserRow[],
    index: number,
    at: number,
    removed: RemovalReason | null,
    changed: UserChanges | null,
  ): void {
    const user = this.user(index);
    if (user !== null) rows.push({ index, at, removed, user, changed });
  }

  private countOf(index: number, calendars: CalendarCount): number {
    if (typeof calendars === "number") return calendars;
    return calendars.min + (scatter(this.seed, index, 43) % (calendars.max - calendars.min + 1));
  }

  private findByName(name: string): Mailbox | null {
    const index = indexInPrincipalName(name);
    if (index !== null && this.user(index)?.userPrincipalName.toLowerCase() === name) return this.at(index);
    for (const [renamed, entry] of this.entries) {
      if (entry.values.userPrincipalName?.toLowerCase() === name) return this.at(renamed);
    }
    return null;
  }

  /** Gives the next change number to a user and moves it behind all others. */
  private touch(index: number): UserEntry {
    const at = ++this.sequence;
    const entry = this.entries.get(index) ?? { createdAt: 0, changedAt: at, removed: null, values: {} };
    entry.changedAt = at;
    this.entries.delete(index);
    this.entries.set(index, entry);
    return entry;
  }
}
