import { newSubscription, type Subscription } from "../../shared/sync/subscription.js";
import { dayMs, startMs } from "./parts.js";

/** A subscription of everything, that has begun at the start of all worlds. */
export function subscriptionOf(changed: Partial<Subscription> = {}): Subscription {
  const begun = newSubscription({
    subscriptionId: "3f0c0000-0000-4000-8000-0000000000d1",
    mailboxId: null,
    resource: "users/getAllCalendars",
    changeTypes: ["created", "updated", "deleted"],
    notificationUrl: "https://receiver.example/hook",
    lifecycleNotificationUrl: null,
    clientState: null,
    latestSupportedTlsVersion: null,
    format: "graph",
    secret: Buffer.alloc(32, 7).toString("base64"),
    createdMs: startMs,
    expiresMs: startMs + 7 * dayMs,
    position: { "00": { number: 0, entries: 0, sent: 0 } },
  });
  return { ...begun, ...changed };
}
