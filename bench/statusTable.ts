import type { TableClient } from "@azure/data-tables";
import type { HttpHandler } from "@azure/functions";
import type { tableClientOf } from "../shared/azure/tableClient.js";
import { noCounters } from "../shared/figures/counters.js";
import {
  type Census,
  emptyCensus,
  type PartialFigures,
  type storedFigures,
  type TickFigures,
} from "../shared/figures/shardFigures.js";
import { mapAtOnce } from "../shared/mapAtOnce.js";
import { shardNames } from "../shared/store/keys.js";
import type { ShardRun } from "../shared/store/shardRow.js";
import type { createStore, Store } from "../shared/store/store.js";
import type { azureTable } from "../shared/table/azureTable.js";
import { type MirrorFacts, ticksKept } from "../shared/views/status.js";

/** The shards' rows of a large mirror as its runs write them through a tick: only what the status reads. */

/** The parts of one checkout that are measured. */
export type StatusTree = {
  readonly createStore: typeof createStore;
  readonly azureTable: typeof azureTable;
  readonly tableClientOf: typeof tableClientOf;
  readonly storedFigures: typeof storedFigures;
  readonly handler: (facts: MirrorFacts, store: Store, nowMs: () => number) => HttpHandler;
};

const tickMs = 300_000;
const mailboxesPerShard = 3_906;
/** Shards start over so much of a tick, and report half-way. */
const startsWithin = 0.6;
const runMs = 20_000;

/** @param tableName Of a table of its own: rows are written as the tree's own release does. */
export async function statusWorld(tree: StatusTree, connectionString: string, tableName: string, shards: number) {
  const client = tree.tableClientOf({ kind: "connectionString", connectionString }, tableName, null);
  const counts = countAnswers(client);
  const store = tree.createStore({ table: tree.azureTable(client), shards, newCommitId: () => "bench" });
  await store.open();
  const names = shardNames(shards);
  const firstMs = Date.UTC(2026, 10, 28);
  const facts: MirrorFacts = {
    ...{ shards: names, source: "directory", isDeltaDocumented: true, settings: { shards } },
    nextFireMs: (afterMs) => firstMs + (Math.floor((afterMs - firstMs) / tickMs) + 1) * tickMs,
  };
  const state = await mapAtOnce(names, 16, (shard, index = names.indexOf(shard)) =>
    openShard(tree, store, shard, firstMs, (index / shards) * startsWithin * tickMs),
  );
  let nowMs = firstMs + ticksKept * tickMs - 5_000;
  return {
    ...{ facts, store, counts },
    nowMs: () => nowMs,
    /** Time goes on, and what runs would have written meanwhile is written. */
    advance: async (ms: number): Promise<void> => {
      nowMs += ms;
      await mapAtOnce(state, 16, (one) => one.writeUpTo(nowMs));
    },
  };
}

/** A shard with a full day of ticks. */
async function openShard(tree: StatusTree, store: Store, shard: string, firstMs: number, delayMs: number) {
  const ticks = Array.from({ length: ticksKept }, (_, tick) => tickOf(firstMs + tick * tickMs, delayMs, tick));
  let census = censusOf(shard);
  let atMs = ticks.at(-1)?.finishedMs ?? firstMs;
  let etag: string | null = null;
  const write = async (run: ShardRun, partial: PartialFigures | null | "none") => {
    const row = { run, log: { number: 1, nudgedNumber: 1 } };
    const kept = { census, atMs, ticks, overMs: null };
    const figures = partial === "none" ? {} : { figures: tree.storedFigures({ ...kept, partial }) };
    const written = await store.writeShardRow({ shard, row, etag, ...figures });
    if (written === "superseded") throw new Error("Somebody else writes the bench's rows.");
    etag = written.etag;
  };
  const last = ticks.at(-1);
  if (last === undefined) throw new Error("There is no tick.");
  await write(runOf(last, last.finishedMs), null);
  const next = tickOf(firstMs + ticksKept * tickMs, delayMs, ticksKept);
  const steps = [
    { atMs: next.startedMs, write: () => write(runOf(next, null, next.startedMs), "none") },
    {
      atMs: next.startedMs + runMs / 2,
      write: () => {
        const seenMs = next.startedMs + runMs / 2;
        const place = { cursor: "m", wrapped: false, isWhole: true, newAsked: 0 };
        return write(runOf(next, null, seenMs), { ...next, finishedMs: seenMs, ...place, census });
      },
    },
    {
      atMs: next.finishedMs,
      write: () => {
        census = { ...census, calendars: census.calendars + 1 };
        atMs = next.finishedMs;
        ticks.push(next);
        ticks.shift();
        return write(runOf(next, next.finishedMs), null);
      },
    },
  ];
  return {
    writeUpTo: async (nowMs: number): Promise<void> => {
      for (let step = steps[0]; step !== undefined && step.atMs <= nowMs; step = steps[0]) {
        steps.shift();
        await step.write();
      }
    },
  };
}

function tickOf(fireMs: number, delayMs: number, number: number): TickFigures {
  const startedMs = Math.round(fireMs + delayMs);
  const counters = { rounds: mailboxesPerShard, pages: mailboxesPerShard, changes: number % 7, graphRequests: 196 };
  const tick = `${new Date(fireMs).toISOString()}-${String(number).padStart(8, "0")}`;
  return {
    ...noCounters,
    ...counters,
    transactions: 52,
    tick,
    startedMs,
    standing: { mirrored: mailboxesPerShard, fresh: mailboxesPerShard - (number % 5), attention: number % 5 },
    finishedMs: startedMs + runMs + (number % 997),
    version: "0.1.0",
  };
}

function runOf({ tick, startedMs }: TickFigures, finishedMs: number | null, seenMs: number | null = null): ShardRun {
  const runId = `4b6b1a3c-0000-4000-8000-${tick.slice(-8).padStart(12, "0")}`;
  return { tick, runId, startedMs, cursor: null, from: null, wrapped: false, finishedMs, seenMs };
}

/** Some mailboxes of each shard are in need, as in any large tenant. */
function censusOf(shard: string): Census {
  const id = (number: number) => `${shard}000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
  const census = emptyCensus();
  const reasons = [
    "noMailbox:MailboxNotEnabledForRESTAPI",
    "denied:ErrorAccessDenied",
    "mailboxFull:ErrorQuotaExceeded",
  ];
  for (const [index, reason] of reasons.entries()) {
    const examples = Array.from({ length: 3 }, (_, number) => id(10 * index + number));
    census.troubles.push({ state: "parked", reason, count: examples.length, examples });
  }
  census.states.fresh = mailboxesPerShard - 9;
  census.states.parked = 9;
  census.kinds.user = mailboxesPerShard;
  census.strategies.delta = mailboxesPerShard;
  return {
    ...census,
    calendars: 3 * mailboxesPerShard,
    freshWithinTwoTicks: mailboxesPerShard - 9,
    freshInTick: mailboxesPerShard - 9,
    oldestSuccess: { atMs: Date.UTC(2026, 10, 20), mailbox: id(1) },
  };
}

/** Counts what the table answers, in the client itself. */
function countAnswers(client: TableClient) {
  const seen = { requests: 0, bytes: 0 };
  client.pipeline.addPolicy({
    name: "countAnswers",
    sendRequest: async (request, next) => {
      const answer = await next(request);
      seen.requests += 1;
      seen.bytes += Buffer.byteLength(answer.bodyAsText ?? "");
      return answer;
    },
  });
  return () => ({ ...seen });
}
