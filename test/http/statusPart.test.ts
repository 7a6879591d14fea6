import { HttpRequest, type HttpResponseInit } from "@azure/functions";
import { describe, expect, test } from "vitest";
import { httpHandler } from "../../shared/http/handler.js";
import { statusRoute } from "../../shared/http/status.js";
import { productVersion } from "../../shared/version.js";
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
  return { tick, ask, world };
}

/** Ticks as a release leaves them that did them: each is an array, which ends with its version, or none. */
async function doneBy(world: ReturnType<typeof shardRuns>, shard: string, versions: Record<string, string | null>) {
  const { ticks, ...others } = (await world.storeOver(world.memory).readFigures(shard)) ?? {};
  const edited = (ticks as (readonly (string | number | readonly number[])[])[]).map((tick) => {
    const version = versions[String(tick[0])];
    return version === undefined ? tick : [...tick.slice(0, -1), ...(version === null ? [] : [version])];
  });
  const figures = JSON.stringify({ ...others, ticks: edited });
  await world.editFigures(shard, { figures, newest: figures });
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

describe("each tick tells the version that did it", () => {
  const versionsIn = (status: Status) => status.activity.ticks.map(({ version }) => version);

  test("in the shard that finished it last, and none where that is of a release which did not tell", async () => {
    const { tick, ask, world } = await opened(3, 0);
    for (let count = 0; count < 5; count++) await tick();
    const [first = "", second = "", third = ""] = world.shards;
    await doneBy(world, first, { "tick-1": null, "tick-2": "0.0.8", "tick-3": "0.0.9", "tick-4": null });
    await doneBy(world, second, { "tick-1": null, "tick-2": null, "tick-3": "0.0.8", "tick-4": null });
    await doneBy(world, third, { "tick-1": null, "tick-2": null, "tick-3": null, "tick-4": null });
    // All three have ended them in the same millisecond: then the higher version counts, whichever shard was seen first.
    expect(versionsIn((await ask()).body)).toEqual([null, "0.0.8", "0.0.9", null, productVersion]);
  });

  test("of the part after a brake, where the part before it was done by another", async () => {
    const { world, ask } = await opened(1, 0);
    const [shard = ""] = world.shards;
    await world.begin(shard, "tick-1");
    await world.report(shard, "braked");
    await doneBy(world, shard, { "tick-1": "0.0.8" });
    expect(versionsIn((await ask()).body)).toEqual(["0.0.8"]);
    world.clock.ms += 60_000;
    await world.begin(shard, "tick-1");
    await world.report(shard, "done");
    expect(versionsIn((await ask()).body)).toEqual([productVersion]);
  });

  test("and a tick that never got round keeps that of the run which did its part", async () => {
    const { world, ask } = await opened(1, 0);
    const [shard = ""] = world.shards;
    await world.begin(shard, "tick-1");
    await world.report(shard, "unfinished");
    await world.begin(shard, "tick-2");
    await world.report(shard, "done");
    expect(versionsIn((await ask()).body)).toEqual([productVersion, productVersion]);
  });
});
