import type { Store } from "../store/store.js";
import type { Subscription } from "../sync/subscription.js";
import type { LogNumbers } from "./decide.js";
import { isDue, standingOf } from "./decide.js";
import { logNumbersOf } from "./logNumbers.js";

type DueStore = Pick<Store, "readSubscriptions" | "readShardRow" | "lastLogNumber">;

/** All subscriptions as they stand now: those that have not expired, the ends of the logs, and those that there is something to do for. */
export type SeenSubscribers = {
  readonly living: readonly Subscription[];
  readonly numbers: LogNumbers;
  /** Ids: their subscribers are behind the logs and may be told now, or they have expired, or are to be told so. Each is to be delivered to. */
  readonly due: readonly string[];
};

/** Reads no log: what it costs does not grow with what is told. */
export async function seeSubscribers(store: DueStore, nowMs: number): Promise<SeenSubscribers> {
  const all = (await store.readSubscriptions()).map((held) => held.subscription);
  const shards = [...new Set(all.flatMap(({ position }) => Object.keys(position)))].sort();
  const numbers = await logNumbersOf(store, shards);
  const due = all.filter((one) => isDue(standingOf(one, numbers, nowMs)));
  return {
    living: all.filter(({ expiresMs }) => expiresMs > nowMs),
    numbers,
    due: due.map(({ subscriptionId }) => subscriptionId),
  };
}

/** Those that there is something to do for. */
export async function dueSubscriptions(store: DueStore, nowMs: number): Promise<readonly string[]> {
  return (await seeSubscribers(store, nowMs)).due;
}
