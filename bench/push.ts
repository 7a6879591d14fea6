import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { QueueClient } from "@azure/storage-queue";
import { startAzurite } from "../local/azurite.js";
import { root } from "../local/root.js";
import { tableClientOf } from "../shared/azure/tableClient.js";
import { logKey, shardNames, shardOf, shardRowKey } from "../shared/store/keys.js";
import { logColumns } from "../shared/store/logRow.js";
import { shardRowColumns } from "../shared/store/shardRow.js";
import { createStore } from "../shared/store/store.js";
import type { LogEntry } from "../shared/sync/changeLog.js";
import { newSubscription } from "../shared/sync/subscription.js";
import { azureTable } from "../shared/table/azureTable.js";
import type { Table } from "../shared/table/table.js";
import { startCounter } from "./counter.js";
import { type HostEvent, shards, startHost, tableName } from "./host.js";
import { type Mood, startReceivers } from "./receivers.js";
import { cpuSeconds } from "./surroundings.js";

/**
 * `npm run bench:push`: what it costs to tell subscribers of a tick: the built app in the host stand-in, over Azurite's tables and queues,
 * and receivers on this machine. The logs are written right away, as a tick leaves them; then comes the message that wakes. Storage
 * requests are counted in between. Of each round all is measured with subscribers that are well, with one that never answers, and with
 * one that refuses; the ratios are held to their bar, and the exit code is 1 where it is missed.
 */
const { values } = parseArgs({
  options: {
    subscribers: { type: "string", default: "100" },
    changed: { type: "string", default: "100" },
    rounds: { type: "string", default: "5" },
    big: { type: "string", default: "10000" },
  },
});
const subscribers = Number(values.subscribers);
/** What one bad subscriber may cost the others. */
const ratioMax = 1.1;
const waitMsMax = 120_000;
const names = shardNames(shards);
const numbers = new Map(names.map((shard) => [shard, 0]));
let ids = 0;
const newId = () => `3f0c0000-0000-4000-8000-${String(++ids).padStart(12, "0")}`;

type Figures = {
  readonly seconds: number;
  readonly told: number;
  readonly table: number;
  readonly queue: number;
  readonly cpu: number;
};

const stops: (() => Promise<unknown>)[] = [];
const missed: string[] = [];
try {
  await measure();
} finally {
  for (const stop of stops.reverse()) await stop();
}
for (const line of missed) console.log(`MISSED: ${line}`);
process.exitCode = missed.length === 0 ? 0 : 1;

type World = Awaited<ReturnType<typeof open>>;

async function open() {
  const receivers = await startReceivers();
  stops.push(receivers.stop);
  const azurite = await startAzurite();
  stops.push(azurite.stop);
  const { connectionString } = azurite;
  const table = azureTable(tableClientOf({ kind: "connectionString", connectionString }, tableName, null));
  const store = createStore({ table, shards, newCommitId: newId });
  await store.open();
  const [tables, queues] = await Promise.all([startCounter(azurite.tablePort), startCounter(azurite.queuePort)]);
  stops.push(tables.stop, queues.stop);
  const counted = connectionString
    .replace(`:${azurite.tablePort}/`, `:${tables.port}/`)
    .replace(`:${azurite.queuePort}/`, `:${queues.port}/`);
  const seen = { sentMs: 0, startMs: null as number | null };
  const onEvent = (event: HostEvent & { readonly ms?: number }) => {
    if (event.event !== "invocation" || event.function !== "deliver") return;
    const startMs = performance.now() - (event.ms ?? 0);
    if (startMs >= seen.sentMs) seen.startMs ??= startMs;
  };
  const around = { graphUrl: "http://127.0.0.1:1", graphPid: 0, token: "bench", stop: async () => undefined };
  const surroundings = { ...around, azurite: { ...azurite, connectionString: counted } };
  const host = await startHost(surroundings, { appDir: root, settings: {}, profileDir: null }, onEvent);
  stops.push(host.child.stop);
  const queue = new QueueClient(connectionString, "calendar-push");
  await queue.createIfNotExists();
  const pid = host.child.process.pid ?? 0;
  const count = () => ({
    table: tables.count().requests,
    queue: queues.count().requests,
    cpu: cpuSeconds(pid) ?? 0,
  });
  return { receivers, table, store, seen, queue, pid, count };
}

async function measure(): Promise<void> {
  const world = await open();
  const well = (count: number) => Array.from({ length: count }, (): Mood => "well");
  const withOne = (mood: Mood) => well(subscribers).with(7, mood);
  const changed = Number(values.changed);
  await tick(world, changed, well(subscribers)); // The app loads.
  const all = { well: [] as Figures[], silent: [] as Figures[], refusing: [] as Figures[] };
  for (let round = 0; round < Number(values.rounds); round++) {
    all.well.push(await tick(world, changed, well(subscribers)));
    all.silent.push(await tick(world, changed, withOne("silent")));
    all.refusing.push(await tick(world, changed, withOne("refusing")));
  }
  report(all);
  for (const count of [1, 10]) {
    const { memoryMiB: more, ...figures } = await tick(world, Number(values.big), well(count));
    console.log(`${words(`${values.big} notifications to ${count}`, figures)}, at most ${more} MiB more`);
  }
}

/** Writes a tick's rows, wakes, and waits until all that are well have all. */
async function tick(
  { receivers, table, store, seen, queue, pid, count }: World,
  changed: number,
  moods: readonly Mood[],
) {
  for (const { subscription } of await store.readSubscriptions())
    await store.deleteSubscription(subscription.subscriptionId, "*");
  const paths = moods.map((mood) => `/${mood}/${newId()}`);
  for (const path of paths) await store.writeSubscription(subscriptionTo(`${receivers.origin}${path}`), null);
  await pause(3_000); // What went before has ended, and polling has slowed down.
  receivers.got.clear();
  await writeLogs(table, changed);
  Object.assign(seen, { sentMs: performance.now(), startMs: null });
  const before = count();
  const idleMiB = memoryMiB(pid);
  let peakMiB = idleMiB;
  const sampling = setInterval(() => {
    peakMiB = Math.max(peakMiB, memoryMiB(pid));
  }, 20);
  await queue.sendMessage(JSON.stringify({ wake: newId() }));
  const living = paths.filter((path) => path.startsWith("/well/"));
  const untilMs = performance.now() + waitMsMax;
  const isTold = (path: string) => (receivers.got.get(path)?.ids.size ?? 0) >= changed;
  try {
    while (seen.startMs === null || !living.every(isTold)) {
      if (performance.now() > untilMs) throw new Error("The subscribers are not told.");
      await pause(5);
    }
    await pause(500); // Their last writes, and looks.
  } finally {
    clearInterval(sampling);
  }
  const after = count();
  return {
    seconds: (Math.max(...living.map((path) => receivers.got.get(path)?.lastMs ?? 0)) - seen.startMs) / 1000,
    told: living.reduce((sum, path) => sum + (receivers.got.get(path)?.requests ?? 0), 0),
    table: after.table - before.table,
    queue: after.queue - before.queue,
    cpu: after.cpu - before.cpu,
    memoryMiB: peakMiB - idleMiB,
  };
}

/** Rows as runs write them: changes of 99 mailboxes in a transaction at most. */
async function writeLogs(table: Table, changed: number): Promise<void> {
  const byShard = new Map<string, LogEntry[]>();
  for (let index = 0; index < changed; index++) {
    const mailboxId = newId();
    const shard = shardOf(mailboxId, shards);
    byShard.set(shard, [...(byShard.get(shard) ?? []), entryOf(mailboxId)]);
  }
  for (const [shard, entries] of byShard) {
    for (let start = 0; start < entries.length; start += 99) {
      const number = (numbers.get(shard) ?? 0) + 1;
      numbers.set(shard, number);
      const row = shardRowColumns({ run: null, log: { number, nudgedNumber: number } });
      await table.transact(shard, [
        { kind: "upsert", rowKey: shardRowKey, columns: row },
        { kind: "create", rowKey: logKey(number), columns: logColumns(Date.now(), entries.slice(start, start + 99)) },
      ]);
    }
  }
}

function report(all: { well: Figures[]; silent: Figures[]; refusing: Figures[] }): void {
  const well = medianOf(all.well);
  console.log(`${subscribers} subscribers, ${values.changed} changes, medians of ${values.rounds}`);
  console.log(words("all are well", well));
  for (const mood of ["silent", "refusing"] as const) {
    const figures = medianOf(all[mood]);
    console.log(words(`one is ${mood}`, figures));
    for (const what of ["seconds", "table", "queue", "cpu"] as const) {
      const ratio = figures[what] / well[what];
      console.log(`  ${what}: ${ratio.toFixed(2)} of that without it`);
      if ((what === "seconds" || what === "table") && ratio > ratioMax)
        missed.push(`${what} with one that is ${mood}: ${ratio.toFixed(2)}`);
    }
  }
}

function medianOf(all: readonly Figures[]): Figures {
  const of = (what: keyof Figures) =>
    all.map((one) => one[what]).sort((one, other) => one - other)[Math.floor(all.length / 2)] ?? Number.NaN;
  return { seconds: of("seconds"), told: of("told"), table: of("table"), queue: of("queue"), cpu: of("cpu") };
}

function words(name: string, { seconds, told, table, queue, cpu }: Figures): string {
  const requests = `${told} requests to those that are well, ${table} to the table, ${queue} to queues`;
  return `${name.padEnd(16)} all have all after ${seconds.toFixed(2)} s; ${requests}; ${cpu.toFixed(2)} s of processor time`;
}

function memoryMiB(pid: number): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024);
}

function subscriptionTo(notificationUrl: string) {
  const nowMs = Date.now();
  return newSubscription({
    ...{ subscriptionId: newId(), mailboxId: null, resource: "users/getAllCalendars" },
    changeTypes: ["created", "updated", "deleted"],
    ...{ notificationUrl, lifecycleNotificationUrl: null, clientState: "state" },
    ...{ latestSupportedTlsVersion: null, format: "graph", secret: Buffer.alloc(32, 7).toString("base64") },
    ...{ createdMs: nowMs, expiresMs: nowMs + 86_400_000 },
    position: Object.fromEntries(
      names.map((shard) => [shard, { number: numbers.get(shard) ?? 0, entries: 0, sent: 0 }]),
    ),
  });
}

function entryOf(mailboxId: string): LogEntry {
  const calendarId = Buffer.from(mailboxId.repeat(3)).toString("base64");
  const change = {
    kind: "created",
    sequence: 2,
    calendarId,
    name: "Calendar",
    owner: "adele@contoso.example",
  } as const;
  return { mailboxId, epoch: "epoch", from: 1, to: 2, event: null, changes: [change], leftOut: 0 };
}
