import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { folded } from "../shared/folded.js";
import { mapAtOnce } from "../shared/mapAtOnce.js";
import { calendarColumns } from "../shared/store/calendarRow.js";
import { checkpointColumns } from "../shared/store/checkpointRow.js";
import { calendarKey, mailboxKey, shardNames, shardOf } from "../shared/store/keys.js";
import { createStore, type Store } from "../shared/store/store.js";
import { newCheckpoint } from "../shared/sync/checkpoint.js";
import { type MemoryTable, memoryTable } from "../shared/table/memoryTable.js";
import type { Action } from "../shared/table/table.js";
import { type FindPlace, type FindQuery, findCalendars } from "../shared/views/findCalendars.js";
import { latencies } from "./surroundings.js";

/**
 * `npm run bench:find`: how long it takes to find calendars by a word in their names, against reading mailbox by mailbox. The table
 * is the one in memory, which answers as late as Azure would (bench/surroundings.ts), and later for each entity that it
 * sends. Of the mailboxes that are read one by one a sample is timed, and the time of all is in proportion.
 */
const { values } = parseArgs({
  options: {
    mailboxes: { type: "string", default: "100000" },
    calendars: { type: "string", default: "3" },
    shards: { type: "string", default: "16" },
    json: { type: "boolean", default: false },
  },
});
const [mailboxes, calendars, shardCount] = [values.mailboxes, values.calendars, values.shards].map(Number) as [
  number,
  number,
  number,
];
const shards = shardNames(shardCount);
const requestMs = latencies.find(({ name }) => name === "azure")?.requestMs ?? 0;
/** Our assumption of what a full page of a query takes beyond that: 1,000 entities at 25 MB/s or so. */
const fullPageMs = 40;
const readersAtOnce = 16;
const sampled = Math.min(mailboxes, 10_000);
const words = [
  "needle",
  "STRASSE",
  "holiday 77",
  "nowhere",
  "Team 1234",
  "budget 99999",
  "work 500",
  "Zoé",
  "x".repeat(9),
];

let requests = 0;
const table = memoryTable({
  onCall: async (name, { moment }) => {
    if (moment === "after" || name === "transact" || name === "createIfMissing") return;
    requests += 1;
    await sleep(requestMs + (name === "page" ? fullPageMs : 0));
  },
});
const ids = Array.from(
  { length: mailboxes },
  (_, index) => `00000000-0000-4000-9000-${String(index).padStart(12, "0")}`,
);
await fill(table);
const store = createStore({ table, shards: shardCount, newCommitId: () => "bench" });

const found = [];
for (const word of words) found.push(await timed(() => search(store, word)));
const oneByOne = await timed(async () => {
  // Cheaper than any reader: one request for each mailbox, without its checkpoint. A mailbox's rows are no full page.
  await mapAtOnce(ids.slice(0, sampled), readersAtOnce, (id) => store.readMailbox(id));
  return sampled;
});
const ms = found.map((one) => one.ms).sort((one, other) => one - other);
const p50Ms = ms[ms.length >>> 1] ?? Number.NaN;
const oneByOneMs = (oneByOne.ms * mailboxes) / sampled;
const queries = Math.max(...found.map((one) => one.requests));
if (values.json) console.log(JSON.stringify({ mailboxes, calendars, p50Ms, maxMs: ms.at(-1), queries, oneByOneMs }));
else {
  const seconds = (given: number) => `${(given / 1_000).toFixed(1)} s`;
  console.log(`${mailboxes} mailboxes of ${calendars} calendars in ${shardCount} shards, Node ${process.version}`);
  console.log(
    `found by a word        p50 ${seconds(p50Ms)}, at most ${seconds(ms.at(-1) ?? 0)}, ${queries} requests at most`,
  );
  console.log(`read one by one        ${seconds(oneByOneMs)} at ${readersAtOnce} in flight, ${mailboxes} requests`);
  console.log(`                       ${(oneByOneMs / p50Ms).toFixed(0)} times as long`);
}

/** All pages of one search. Returns how many were found. */
async function search(from: Store, word: string): Promise<number> {
  const given: FindQuery = {
    ...{ owner: null, name: folded(word), isShared: null, canEdit: null, isDefaultCalendar: null, kind: null },
  };
  const ports = { store: from, nowMs: () => performance.now(), onUnreadable: raise };
  let count = 0;
  let next: readonly FindPlace[] = shards.map((_, shard) => ({ shard, after: null }));
  while (next.length > 0) {
    const page = await findCalendars(given, 50, next, ports, shards);
    count += page.found.length;
    next = page.next;
  }
  return count;
}

function raise(error: Error): never {
  throw error;
}

async function timed(work: () => Promise<number>) {
  requests = 0;
  const sinceMs = performance.now();
  const count = await work();
  return { ms: performance.now() - sinceMs, requests, count };
}

async function fill(into: MemoryTable): Promise<void> {
  await into.createIfMissing();
  for (const [index, mailboxId] of ids.entries()) {
    const served = {
      phase: "idle",
      link: "https://graph.example/delta",
      lastSuccessMs: 1,
      lastFullRoundMs: 1,
    } as const;
    const checkpoint = { ...newCheckpoint(mailboxId, "epoch", `Person ${index}`), ...served };
    const actions: Action[] = [
      { kind: "upsert", rowKey: mailboxKey(mailboxId), columns: checkpointColumns(checkpoint) },
    ];
    for (let number = 0; number < calendars; number++) {
      const calendarId = `AAMkAGI2${index}-${number}`;
      const kinds = ["Calendar", "Holiday", "Team", "Budget", "Work"];
      const name = index % 20_011 === 7 && number === 0 ? "The Needle" : `${kinds[(index + number) % 5]} ${index}`;
      const owner = { name: `Person ${index}`, address: `person${index}@contoso.example` };
      const resource = { id: calendarId, name, owner, canEdit: true, isDefaultCalendar: number === 0, isShared: false };
      const row = { calendarId, resource, generation: 1, sequence: number + 1, changedMs: 1, removedMs: null };
      actions.push({
        kind: "upsert",
        rowKey: calendarKey(mailboxId, calendarId),
        columns: calendarColumns(mailboxId, row),
      });
    }
    await into.transact(shardOf(mailboxId, shardCount), actions);
  }
}
