import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { startAzurite } from "../local/azurite.js";
import { root } from "../local/root.js";
import { tableClientOf } from "../shared/azure/tableClient.js";
import { mapAtOnce } from "../shared/mapAtOnce.js";
import { createStore } from "../shared/store/store.js";
import { azureTable } from "../shared/table/azureTable.js";
import type { Table } from "../shared/table/table.js";
import { type RequestCounts, startCounter } from "./counter.js";
import { shards, startHost, tableName } from "./host.js";
import { cpuSeconds } from "./surroundings.js";
import { fillShard, mailboxesByShard, renameIn } from "./tenantTable.js";

/**
 * `npm run bench:tenant`: what it costs to copy a whole tenant over HTTP and to become current: the built app in the host
 * stand-in over Azurite, whose table is filled right away. Table requests are counted in between. Counts and memory are
 * held to their bars, and the exit code is 1 where one is missed; times are only printed.
 */
const { values } = parseArgs({
  options: { mailboxes: { type: "string", default: "100000" }, calendars: { type: "string", default: "3" } },
});
const size = { mailboxes: Number(values.mailboxes), calendars: Number(values.calendars) };
const changed = Math.min(1_000, size.mailboxes);
const bars = { copyRequests: 400, copyTableQueries: 450, memoryMiB: 64 };
const missed: string[] = [];
const stops: (() => Promise<unknown>)[] = [];

try {
  await measure();
} finally {
  for (const stop of stops.reverse()) await stop();
}
for (const line of missed) console.log(`MISSED: ${line}`);
process.exitCode = missed.length === 0 ? 0 : 1;

async function measure(): Promise<void> {
  const azurite = await startAzurite();
  stops.push(azurite.stop);
  const table = azureTable(
    tableClientOf({ kind: "connectionString", connectionString: azurite.connectionString }, tableName, null),
  );
  await createStore({ table, shards, newCommitId: () => "bench" }).open();
  const fillMs = performance.now();
  const mailboxes = mailboxesByShard(size, shards);
  const numbers = new Map(
    await mapAtOnce([...mailboxes], 4, async ([shard, own]) => [shard, await fillShard(table, shard, own)] as const),
  );
  console.log(
    `${size.mailboxes} mailboxes of ${size.calendars} in ${shards} shards, written in ${secondsSince(fillMs)}`,
  );
  const counter = await startCounter(azurite.tablePort);
  stops.push(counter.stop);
  const connectionString = azurite.connectionString.replace(`:${azurite.tablePort}/`, `:${counter.port}/`);
  const around = { azurite: { ...azurite, connectionString }, graphUrl: "http://127.0.0.1:1", graphPid: 0 };
  const open = async (settings: Record<string, string>) => {
    const surroundings = { ...around, token: "bench", stop: async () => undefined };
    const { url, child } = await startHost(surroundings, { appDir: root, settings, profileDir: null }, () => undefined);
    stops.push(child.stop);
    const walk = (name: string, link: string) => walked(name, link, counter.count, child.process.pid ?? 0);
    await walk("(the app loads)", `${url}/api/status`);
    return { walk, start: `${url}/api/beta/users/getAllCalendars/delta` };
  };
  const { walk, start } = await open({});
  const copy = await walk("copy", start);
  hold("items of a copy", copy.items, size.mailboxes * size.calendars, "equal");
  hold("requests of a copy", copy.requests, bars.copyRequests);
  hold("table queries of a copy", copy.tableQueries, bars.copyTableQueries);
  const quiet = await walk("nothing new", copy.deltaLink);
  hold("table requests when nothing is new", quiet.tableRequests, shards);
  const renamed = await renameSome(table, mailboxes, numbers);
  const current = await walk(`after ${renamed} changes`, quiet.deltaLink);
  hold("items after the changes", current.items, renamed, "equal");
  hold("table requests after the changes", current.tableRequests, 3 * renamed + 2 * shards);
  // V8 collects late where it may. What a copy needs shows where it may not.
  const tight = await open({ NODE_OPTIONS: "--max-old-space-size=64 --max-semi-space-size=1" });
  const small = await tight.walk("copy, heap of 64 MiB", tight.start);
  hold("items of the copy in a small heap", small.items, copy.items, "equal");
  hold("MiB above idle", small.memoryMiB, bars.memoryMiB);
}

/** A change in each of so many mailboxes, the same number in each shard. @returns how many. */
async function renameSome(
  table: Table,
  mailboxes: ReturnType<typeof mailboxesByShard>,
  numbers: ReadonlyMap<string, number>,
): Promise<number> {
  const perShard = Math.ceil(changed / shards);
  let renamed = 0;
  for (const [shard, own] of mailboxes) {
    const some = own.slice(0, Math.min(perShard, changed - renamed));
    renamed += some.length;
    await renameIn(table, shard, some, numbers.get(shard) ?? 0);
  }
  return renamed;
}

function hold(what: string, figure: number, bar: number, how: "atMost" | "equal" = "atMost"): void {
  if (how === "equal" ? figure !== bar : !(figure <= bar)) missed.push(`${what}: ${figure}, the bar is ${bar}`);
}

/** Follows links to the deltaLink, or to the only page, as a reader would, and says what that took. */
async function walked(name: string, link: string, count: () => RequestCounts, pid: number) {
  const idleMiB = memoryMiB(pid);
  let peakMiB = idleMiB;
  const sampling = setInterval(() => {
    peakMiB = Math.max(peakMiB, memoryMiB(pid));
  }, 20);
  const [tableBefore, cpuBefore, startMs] = [count(), cpuSeconds(pid) ?? 0, performance.now()];
  let [next, deltaLink, requests, items]: [string | undefined, string, number, number] = [link, "", 0, 0];
  while (next !== undefined) {
    const response = await fetch(next);
    if (response.status !== 200) throw new Error(`${next} answered ${response.status}`);
    const page = (await response.json()) as { value?: unknown[]; [link: `@odata.${string}`]: string };
    requests += 1;
    items += page.value?.length ?? 0;
    deltaLink = page["@odata.deltaLink"] ?? "";
    next = page["@odata.nextLink"];
  }
  clearInterval(sampling);
  const after = count();
  const tableRequests = after.requests - tableBefore.requests;
  const tableQueries = after.queries - tableBefore.queries;
  const figures = { requests, items, deltaLink, tableRequests, tableQueries, memoryMiB: peakMiB - idleMiB };
  const costs = `${requests} requests, ${tableRequests} of the table (${tableQueries} queries), ${items} items`;
  const cpu = `${((cpuSeconds(pid) ?? 0) - cpuBefore).toFixed(1)} s of the app's processor time`;
  const memory = `${idleMiB} MiB before, at most ${figures.memoryMiB} more`;
  console.log(`${name.padEnd(20)} ${costs}; ${secondsSince(startMs)}, ${cpu}; ${memory}`);
  return figures;
}

function memoryMiB(pid: number): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024);
}

function secondsSince(startMs: number): string {
  return `${((performance.now() - startMs) / 1000).toFixed(1)} s`;
}
