import { afterAccepted, afterFailure, afterLifecycleFailure, claimed, moved } from "../../shared/push/decide.js";
import { logNumbersOf } from "../../shared/push/logNumbers.js";
import type { Store } from "../../shared/store/store.js";
import type { Subscription } from "../../shared/sync/subscription.js";
import { dayMs, minuteMs } from "../worlds/parts.js";
import { subscriptionOf } from "../worlds/subscriptions.js";

/** Leaves behind a subscription in each state; its `clientState` names the state. */
export async function freezeSubscriptions(store: Store, shards: readonly string[], mailboxId: string, nowMs: number) {
  const numbers = await logNumbersOf(store, shards);
  const positionAt = (number: (shard: string) => number) =>
    Object.fromEntries(shards.map((shard) => [shard, { number: number(shard), entries: 0, sent: 0 }]));
  const end = (shard: string) => numbers[shard] ?? 0;
  const [shard = ""] = shards;
  const inRow = { number: end(shard) - 2, entries: 1, sent: 0 };
  const begun = (changed: Partial<Subscription> = {}) =>
    subscriptionOf({ createdMs: nowMs, renewedMs: nowMs, expiresMs: nowMs + 7 * dayMs, ...changed });
  const behind = begun({ position: positionAt(() => 0) });
  const told = begun({ position: positionAt(end) });
  const withLife = { ...told, lifecycleNotificationUrl: "https://receiver.example/life?code=a" };
  const drawn = { nowMs, jitter: 0.5 };
  const nobody = { kind: "refused", status: 410, retryAfterMs: null } as const;
  const missed = moved(withLife, [{ shard, place: inRow, notification: null, missed: "gone" }], nowMs);
  const states: Readonly<Record<string, Subscription>> = {
    new: told,
    told: afterAccepted(told, 202, nowMs),
    inRow: { ...told, position: { ...told.position, [shard]: inRow } },
    ofMailbox: {
      ...told,
      mailboxId,
      resource: `/users/${mailboxId}/calendars`,
      changeTypes: ["updated", "deleted"],
      position: { [store.shardOf(mailboxId)]: { number: 0, entries: 0, sent: 0 } },
      format: "cloudEventsBatch",
      latestSupportedTlsVersion: "v1_3",
    },
    claimed: claimed({ ...behind, format: "cloudEvents" }, "delivery", nowMs),
    waiting: afterFailure(behind, { kind: "refused", status: 503, retryAfterMs: 10 * minuteMs }, drawn),
    gone: afterFailure(afterFailure(behind, nobody, { ...drawn, nowMs: nowMs - dayMs }), nobody, drawn),
    byHand: { ...behind, pausedReason: "byHand" },
    missed: afterLifecycleFailure({ ...missed, position: told.position }, nowMs),
    askedToRenew: { ...withLife, expiresMs: nowMs + 1.5 * dayMs, askedToRenewMs: nowMs + 1.5 * dayMs },
    expired: { ...told, expiresMs: nowMs + 60 * minuteMs },
  };
  for (const [index, [clientState, subscription]] of Object.entries(states).entries()) {
    const subscriptionId = `3f0c0000-0000-4000-8000-${String(index).padStart(12, "0")}`;
    await store.writeSubscription({ ...subscription, subscriptionId, clientState }, null);
  }
}
