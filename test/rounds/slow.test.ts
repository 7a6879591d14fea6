import { describe, expect, test } from "vitest";
import { type SlowWorld, slowWorld } from "../worlds/slow.js";
import { readStatus } from "../worlds/status.js";

const secondMs = 1_000;
const quickMs = 100;

/** Ticks in quick succession. */
async function ticks(world: SlowWorld, count: number, everyMs = 2 * secondMs): Promise<void> {
  for (let tick = 0; tick < count; tick++) {
    world.round({ shard: "00", tick: `tick-${world.time.ms}` });
    await world.time.pass(everyMs);
  }
}

async function successesSince(world: SlowWorld, sinceMs: number): Promise<readonly string[]> {
  const found = await Promise.all(world.ids.map((id) => world.checkpoint(id)));
  return found.flatMap(({ mailboxId, lastSuccessMs }) => ((lastSuccessMs ?? 0) > sinceMs ? [mailboxId] : []));
}

const facts = { shards: ["00"], source: null, isDeltaDocumented: true, settings: {} };
const others = (world: SlowWorld, isSlow: (id: string) => boolean) => world.ids.filter((id) => !isSlow(id));

describe("I10: one slow mailbox among 30, ticks every 2 s", () => {
  const slownesses = [5 * secondMs, 90 * secondMs, Number.POSITIVE_INFINITY];

  test.each(slownesses)(
    "one that takes %d ms: the others are stored with the first ticks, and in each after",
    async (ms) => {
      let slow = "";
      const world = await slowWorld(30, (id) => (id === slow ? ms : quickMs));
      slow = world.ids[3] ?? "";
      const startMs = world.time.ms;
      await ticks(world, 3);
      expect(await successesSince(world, startMs)).toEqual(others(world, (id) => id === slow));
      await ticks(world, 3);
      for (let count = 0; count < 4; count++) {
        const sinceMs = world.time.ms;
        await ticks(world, 1);
        expect(await successesSince(world, sinceMs)).toEqual(
          expect.arrayContaining(others(world, (id) => id === slow)),
        );
      }
      const { mailboxes } = await readStatus(world.store, facts, world.time.ms, 10);
      expect(mailboxes.total).toBe(30);
      expect(world.faults).toEqual([]);
    },
  );

  test("one that answers in the end is served, and asked by itself from then on", async () => {
    let slow = "";
    const world = await slowWorld(30, (id) => (id === slow ? 90 * secondMs : quickMs));
    slow = world.ids[29] ?? "";
    await ticks(world, 80);
    expect(await world.checkpoint(slow)).toMatchObject({ phase: "idle", failuresInARow: 0, parkedReason: null });
    expect(await successesSince(world, 0)).toHaveLength(30);
    expect(Math.max(...world.calls.slice(-10).map(({ items }) => items))).toBe(20); // The others are in batches.
    expect((await world.checkpoint(slow)).aloneUntilMs).not.toBeNull();
    expect(world.faults).toEqual([]);
  });

  test("one that is quick again goes back into the batch", async () => {
    let slow = "";
    const world = await slowWorld(30, (id) => (id === slow ? 5 * secondMs : quickMs));
    slow = world.ids[0] ?? "";
    await ticks(world, 10);
    expect((await world.checkpoint(slow)).aloneUntilMs).not.toBeNull();
    slow = "";
    await ticks(world, 6);
    expect((await world.checkpoint(world.ids[0] ?? "")).aloneUntilMs).toBeNull();
    expect(world.calls.slice(-2).map(({ items }) => items)).toEqual([20, 10]);
  });

  test("I7: one that never answers waits in sight, with a code, ever longer", async () => {
    let slow = "";
    const world = await slowWorld(5, (id) => (id === slow ? Number.POSITIVE_INFINITY : quickMs));
    slow = world.ids[1] ?? "";
    await ticks(world, 10, 5 * 60 * secondMs);
    const { lastErrorCode, failuresInARow, notBeforeMs } = await world.checkpoint(slow);
    expect(lastErrorCode).toBe("timeout");
    expect(failuresInARow).toBeGreaterThanOrEqual(9);
    expect(notBeforeMs).not.toBeNull();
    const { troubles } = await readStatus(world.store, facts, world.time.ms, 10);
    expect(JSON.stringify(troubles)).toContain(slow);
    expect(world.running()).toBe(0);
    expect(world.time.waiting).toBe(0);
  });
});

describe("I10: others of the kind", () => {
  test("a slow mailbox in each batch, more of them than batches in flight: the others are fresh in each tick", async () => {
    const slow = new Set<string>();
    const world = await slowWorld(400, (id) => (slow.has(id) ? Number.POSITIVE_INFINITY : quickMs));
    for (let index = 5; index < 400; index += 20) slow.add(world.ids[index] ?? "");
    await ticks(world, 12, 5 * secondMs);
    const sinceMs = world.time.ms;
    await ticks(world, 1, 5 * secondMs);
    const fresh = new Set(await successesSince(world, sinceMs));
    expect(others(world, (id) => slow.has(id) || fresh.has(id))).toEqual([]);
  });

  test("what was answered is stored within two seconds, whoever else of the batch is slow", async () => {
    let slow = "";
    const world = await slowWorld(3, (id) => (id === slow ? Number.POSITIVE_INFINITY : quickMs), { newlySlowMax: 0 });
    slow = world.ids[0] ?? "";
    world.round({ shard: "00", tick: "tick" });
    await world.time.pass(4 * secondMs + quickMs + 2 * secondMs); // The batch is given up after 4 s.
    expect(await successesSince(world, 0)).toHaveLength(2);
    expect(world.running()).toBe(1);
  });

  test("a mailbox whose rows cannot be read in time holds up no other, and hangs the shard for half a minute only", async () => {
    const world = await slowWorld(30, () => quickMs, { batchesInFlightMax: 2 });
    const hung = [...world.ids].sort().at(-1) ?? "";
    await ticks(world, 1);
    for (const id of world.ids) world.graph.createCalendar(id, { name: "New" });
    const sinceMs = world.time.ms;
    world.hang(hung);
    await ticks(world, 6);
    expect(await successesSince(world, sinceMs)).toHaveLength(29);
    await ticks(world, 14);
    const laterMs = world.time.ms - 30 * secondMs;
    expect(await successesSince(world, laterMs)).toHaveLength(29);
  });

  test("I7: status knows the mailboxes that a first run has counted, before it has got round", async () => {
    const world = await slowWorld(60, () => 3 * secondMs, { batchesInFlightMax: 1, heartbeatMs: 5 * secondMs });
    await ticks(world, 1, 8 * secondMs);
    expect(world.running()).toBe(1);
    const { mailboxes } = await readStatus(world.store, facts, world.time.ms, 10);
    expect(mailboxes.total).toBeGreaterThanOrEqual(20);
  });

  test("a Graph that is slow for all is asked on in batches, with more patience", async () => {
    const world = await slowWorld(40, () => 6 * secondMs);
    await ticks(world, 4, 60 * secondMs);
    expect(await successesSince(world, 0)).toHaveLength(40);
    expect(world.calls.some(({ items }) => items > 1)).toBe(true);
  });

  test("I7: a Graph that is slow for all where no batches are sent gets more patience too: nobody fails by it", async () => {
    const world = await slowWorld(200, () => 5 * secondMs, {}, 1);
    await ticks(world, 1, 300 * secondMs);
    expect(await successesSince(world, 0)).toHaveLength(200);
    const checkpoints = await Promise.all(world.ids.map((id) => world.checkpoint(id)));
    expect(checkpoints.filter(({ aloneUntilMs }) => aloneUntilMs !== null).length).toBeLessThanOrEqual(16);
    expect(world.faults).toEqual([]);
  });

  test("I7: one call in eight that is answered in time is reason against that, and the slow are handed over", async () => {
    const world = await slowWorld(40, (id) => (world.ids.indexOf(id) % 4 === 0 ? Infinity : quickMs), {}, 1);
    await ticks(world, 1, 30 * secondMs);
    expect(await successesSince(world, 0)).toHaveLength(30);
    const startMs = world.time.ms;
    await ticks(world, 1, secondMs);
    expect(await successesSince(world, startMs - 1)).toHaveLength(30);
  });

  test("I7: ticks that come fast do not throw away what a run learns of a Graph that is slower than its patience", async () => {
    const world = await slowWorld(40, () => 20 * secondMs);
    await ticks(world, 120);
    expect(await successesSince(world, 0)).toHaveLength(40);
    expect(world.faults).toEqual([]);
  });
});

test("a run whose host was killed delays the ticks of its shard for half a minute at most", async () => {
  const world = await slowWorld(3, () => quickMs);
  const { claim } = { claim: await world.store.readShardRow("00") };
  expect(claim).toBeNull();
  const run = { tick: "dead", runId: "dead", startedMs: world.time.ms, seenMs: world.time.ms };
  const row = { run: { ...run, cursor: null, from: null, wrapped: false, finishedMs: null }, log: null };
  await world.store.writeShardRow({ shard: "00", row, etag: null });
  await ticks(world, 14);
  expect(await successesSince(world, 0)).toEqual([]);
  await ticks(world, 3);
  expect(await successesSince(world, 0)).toHaveLength(3);
});
