import { minuteMs } from "./time.js";

/** How the runs of a tick are spread over time. All are our own choice. */
export const paceLimits = {
  /**
   * What one instance takes from the queue at once (`host.json`). So few shards start together: one instance or two ask for
   * no more than a third of what Graph allows an application, and a small mirror has its answers as soon as can be.
   */
  shardsAtOnceMax: 32,
  /** The part of a tick in which its runs begin. The rest is for the last of them to end before the next tick. */
  startShare: 0.6,
  /** A million mailboxes in this time are 5,600 a second: 43 % of the 130,000 requests in 10 s that an application may make. */
  startMsMax: 3 * minuteMs,
} as const;

/**
 * How long after a tick has begun each shard's run begins, so that together they stay below Graph's limit for an
 * application, however many instances there are, and none needs to know of the others. Each shard has its own place, the
 * same in every tick: it is asked as often as before.
 * @param nextMs When the tick after a time comes, epoch milliseconds; null: never. A tick by hand, or a late one, is spread
 *   like any other, so that no shard is overtaken by an earlier tick.
 * @returns Whole seconds, for a queue takes no other; one for each shard, in their order.
 * @see https://learn.microsoft.com/graph/throttling-limits
 */
export function startDelaysSeconds(
  shards: number,
  nowMs: number,
  nextMs: (afterMs: number) => number | null,
): readonly number[] {
  const spreadMs = shards <= paceLimits.shardsAtOnceMax ? 0 : spreadOf(nowMs, nextMs);
  return Array.from({ length: shards }, (_, index) => Math.floor((index * spreadMs) / shards / 1000));
}

/** Measured between two ticks, and not from now: a timer may fire a moment early, or late. */
function spreadOf(nowMs: number, nextMs: (afterMs: number) => number | null): number {
  const next = nextMs(nowMs);
  const second = next === null ? null : nextMs(next);
  if (next === null || second === null) return paceLimits.startMsMax;
  const tickMs = Math.max(next - nowMs, second - next);
  return Math.min(paceLimits.startMsMax, paceLimits.startShare * tickMs);
}
