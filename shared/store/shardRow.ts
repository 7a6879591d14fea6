import type { JsonObject } from "../sync/types.js";
import type { Columns, Entity } from "../table/table.js";
import { columnsOf, flag, json, partOf, type RowTable, text, time } from "./columns.js";

/** The shard's own row: the run that holds the shard, and how far it has come. */
export type ShardRow = {
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

/** The shard's row as columns; their names are a public contract. */
export function shardRowColumns({ run }: ShardRow): Columns {
  return { ...(run === null ? {} : columnsOf(shardRunTable, run)), ...columnsOf(shardTable, { figures: {} }) };
}

/** What the shard's row holds. @throws RowError when a needed column is missing or unreadable. */
export function shardRowOf(entity: Entity): ShardRow {
  return { run: partOf(shardRunTable, entity, "tick") };
}
