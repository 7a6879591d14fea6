import { tornCheckpoint } from "../sync/torn.js";
import type { CalendarRow, Checkpoint } from "../sync/types.js";
import { measureEntity } from "../table/measure.js";
import type { Action, Columns } from "../table/table.js";
import { calendarColumns } from "./calendarRow.js";
import { checkpointColumns } from "./checkpointRow.js";
import { changedColumns } from "./columns.js";
import { calendarKey, mailboxKey } from "./keys.js";
import { bytesOf, type GroupLimits, type Part, type TransactionEntry } from "./transactionGroup.js";

/** A checkpoint as stored, with the ETag that fences it. */
export type Held = { readonly checkpoint: Checkpoint; readonly etag: string };

/** A unit that waits for its commit: rows to write, tombstones to forget, and the checkpoint that goes with them. */
export type PendingUnit = {
  readonly held: Held;
  readonly rows: readonly CalendarRow[];
  readonly next: Checkpoint;
  /** Ids of calendars whose rows are deleted. For retention: only rows that the same checkpoint was read with. */
  readonly forget?: readonly string[];
};

/** Operations that a group of units takes, without the shard's row. */
export function groupSize(units: readonly PendingUnit[]): number {
  return units.reduce((sum, unit) => sum + unit.rows.length + (unit.forget?.length ?? 0) + 1, 0);
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
  const chunks = chunksOf(writes, { ...room, bodyBytesMax: room.bodyBytesMax - checkpointBytes });
  return { parts: partsOf(unit, rowKey, columns, chunks, checkpointBytes) };
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
  { held, next }: PendingUnit,
  rowKey: string,
  columns: Columns,
  chunks: readonly (readonly SizedWrite[])[],
  checkpointBytes: number,
): readonly Part[] {
  const isTorn = chunks.length > 1; // The checkpoint in between is none that we have read.
  const changed = isTorn ? null : changedColumns(checkpointColumns(held.checkpoint), columns);
  let sequence = held.checkpoint.sequence;
  return chunks.map((chunk, index) => {
    for (const write of chunk) sequence = Math.max(sequence, write.sequence);
    const isLast = index === chunks.length - 1;
    const whole = isLast ? columns : checkpointColumns(tornCheckpoint(next, sequence, held.checkpoint));
    const kind = changed === null ? "update" : "merge";
    return {
      fence: { kind, rowKey, columns: changed ?? whole, etag: held.etag },
      others: chunk.map(({ action }) => action),
      bytes: chunk.reduce((total, write) => total + write.bytes, checkpointBytes),
    };
  });
}
