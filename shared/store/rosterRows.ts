import type { Checkpoint } from "../sync/types.js";
import { RowError, StorageError } from "../table/errors.js";
import { type Action, type Columns, type Entity, type Table, tableLimits } from "../table/table.js";
import { ColumnReader, ColumnWriter } from "./columns.js";
import { checkpointColumns, commitIdColumn } from "./entities.js";
import { mailboxKey, rosterAfter, rosterKey, shardOf } from "./keys.js";

/** The source of a mailbox that somebody put on the roster by hand: discovery leaves it alone. */
export const manualSource = "manual";

const rosterStates = ["active", "suspended"] as const;

/** Why a mailbox is on the roster, in a row of its own: passes over the roster don't contend with its checkpoint. */
export type RosterRow = {
  readonly mailboxId: string;
  /** `manual`, `directory`, or `group:<object id>`. */
  readonly source: string;
  readonly state: (typeof rosterStates)[number];
  /** The full roster round that last found the user fit to be mirrored. */
  readonly generation: number;
  /** The step of discovery that wrote the row last: an older one finds itself overtaken. */
  readonly step: number;
  readonly userPrincipalName: string | null;
  readonly displayName: string | null;
  /** Why it is suspended, or will be when the full roster round in hand has ended. */
  readonly leaveReason: string | null;
  readonly sinceMs: number | null;
  /** Of a suspended mailbox: when all its rows go. */
  readonly purgeAfterMs: number | null;
};

export type RosterHeld = { readonly row: RosterRow; readonly etag: string };

/** A roster row, with its mailbox's checkpoint where that moves too: both are written or none. A null ETag creates. */
export type Seat = {
  readonly row: RosterRow;
  readonly etag: string | null;
  readonly checkpoint: { readonly next: Checkpoint; readonly etag: string | null } | null;
};

/** The roster's rows. All methods throw StorageError when the table gives no clear answer. */
export type RosterRows = {
  /** Null: no such row. A mailbox without one was put there by hand, before there were such rows. */
  read(mailboxId: string): Promise<RosterHeld | null>;
  /** The rows of a shard in key order, up to 1,000 at a time. Unreadable ones are told and left out. */
  pages(shard: string): AsyncIterable<readonly RosterHeld[]>;
  /** Suspended mailboxes of a shard whose time to be purged has come. */
  purgeable(shard: string, nowMs: number): AsyncIterable<readonly string[]>;
  /** Many seats in one transaction each. `lost`: somebody else wrote one of its two rows first; nothing of it counts. */
  commit(seats: readonly Seat[]): Promise<readonly ("seated" | "lost")[]>;
};

/** Table service: a transaction takes 100 operations, and a seat is two at most. */
const seatsPerTransactionMax = tableLimits.operationsPerTransaction / 2;

export function rosterRows(
  table: Table,
  shards: number,
  newCommitId: () => string,
  onUnreadable: ((error: RowError) => void) | undefined,
): RosterRows {
  const readable = (entity: Entity): readonly RosterHeld[] => {
    try {
      return [heldOf(entity)];
    } catch (error) {
      if (!(error instanceof RowError) || onUnreadable === undefined) throw error;
      onUnreadable(error);
      return [];
    }
  };
  return {
    read: async (mailboxId) => {
      const entity = await table.get(shardOf(mailboxId, shards), rosterKey(mailboxId));
      return entity === null ? null : heldOf(entity);
    },
    pages: async function* (shard) {
      for await (const page of table.pages(shard, rosterAfter(null), tableLimits.entitiesPerPage)) {
        yield page.flatMap(readable);
      }
    },
    purgeable: async function* (shard, nowMs) {
      const filter = { column: "purgeAfter", timeMs: nowMs };
      for await (const page of table.pages(shard, rosterAfter(null), tableLimits.entitiesPerPage, filter)) {
        const due = page.flatMap(readable).filter(({ row }) => row.purgeAfterMs !== null && row.purgeAfterMs < nowMs);
        yield due.map(({ row }) => row.mailboxId);
      }
    },
    commit: (seats) => commitSeats(table, shards, newCommitId, seats),
  };
}

async function commitSeats(
  table: Table,
  shards: number,
  newCommitId: () => string,
  seats: readonly Seat[],
): Promise<readonly ("seated" | "lost")[]> {
  const results: ("seated" | "lost")[] = seats.map(() => "seated");
  const byShard = new Map<string, number[]>();
  for (const [index, { row }] of seats.entries()) {
    const shard = shardOf(row.mailboxId, shards);
    byShard.set(shard, [...(byShard.get(shard) ?? []), index]);
  }
  const landed = async (shard: string, waiting: readonly number[]): Promise<void> => {
    for (let open = waiting; open.length > 0; ) {
      const actions = open.map((index) => actionsOf(seats[index], newCommitId()));
      const answer = await table.transact(shard, actions.flat());
      if (answer.kind === "done") return;
      if (answer.reason !== "conflict") throw new StorageError("write roster", shard, 400, answer.code);
      const position = positionOf(actions, answer.index);
      if (open.length > 1 && position === null) {
        const middle = open.length >>> 1; // The service did not say which one: halves tell.
        await landed(shard, open.slice(0, middle));
        return landed(shard, open.slice(middle));
      }
      const lost = open[position ?? 0];
      if (lost !== undefined) results[lost] = "lost";
      open = open.filter((index) => index !== lost);
    }
  };
  const groups = [...byShard].flatMap(([shard, indexes]) => {
    const starts = Array.from({ length: Math.ceil(indexes.length / seatsPerTransactionMax) }, (_, group) => group);
    return starts.map((group) => {
      const start = group * seatsPerTransactionMax;
      return { shard, indexes: indexes.slice(start, start + seatsPerTransactionMax) };
    });
  });
  await Promise.all(groups.map(({ shard, indexes }) => landed(shard, indexes)));
  return results;
}

/** Which seat the failing action belongs to. */
function positionOf(actions: readonly (readonly Action[])[], failing: number | null): number | null {
  if (failing === null) return null;
  let end = 0;
  for (const [position, { length }] of actions.entries()) {
    end += length;
    if (failing < end) return position;
  }
  return null;
}

function actionsOf(seat: Seat | undefined, commitId: string): readonly Action[] {
  if (seat === undefined) return [];
  const written = (rowKey: string, columns: Columns, etag: string | null): Action =>
    etag === null ? { kind: "create", rowKey, columns } : { kind: "update", rowKey, columns, etag };
  const { row, etag, checkpoint } = seat;
  const actions = [written(rosterKey(row.mailboxId), { ...rosterColumns(row), [commitIdColumn]: commitId }, etag)];
  if (checkpoint === null) return actions;
  const columns = { ...checkpointColumns(checkpoint.next), [commitIdColumn]: commitId };
  return [...actions, written(mailboxKey(row.mailboxId), columns, checkpoint.etag)];
}

/** A roster row as columns; their names are a public contract. */
function rosterColumns(row: RosterRow): Columns {
  return new ColumnWriter()
    .text("mailboxId", row.mailboxId)
    .text("source", row.source)
    .text("state", row.state)
    .count("rosterGeneration", row.generation)
    .count("step", row.step)
    .label("userPrincipalName", row.userPrincipalName)
    .label("displayName", row.displayName)
    .text("leaveReason", row.leaveReason)
    .time("since", row.sinceMs)
    .time("purgeAfter", row.purgeAfterMs)
    .columns();
}

function heldOf(entity: Entity): RosterHeld {
  const row = new ColumnReader(entity);
  return {
    etag: entity.etag,
    row: {
      mailboxId: row.idOf("mailboxId", rosterKey),
      source: row.text("source"),
      state: row.oneOf("state", rosterStates),
      generation: row.count("rosterGeneration"),
      step: row.count("step"),
      userPrincipalName: row.textOrNull("userPrincipalName"),
      displayName: row.textOrNull("displayName"),
      leaveReason: row.textOrNull("leaveReason"),
      sinceMs: row.timeOrNull("since"),
      purgeAfterMs: row.timeOrNull("purgeAfter"),
    },
  };
}
