import { spreadWaitMs } from "../sync/backoff.js";
import type { PauseReason, PushPlace, PushPosition, Subscription } from "../sync/subscription.js";
import { dayMs, hourMs, minuteMs, secondMs } from "../sync/time.js";
import type { Move } from "./logNotifications.js";
import type { LifecycleEvent } from "./notification.js";
import type { SendOutcome } from "./ports.js";

/** Bounds of waiting. All are our own choice. */
const waitLimits = {
  /** After a first failure; it doubles with each one that follows. */
  waitBaseMs: 10 * secondMs,
  /** Also the longest `Retry-After` that is kept to: whoever is back again need not wait longer. */
  waitMaxMs: hourMs,
  /** A subscriber that has answered 404 or 410 for so long is gone. */
  goneMs: dayMs,
  /** At most so long before the expiration a subscriber is asked to renew; less where a third of the lifetime is less. */
  renewBeforeMs: dayMs,
  /** Until a lifecycle notification is tried again. Changes are sent meanwhile: their address may be another. */
  lifecycleWaitMs: 5 * minuteMs,
  /** Clocks of hosts differ by so much. */
  clockSkewMsMax: 30 * secondMs,
} as const;

/** Longer than whoever delivers goes without writing: then it has died. Our own choice. */
export const claimMs = minuteMs;

/** One that is to be sent. `id`: the same each time that it is. */
export type LifecycleNotification = {
  readonly id: string;
  readonly lifecycleEvent: LifecycleEvent;
  /** When it came to be owed. Epoch. */
  readonly atMs: number;
  /** The subscription's expiration as it was then. Epoch. */
  readonly expiresMs: number;
};

/** The numbers of the last rows of logs, by shard. */
export type LogNumbers = Readonly<Record<string, number>>;

/** How a subscription stands. `expired`, `lifecycle`, `behind`: there is something to do for it; else why there is not. */
export type Standing = "expired" | "lifecycle" | "behind" | "paused" | "claimed" | "waiting" | "upToDate";

/** How it stands, given the ends of the logs. */
export function standingOf(subscription: Subscription, numbers: LogNumbers, nowMs: number): Standing {
  const { expiresMs, pausedReason, claimedUntilMs } = subscription;
  if (expiresMs <= nowMs) return "expired";
  if (pausedReason !== null) return "paused";
  if (isToCome(claimedUntilMs, nowMs, claimMs)) return "claimed";
  if (lifecycleDue(subscription, nowMs) !== null) return "lifecycle";
  if (isWaiting(subscription, nowMs)) return "waiting";
  return shardsBehind(subscription, numbers).length > 0 ? "behind" : "upToDate";
}

export const subscriberStates = ["active", "waiting", "paused"] as const;

/** How a subscriber stands, in a word for people. `waiting`: it has not said yes, and is left alone for a while. */
export function subscriberStateOf(subscription: Subscription, nowMs: number): (typeof subscriberStates)[number] {
  if (subscription.pausedReason !== null) return "paused";
  return isWaiting(subscription, nowMs) ? "waiting" : "active";
}

/** Whether it is left alone for a while, for it has not said yes. */
export function isWaiting({ notBeforeMs }: Pick<Subscription, "notBeforeMs">, nowMs: number): boolean {
  return isToCome(notBeforeMs, nowMs, waitLimits.waitMaxMs);
}

/**
 * Whether a time is still to come. One further ahead than anybody sets it comes from a host whose clock was ahead, and holds nobody back.
 * @param aheadMsMax How far ahead it is set at most.
 */
function isToCome(untilMs: number | null, nowMs: number, aheadMsMax: number): boolean {
  return untilMs !== null && untilMs > nowMs && untilMs <= nowMs + aheadMsMax + waitLimits.clockSkewMsMax;
}

/** Whether there is something to do for a subscription. */
export function isDue(standing: Standing): standing is "expired" | "lifecycle" | "behind" {
  return standing === "expired" || standing === "lifecycle" || standing === "behind";
}

/** The lifecycle notification that is to be sent now. */
export function lifecycleDue(subscription: Subscription, nowMs: number): LifecycleNotification | null {
  const { lifecycleNotificationUrl, lifecycleNotBeforeMs, missedMs, askedToRenewMs } = subscription;
  if (lifecycleNotificationUrl === null) return null;
  if (isToCome(lifecycleNotBeforeMs, nowMs, waitLimits.lifecycleWaitMs)) return null;
  const { renewedMs, expiresMs } = subscription;
  if (missedMs !== null) return { id: `missed-${missedMs}`, lifecycleEvent: "missed", atMs: missedMs, expiresMs };
  const atMs = expiresMs - Math.min(waitLimits.renewBeforeMs, Math.round((expiresMs - renewedMs) / 3));
  if (askedToRenewMs === expiresMs || nowMs < atMs) return null;
  return { id: `reauthorizationRequired-${expiresMs}`, lifecycleEvent: "reauthorizationRequired", atMs, expiresMs };
}

/** A shard whose log goes on behind a subscription's place. `upTo`: the number of its last row. */
export type Behind = { readonly shard: string; readonly place: PushPlace; readonly upTo: number };

/** The shards of whose logs it has not been told all. A log that ends before its place is one that the table has lost. */
export function shardsBehind({ position }: Subscription, numbers: LogNumbers): readonly Behind[] {
  return Object.entries(position).flatMap(([shard, place]) => {
    const upTo = numbers[shard];
    return upTo === undefined || upTo === place.number ? [] : [{ shard, place, upTo }];
  });
}

/** Whoever delivers has it for a while. */
export function claimed(subscription: Subscription, by: string, nowMs: number): Subscription {
  return { ...subscription, claimedBy: by, claimedUntilMs: nowMs + claimMs };
}

/** Nobody delivers to it. */
export function released(subscription: Subscription): Subscription {
  return { ...subscription, claimedBy: null, claimedUntilMs: null };
}

/** These steps are behind it. */
export function moved(subscription: Subscription, moves: readonly Move[], nowMs: number): Subscription {
  if (moves.length === 0) return subscription;
  const places = moves.map(({ shard, place }) => [shard, place] as const);
  const next = { ...subscription, position: { ...subscription.position, ...Object.fromEntries(places) } };
  const lastMissedWhy = moves.findLast(({ missed }) => missed !== null)?.missed ?? null;
  if (lastMissedWhy === null) return next;
  // Owed where there is an address for it. A new time each time: a receiver knows repeats by the id, which is made of it.
  const missedMs = subscription.lifecycleNotificationUrl === null ? null : nowMs;
  return { ...next, missedMs, lastMissedMs: nowMs, lastMissedWhy };
}

/** It has said yes. */
export function afterAccepted(subscription: Subscription, status: number, nowMs: number): Subscription {
  return {
    ...subscription,
    ...{ failuresInARow: 0, notBeforeMs: null, refusedSinceMs: null },
    ...{ lastAnswerMs: nowMs, lastAnswer: String(status) },
  };
}

export type Failure = Exclude<SendOutcome, { readonly kind: "accepted" }>;

/**
 * It has not said yes: nothing is sent to it for a while, which grows with each failure and is never shorter than it asks for. Paused, once
 * it has said for a day that there is nobody.
 * @param jitter A draw from 0 up to 1.
 */
export function afterFailure(
  subscription: Subscription,
  failure: Failure,
  { nowMs, jitter }: { readonly nowMs: number; readonly jitter: number },
): Subscription {
  const failuresInARow = subscription.failuresInARow + 1;
  const { waitBaseMs, waitMaxMs, goneMs } = waitLimits;
  const askedMs = failure.kind === "refused" ? Math.min(failure.retryAfterMs ?? 0, waitMaxMs) : 0;
  const waitMs = Math.max(askedMs, spreadWaitMs(waitBaseMs, waitMaxMs, failuresInARow, jitter));
  const refusedSinceMs = isNobody(failure) ? (subscription.refusedSinceMs ?? nowMs) : null;
  const isGone = refusedSinceMs !== null && nowMs - refusedSinceMs >= goneMs;
  const failed: Subscription = {
    ...subscription,
    ...{ failuresInARow, refusedSinceMs, notBeforeMs: nowMs + waitMs },
    ...{ lastAnswerMs: nowMs, lastAnswer: answerOf(failure) },
  };
  return isGone ? paused(failed, "gone", nowMs) : failed;
}

/** Nothing is sent to it until it is resumed. What an operator has paused stays so, whatever its subscriber answers. */
export function paused(subscription: Subscription, pausedReason: PauseReason, nowMs: number): Subscription {
  const before = subscription.pausedReason;
  return before === "byHand" || before === pausedReason
    ? subscription
    : { ...subscription, pausedReason, pausedMs: nowMs };
}

/** It goes on where it stopped, at once: it is neither paused nor waiting. */
export function resumed(subscription: Subscription): Subscription {
  return {
    ...subscription,
    ...{ pausedReason: null, pausedMs: null, failuresInARow: 0, notBeforeMs: null, refusedSinceMs: null },
  };
}

/**
 * It is told once more all after these places, where they are behind its own: a place that it has not reached stays, for nothing is
 * skipped. It is taken from whoever delivers to it: that one would move the position on again.
 */
export function replayed(subscription: Subscription, places: PushPosition): Subscription {
  const back = Object.entries(subscription.position).map(([shard, place]) => {
    const from = places[shard];
    return [shard, from === undefined || from.number > place.number ? place : from] as const;
  });
  return released({ ...subscription, position: Object.fromEntries(back) });
}

/** Whether there is nobody at the address, or nobody whom we talk to. */
function isNobody(failure: Failure): boolean {
  if (failure.kind === "refused") return failure.status === 404 || failure.status === 410;
  return failure.kind === "forbidden";
}

/** In a word or two, for people. The reason of a refusal of our own may name the host, so it is left out. */
function answerOf(failure: Failure): string {
  switch (failure.kind) {
    case "refused":
      return String(failure.status);
    case "unreachable":
      return failure.code;
    case "forbidden":
      return "forbidden";
  }
}

/** It has been told of its subscription. What it has done upon that, such as to renew, may stand in it already. */
export function afterLifecycle(
  subscription: Subscription,
  { lifecycleEvent, atMs, expiresMs }: LifecycleNotification,
): Subscription {
  const missedMs = subscription.missedMs === atMs ? null : subscription.missedMs;
  const told = lifecycleEvent === "missed" ? { missedMs } : { askedToRenewMs: expiresMs };
  return { ...subscription, ...told, lifecycleNotBeforeMs: null };
}

/** It could not be told of its subscription: that is tried again, and keeps no change from it. */
export function afterLifecycleFailure(subscription: Subscription, nowMs: number): Subscription {
  return { ...subscription, lifecycleNotBeforeMs: nowMs + waitLimits.lifecycleWaitMs };
}

/** It has renewed its subscription: one that was taken for gone is there, and goes on where it stopped. */
export function renewed(subscription: Subscription, expiresMs: number, nowMs: number): Subscription {
  const next = { ...subscription, expiresMs, renewedMs: nowMs };
  return subscription.pausedReason === "gone" ? resumed(next) : next;
}

/** It is told at another address, which has consented: what the old one has answered does not count against it. */
export function readdressed(subscription: Subscription, notificationUrl: string): Subscription {
  const { pausedReason, pausedMs } = subscription;
  const next = { ...resumed(subscription), notificationUrl };
  return pausedReason === "byHand" ? { ...next, pausedReason, pausedMs } : next;
}
