import { addCounters, noCounters } from "../../shared/figures/counters.js";
import { figuresOf, RunTally } from "../../shared/figures/figures.js";
import type { Census } from "../../shared/figures/shardFigures.js";
import { figuresRowKey, shardNames } from "../../shared/store/keys.js";
import type { ShardRun } from "../../shared/store/shardRow.js";
import { createStore } from "../../shared/store/store.js";
import { memoryTable } from "../../shared/table/memoryTable.js";
import type { Table } from "../../shared/table/table.js";
import type { MirrorFacts } from "../../shared/views/status.js";
import { clockAt, countingIds, startMs, tickMs } from "./parts.js";

/**
 * Shards, and the rows that runs leave in them, without mailboxes: a test says when a run begins, reports and ends. Real: the
 * figures, the store. Fake: the table in memory, and what runs have counted.
 */
export function shardRuns(shardCount: number, changed: Partial<MirrorFacts> = {}) {
  const clock = clockAt(startMs);
  const newId = countingIds();
  const shards = shardNames(shardCount);
  const memory = memoryTable();
  /** Rows that were read, in order, and of which columns. */
  const reads: { readonly shard: string; readonly rowKey: string; readonly columns: readonly string[] }[] = [];
  const table: Table = {
    ...memory,
    get: (...asked) => {
      const [shard, rowKey, columns = []] = asked;
      reads.push({ shard, rowKey, columns });
      return memory.get(...asked);
    },
  };
  const storeOver = (over: Table) => createStore({ table: over, shards: shardCount, newCommitId: newId });
  const store = storeOver(table);
  const writer = storeOver(memory); // What runs read is not counted.
  const facts: MirrorFacts = {
    ...{ shards, source: null, isDeltaDocumented: true, settings: {} },
    nextFireMs: (afterMs) => startMs + (Math.floor((afterMs - startMs) / tickMs) + 1) * tickMs,
    ...changed,
  };
  const open = new Map<string, RunTally>();
  const write = async (shard: string, run: ShardRun, figures?: ReturnType<typeof figuresOf>["stored"]) => {
    const etag = (await writer.readShardRow(shard))?.etag ?? null;
    const row = { run, log: null };
    await writer.writeShardRow({ shard, row, etag, ...(figures === undefined ? {} : { figures }) });
  };
  return {
    ...{ clock, shards, table, memory, reads, store, facts, storeOver },
    open: () => store.open(),
    /** A run takes the shard over; of the same tick, it goes on where the one before it stopped. */
    begin: async (shard: string, tick: string): Promise<void> => {
      const before = (await writer.readShardRow(shard))?.row.run ?? null;
      const seenMs = clock.ms;
      const anew = { startedMs: clock.ms, cursor: null, from: null, wrapped: false, finishedMs: null };
      const run = { ...(before?.tick === tick ? before : anew), tick, runId: newId(), seenMs };
      await write(shard, run);
      open.set(shard, new RunTally((await writer.readFigures(shard)) ?? {}, run, clock));
    },
    /** What the run has done since then goes into the shard's rows; with another word than `unfinished`, it ends. */
    report: async (
      shard: string,
      kind: "done" | "unfinished" | "braked",
      changes = 1,
      count: (census: Census) => void = () => undefined,
    ): Promise<void> => {
      const tally = open.get(shard);
      if (tally === undefined) return;
      tally.counters = addCounters(tally.counters, { ...noCounters, changes, rounds: 1, pages: 1 });
      tally.census.states.fresh += 1;
      count(tally.census);
      const position = { cursor: kind === "done" ? null : "m", wrapped: false };
      const { stored } = figuresOf(tally, writer, kind, position);
      const finishedMs = kind === "done" ? clock.ms : null;
      await write(
        shard,
        { ...tally.run, ...position, finishedMs, seenMs: kind === "unfinished" ? clock.ms : null },
        stored,
      );
      if (kind !== "unfinished") open.delete(shard);
    },
    /** The figures' row as a release leaves it that knows no column `newest`. */
    asBefore: async (shard: string): Promise<void> => {
      const entity = await memory.get(shard, figuresRowKey);
      if (entity === null) return;
      const columns = Object.fromEntries(Object.entries(entity.columns).filter(([name]) => !name.startsWith("newest")));
      await memory.transact(shard, [{ kind: "upsert", rowKey: figuresRowKey, columns }]);
    },
    /** Columns of the figures' row as somebody has edited them; null: the row is deleted. */
    editFigures: async (shard: string, columns: Record<string, string> | null): Promise<void> => {
      if ((await memory.get(shard, figuresRowKey)) === null) return;
      const rowKey = figuresRowKey;
      await memory.transact(shard, [
        columns === null ? { kind: "delete", rowKey, etag: "*" } : { kind: "upsert", rowKey, columns },
      ]);
    },
  };
}
