import type { Columns, Entity } from "../table/table.js";
import { ColumnReader, ColumnWriter } from "./columns.js";

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

/** The shard's row as columns; their names are a public contract. */
export function shardRowColumns({ run }: ShardRow): Columns {
  const writer = new ColumnWriter();
  if (run !== null) {
    writer
      .text("tick", run.tick)
      .text("runId", run.runId)
      .time("runStarted", run.startedMs)
      .text("cursor", run.cursor)
      .text("ringFrom", run.from)
      .flag("wrapped", run.wrapped)
      .time("runFinished", run.finishedMs)
      .time("runSeen", run.seenMs);
  }
  return writer.text("figures", "{}").columns(); // Nothing reads it but earlier releases, which may come back.
}

/** What the shard's row holds. @throws RowError when a needed column is missing or unreadable. */
export function shardRowOf(entity: Entity): ShardRow {
  const row = new ColumnReader(entity);
  const tick = row.textOrNull("tick");
  if (tick === null) return { run: null };
  return {
    run: {
      tick,
      runId: row.text("runId"),
      startedMs: row.time("runStarted"),
      cursor: row.textOrNull("cursor"),
      from: row.textOrNull("ringFrom"),
      wrapped: row.flag("wrapped"),
      finishedMs: row.timeOrNull("runFinished"),
      seenMs: row.timeOrNull("runSeen"),
    },
  };
}
