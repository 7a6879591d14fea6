import { tornCheckpoint } from "../sync/torn.js";
import type { CalendarRow, Checkpoint } from "../sync/types.js";
import { actionBytes, measureEntity } from "../table/measure.js";
import { type Action, type Columns, tableLimits } from "../table/table.js";
import { changedColumns } from "./columns.js";
import { calendarColumns, checkpointColumns } from "./entities.js";
import { calendarKey, mailboxKey } from "./keys.js";

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

/** How much goes into one transaction. */
export type GroupLimits = { readonly operationsMax: number; readonly bodyBytesMax: number };

export const groupLimits: GroupLimits = {
  operationsMax: tableLimits.operationsPerTransaction,
  bodyBytesMax: 3.5 * 1024 * 1024, // Below the service's 4 MiB: our count of the body is an estimate.
};

/** One transaction's share of a unit: the whole of it, but for units that are larger than a transaction. */
export type Piece = {
  readonly mailboxId: string;
  readonly rowKey: string;
  /** `merge` where the columns are only those that change. */
  readonly kind: "update" | "merge";
  readonly columns: Columns;
  readonly writes: readonly Action[];
  readonly etag: string;
  readonly bytes: number;
};

/** A unit as table operations, measured. `pieces` has more than one entry when it must be torn. */
export type Parcel = { readonly pieces: readonly Piece[]; readonly operations: number; readonly bytes: number };

type SizedWrite = { readonly action: Action; readonly bytes: number; readonly sequence: number };

/** Column `commitId`, which the transaction adds to each entity. */
const commitIdBytes = 160;

/** Operations that a group of units takes, without the shard's row. A transaction has room for 100 in all. */
export function groupSize(units: readonly PendingUnit[]): number {
  return units.reduce((sum, unit) => sum + unit.rows.length + (unit.forget?.length ?? 0) + 1, 0);
}

/**
 * A transaction being filled: tells of one parcel after the other whether it joins, and counts it in when it does. The
 * first always does, a torn one stays alone, and two of one mailbox never meet: an entity may be named once.
 */
export function roomFor(room: GroupLimits): (parcel: Parcel) => boolean {
  const mailboxes = new Set<string>();
  let operations = 0;
  let bytes = 0;
  let hasTorn = false;
  return (parcel) => {
    const mailboxId = parcel.pieces[0]?.mailboxId ?? "";
    const isTorn = parcel.pieces.length > 1;
    const fits = operations + parcel.operations <= room.operationsMax && bytes + parcel.bytes <= room.bodyBytesMax;
    if (mailboxes.size > 0 && (hasTorn || isTorn || !fits || mailboxes.has(mailboxId))) return false;
    mailboxes.add(mailboxId);
    operations += parcel.operations;
    bytes += parcel.bytes;
    hasTorn ||= isTorn;
    return true;
  };
}

/** A unit as operations in pieces that each fit `room`, or why the table cannot hold it. */
export function parcelOf(shard: string, unit: PendingUnit, room: GroupLimits): Parcel | { readonly tooLarge: string } {
  const { next, held } = unit;
  const { mailboxId } = next;
  const rowKey = mailboxKey(mailboxId);
  const columns = checkpointColumns(next);
  const misfit = measureEntity(shard, rowKey, columns).tooLarge;
  if (misfit !== null) return { tooLarge: `checkpoint: ${misfit}` };
  const writes: SizedWrite[] = [];
  for (const calendarId of unit.forget ?? []) {
    const action: Action = { kind: "delete", rowKey: calendarKey(mailboxId, calendarId), etag: "*" };
    writes.push({ action, bytes: actionBytes(shard, action), sequence: 0 });
  }
  for (const row of inSequence(unit.rows)) {
    const action: Action = {
      kind: "upsert",
      rowKey: calendarKey(mailboxId, row.calendarId),
      columns: calendarColumns(mailboxId, row),
    };
    const { tooLarge } = measureEntity(shard, action.rowKey, action.columns);
    if (tooLarge !== null) return { tooLarge: `calendar: ${tooLarge}` };
    writes.push({ action, bytes: actionBytes(shard, action) + commitIdBytes, sequence: row.sequence });
  }
  const checkpointBytes = actionBytes(shard, { kind: "update", rowKey, columns, etag: held.etag }) + commitIdBytes;
  const chunks = chunksOf(writes, { ...room, bodyBytesMax: room.bodyBytesMax - checkpointBytes });
  const pieces = piecesOf(unit, rowKey, columns, chunks, checkpointBytes);
  return {
    pieces,
    operations: writes.length + 1,
    bytes: pieces.reduce((total, piece) => total + piece.bytes, 0),
  };
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

function piecesOf(
  { held, next }: PendingUnit,
  rowKey: string,
  columns: Columns,
  chunks: readonly (readonly SizedWrite[])[],
  checkpointBytes: number,
): readonly Piece[] {
  const isTorn = chunks.length > 1; // The checkpoint in between is none that we have read.
  const changed = isTorn ? null : changedColumns(checkpointColumns(held.checkpoint), columns);
  let sequence = held.checkpoint.sequence;
  return chunks.map((chunk, index) => {
    for (const write of chunk) sequence = Math.max(sequence, write.sequence);
    const isLast = index === chunks.length - 1;
    return {
      mailboxId: next.mailboxId,
      rowKey,
      kind: changed === null ? "update" : "merge",
      columns: changed ?? (isLast ? columns : checkpointColumns(tornCheckpoint(next, sequence, held.checkpoint))),
      writes: chunk.map(({ action }) => action),
      etag: held.etag, // Of the first piece; the others take the ETag of the one before.
      bytes: chunk.reduce((total, write) => total + write.bytes, checkpointBytes),
    };
  });
}
