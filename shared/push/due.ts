import type { Store } from "../store/store.js";
import type { LogNumbers } from "./decide.js";
import { isDue, standingOf } from "./decide.js";
import { logNumbersOf } from "./logNumbers.js";

type DueStore = Pick<Store, "readSubscriptions" | "readShardRow" | "lastLogNumber">;

/**
 * The subscriptions that there is something to do for: their subscribers are behind the logs and may be told now, or they
 * have expired, or are to be told so. Each is to be delivered to. Reads no log: what it costs does not grow with what is told.
 */
export async function dueSubscriptions(store: DueStore, nowMs: number): Promise<readonly string[]> {
  const all = (await store.readSubscriptions()).map((held) => held.subscription);
  const shards = [...new Set(all.flatMap(({ position }) => Object.keys(position)))].sort();
  const numbers: LogNumbers = await logNumbersOf(store, shards);
  return all.filter((one) => isDue(standingOf(one, numbers, nowMs))).map(({ subscriptionId }) => subscriptionId);
}
