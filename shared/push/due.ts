import type { Store } from "../store/store.js";
import type { Subscription } from "../sync/subscription.js";
import { isDue, type LogNumbers, standingOf } from "./decide.js";
import type { SharedLogs } from "./sharedLogs.js";

type DueStore = Pick<Store, "readSubscriptions" | "readShardRow" | "lastLogNumber">;

/** All subscriptions as they stand now, and the ends of the logs. */
export type SeenSubscribers = {
  /** Those that have not expired. */
  readonly living: readonly Subscription[];
  readonly numbers: LogNumbers;
  /**
   * Ids, in their order, of those that there is something to do for: their subscribers are behind the logs and may be told now, or they have
   * expired, or are to be told so. Each is to be delivered to.
   */
  readonly due: readonly string[];
  /** When the first claim ends of those that are delivered to now; null: none is. Epoch milliseconds. */
  readonly claimedUntilMs: number | null;
};

/** Looks at all subscriptions. Reads no log: what it costs does not grow with what is told. */
export async function seeSubscribers(store: DueStore, logs: SharedLogs, nowMs: number): Promise<SeenSubscribers> {
  const all = (await store.readSubscriptions()).map((held) => held.subscription);
  const shards = [...new Set(all.flatMap(({ position }) => Object.keys(position)))].sort();
  const numbers = await logs.numbers(store, shards);
  const due: string[] = [];
  let claimedUntilMs: number | null = null;
  for (const one of all) {
    const standing = standingOf(one, numbers, nowMs);
    if (isDue(standing)) due.push(one.subscriptionId);
    if (standing !== "claimed" || one.claimedUntilMs === null) continue;
    claimedUntilMs = Math.min(claimedUntilMs ?? one.claimedUntilMs, one.claimedUntilMs);
  }
  return { living: all.filter(({ expiresMs }) => expiresMs > nowMs), numbers, due, claimedUntilMs };
}
