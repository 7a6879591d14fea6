import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nextFire, readSchedule } from "../../shared/schedule.js";
import { paceLimits, startDelaysSeconds } from "../../shared/sync/pace.js";
import { runs } from "../fuzz/runs.js";

const minuteMs = 60_000;
const startMs = Date.UTC(2026, 9, 8, 12);
const shardCounts = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** A schedule that fires every so many milliseconds. */
const every = (tickMs: number) => (afterMs: number) => (Math.floor(afterMs / tickMs) + 1) * tickMs;

function scheduled(text: string): (afterMs: number) => number | null {
  const schedule = readSchedule(text);
  if ("mistake" in schedule) throw new Error(schedule.mistake);
  return (afterMs) => nextFire(schedule, afterMs);
}

const tickMs = fc.integer({ min: 1, max: 24 * 60 }).map((minutes) => minutes * minuteMs);

describe("when the runs of a tick begin", () => {
  test.each([1, 2, 4, 8, 16])("%i shards: all at once, by any schedule", (shards) => {
    fc.assert(
      fc.property(tickMs, fc.nat(), (ms, laterMs) => {
        expect(startDelaysSeconds(shards, startMs + laterMs, every(ms))).toEqual(Array(shards).fill(0));
      }),
      runs(50),
    );
  });

  test("256 shards, every five minutes: 16 together, eleven seconds after each other, over three minutes", () => {
    const delays = startDelaysSeconds(256, startMs, scheduled("0 */5 * * * *"));
    expect([...new Set(delays)]).toEqual([0, 11, 22, 33, 45, 56, 67, 78, 90, 101, 112, 123, 135, 146, 157, 168]);
    for (const delay of new Set(delays)) expect(delays.filter((one) => one === delay)).toHaveLength(16);
  });

  test("fewer shards begin at the same intervals, and so within less time", () => {
    const all = startDelaysSeconds(256, startMs, every(5 * minuteMs));
    for (const shards of shardCounts) {
      expect(startDelaysSeconds(shards, startMs, every(5 * minuteMs))).toEqual(all.slice(0, shards));
    }
  });

  test("with ticks every ten seconds nobody waits for more than six, and 64 shards for no more than one", () => {
    expect(Math.max(...startDelaysSeconds(256, startMs, scheduled("*/10 * * * * *")))).toBeLessThanOrEqual(6);
    expect(Math.max(...startDelaysSeconds(64, startMs, scheduled("*/10 * * * * *")))).toBeLessThanOrEqual(1);
  });

  test("all have begun within three fifths of a tick, and within nine minutes", () => {
    fc.assert(
      fc.property(fc.constantFrom(...shardCounts), tickMs, fc.nat(), (shards, ms, laterMs) => {
        const delays = startDelaysSeconds(shards, startMs + laterMs, every(ms));
        expect(delays).toHaveLength(shards);
        for (const delay of delays) expect(Number.isInteger(delay) && delay >= 0).toBe(true);
        expect(Math.max(...delays)).toBeLessThanOrEqual(Math.min(0.6 * ms, 9 * minuteMs) / 1000);
      }),
      runs(200),
    );
  });

  test("each shard has the same place in every tick: also in one by hand, in a late one, and in one that fires early", () => {
    fc.assert(
      fc.property(fc.constantFrom(...shardCounts), tickMs, fc.nat(), fc.nat(), (shards, ms, one, other) => {
        const delays = startDelaysSeconds(shards, startMs + one, every(ms));
        expect(startDelaysSeconds(shards, startMs + other, every(ms))).toEqual(delays); // So no tick overtakes another.
      }),
      runs(200),
    );
  });

  test("where the next tick is far away, or never comes, a tick by hand takes nine minutes, not a part of the year", () => {
    const yearly = startDelaysSeconds(256, startMs, scheduled("0 0 0 1 1 *"));
    expect(Math.max(...yearly)).toBe(506);
    expect(startDelaysSeconds(256, startMs, () => null)).toEqual(yearly);
  });

  test("as many begin together as a host takes in one look at the queue", () => {
    const host = JSON.parse(readFileSync(join(import.meta.dirname, "..", "..", "host.json"), "utf8")) as {
      extensions: { queues: { batchSize: number } };
    };
    expect(host.extensions.queues.batchSize).toBe(paceLimits.shardsTogether);
  });
});
