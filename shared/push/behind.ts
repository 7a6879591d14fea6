import { mapAtOnce } from "../mapAtOnce.js";
import { RowError, type Store } from "../store/store.js";
import type { Subscription } from "../sync/subscription.js";
import { type Behind, type LogNumbers, shardsBehind } from "./decide.js";

/** Bounds of looking. All are our own choice. @internal For tests. */
export const behindLimits = {
  /** Rows of logs that one answer looks at; the next answers go on. A subscriber alone stands in 256 logs at most. */
  looksMax: 1_000,
  looksAtOnce: 16,
  /** Times that a process remembers. */
  keptMax: 50_000,
} as const;

/**
 * How far a subscriber is behind the logs. `rows`: that it has not said yes to. `sinceMs`: when the oldest of them was written, as
 * far as they have been looked at; null where it has said yes to all.
 */
export type HowFar = { readonly rows: number; readonly sinceMs: number | null };

type LogStore = Pick<Store, "readLog">;

/** When rows of logs were written: a row is looked at once by a process, however many subscribers stand before it. */
export class LogTimes {
  readonly #atMs = new Map<string, number>();

  /** Looks at the first rows behind these places, at so many at most that have not been met. */
  async learn(store: LogStore, places: readonly Behind[]): Promise<void> {
    const wanted = new Map<string, Behind>();
    for (const one of places) {
      const key = keyOf(one);
      if (wanted.size >= behindLimits.looksMax) break;
      if (!this.#atMs.has(key)) wanted.set(key, one);
    }
    if (this.#atMs.size + wanted.size > behindLimits.keptMax) this.#atMs.clear();
    await mapAtOnce([...wanted], behindLimits.looksAtOnce, async ([key, { shard, place }]) => {
      try {
        const [row] = await store.readLog(shard, { after: place.number, upTo: null, top: 1, headsOnly: true });
        if (row !== undefined) this.#atMs.set(key, row.atMs);
      } catch (error) {
        if (!(error instanceof RowError)) throw error; // Its delivery passes it over, and tells; others are seen on (I10).
      }
    });
  }

  /** Epoch milliseconds; null: it has not been looked at. */
  of(one: Behind): number | null {
    return this.#atMs.get(keyOf(one)) ?? null;
  }
}

function keyOf({ shard, place }: Behind): string {
  return `${shard} ${place.number}`;
}

/** The logs that go on behind its places. One that ends before its place was looked at too early; or the table has lost it, and the next delivery tells. */
function logsAhead(subscription: Subscription, numbers: LogNumbers): readonly Behind[] {
  return shardsBehind(subscription, numbers).filter(({ place, upTo }) => place.number < upTo);
}

/** How far each is behind, in their order. */
export async function howFarBehind(
  subscriptions: readonly Subscription[],
  numbers: LogNumbers,
  store: LogStore,
  times: LogTimes,
): Promise<readonly HowFar[]> {
  const all = subscriptions.map((one) => logsAhead(one, numbers));
  const most = Math.max(0, ...all.map((behind) => behind.length));
  // The first log of each, then the second of each: where there are too many rows to look at, each gets its share.
  const inTurn = Array.from({ length: most }, (_, turn) => all.flatMap((behind) => behind[turn] ?? [])).flat();
  await times.learn(store, inTurn);
  return all.map((behind) => ({
    rows: behind.reduce((sum, { place, upTo }) => sum + upTo - place.number, 0),
    sinceMs: oldestOf(behind, times)?.atMs ?? null,
  }));
}

/** How many are behind, which of them has waited longest for what is logged, and since when. */
type Laggards = {
  readonly count: number;
  readonly most: { readonly subscriptionId: string; readonly sinceMs: number } | null;
};

/**
 * Those that are behind. Looks at one row of each log at most, whatever the number of subscribers: the
 * first that the last of them has not said yes to.
 */
export async function laggardsOf(
  subscriptions: readonly Subscription[],
  numbers: LogNumbers,
  store: LogStore,
  times: LogTimes,
): Promise<Laggards> {
  const last = new Map<string, Behind & { readonly subscriptionId: string }>();
  let count = 0;
  for (const subscription of subscriptions) {
    const ahead = logsAhead(subscription, numbers);
    if (ahead.length > 0) count += 1;
    for (const one of ahead) {
      const before = last.get(one.shard);
      if (before !== undefined && before.place.number <= one.place.number) continue;
      last.set(one.shard, { ...one, subscriptionId: subscription.subscriptionId });
    }
  }
  const places = [...last.values()];
  await times.learn(store, places);
  const oldest = oldestOf(places, times);
  const most = oldest === null ? null : { subscriptionId: oldest.one.subscriptionId, sinceMs: oldest.atMs };
  return { count, most };
}

function oldestOf<One extends Behind>(places: readonly One[], times: LogTimes) {
  let oldest: { readonly one: One; readonly atMs: number } | null = null;
  for (const one of places) {
    const atMs = times.of(one);
    if (atMs !== null && (oldest === null || atMs < oldest.atMs)) oldest = { one, atMs };
  }
  return oldest;
}
