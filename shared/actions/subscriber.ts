import { paused, replayed, resumed } from "../push/decide.js";
import { placesSince } from "../push/placesSince.js";
import { StorageError, type Store } from "../store/store.js";
import type { PushPosition, Subscription } from "../sync/subscription.js";

/** What an operator may ask of one subscriber. */
export const subscriberActions = ["pause", "resume", "replay"] as const;
type SubscriberAction = (typeof subscriberActions)[number];

/** `sinceMs`: from when on a replay tells anew, epoch milliseconds. */
export type SubscriberAsk =
  | { readonly action: "pause" | "resume" }
  | { readonly action: "replay"; readonly sinceMs: number };

/**
 * What came of it; null: there is no such subscription, or no longer. `goesBackToMs`: of a replay from a time of which the logs do not hold all,
 * where they begin.
 */
export type SubscriberActionEnd = { readonly subscription: Subscription; readonly goesBackToMs: number | null } | null;

type ActionStore = Pick<
  Store,
  "readSubscription" | "writeSubscription" | "readShardRow" | "lastLogNumber" | "readLogOn"
>;

/** Our choice: an attempt loses only to a delivery that has written its position. */
const attemptsMax = 20;

/**
 * `pause`: nothing is sent until an operator resumes it; a renewal does not. What is on its way arrives. `resume`: it goes on where
 * it stopped, paused or waiting. `replay`: its position goes back to what the logs hold since a time; it never goes forward, so what it has not been
 * told comes after that (I15). Each is one write under the ETag of what was read; a delivery that runs meets it at its next write.
 * @throws StorageError also when every attempt lost to a delivery
 */
export async function actOnSubscriber(
  subscriptionId: string,
  ask: SubscriberAsk,
  store: ActionStore,
  nowMs: number,
): Promise<SubscriberActionEnd> {
  let since: Awaited<ReturnType<typeof placesSince>> | null = null;
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const held = await store.readSubscription(subscriptionId);
    if (held === null || held.subscription.expiresMs <= nowMs) return null;
    // Once: a delivery that writes meanwhile has only gone on from there.
    if (ask.action === "replay") since ??= await placesSince(held.subscription, ask.sinceMs, store);
    const next = changed(held.subscription, ask.action, since?.places ?? {}, nowMs);
    const goesBackToMs = since?.goesBackToMs ?? null;
    if (next === held.subscription) return { subscription: next, goesBackToMs };
    const written = await store.writeSubscription(next, held.etag);
    if (written !== "superseded") return { subscription: written.subscription, goesBackToMs };
  }
  throw new StorageError(`${ask.action} subscriber`, "", 412, `lost to others ${attemptsMax} times`);
}

function changed(now: Subscription, action: SubscriberAction, places: PushPosition, nowMs: number): Subscription {
  switch (action) {
    case "pause":
      return paused(now, "byHand", nowMs);
    case "resume":
      return resumed(now);
    case "replay":
      return replayed(now, places);
  }
}
