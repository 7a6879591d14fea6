import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { StorageError } from "../../shared/store/store.js";
import { throttled } from "../../shared/sync/brake.js";
import { snapshotLimits } from "../../shared/views/snapshot.js";
import { type Status, statusReader } from "../../shared/views/status.js";
import { runs } from "../fuzz/runs.js";
import { tickMs } from "../worlds/parts.js";
import { shardRuns } from "../worlds/shardRuns.js";
import { readStatus } from "../worlds/status.js";
import { interfered } from "../worlds/tables.js";

type World = ReturnType<typeof shardRuns>;

/** A tick of some shards from their beginning to their end. */
async function ticked(world: World, shards: readonly string[], tick: string): Promise<void> {
  for (const shard of shards) {
    await world.begin(shard, tick);
    await world.report(shard, "done");
  }
}

const shardDrawn = fc.integer({ min: 0, max: 2 });
/** What may happen to the rows of a shard. Ticks have few names, so that runs of one tick follow each other. */
const eventDrawn = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: fc.constant("begin" as const), shard: shardDrawn }) },
  {
    weight: 6,
    arbitrary: fc.record({ what: fc.constantFrom("done" as const, "unfinished", "braked"), shard: shardDrawn }),
  },
  { weight: 4, arbitrary: fc.record({ what: fc.constantFrom("ask" as const, "wait", "nextTick"), shard: shardDrawn }) },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constantFrom("asBefore" as const, "unreadable", "deleted", "longUnseen"),
      shard: shardDrawn,
    }),
  },
);

describe("a status that is read again and again", () => {
  test("I7: says what one read from nothing says, whatever runs, releases and people do to the rows meanwhile", async () => {
    const property = fc.asyncProperty(fc.array(eventDrawn, { maxLength: 60 }), async (events) => {
      const world = shardRuns(3);
      await world.open();
      const read = statusReader(world.facts);
      let tick = 0;
      const same = async () => {
        world.clock.ms += 1_000; // Who asks within a second of another gets his answer.
        const kept = await read(world.store, world.clock.ms, 288);
        expect(kept).toEqual(await readStatus(world.store, world.facts, world.clock.ms, 288));
      };
      for (const { what, shard: index } of events) {
        const shard = world.shards[index] ?? "";
        if (what === "begin") await world.begin(shard, `tick-${tick}`);
        else if (what === "ask") await same();
        else if (what === "wait") world.clock.ms += 11_000;
        else if (what === "nextTick") {
          tick += 1;
          world.clock.ms += tickMs;
        } else if (what === "asBefore") await world.asBefore(shard);
        else if (what === "unreadable" || what === "deleted") {
          // What somebody does to the figures of a run that has ended shows when the next one writes.
          await world.editFigures(shard, what === "deleted" ? null : { figures: "{", newest: "{" });
          tick += 1;
          await world.begin(shard, `tick-${tick}`);
        } else if (what === "longUnseen") {
          for (let count = 0; count < 14; count++) {
            tick += 1;
            world.clock.ms += tickMs;
            await ticked(world, [shard], `tick-${tick}`);
          }
        } else await world.report(shard, what);
      }
      await same();
    });
    await fc.assert(property, { ...runs(500), seed: 17 });
  });

  test("I7: counts once what a tick did before a brake, and what it did after it", async () => {
    const world = shardRuns(2);
    await world.open();
    await ticked(world, world.shards.slice(1), "tick-1");
    const read = statusReader(world.facts);
    const changes: number[] = [];
    for (const kind of ["braked", "done"] as const) {
      await world.begin("00", "tick-1");
      await world.report("00", kind, 10);
      world.clock.ms += 1_000;
      const { activity } = await read(world.store, world.clock.ms, 288);
      expect(activity.ticks).toMatchObject([{ tick: "tick-1", shards: 2 }]);
      changes.push(activity.total.changes);
    }
    expect(changes).toEqual([11, 21]);
  });

  test("shows the last day of ticks, however long a process has watched", async () => {
    const world = shardRuns(2);
    await world.open();
    const read = statusReader(world.facts);
    for (let tick = 0; tick < 300; tick++) {
      await ticked(world, tick % 5 === 0 ? world.shards.slice(0, 1) : world.shards, `tick-${tick}`);
      world.clock.ms += tickMs;
      await read(world.store, world.clock.ms, 288);
    }
    world.clock.ms += 1_000;
    const kept = await read(world.store, world.clock.ms, 288);
    expect(kept.activity.ticks).toHaveLength(288);
    expect(kept).toEqual(await readStatus(world.store, world.facts, world.clock.ms, 288));
  });

  test("begins anew where the table is another one", async () => {
    const [world, other] = [shardRuns(2), shardRuns(2)];
    for (const one of [world, other]) await one.open();
    const read = statusReader(world.facts);
    for (const tick of ["tick-1", "tick-2"]) await ticked(world, world.shards, tick);
    await read(world.store, world.clock.ms, 288);
    await ticked(other, other.shards, "tick-3");
    const kept = await read(other.store, world.clock.ms + 1_000, 288);
    expect(kept.activity.ticks.map(({ tick, shards }) => [tick, shards])).toEqual([["tick-3", 2]]);
  });
});

describe("a status of many shards", () => {
  const count = 64;
  const workingMs = snapshotLimits.workingMsPerShard * count;
  const restingMs = snapshotLimits.restingMsPerShard * count;
  let world: World;
  let read: ReturnType<typeof statusReader>;
  const ask = (): Promise<Status> => read(world.store, world.clock.ms, 288);
  const asked = async (): Promise<World["reads"]> => {
    world.reads.length = 0;
    await ask();
    return world.reads.filter(({ shard }) => !shard.startsWith("~"));
  };
  beforeEach(async () => {
    world = shardRuns(count);
    read = statusReader(world.facts);
    await world.open();
    for (let tick = 0; tick < 20; tick++) {
      if (tick > 0) world.clock.ms += tickMs;
      await ticked(world, world.shards, `tick-${tick}`);
    }
    await ask();
  });

  test("while all runs have ended and none is due, looks at the shards one after the other, and reads no figures", async () => {
    const seen: string[] = [];
    for (let look = 0; look < 4; look++) {
      world.clock.ms += 1_000;
      const looks = await asked();
      expect(looks).toHaveLength(snapshotLimits.looksMin);
      expect(looks.every(({ rowKey }) => rowKey === "shard")).toBe(true);
      seen.push(...looks.map(({ shard }) => shard));
    }
    expect(new Set(seen).size).toBe(count);
  });

  test("reads the newest ticks of shards that have changed, and never their whole day again", async () => {
    world.clock.ms += tickMs;
    await ticked(world, world.shards, "tick-20");
    const looks = await asked();
    expect(looks).toHaveLength(2 * count);
    const figures = looks.filter(({ rowKey }) => rowKey === "figures");
    expect(figures.every(({ columns }) => columns[0] === "newest")).toBe(true);
    expect((await ask()).activity.ticks.at(-1)).toMatchObject({ tick: "tick-20", shards: count });
  });

  test("tells a run's start, report and end within seconds of them", async () => {
    world.clock.ms += tickMs;
    await ask();
    const shard = world.shards.at(-1) ?? "";
    const shown = async () => {
      world.clock.ms += workingMs;
      const status = await ask();
      return { ...status.shards.at(-1), ticks: status.activity.ticks.filter(({ tick }) => tick === "tick-20").length };
    };
    await world.begin(shard, "tick-20");
    expect(await shown()).toMatchObject({ tick: "tick-20", finished: null, mailboxes: 1, ticks: 0 });
    await world.report(shard, "unfinished");
    await world.report(shard, "done");
    const finished = new Date(world.clock.ms).toISOString();
    expect(await shown()).toMatchObject({ finished, counted: finished, mailboxes: 2, ticks: 1 });
  });

  test("tells a tick by hand, which no schedule announces, within a quarter of a minute", async () => {
    world.clock.ms += 1_000;
    await ticked(world, world.shards, "by-hand");
    world.clock.ms += restingMs;
    expect(restingMs).toBeLessThan(16_000);
    expect((await ask()).activity.ticks.at(-1)).toMatchObject({ tick: "by-hand", shards: count });
  });

  test("is no older for who asks seldom", async () => {
    world.clock.ms += 10 * tickMs;
    await ticked(world, world.shards, "tick-20");
    const seldom = await ask();
    expect(seldom).toEqual(await readStatus(world.store, world.facts, world.clock.ms, 288));
  });
});

describe("all who ask at once", () => {
  test("share one look at the shards, and get the same", async () => {
    const world = shardRuns(8);
    await world.open();
    await ticked(world, world.shards, "tick-1");
    const read = statusReader(world.facts);
    const answers = await Promise.all(Array.from({ length: 5 }, () => read(world.store, world.clock.ms, 288)));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(world.reads.filter(({ rowKey }) => rowKey === "shard")).toHaveLength(8);
    await read(world.store, world.clock.ms + 999, 288);
    expect(world.reads.filter(({ rowKey }) => rowKey === "shard")).toHaveLength(8);
    await read(world.store, world.clock.ms + 1_000, 288);
    expect(world.reads.filter(({ rowKey }) => rowKey === "shard")).toHaveLength(16);
  });

  test("see a brake that was lifted at once", async () => {
    const world = shardRuns(1);
    await world.open();
    const read = statusReader(world.facts);
    const nowMs = world.clock.ms;
    await world.store.changeBrake(() => throttled(null, "http429", 60_000, nowMs));
    expect((await read(world.store, nowMs, 288)).brake.isOn).toBe(true);
    await world.store.changeBrake((brake) => (brake === null ? null : { ...brake, untilMs: nowMs }));
    expect((await read(world.store, nowMs, 288)).brake.isOn).toBe(false);
  });

  test("are told that storage does not answer; the next one asks it again", async () => {
    const world = shardRuns(2);
    await world.open();
    const read = statusReader(world.facts);
    let isDown = true;
    const store = world.storeOver(
      interfered(world.table, {
        before: ({ rowKeys }) => {
          if (isDown && rowKeys.includes("shard")) throw new StorageError("get", "00", null, "ECONNREFUSED");
        },
      }),
    );
    const both = await Promise.allSettled([read(store, world.clock.ms, 288), read(store, world.clock.ms, 288)]);
    expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    isDown = false;
    expect((await read(store, world.clock.ms, 288)).shards).toHaveLength(2);
  });
});
