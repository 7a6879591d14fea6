import type { Store } from "../store/store.js";
import { isDue, standingOf } from "./decide.js";
import type { SharedLogs } from "./sharedLogs.js";

type DueStore = Pick<Store, "readSubscriptions" | "readShardRow" | "lastLogNumber">;

/** `due`: by id, in their order. `claimedUntilMs`: when the first claim ends of those that are delivered to now; null: none is. */
export type Due = { readonly due: readonly string[]; readonly claimedUntilMs: number | null };

/**
 * The subscriptions that there is something to do for: their subscribers are behind the logs and may be told now, or they
 * have expired, or are to be told so. Each is to be delivered to. Reads no log: what it costs does not grow with what is told.
 */
export async function dueSubscriptions(store: DueStore, logs: SharedLogs, nowMs: number): Promise<Due> {
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
  return { due, claimedUntilMs };
}
