import { gunzipSync } from "node:zlib";
import { HttpRequest, type HttpResponseInit } from "@azure/functions";
import { expect, test } from "vitest";
import { compressing } from "../../shared/http/gzip.js";
import { httpHandler } from "../../shared/http/handler.js";
import { statusRoute } from "../../shared/http/status.js";
import { context, origin, routesOver } from "../worlds/http.js";
import { tickMs } from "../worlds/parts.js";
import { shardRuns } from "../worlds/shardRuns.js";

/** The route as the app has it, over shards whose runs a test directs. */
async function opened() {
  const world = shardRuns(16);
  await world.open();
  const tick = async (name: string) => {
    for (const shard of world.shards) {
      await world.begin(shard, name);
      await world.report(shard, "done");
    }
    world.clock.ms += 2_000;
  };
  const { ports } = routesOver(world.store, world.clock.nowMs);
  const handler = httpHandler(compressing(statusRoute(world.facts)), async () => ports, world.clock.nowMs);
  const ask = async (headers: Record<string, string> = {}, query = "") => {
    const request = new HttpRequest({ url: `${origin}/api/status${query}`, method: "GET", headers });
    const { headers: given, ...answer } = (await handler(request, context)) as HttpResponseInit;
    return { ...answer, headers: given as Record<string, string> };
  };
  return { world, tick, ask };
}

test("who has the status already is told so, though time goes on, until something else is new", async () => {
  const { world, tick, ask } = await opened();
  await tick("tick-1");
  const first = await ask();
  const etag = first.headers["etag"] ?? "";
  expect(etag).toMatch(/^W\/"[\w-]{22}"$/);
  world.clock.ms += 5_000;
  const again = await ask({ "if-none-match": etag });
  expect(again).toMatchObject({ status: 304, headers: { etag, "cache-control": "no-store", vary: "Accept-Encoding" } });
  expect([again.jsonBody, again.body]).toEqual([undefined, undefined]);
  world.clock.ms += tickMs;
  await tick("tick-2");
  const later = await ask({ "if-none-match": etag });
  expect(later.status).toBe(200);
  expect(later.headers["etag"]).not.toBe(etag);
  expect((await ask({ "if-none-match": later.headers["etag"] ?? "" }, "?ticks=1")).status).toBe(200);
});

test("a status that grows old is new to those who have it: mailboxes are no longer fresh, ticks are late", async () => {
  const { world, tick, ask } = await opened();
  for (const name of ["tick-1", "tick-2"]) {
    await tick(name);
    world.clock.ms += tickMs;
  }
  const { etag = "" } = (await ask()).headers;
  world.clock.ms += 4 * tickMs;
  const { status, jsonBody } = await ask({ "if-none-match": etag });
  expect(status).toBe(200);
  expect(jsonBody).toMatchObject({ ticks: { isLate: true }, mailboxes: { freshWithinTwoTicks: { count: 0 } } });
});

test("is sent compressed to those who accept it, as the JSON that it is", async () => {
  const { tick, ask } = await opened();
  for (let number = 0; number < 20; number++) await tick(`tick-${number}`);
  const plain = await ask();
  const { body, headers } = await ask({ "accept-encoding": "gzip, deflate, br" });
  expect(headers).toMatchObject({ "content-encoding": "gzip", "content-type": "application/json" });
  expect(JSON.parse(gunzipSync(body as Uint8Array).toString())).toEqual(plain.jsonBody);
  expect(headers["etag"]).toBe(plain.headers["etag"]);
});
