import type { LogEntry, Unlogged } from "../sync/changeLog.js";
import { tornCheckpoint } from "../sync/torn.js";
import type { CalendarRow, Checkpoint } from "../sync/types.js";
import { measureEntity } from "../table/measure.js";
import type { Action, Columns } from "../table/table.js";
import { calendarColumns } from "./calendarRow.js";
import { checkpointColumns } from "./checkpointRow.js";
import { changedColumns } from "./columns.js";
import { type Departure, departureEntry } from "./departures.js";
import { calendarKey, departureKey, logKey, mailboxKey } from "./keys.js";
import { logColumns } from "./logRow.js";
import { bytesOf, type GroupLimits, type Part, type PartLog, type TransactionEntry } from "./transactionGroup.js";

/** A checkpoint as stored, with the ETag that fences it. */
export type Held = { readonly checkpoint: Checkpoint; readonly etag: string };

/** A unit that waits for its commit: rows to write, tombstones to forget, and the checkpoint that goes with them. */
export type PendingUnit = {
  readonly held: Held;
  readonly rows: readonly CalendarRow[];
  readonly next: Checkpoint;
  /** Ids of calendars whose rows are deleted. For retention: only rows that the same checkpoint was read with. */
  readonly forget?: readonly string[];
  /** What the change log tells of it, in the same transaction: then it needs a claim. */
  readonly entry?: LogEntry | null;
};

/** The departure of a mailbox, which goes once the change log tells of it: it needs a claim. */
export type PendingDeparture = { readonly departure: Departure };

export type Pending = PendingUnit | PendingDeparture;

/** Operations that a group takes, without the shard's row: the log's row is one of them. */
export function groupSize(pending: readonly Pending[]): number {
  const logRow = pending.some((one) => "departure" in one || hasEntry(one)) ? 1 : 0;
  return pending.reduce((sum, one) => sum + operationsOf(one), logRow);
}

/** Operations of a unit by itself, without the row of the log that it shares with others. */
export function operationsOf(pending: Pending): number {
  return "departure" in pending ? 1 : pending.rows.length + (pending.forget?.length ?? 0) + 1;
}

function hasEntry({ entry }: PendingUnit): boolean {
  return entry !== null && entry !== undefined;
}

/** The mailbox that is written of. */
export function mailboxOf(pending: Pending): string {
  return "departure" in pending ? pending.departure.mailboxId : pending.next.mailboxId;
}

/** A departure as an entry: deleted in the transaction whose row of the log tells of it. */
export function departureEntryOf(shard: string, { departure }: PendingDeparture): TransactionEntry {
  const { mailboxId, epoch } = departure;
  const fence: Action = { kind: "delete", rowKey: departureKey(mailboxId, epoch), etag: "*" };
  const log = logOf(shard, departureEntry(departure));
  return { parts: [{ fence, others: [], bytes: bytesOf(shard, fence) + log.bytes, log }] };
}

function logOf(shard: string, entry: LogEntry): PartLog & { readonly bytes: number } {
  const columns = logColumns(0, [entry]);
  const units = Object.values(columns).reduce<number>(
    (sum, value) => sum + (typeof value === "string" ? value.length : 0),
    0,
  );
  return { entry, units, bytes: bytesOf(shard, { kind: "upsert", rowKey: logKey(0), columns }) };
}

type SizedWrite = { readonly action: Action; readonly bytes: number; readonly sequence: number };

/** A unit as an entry whose parts each fit `room`, or why the table cannot hold it. */
export function entryOf(
  shard: string,
  unit: PendingUnit,
  room: GroupLimits,
): TransactionEntry | { readonly tooLarge: string } {
  const { next, held } = unit;
  const { mailboxId } = next;
  const rowKey = mailboxKey(mailboxId);
  const columns = checkpointColumns(next);
  const misfit = measureEntity(shard, rowKey, columns).tooLarge;
  if (misfit !== null) return { tooLarge: `checkpoint: ${misfit}` };
  const writes: SizedWrite[] = [];
  for (const calendarId of unit.forget ?? []) {
    const action: Action = { kind: "delete", rowKey: calendarKey(mailboxId, calendarId), etag: "*" };
    writes.push({ action, bytes: bytesOf(shard, action), sequence: 0 });
  }
  for (const row of inSequence(unit.rows)) {
    const action: Action = {
      kind: "upsert",
      rowKey: calendarKey(mailboxId, row.calendarId),
      columns: calendarColumns(mailboxId, row),
    };
    const { tooLarge } = measureEntity(shard, action.rowKey, action.columns);
    if (tooLarge !== null) return { tooLarge: `calendar: ${tooLarge}` };
    writes.push({ action, bytes: bytesOf(shard, action), sequence: row.sequence });
  }
  const checkpointBytes = bytesOf(shard, { kind: "update", rowKey, columns, etag: held.etag });
  const log = unit.entry === null || unit.entry === undefined ? null : logOf(shard, unit.entry);
  const chunks = chunksOf(writes, {
    ...room,
    operationsMax: room.operationsMax - (log === null ? 0 : 1),
    bodyBytesMax: room.bodyBytesMax - checkpointBytes - (log?.bytes ?? 0),
  });
  const parts = partsOf(unit, rowKey, columns, chunks, checkpointBytes);
  const last = parts.at(-1);
  if (log === null || last === undefined) return { parts };
  return { parts: [...parts.slice(0, -1), { ...last, log, bytes: last.bytes + log.bytes }] };
}

/** Rows in the order of their changes, so that a torn unit's checkpoint can say how far it has come. */
function inSequence(rows: readonly CalendarRow[]): readonly CalendarRow[] {
  return [...rows].sort((one, other) => one.sequence - other.sequence);
}

function chunksOf(writes: readonly SizedWrite[], room: GroupLimits): readonly (readonly SizedWrite[])[] {
  const chunks: SizedWrite[][] = [];
  let chunk: SizedWrite[] = [];
  let bytes = 0;
  for (const write of writes) {
    const isFull = chunk.length + 2 > room.operationsMax || bytes + write.bytes > room.bodyBytesMax;
    if (chunk.length > 0 && isFull) {
      chunks.push(chunk);
      chunk = [];
      bytes = 0;
    }
    chunk.push(write);
    bytes += write.bytes;
  }
  return [...chunks, chunk];
}

function partsOf(
  { held, next, entry }: PendingUnit,
  rowKey: string,
  columns: Columns,
  chunks: readonly (readonly SizedWrite[])[],
  checkpointBytes: number,
): readonly Part[] {
  const isTorn = chunks.length > 1; // The checkpoint in between is none that we have read.
  const changed = isTorn ? null : changedColumns(checkpointColumns(held.checkpoint), columns);
  const changes: Unlogged | null = entry ?? next.unlogged;
  let sequence = held.checkpoint.sequence;
  return chunks.map((chunk, index) => {
    for (const write of chunk) sequence = Math.max(sequence, write.sequence);
    const isLast = index === chunks.length - 1;
    const whole = isLast ? columns : checkpointColumns(tornCheckpoint(next, sequence, held.checkpoint, changes));
    const kind = changed === null ? "update" : "merge";
    return {
      fence: { kind, rowKey, columns: changed ?? whole, etag: held.etag },
      others: chunk.map(({ action }) => action),
      bytes: chunk.reduce((total, write) => total + write.bytes, checkpointBytes),
    };
  });
}
