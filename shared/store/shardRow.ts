import type { JsonObject } from "../sync/types.js";
import type { Columns, Entity } from "../table/table.js";
import { columnsOf, count, flag, json, partOf, type RowTable, text, time } from "./columns.js";

/** Where the shard's change log stands. */
export type ShardLog = {
  /** The number of its last row; 0: it has none. */
  readonly number: number;
  /** Other programs have been notified of its rows up to that one. */
  readonly nudgedNumber: number;
};

/** The shard's own row: the run that holds the shard, how far it has come, and where its change log stands. */
export type ShardRow = {
  /** Null: a release without a log has written the row. */
  readonly log: ShardLog | null;
  readonly run: {
    readonly tick: string;
    readonly runId: string;
    readonly startedMs: number;
    /** The last mailbox that was handled; null at the start of the ring. */
    readonly cursor: string | null;
    /** Where the ring was entered; null for the start. */
    readonly from: string | null;
    /** Whether the run has passed the end of the shard and goes on from its start. */
    readonly wrapped: boolean;
    readonly finishedMs: number | null;
    /** When the run last wrote, by its own clock; null for a run that nobody works on. */
    readonly seenMs: number | null;
  } | null;
};

export type ShardRun = NonNullable<ShardRow["run"]>;

/**
 * The columns of the shard's run; without `tick` there is none.
 * @internal For tests.
 */
export const shardRunTable: RowTable<ShardRun> = {
  tick: text.needed("tick", "the tick whose run it is"),
  runId: text.needed("runId", "the run: whoever writes another one takes the shard over"),
  startedMs: time.needed("runStarted", "when it began"),
  cursor: text.nullable("cursor", "the last mailbox that was handled"),
  from: text.nullable("ringFrom", "where the ring was entered"),
  wrapped: flag.needed("wrapped", "whether it has passed the end of the shard and goes on from the start"),
  finishedMs: time.nullable("runFinished", "when it ended"),
  // A run that does not say is nobody's, and is taken over: the fence keeps the two apart (I2).
  seenMs: time.nullable("runSeen", "when it last came on"),
};

/**
 * The shard's other columns.
 * @internal For tests.
 */
export const shardTable: RowTable<{ readonly figures: JsonObject }> = {
  figures: json.defaulted("figures", {}, "JSON: nothing any more; earlier releases do not read a row without it"),
};

/**
 * The columns of the shard's change log; without `logNumber` there is none.
 * @internal For tests.
 */
export const shardLogTable: RowTable<ShardLog> = {
  number: count.needed("logNumber", "the number of the last row of the change log; 0 for none"),
  nudgedNumber: count.defaulted("nudgedNumber", 0, "other programs were notified of its rows up to that one"),
};

/** The shard's row as columns; their names are a public contract. */
export function shardRowColumns({ run, log }: ShardRow): Columns {
  return {
    ...(run === null ? {} : columnsOf(shardRunTable, run)),
    ...(log === null ? {} : columnsOf(shardLogTable, log)),
    ...columnsOf(shardTable, { figures: {} }),
  };
}

/** What the shard's row holds. @throws RowError when a needed column is missing or unreadable. */
export function shardRowOf(entity: Entity): ShardRow {
  return { run: partOf(shardRunTable, entity, "tick"), log: partOf(shardLogTable, entity, "number") };
}
