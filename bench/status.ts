import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { HttpRequest, type HttpResponseInit, type InvocationContext } from "@azure/functions";
import { startAzurite } from "../local/azurite.js";
import { root } from "../local/root.js";
import { type StatusTree, statusWorld } from "./statusTable.js";

/**
 * `npm run bench:status`: what a viewer of the dashboard costs: bytes that the status reads of the table, processor time, and
 * bytes that leave, per answer, over one tick of five minutes in which the shards start one after the other. The clock is the
 * bench's own; table and requests are real, over Azurite. First each answer is read from nothing, as the first one of a process
 * is. `--other DIR` does the same beforehand with the sources of another checkout. With 256 shards the exit code is 1 where a bar
 * is missed.
 */
const { values } = parseArgs({
  options: {
    shards: { type: "string", default: "256" },
    viewers: { type: "string", default: "1" },
    other: { type: "string" },
  },
});
const shards = Number(values.shards);
const viewers = Number(values.viewers);
const tickMs = 300_000;
const pollMs = 5_000;
const shareMax = 0.1;

const silent = () => undefined;
const context = { invocationId: "bench", info: silent, warn: silent, error: silent } as unknown as InvocationContext;

type Cost = { tableRequests: number; tableBytes: number; cpuMs: number; wallMs: number; answerBytes: number };
type Way = { readonly name: string; readonly dir: string; readonly isKept: boolean };

const ways: readonly Way[] = [
  ...(values.other === undefined ? [] : [{ name: "the other build", dir: resolve(values.other), isKept: true }]),
  { name: "each from nothing", dir: root, isKept: false },
  { name: "as it is", dir: root, isKept: true },
];

const azurite = await startAzurite();
try {
  console.log(`${shards} shards, ${viewers} viewers, one answer each every 5 s; Node ${process.version}; per answer:`);
  const means: Cost[] = [];
  for (const [index, way] of ways.entries()) means.push(await measure(way, index));
  const [before, after] = [means[0], means.at(-1)];
  if (before !== undefined && after !== undefined && shards === 256) hold(before, after);
} finally {
  await azurite.stop();
}

async function measure({ name, dir, isKept }: Way, index: number): Promise<Cost> {
  const tree = await treeOf(dir);
  const world = await statusWorld(tree, azurite.connectionString, `status${index}`, shards);
  const open = () => tree.handler(world.facts, world.store, () => world.nowMs());
  let handler = open();
  const ask = async (viewer: Map<string, string>): Promise<Cost> => {
    if (!isKept) handler = open();
    const url = "http://127.0.0.1:7071/api/status";
    const request = new HttpRequest({ url, method: "GET", headers: Object.fromEntries(viewer) });
    const [counted, cpu, startMs] = [world.counts(), process.cpuUsage(), performance.now()];
    const answer = (await handler(request, context)) as HttpResponseInit;
    const body = answer.jsonBody === undefined ? (answer.body ?? "") : JSON.stringify(answer.jsonBody);
    const { user, system } = process.cpuUsage(cpu);
    const wallMs = performance.now() - startMs;
    const etag = new Headers(answer.headers as Record<string, string>).get("etag");
    if (etag !== null) viewer.set("if-none-match", etag);
    const now = world.counts();
    return {
      tableRequests: now.requests - counted.requests,
      tableBytes: now.bytes - counted.bytes,
      cpuMs: (user + system) / 1000,
      wallMs,
      answerBytes: Buffer.byteLength(body as string | Uint8Array),
    };
  };
  const newViewer = () => new Map([["accept-encoding", "gzip, deflate, br"]]);
  await ask(newViewer()); // Code is compiled, connections are opened.
  handler = open();
  const everyone = Array.from({ length: viewers }, newViewer);
  const first = await ask(everyone[0] ?? newViewer());
  const costs: Cost[] = [];
  for (let ms = 0; ms < tickMs; ms += pollMs / viewers) {
    await world.advance(pollMs / viewers);
    costs.push(await ask(everyone[costs.length % viewers] ?? newViewer()));
  }
  const mean = combined(costs, (figures) => figures.reduce((sum, figure) => sum + figure, 0) / figures.length);
  print(`${name}, the first`, first);
  print(`${name}, mean of ${costs.length}`, mean);
  print(
    `${name}, the dearest`,
    combined(costs, (figures) => Math.max(...figures)),
  );
  return mean;
}

async function treeOf(dir: string): Promise<StatusTree> {
  const load = (path: string) => import(pathToFileURL(join(dir, "shared", path)).href);
  const [status, handler, gzip, store, table, client, figures] = await Promise.all(
    [
      "http/status.ts",
      "http/handler.ts",
      "http/gzip.ts",
      "store/store.ts",
      "table/azureTable.ts",
      "azure/tableClient.ts",
      "figures/shardFigures.ts",
    ].map(load),
  );
  const isCompressed = dir === root; // The build before this bench sent it as it is.
  return {
    ...{ createStore: store.createStore, azureTable: table.azureTable, tableClientOf: client.tableClientOf },
    storedFigures: figures.storedFigures,
    handler: (facts, opened, nowMs) => {
      const route = status.statusRoute(facts);
      const ports = async () => ({ store: opened, nowMs });
      return handler.httpHandler(isCompressed ? gzip.compressed(route) : route, ports, nowMs);
    },
  };
}

function combined(costs: readonly Cost[], how: (figures: readonly number[]) => number): Cost {
  const of = (name: keyof Cost) => how(costs.map((cost) => cost[name]));
  return {
    tableRequests: of("tableRequests"),
    tableBytes: of("tableBytes"),
    cpuMs: of("cpuMs"),
    wallMs: of("wallMs"),
    answerBytes: of("answerBytes"),
  };
}

function print(name: string, { tableRequests, tableBytes, cpuMs, wallMs, answerBytes }: Cost): void {
  const table = `${tableRequests.toFixed(0).padStart(4)} table requests, ${(tableBytes / 1000).toFixed(0).padStart(5)} kB read`;
  const time = `${cpuMs.toFixed(1).padStart(6)} ms processor time, ${wallMs.toFixed(0).padStart(4)} ms`;
  console.log(`${name.padEnd(32)} ${table}; ${time}; ${(answerBytes / 1000).toFixed(1).padStart(6)} kB answered`);
}

function hold(before: Cost, after: Cost): void {
  for (const name of ["tableBytes", "cpuMs"] as const) {
    const share = after[name] / before[name];
    console.log(`${name}: ${share.toFixed(3)} of before, the bar is ${shareMax}`);
    if (share > shareMax) process.exitCode = 1;
  }
}
