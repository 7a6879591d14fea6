import { describe, expect, test } from "vitest";
import type { RoundsMessage } from "../../shared/messages.js";
import { startRounds } from "../../shared/rounds/startRounds.js";
import { shardNames } from "../../shared/store/keys.js";
import { startMs, tickMs } from "../worlds/parts.js";

/** Starts a tick, and notes what it sends itself. */
async function started(shards: number, refuses: (message: RoundsMessage) => boolean = () => false) {
  const later: { readonly shard: string; readonly tick: string; readonly delaySeconds: number }[] = [];
  const start = startRounds({
    clock: { nowMs: () => startMs },
    newId: () => "0123456789abcdef",
    shards,
    nextFireMs: (afterMs) => afterMs + tickMs,
    send: async (message, delaySeconds) => {
      if (refuses(message)) throw new Error(`no ${message.shard}`);
      later.push({ ...message, delaySeconds });
    },
  });
  return { start, later };
}

describe("the start of a tick", () => {
  test.each([1, 16])(
    "%i shards: all messages are left to the output binding, which wakes the host up",
    async (shards) => {
      const { start, later } = await started(shards);
      const { tick, atOnce } = await start;
      expect(atOnce).toEqual(shardNames(shards).map((shard) => ({ shard, tick })));
      expect(later).toEqual([]);
      expect(tick).toBe("2026-10-08T12:00:00.000Z-01234567");
    },
  );

  test("more: the first sixteen so, the others sent to be seen later, and each shard once", async () => {
    const { start, later } = await started(64);
    const { tick, atOnce } = await start;
    expect(atOnce).toEqual(shardNames(16).map((shard) => ({ shard, tick })));
    const delayed = [...later].sort((one, other) => (one.shard < other.shard ? -1 : 1));
    expect(delayed.map(({ shard }) => shard)).toEqual(shardNames(64).slice(16));
    expect(new Set(later.map((message) => message.tick))).toEqual(new Set([tick]));
    expect(delayed.map(({ delaySeconds }) => delaySeconds)).toEqual(
      [11, 22, 33].flatMap((delay) => Array(16).fill(delay)),
    );
  });

  test("a message that the queue does not take fails the tick, once nothing is on its way any more", async () => {
    const { start, later } = await started(64, ({ shard }) => shard === "20");
    await expect(start).rejects.toThrow("no 20");
    const before = later.length;
    await new Promise(setImmediate);
    expect(later).toHaveLength(before);
  });
});
