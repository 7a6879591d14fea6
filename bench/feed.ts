import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { startProduct } from "../test/worlds/product.js";

/**
 * How fast the mirror answers other programs: the built app in the host stand-in, over Azurite, all on this machine.
 * Run it after `npm run build`: `node --import tsx bench/feed.ts`. The figures are of the whole chain, and Azurite, which
 * takes one request at a time, is its slowest part; the floor is a route that asks no table.
 */
const seconds = Number(process.env["BENCH_SECONDS"] ?? 5);
const connections = 16;
const cannon = join(import.meta.dirname, "..", "node_modules", "autocannon", "autocannon.js");

type Result = {
  readonly requests: { readonly average: number };
  readonly latency: { readonly p50: number; readonly p99: number };
  readonly non2xx: number;
  readonly errors: number;
  readonly timeouts: number;
};

async function fire(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Result> {
  const given = Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}=${value}`]);
  const args = [cannon, "-j", "-n", "-c", `${connections}`, "-d", `${seconds}`, ...given, url];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Result;
}

const product = await startProduct({ mailboxes: 20, calendars: 25 });
try {
  await product.add();
  await product.tick();
  while ((await product.snapshot()).fresh < 20) await sleep(200);
  const [id = ""] = product.graph.mailboxes.ids();
  const list = `${product.hostUrl()}/api/beta/users/${id}/calendars`;
  const { "@odata.deltaLink": quiet } = (await (await fetch(`${list}/delta`)).json()) as Record<string, string>;
  const answer = await fetch(list);
  const etag = answer.headers.get("etag") ?? "";
  const { value } = (await answer.json()) as { value: { id: string }[] };
  const shots: readonly (readonly [string, string, Record<string, string>?])[] = [
    ["list of 25 calendars", list],
    ["list, not modified", list, { "if-none-match": etag }],
    ["one calendar", `${list}/${encodeURIComponent(value[0]?.id ?? "")}`],
    ["delta from nothing, 25 calendars", `${list}/delta`],
    ["delta, nothing new", quiet ?? ""],
    ["floor: a route without the table", `${product.hostUrl()}/api/openapi.json`],
  ];
  console.log(`${connections} connections, ${seconds} s each, Node ${process.version}`);
  for (const [what, url, headers] of shots) {
    const { requests, latency, non2xx, errors, timeouts } = await fire(url, headers);
    const failed = errors + timeouts + (headers === undefined ? non2xx : 0); // A 304 counts as "not 2xx".
    const figures = `${requests.average.toFixed(0).padStart(6)} requests/s  p50 ${latency.p50} ms  p99 ${latency.p99} ms`;
    console.log(`${what.padEnd(34)} ${figures}${failed > 0 ? `  ${failed} FAILED` : ""}`);
  }
} finally {
  await product.stop();
}
