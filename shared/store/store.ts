import type { Brake } from "../sync/brake.js";
import type { LogRow } from "../sync/changeLog.js";
import type { DirectoryState } from "../sync/directory.js";
import type { ActionNote } from "../sync/operatorAction.js";
import type { Subscription } from "../sync/subscription.js";
import type { CalendarRow, JsonObject } from "../sync/types.js";
import { isTableGone, RowError } from "../table/errors.js";
import type { Entity, Table } from "../table/table.js";
import { type ActionsAsk, type ActionsPage, noteAction, readActions, retireActions } from "./actionRows.js";
import { type CalendarLabels, type LabelsAsk, readLabels } from "./calendarLabels.js";
import { calendarOf } from "./calendarRow.js";
import { readCalendars, readCalendarsOf } from "./calendarRows.js";
import { checkpointOf } from "./checkpointRow.js";
import { type Committed, commitUnits } from "./commitUnits.js";
import { type Departure, departureOf } from "./departures.js";
import { type DirectoryHeld, readDirectory, writeDirectory } from "./directoryRow.js";
import { readFigures, readNewestFigures } from "./figuresRow.js";
import {
  calendarKey,
  isDepartureKey,
  mailboxesBetween,
  mailboxKey,
  mailboxOfKey,
  shardOf,
  shardRowKey,
} from "./keys.js";
import { type LogAsk, lastLogNumber, readLog, readLogOn, retireLog, type UnreadableRow } from "./logRow.js";
import { changeBrake, forgetTable, type OpenOptions, openLayout, readBrake } from "./meta.js";
import { type Purged, type PurgeOptions, purgeMailbox } from "./purge.js";
import { type RosterRows, rosterRows } from "./rosterRows.js";
import { type NewShardRow, type ShardClaim, writeShardRow } from "./shardClaim.js";
import { shardRowOf } from "./shardRow.js";
import {
  deleteSubscription,
  readSubscription,
  readSubscriptions,
  type SubscriptionHeld,
  writeSubscription,
} from "./subscriptionRows.js";
import { readSummaries, readTenantRows, type SummaryPage, type TenantRows } from "./tenantRows.js";
import { mailboxesWithTombstones, tombstonesOf } from "./tombstones.js";
import { type GroupLimits, groupLimits } from "./transactionGroup.js";
import { type Held, mailboxOf, type Pending } from "./units.js";

export { LayoutError, RowError, rowUnreadable, StorageError } from "../table/errors.js";
export type { CalendarLabels, LabelsAsk } from "./calendarLabels.js";
export type { UnitResult } from "./commitUnits.js";
export type { Departure } from "./departures.js";
export type { DirectoryHeld } from "./directoryRow.js";
export { manualSource, type RosterEntry, type RosterHeld, type RosterRow } from "./rosterRows.js";
export type { ShardClaim } from "./shardClaim.js";
export type { SubscriptionHeld } from "./subscriptionRows.js";
export { type GroupLimits, operationsBesideShardRow } from "./transactionGroup.js";
export { groupSize, type Held, operationsOf, type Pending, type PendingUnit } from "./units.js";

/**
 * Half of what the table service gives: all shards of an instance hold a page at a time, and a full page more would cost
 * more memory than the request that it saves is worth.
 */
const checkpointsPerPage = 500;

/** What a store is made of. */
export type StoreParts = {
  readonly table: Table;
  readonly shards: number;
  /** A new id for each transaction, unique among all instances. */
  readonly newCommitId: () => string;
  readonly limits?: GroupLimits;
  /** Called with each row that cannot be read while a shard, or its log, is read, and the rest goes on (I10); without it reading throws. */
  readonly onUnreadable?: (error: RowError) => void;
  /** Called by `open` when the table had no layout yet. */
  readonly onLaidOut?: OpenOptions["onLaidOut"];
};

/** A mailbox whose checkpoint cannot be read. */
export type Unreadable = { readonly unreadable: string };

/** A departure that the change log has not told yet. */
export type Departed = { readonly departure: Departure };

/** Mailboxes in key order, from just after one up to and including another; null leaves an end open. */
type MailboxRange = { readonly after: string | null; readonly upTo: string | null };

/** The mirror's rows. Throws StorageError when the table gives no clear answer, RowError for a row that cannot be read. */
export type Store = {
  /** Creates what is missing and checks the layout; cheap once this process has done so. @throws LayoutError */
  open(): Promise<void>;
  /** The shard in which the rows of a mailbox stand. */
  shardOf(mailboxId: string): string;
  /** Null: there is no such mailbox. */
  readMailbox(mailboxId: string): Promise<Held | null>;
  /** Checkpoints in key order, from just after one mailbox up to and including another; null leaves an end open. */
  readMailboxes(shard: string, range: MailboxRange): AsyncIterable<readonly Held[]>;
  /** The same, with checkpoints that cannot be read in their places. Rows whose key names no mailbox are left out. */
  readCheckpoints(shard: string, range: MailboxRange): AsyncIterable<readonly (Held | Unreadable)[]>;
  /** The same, and departures that the change log has not told yet. For runs. */
  readShard(shard: string, range: MailboxRange): AsyncIterable<readonly (Held | Unreadable | Departed)[]>;
  /** All rows of a mailbox, tombstones included. */
  readCalendars(mailboxId: string): Promise<readonly CalendarRow[]>;
  /**
   * The same of several mailboxes of one shard by one query, which reads all rows from the first of them to the last. A mailbox
   * with a row that cannot be read has a RowError in its place, and harms no other (I10).
   */
  readCalendarsOf(mailboxIds: readonly string[]): Promise<ReadonlyMap<string, readonly CalendarRow[] | RowError>>;
  /** One calendar, or its tombstone. Null: there is no such row. */
  readCalendar(mailboxId: string, calendarId: string): Promise<CalendarRow | null>;
  /** What calendars of a shard are found by, tombstones included, in key order. Rows of a mailbox stand together. */
  readLabels(shard: string, ask: LabelsAsk): AsyncIterable<readonly CalendarLabels[]>;
  /** Mailboxes of a shard in key order, from just after one, 1,000 at most: what readers of all of them need. */
  readSummaries(shard: string, after: string | null): Promise<SummaryPage>;
  /**
   * Calendars and tombstones of a shard, from just after a row's key up to the last one of a mailbox, null for the end;
   * `top` of them, or a few more. Rows that cannot be read are reported and left out.
   */
  readTenantRows(
    shard: string,
    ask: { readonly after: string | null; readonly upTo: string | null; readonly top: number },
  ): Promise<TenantRows>;
  /** Tombstones of a mailbox that were removed before then. */
  readTombstones(mailboxId: string, removedBeforeMs: number): Promise<readonly CalendarRow[]>;
  /** Mailboxes of a shard that have such tombstones. One may come twice, and one without checkpoint may come too. */
  mailboxesWithTombstones(shard: string, removedBeforeMs: number): AsyncIterable<readonly string[]>;
  /**
   * Group commit of units of one shard. Each unit is all or nothing under its checkpoint's ETag (I1, I2), and one that is
   * refused harms no other (I10). A unit that is larger than a transaction goes in several; until the last its checkpoint
   * is the torn one. With a claim each transaction carries the shard's row; when that is refused, nothing more is written,
   * and the result of units that were not written is `lostFence`.
   * What the change log tells of them goes with them, in the order of the units.
   * @param nowMs For the log; without it the time when the run of the claim last came on.
   * @throws StorageError when the table gives no clear answer twice; units before that may have been committed.
   */
  commitUnits(units: readonly Pending[], claim: ShardClaim | null, nowMs?: number): Promise<Committed>;
  /** Null: no run has been at this shard. */
  readShardRow(shard: string): Promise<ShardClaim | null>;
  /** Writes the shard's row under the ETag of the one that was read; null writes the first one. */
  writeShardRow(claim: NewShardRow): Promise<ShardClaim | "superseded">;
  /** Figures that the shard's runs have kept; null when it has none yet, or none that can be read. */
  readFigures(shard: string): Promise<JsonObject | null>;
  /** The same with the newest ticks alone, a tenth of it; whole where an earlier release has written them. */
  readNewestFigures(shard: string): Promise<JsonObject | null>;
  /** The number of the last row of a shard's change log, for a shard's row that does not say it. 0: there is none. */
  lastLogNumber(shard: string): Promise<number>;
  /** Rows of a shard's change log, in the order of their numbers. @throws RowError */
  readLog(shard: string, ask: LogAsk): Promise<readonly LogRow[]>;
  /**
   * The same for who goes on behind a row that cannot be read: it stands in its place with as much of it as can be. Where that is whose
   * calendars changed alone, what changed is left out.
   */
  readLogOn(shard: string, ask: LogAsk): Promise<readonly (LogRow | UnreadableRow)[]>;
  /** Who is on the roster, and why. */
  readonly roster: RosterRows;
  /** The roster's own checkpoint; null: it was never discovered. */
  readDirectory(): Promise<DirectoryHeld | null>;
  /** Writes it under the ETag of the one that was read; null writes the first one. */
  writeDirectory(state: DirectoryState, etag: string | null): Promise<DirectoryHeld | "superseded">;
  /** The application's brake as it stands; it may be over. Null: there was never one. */
  readBrake(): Promise<Brake | null>;
  /**
   * Changes the brake; of instances that do so at once, each sees what the one before it wrote.
   * @param change Null: it is to stay as it is.
   * @returns What was written; null where nothing was.
   */
  changeBrake(change: (brake: Brake | null) => Brake | null): Promise<Brake | null>;
  /**
   * Deletes rows of a shard's change log that were written before then, the lowest numbers first, and never the last row:
   * it tells a position that has expired from one that is current. Nor those that other programs are still to be notified
   * of. @returns How many.
   */
  retireLog(shard: string, beforeMs: number, isTimeUp: () => boolean): Promise<number>;
  /** Removes a mailbox and all its rows. Doing it again after a crash completes it. */
  purgeMailbox(mailboxId: string, options?: PurgeOptions): Promise<Purged>;
  /** Null: there is no subscription of that id. */
  readSubscription(subscriptionId: string): Promise<SubscriptionHeld | null>;
  /** All subscriptions, in the order of their ids. Those that cannot be read are reported and left out. */
  readSubscriptions(): Promise<readonly SubscriptionHeld[]>;
  /** Writes a subscription under the ETag of the one that was read; null writes a new one. */
  writeSubscription(subscription: Subscription, etag: string | null): Promise<SubscriptionHeld | "superseded">;
  /** @param etag `*` for any state. @returns False: there was none in that state. */
  deleteSubscription(subscriptionId: string, etag: string): Promise<boolean>;
  /** Notes what an operator has done. @throws StorageError, and then it may have been noted all the same. */
  noteAction(note: ActionNote): Promise<void>;
  /** What operators have done, newest first. Rows that cannot be read are reported and left out. */
  readActions(ask: ActionsAsk): Promise<ActionsPage>;
  /** Deletes what was noted before then. @returns How many. */
  retireActions(beforeMs: number, isTimeUp: () => boolean): Promise<number>;
  /** Number of requests that this object has made: each transaction, point read and page of a query is one. */
  transactions(): number;
};

/** A store over a table. Made for each invocation: it holds nothing but its count of requests. */
export function createStore(parts: StoreParts): Store {
  const { shards, newCommitId, limits = groupLimits } = parts;
  let requests = 0;
  const count = () => {
    requests += 1;
  };
  const table = countedTable(parts.table, count, () => forgetTable(parts.table));
  const onLaidOut = parts.onLaidOut ?? (() => undefined);
  const shardOfMailbox = (mailboxId: string) => shardOf(mailboxId, shards);
  return {
    open: () => openLayout(table, { key: parts.table, shards, onLaidOut }),
    shardOf: shardOfMailbox,
    readMailbox: async (mailboxId) => {
      const entity = await table.get(shardOfMailbox(mailboxId), mailboxKey(mailboxId));
      return entity === null ? null : heldOf(entity);
    },
    readMailboxes: (shard, range) => readableOf(readShard(table, shard, range, parts.onUnreadable)),
    readCheckpoints: (shard, range) => checkpointsIn(readShard(table, shard, range, parts.onUnreadable)),
    readShard: (shard, range) => readShard(table, shard, range, parts.onUnreadable),
    readCalendars: (mailboxId) => readCalendars(table, shardOfMailbox(mailboxId), mailboxId),
    readCalendarsOf: async (mailboxIds) => {
      const [shard, ...others] = new Set(mailboxIds.map(shardOfMailbox));
      if (others.length > 0) throw new RangeError("Mailboxes of one query must be of one shard.");
      return shard === undefined ? new Map() : readCalendarsOf(table, shard, mailboxIds);
    },
    readCalendar: async (mailboxId, calendarId) => {
      const entity = await table.get(shardOfMailbox(mailboxId), calendarKey(mailboxId, calendarId));
      return entity === null ? null : calendarOf(entity);
    },
    readLabels: (shard, ask) => readLabels(table, shard, ask, parts.onUnreadable),
    readSummaries: (shard, after) => readSummaries(table, shard, after, parts.onUnreadable),
    readTenantRows: (shard, ask) => readTenantRows(table, shard, ask, parts.onUnreadable),
    readTombstones: (mailboxId, beforeMs) => tombstonesOf(table, shardOfMailbox(mailboxId), mailboxId, beforeMs),
    mailboxesWithTombstones: (shard, beforeMs) => mailboxesWithTombstones(table, shard, beforeMs),
    commitUnits: (units, claim, nowMs) => {
      const shard = onlyShardOf(units, claim, shardOfMailbox);
      if (shard === null) return Promise.resolve({ results: [], claim });
      const loggedMs = nowMs ?? claim?.row.run?.seenMs ?? claim?.row.run?.startedMs ?? 0;
      return commitUnits(table, shard, units, claim, { newCommitId, limits, loggedMs });
    },
    readShardRow: async (shard) => {
      const entity = await table.get(shard, shardRowKey);
      return entity === null ? null : { shard, row: shardRowOf(entity), etag: entity.etag };
    },
    writeShardRow: (claim) => writeShardRow(table, claim),
    readFigures: (shard) => readFigures(table, shard),
    readNewestFigures: (shard) => readNewestFigures(table, shard),
    retireLog: async (shard, beforeMs, isTimeUp) => {
      const entity = await table.get(shard, shardRowKey);
      const nudgedNumber = entity === null ? null : (shardRowOf(entity).log?.nudgedNumber ?? null);
      return retireLog(table, shard, nudgedNumber, beforeMs, isTimeUp);
    },
    lastLogNumber: (shard) => lastLogNumber(table, shard),
    readLog: (shard, ask) => readLog(table, shard, ask),
    readLogOn: (shard, ask) => readLogOn(table, shard, ask, parts.onUnreadable),
    roster: rosterRows(table, { shards, newCommitId, limits, onUnreadable: parts.onUnreadable }),
    readDirectory: () => readDirectory(table),
    writeDirectory: (state, etag) => writeDirectory(table, state, etag, newCommitId()),
    readBrake: () => readBrake(table),
    changeBrake: (change) => changeBrake(table, change),
    purgeMailbox: (mailboxId, options) =>
      purgeMailbox(table, shardOfMailbox(mailboxId), mailboxId, newCommitId, options),
    readSubscription: (subscriptionId) => readSubscription(table, subscriptionId),
    readSubscriptions: () => readSubscriptions(table, parts.onUnreadable),
    writeSubscription: (subscription, etag) => writeSubscription(table, subscription, etag, newCommitId()),
    deleteSubscription: (subscriptionId, etag) => deleteSubscription(table, subscriptionId, etag),
    noteAction: (note) => noteAction(table, note, newCommitId()),
    readActions: (ask) => readActions(table, ask, parts.onUnreadable),
    retireActions: (beforeMs, isTimeUp) => retireActions(table, beforeMs, isTimeUp),
    transactions: () => requests,
  };
}

/**
 * The table, with `count` called for each request (the SDK's own retries are not visible here), and `onGone` when the table
 * turns out to be gone: the next `open` creates it again.
 */
function countedTable(table: Table, count: () => void, onGone: () => void): Table {
  const noticed = async <T>(request: () => Promise<T>): Promise<T> => {
    try {
      return await request();
    } catch (error) {
      if (isTableGone(error)) onGone();
      throw error;
    }
  };
  const counted = <T>(request: () => Promise<T>): Promise<T> => {
    count();
    return noticed(request);
  };
  return {
    createIfMissing: () => counted(() => table.createIfMissing()),
    get: (...asked) => counted(() => table.get(...asked)),
    transact: (partitionKey, actions) => counted(() => table.transact(partitionKey, actions)),
    async *pages(...query) {
      const pages = table.pages(...query)[Symbol.asyncIterator]();
      for (;;) {
        const step = await noticed(() => pages.next());
        if (step.done === true) return;
        count();
        yield step.value;
      }
    },
  };
}

function heldOf(entity: Entity): Held {
  return { checkpoint: checkpointOf(entity), etag: entity.etag };
}

async function* readShard(
  table: Table,
  shard: string,
  range: MailboxRange,
  onUnreadable: StoreParts["onUnreadable"],
): AsyncIterable<readonly (Held | Unreadable | Departed)[]> {
  const read = (entity: Entity): readonly (Held | Unreadable | Departed)[] => {
    try {
      return [isDepartureKey(entity.rowKey) ? { departure: departureOf(entity) } : heldOf(entity)];
    } catch (error) {
      if (!(error instanceof RowError) || onUnreadable === undefined) throw error;
      onUnreadable(error);
      const unreadable = mailboxOfKey(entity.rowKey);
      return unreadable === null ? [] : [{ unreadable }];
    }
  };
  const keys = mailboxesBetween(range.after, range.upTo);
  for await (const page of table.pages(shard, keys, checkpointsPerPage)) {
    if (page.length > 0) yield page.flatMap(read);
  }
}

async function* checkpointsIn(
  pages: AsyncIterable<readonly (Held | Unreadable | Departed)[]>,
): AsyncIterable<readonly (Held | Unreadable)[]> {
  for await (const page of pages) yield page.filter((one) => "checkpoint" in one || "unreadable" in one);
}

async function* readableOf(
  pages: AsyncIterable<readonly (Held | Unreadable | Departed)[]>,
): AsyncIterable<readonly Held[]> {
  for await (const page of pages) yield page.filter((one) => "checkpoint" in one);
}

/** The shard that all units stand in; null for none. @throws RangeError when they don't: a transaction has one partition. */
function onlyShardOf(
  units: readonly Pending[],
  claim: ShardClaim | null,
  shardOfMailbox: (mailboxId: string) => string,
): string | null {
  const shards = new Set(units.map((unit) => shardOfMailbox(mailboxOf(unit))));
  if (shards.size > 0 && claim !== null) shards.add(claim.shard);
  if (shards.size > 1)
    throw new RangeError(`Units of one commit must be of one shard, not of ${[...shards].join(", ")}.`);
  return [...shards][0] ?? null;
}
