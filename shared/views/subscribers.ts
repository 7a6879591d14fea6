import { type HowFar, howFarBehind, type LogTimes, laggardsOf } from "../push/behind.js";
import { type LogNumbers, subscriberStateOf } from "../push/decide.js";
import { logNumbersOf } from "../push/logNumbers.js";
import type { Store } from "../store/store.js";
import type { Subscription } from "../sync/subscription.js";
import { isoOrNull, minuteMs, secondMs } from "../sync/time.js";
import type { SubscriberCounts, SubscriberView } from "./subscriberSchema.js";

type SubscriberStore = Pick<Store, "readSubscriptions" | "readShardRow" | "lastLogNumber" | "readLog">;

/** All that have not expired, in the order of their creation, as they stand now. */
export async function listSubscribers(
  store: SubscriberStore,
  times: LogTimes,
  nowMs: number,
): Promise<readonly SubscriberView[]> {
  const living = livingOf(await store.readSubscriptions(), nowMs);
  const oldestFirst = [...living].sort((one, other) => one.createdMs - other.createdMs);
  return viewsOf(oldestFirst, store, times, nowMs);
}

/** How these subscribers stand, by what the logs hold now. */
export async function viewsOf(
  subscriptions: readonly Subscription[],
  store: SubscriberStore,
  times: LogTimes,
  nowMs: number,
): Promise<readonly SubscriberView[]> {
  const shards = [...new Set(subscriptions.flatMap(({ position }) => Object.keys(position)))];
  const howFar = await howFarBehind(subscriptions, await logNumbersOf(store, shards), store, times);
  return subscriptions.map((one, index) => viewOf(one, howFar[index] ?? { rows: 0, sinceMs: null }, nowMs));
}

function viewOf(subscription: Subscription, { rows, sinceMs }: HowFar, nowMs: number): SubscriberView {
  const { lastAnswer, lastAnswerMs } = subscription;
  const state = subscriberStateOf(subscription, nowMs);
  return {
    id: subscription.subscriptionId,
    resource: subscription.resource,
    changeType: subscription.changeTypes.join(),
    host: new URL(subscription.notificationUrl).host,
    format: subscription.format,
    state,
    pausedReason: subscription.pausedReason,
    pausedSince: isoOrNull(subscription.pausedMs),
    behind: rows === 0 ? null : { since: isoOrNull(sinceMs), rows },
    lastAnswer: lastAnswer === null ? null : { at: isoOrNull(lastAnswerMs), answer: lastAnswer },
    failuresInARow: subscription.failuresInARow,
    notBefore: state === "waiting" ? isoOrNull(subscription.notBeforeMs) : null,
    missed: isoOrNull(subscription.missedMs),
    lastMissed: lastMissedOf(subscription),
    created: new Date(subscription.createdMs).toISOString(),
    expires: new Date(subscription.expiresMs).toISOString(),
  };
}

function lastMissedOf({ lastMissedMs, lastMissedWhy }: Subscription): SubscriberView["lastMissed"] {
  return lastMissedMs === null ? null : { at: new Date(lastMissedMs).toISOString(), why: lastMissedWhy ?? "" };
}

function livingOf(held: Awaited<ReturnType<Store["readSubscriptions"]>>, nowMs: number): readonly Subscription[] {
  return held.map(({ subscription }) => subscription).filter(({ expiresMs }) => expiresMs > nowMs);
}

/** How long subscribers are believed to stand as they were read. All are our own choice. */
const keptMs = {
  /** Where there are none, a quiet status costs one request a minute more. */
  none: minuteMs,
  some: 10 * secondMs,
} as const;

/**
 * What counts subscribers again and again, for one process: it keeps what it has read of them for some seconds, so viewers share one
 * look. Of the logs it looks at one row of each shard at most, and never again at one that it has met.
 */
export function subscriberCounter(
  times: LogTimes,
): (
  store: Pick<Store, "readSubscriptions" | "readLog">,
  numbers: LogNumbers,
  nowMs: number,
) => Promise<SubscriberCounts> {
  let kept: { readonly atMs: number; readonly all: readonly Subscription[] } | null = null;
  return async (store, numbers, nowMs) => {
    const ageMs = kept === null ? Number.POSITIVE_INFINITY : nowMs - kept.atMs;
    const isOld = ageMs < 0 || ageMs >= (kept?.all.length === 0 ? keptMs.none : keptMs.some);
    if (kept === null || isOld) {
      const all = (await store.readSubscriptions()).map(({ subscription }) => subscription);
      kept = { atMs: nowMs, all };
    }
    return countsOf(kept.all, numbers, store, times, nowMs);
  };
}

/** How many stand how, and who is most behind, of those that have not expired. @param numbers Of the last rows of logs, as they were seen last. */
async function countsOf(
  all: readonly Subscription[],
  numbers: LogNumbers,
  store: Pick<Store, "readLog">,
  times: LogTimes,
  nowMs: number,
): Promise<SubscriberCounts> {
  const living = all.filter(({ expiresMs }) => expiresMs > nowMs);
  const counts = { active: 0, waiting: 0, paused: 0 };
  for (const one of living) counts[subscriberStateOf(one, nowMs)] += 1;
  const unpaused = living.filter(({ pausedReason }) => pausedReason === null);
  const { count, most } = await laggardsOf(unpaused, numbers, store, times);
  const missed = living.reduce<Subscription | null>((last, one) => {
    return (one.lastMissedMs ?? 0) > (last?.lastMissedMs ?? 0) ? one : last;
  }, null);
  const lastMissed = missed === null ? null : lastMissedOf(missed);
  return {
    total: living.length,
    ...counts,
    behind: count,
    mostBehind: most === null ? null : { since: new Date(most.sinceMs).toISOString(), subscriber: most.subscriptionId },
    lastMissed: missed === null || lastMissed === null ? null : { ...lastMissed, subscriber: missed.subscriptionId },
  };
}
