import type { UnreadableRow } from "../store/logRow.js";
import type { LogEntry, LogRow } from "../sync/changeLog.js";

/** Where the copy of all rows stands: in which shard, after which mailbox, and after which of their rows. */
export type CopyPlace = {
  readonly shard: number;
  readonly mailbox: string | null;
  readonly row: string | null;
};

/**
 * How far a reader of the whole tenant has come.
 *
 * Why this is complete (I13). A copy begins by noting the number of the last row of each shard's log, then reads all rows.
 * Whatever changes from then on is told by a row of the log above these numbers, not before it can be read. So what the copy
 * has read too early, or not at all, is met again by the log; and what it has read is never older than those numbers. From
 * there on the reader follows: for each mailbox that the log names it is given the rows as they stand after the log was read.
 */
export type TenantPosition = {
  /** For each shard, in their order: the number of its log up to which all is received. */
  readonly numbers: readonly number[];
  /** Null: the copy is complete. */
  readonly copy: CopyPlace | null;
  /** Where a walk over the logs stands that goes on: at this shard, so many entries of its next row are done. */
  readonly walk: { readonly shard: number; readonly entries: number } | null;
};

/** Where a reader that holds nothing begins. @param numbers Of the last row of each shard's log, now. */
export function tenantBeginning(numbers: readonly number[]): TenantPosition {
  return { numbers, copy: { shard: 0, mailbox: null, row: null }, walk: null };
}

/**
 * The rows of a log after a number; null where the reader must start over. Rows are deleted in the order of their numbers,
 * never the last one: so the row of the number itself stands, or the one after it. Where neither does, rows after it are
 * gone; or the number is of a log that the table has lost, as after a restore. A row after it that cannot be read is as good as gone.
 * @param read Rows from that number itself on.
 */
export function followed(number: number, read: readonly (LogRow | UnreadableRow)[]): readonly LogRow[] | null {
  const [first] = read;
  if (first === undefined) return number === 0 ? [] : null;
  if (first.number > number + 1) return null;
  // Pages of a query are read one after the other: retention may have come in between.
  if (read.some((row, index) => row.number !== first.number + index)) return null;
  const rows: LogRow[] = [];
  for (const row of read) {
    if (row.number <= number) continue;
    if ("unreadable" in row) return null;
    rows.push(row);
  }
  return rows;
}

/** What the rows of a log that were read tell of one mailbox, together. */
export type Told = {
  readonly mailboxId: string;
  /** Rows with a higher sequence may be new to the reader. */
  readonly from: number;
  readonly epochs: ReadonlySet<string>;
  /** It has joined, or come back: the reader may hold nothing of it. */
  readonly hasEvent: boolean;
  /** It has gone for a while, or for good: what the reader holds of it may be of before. */
  readonly hasLeft: boolean;
};

/** What each mailbox is told of in these rows. */
export function toldIn(rows: readonly LogRow[]): ReadonlyMap<string, Told> {
  const told = new Map<string, Told>();
  for (const { entries } of rows) {
    for (const entry of entries) told.set(entry.mailboxId, withEntry(told.get(entry.mailboxId), entry));
  }
  return told;
}

function withEntry(before: Told | undefined, { mailboxId, epoch, from, event }: LogEntry): Told {
  return {
    mailboxId,
    from: Math.min(before?.from ?? Number.POSITIVE_INFINITY, from),
    epochs: new Set([...(before?.epochs ?? []), epoch]),
    hasEvent: before?.hasEvent === true || event !== null,
    hasLeft: before?.hasLeft === true || event === "suspended" || event === "left",
  };
}
