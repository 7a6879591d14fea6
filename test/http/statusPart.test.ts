import { HttpRequest, type HttpResponseInit } from "@azure/functions";
import { describe, expect, test } from "vitest";
import { httpHandler } from "../../shared/http/handler.js";
import { statusRoute } from "../../shared/http/status.js";
import type { Status } from "../../shared/views/statusSchema.js";
import { context, origin, routesOver } from "../worlds/http.js";
import { shardRuns } from "../worlds/shardRuns.js";

/** Of the status a page that reads it every few seconds has most already, and asks for the rest alone. */

/** A mirror as large as they get, in which every shard has some mailboxes in need, for many reasons. */
async function opened(shardCount: number, reasons: number) {
  const world = shardRuns(shardCount);
  await world.open();
  let ticks = 0;
  const tick = async () => {
    ticks += 1;
    for (const [index, shard] of world.shards.entries()) {
      await world.begin(shard, `tick-${ticks}`);
      await world.report(shard, "done", 1, ({ states, troubles }) => {
        for (let reason = 0; reason < reasons; reason++) {
          const id = (number: number) =>
            `${String(index).padStart(8, "0")}-0000-4000-8000-${String(number).padStart(12, "0")}`;
          const examples = [id(reason * 2), id(reason * 2 + 1)];
          troubles.push({ state: "parked", reason: `denied:ErrorSomethingLong${reason}`, count: 2, examples });
          states.parked += 2;
        }
      });
    }
    world.clock.ms += 300_000;
  };
  const { ports } = routesOver(world.store, world.clock.nowMs);
  const handler = httpHandler(statusRoute(world.facts), async () => ports, world.clock.nowMs);
  const ask = async (query = "") => {
    const request = new HttpRequest({ url: `${origin}/api/status${query}`, method: "GET" });
    const given = (await handler(request, context)) as HttpResponseInit;
    return { status: given.status, body: given.jsonBody as Status };
  };
  return { tick, ask };
}

test("what the page asks for again and again is at most 30 kB before compression, with 256 shards and 27 reasons", async () => {
  const { tick, ask } = await opened(256, 27);
  for (let count = 0; count < 6; count++) await tick();
  const whole = (await ask()).body;
  const since = whole.activity.ticks.at(-3)?.tick ?? "";
  const { body } = await ask(`?since=${since}&examples=5&shards=none`);
  expect(body.troubles.parked.length).toBe(27);
  expect(JSON.stringify(body).length).toBeLessThanOrEqual(30_000);
  expect(JSON.stringify(whole).length).toBeGreaterThan(30_000);
});

describe("a part of the status", () => {
  test("since a tick holds that one, which may still grow, and later ones; all where it is not known", async () => {
    const { tick, ask } = await opened(2, 1);
    for (let count = 0; count < 4; count++) await tick();
    const names = async (query: string) => (await ask(query)).body.activity.ticks.map((one) => one.tick);
    expect(await names("?since=tick-3")).toEqual(["tick-3", "tick-4"]);
    expect(await names("?since=tick-4")).toEqual(["tick-4"]);
    expect(await names("?since=of-another-table")).toEqual(["tick-1", "tick-2", "tick-3", "tick-4"]);
    expect(await names("?since=tick-1&ticks=2")).toEqual(["tick-3", "tick-4"]);
  });

  test("without shards and with fewer ids tells all else as the whole does", async () => {
    const { tick, ask } = await opened(2, 3);
    await tick();
    const whole = (await ask()).body;
    const { body } = await ask("?examples=1&shards=none");
    const first = ({ examples, ...trouble }: Status["troubles"]["parked"][number]) => ({
      ...trouble,
      examples: examples.slice(0, 1),
    });
    expect(body).toEqual({
      ...whole,
      shards: [],
      troubles: { ...whole.troubles, parked: whole.troubles.parked.map(first) },
    });
  });

  test.each(["?since=", "?examples=21", "?examples=x", "?examples=-1", "?shards=some", `?since=${"a".repeat(200)}`])(
    "%s is refused",
    async (query) => {
      const { ask } = await opened(1, 0);
      expect((await ask(query)).status).toBe(400);
    },
  );
});

test("each tick tells how mailboxes stood at its end, over all shards", async () => {
  const { tick, ask } = await opened(3, 2);
  await tick();
  await tick();
  const { ticks } = (await ask()).body.activity;
  expect(ticks.map(({ standing }) => standing)).toEqual([
    { mirrored: 15, fresh: 0, attention: 12 },
    { mirrored: 15, fresh: 0, attention: 12 },
  ]);
});
