import { describe, expect, test } from "vitest";
import { SharedLogs } from "../../shared/push/sharedLogs.js";
import type { LogAsk } from "../../shared/store/logRow.js";
import type { LogRow } from "../../shared/sync/changeLog.js";
import { clockAt, startMs } from "../worlds/parts.js";
import { entryOf } from "../worlds/push.js";

/** A log of so many rows, and what is asked of it. Looks at its end wait until they are let go. */
function logWorld(rows: number, limits: ConstructorParameters<typeof SharedLogs>[1] = {}) {
  const clock = clockAt(startMs);
  const world = { clock, number: rows, reads: 0, looks: 0, waiting: [] as (() => void)[] };
  const logs = new SharedLogs(clock.nowMs, limits);
  const store = {
    readShardRow: async () => null,
    lastLogNumber: async () => {
      world.looks += 1;
      const seen = world.number;
      await new Promise<void>((resolve) => world.waiting.push(resolve));
      return seen;
    },
    readLogOn: async (_shard: string, { after, upTo, top }: LogAsk): Promise<readonly LogRow[]> => {
      world.reads += 1;
      const last = Math.min(world.number, upTo ?? world.number, after + top);
      return Array.from({ length: Math.max(0, last - after) }, (_, index) => {
        return { number: after + index + 1, atMs: startMs, entries: [entryOf("m")] };
      });
    },
  };
  const letGo = async () => {
    for (const go of world.waiting.splice(0)) go();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const numbersOf = async (from: number, upTo: number) => {
    const after = await logs.after(store, "00", from, upTo);
    return after.kind === "rows" ? after.rows.map(({ number }) => number) : [];
  };
  return { world, logs, store, letGo, numbersOf };
}

describe("what deliveries share", () => {
  test("I15: a look has never begun before it was asked for; all who ask meanwhile share the next", async () => {
    const { world, logs, store, letGo } = logWorld(1);
    const first = logs.numbers(store, ["00"]);
    await new Promise((resolve) => setImmediate(resolve));
    world.number = 2; // Logged while the first look is under way, which may not see it.
    const later = [logs.numbers(store, ["00"]), logs.numbers(store, ["00"]), logs.numbers(store, ["00"])];
    await letGo();
    await letGo();
    expect(await first).toEqual({ "00": 1 });
    expect(await Promise.all(later)).toEqual([{ "00": 2 }, { "00": 2 }, { "00": 2 }]);
    expect(world.looks).toBe(2);
  });

  test("rows are read once for all that stand at the same place, and again after five seconds", async () => {
    const { world, numbersOf } = logWorld(3);
    expect(await Promise.all([numbersOf(0, 3), numbersOf(0, 3)])).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(await numbersOf(1, 3)).toEqual([2, 3]);
    expect(await numbersOf(1, 2)).toEqual([2]);
    expect(world.reads).toBe(1);
    world.clock.ms += 5_001;
    expect(await numbersOf(0, 3)).toEqual([1, 2, 3]);
    expect(world.reads).toBe(2);
  });

  test("rows that were read before the clock was set back are read anew", async () => {
    const { world, numbersOf } = logWorld(3);
    await numbersOf(0, 3);
    world.clock.ms -= 60_000;
    await numbersOf(0, 3);
    expect(world.reads).toBe(2);
  });

  test("however many ask for different rows, few reads run at once, and each gets its own, also after one that failed", async () => {
    const { logs, store } = logWorld(40, { readsAtOnceMax: 3 });
    let [running, most] = [0, 0];
    const slow = {
      readLogOn: async (shard: string, ask: LogAsk) => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        if (ask.after === 4) throw new Error("fault");
        return store.readLogOn(shard, ask);
      },
    };
    const numbers = Array.from({ length: 30 }, (_, index) => index + 1);
    const read = await Promise.allSettled(numbers.map((number) => logs.after(slow, "00", number, 40)));
    const first = read.map((one) => {
      if (one.status === "rejected") return "fault";
      return one.value.kind === "rows" ? one.value.rows[0].number : one.value.why;
    });
    expect(first).toEqual(numbers.map((number) => (number === 5 ? "fault" : number + 1)));
    expect([most, running]).toEqual([3, 0]);
  });

  test("no more is kept than the bound, and the oldest goes first", async () => {
    const { world, numbersOf } = logWorld(40, { keptCharactersMax: 1_500 });
    for (let from = 0; from < 40; from += 10) expect((await numbersOf(from, 40)).length).toBeGreaterThan(8);
    expect(world.reads).toBe(4);
    await numbersOf(0, 40);
    expect(world.reads).toBe(5);
  });
});
