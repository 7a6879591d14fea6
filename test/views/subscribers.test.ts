import { describe, expect, test } from "vitest";
import { behindLimits, howFarBehind, LogTimes, laggardsOf } from "../../shared/push/behind.js";
import { logNumbersOf } from "../../shared/push/logNumbers.js";
import { statusReader } from "../../shared/views/status.js";
import { minuteMs, startMs } from "../worlds/parts.js";
import { entryOf, pushWorld, refused } from "../worlds/push.js";
import { subscriptionOf } from "../worlds/subscriptions.js";

const secondMs = 1_000;
const iso = (ms: number) => new Date(ms).toISOString();
const idOf = (index: number) => `3f0c0000-0000-4000-8000-${String(index).padStart(12, "0")}`;

/** A world of deliveries, and its status as one process reads it, with what the last one cost. */
async function watched(shards = 2) {
  const world = await pushWorld({ shards });
  const read = statusReader({ shards: world.shards, source: null, isDeltaDocumented: true, settings: {} });
  const status = async (afterMs: number = 15 * secondMs) => {
    world.clock.ms += afterMs;
    const before = world.store.transactions();
    const { subscribers } = await read(world.store, world.clock.ms, 1);
    return { subscribers, requests: world.store.transactions() - before };
  };
  return { world, status };
}

describe("subscribers in the status", () => {
  test("are counted by state; whoever is paused is not behind; the one that has waited longest is named", async () => {
    const { world, status } = await watched();
    const notificationUrl = "https://broken.example";
    await world.subscribe({ subscriptionId: idOf(1) });
    await world.subscribe({ subscriptionId: idOf(2), notificationUrl });
    await world.subscribe({ subscriptionId: idOf(3), pausedReason: "byHand" });
    await world.subscribe({ subscriptionId: idOf(4), expiresMs: startMs });
    world.clock.ms += minuteMs;
    const sinceMs = world.clock.ms;
    await world.tell([entryOf("m")], "01");
    world.clock.ms += minuteMs;
    await world.tell([entryOf("m")], "00");
    world.receive = ({ url }) =>
      url === notificationUrl ? refused(503) : { outcome: { kind: "accepted", status: 200 }, keeps: true };
    await world.calm(10 * minuteMs);
    expect((await status()).subscribers).toEqual({
      ...{ total: 3, active: 1, waiting: 1, paused: 1, behind: 1 },
      mostBehind: { since: iso(sinceMs), subscriber: idOf(2) },
      lastMissed: null,
    });
  });

  test("cost a quiet status a request a minute where there are none, and one in ten seconds where there are some", async () => {
    const { world, status } = await watched(4);
    const costsOfAMinute = async () => {
      const costs: number[] = [];
      for (let asked = 0; asked < 12; asked++) costs.push((await status(5 * secondMs)).requests);
      const least = Math.min(...costs);
      return costs.map((cost) => cost - least).join("");
    };
    await status();
    expect(await costsOfAMinute()).toBe("000000000001");
    expect(await costsOfAMinute()).toBe("000000000001");
    await world.subscribe();
    await status(minuteMs);
    expect(await costsOfAMinute()).toBe("010101010101");
  });

  test("who stands before the same row again and again costs one look at it", async () => {
    const { world, status } = await watched(4);
    await world.subscribe();
    for (const shard of world.shards) await world.tell([entryOf(`m${shard}`)], shard);
    const first = (await status()).requests;
    const second = (await status()).requests;
    expect((await status()).subscribers.mostBehind).toEqual({ since: iso(startMs), subscriber: expect.any(String) });
    expect(first - second).toBeGreaterThanOrEqual(4);
    const third = (await status()).requests;
    expect(third).toBe(second);
  });

  test("a log that was looked at before its subscriber went on makes nobody behind", async () => {
    const { world } = await watched(1);
    await world.subscribe();
    const early = await logNumbersOf(world.store, world.shards);
    for (let row = 0; row < 3; row++) await world.tell([entryOf("m")]);
    const late = await logNumbersOf(world.store, world.shards);
    const at = (number: number) => [subscriptionOf({ position: world.position(number) })];
    const nobody = { count: 0, most: null };
    expect(await laggardsOf(at(2), early, world.store, new LogTimes())).toEqual(nobody);
    expect(await laggardsOf(at(2), late, world.store, new LogTimes())).toMatchObject({ count: 1 });
    expect(await howFarBehind(at(2), early, world.store, new LogTimes())).toEqual([{ rows: 0, sinceMs: null }]);
  });
});

test("however many rows subscribers stand before, an answer looks at a bounded number, and the next ones go on", async () => {
  const world = await pushWorld({ shards: 2 });
  const each = 30;
  for (const shard of world.shards) for (let row = 0; row < each; row++) await world.tell([entryOf("m")], shard);
  const all = Array.from({ length: each * 50 }, (_, index) => {
    const place = { number: index % each, entries: 0, sent: 0 };
    return subscriptionOf({ subscriptionId: idOf(index), position: { "00": place, "01": place } });
  });
  const numbers = await logNumbersOf(world.store, world.shards);
  let looks = 0;
  const store = {
    readLog: (...asked: Parameters<typeof world.store.readLog>) => {
      looks += 1;
      return world.store.readLog(...asked);
    },
  };
  const times = new LogTimes();
  const found = await howFarBehind(all, numbers, store, times);
  expect(looks).toBe(2 * each); // Once each, for all that stand before it.
  expect(found[0]).toEqual({ rows: 2 * each, sinceMs: startMs });
  expect(behindLimits.looksMax).toBeGreaterThanOrEqual(256);
  await howFarBehind(all, numbers, store, times);
  expect(looks).toBe(2 * each);
});
