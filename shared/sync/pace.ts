import { minuteMs } from "./time.js";

/**
 * How the runs of a tick are spread over time. All are our own choice.
 * @internal For tests.
 */
export const paceLimits = {
  /**
   * Shards that begin together: what a host takes in one look at the queue (`host.json`). One instance then has enough to
   * do, and the others have nothing and cost nothing. So many ask for a sixth of what Graph allows an application.
   */
  shardsTogether: 16,
  /** As many shards as there can be. Fewer begin at the same intervals, and so within a part of the time. */
  shardsMax: 256,
  /**
   * The part of a tick in which so many begin; the rest is for the last of them to end before the next tick. With a million
   * mailboxes and ticks of five minutes, that is 5,600 mailboxes a second, 43 % of what Graph allows.
   */
  startShare: 0.6,
  /** As with ticks of a quarter of an hour: a tick by hand should not take longer because the next one is hours away. */
  startMsMax: 9 * minuteMs,
} as const;

/**
 * How long after a tick has begun each shard's run begins, so that together they stay below Graph's limit for an
 * application, however many instances there are, and none needs to know of the others. Each shard has its own place, the
 * same in every tick: it is asked as often as before.
 * @param nextMs When the tick after a time comes, epoch milliseconds; null: never. A tick by hand, or a late one, is spread
 *   like any other: it overtakes no earlier tick, and does not meet the brake where that one would not.
 * @returns Whole seconds, for a queue takes no other; one for each shard, in their order. 16 shards and fewer: all 0.
 * @see https://learn.microsoft.com/graph/throttling-limits
 */
export function startDelaysSeconds(
  shards: number,
  nowMs: number,
  nextMs: (afterMs: number) => number | null,
): readonly number[] {
  const { shardsTogether, shardsMax } = paceLimits;
  const intervalMs = (spreadOf(nowMs, nextMs) * shardsTogether) / shardsMax;
  return Array.from({ length: shards }, (_, index) => {
    const group = Math.floor(index / shardsTogether);
    return Math.floor((group * intervalMs) / 1000);
  });
}

/** In how much time the most shards begin. Measured between two ticks, and not from now: a timer may fire early, or late. */
function spreadOf(nowMs: number, nextMs: (afterMs: number) => number | null): number {
  const next = nextMs(nowMs);
  const second = next === null ? null : nextMs(next);
  if (next === null || second === null) return paceLimits.startMsMax;
  const tickMs = Math.max(next - nowMs, second - next);
  return Math.min(paceLimits.startMsMax, paceLimits.startShare * tickMs);
}
