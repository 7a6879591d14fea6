import type { JsonObject } from "../sync/types.js";
import {
  changeNotification,
  type LifecycleEvent,
  lifecycleNotification,
  type Notification,
  pathOf,
  type Recipient,
} from "./notification.js";

/**
 * A notification as a CloudEvent, whose data is Graph's own. Type, source and subject are as in those that Graph sends by way of
 * Event Grid, but that our source names the subscription: only within it are ids unique.
 * @param tenantId A GUID.
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md, https://learn.microsoft.com/azure/event-grid/outlook-events
 */
export function cloudEvent(recipient: Recipient, notification: Notification, tenantId: string): JsonObject {
  const { id, subject, changeType, atMs } = notification;
  const object = subject.kind === "calendar" ? "Calendar" : "User";
  return {
    specversion: "1.0",
    id,
    type: `Microsoft.Graph.${object}${capitalised(changeType)}`,
    source: sourceOf(recipient, tenantId),
    subject: pathOf(subject),
    time: new Date(atMs).toISOString(),
    datacontenttype: "application/json",
    data: changeNotification(recipient, notification, tenantId),
  };
}

/** A lifecycle notification as a CloudEvent. `id`: the same each time that this one is sent. */
export function lifecycleCloudEvent(
  recipient: Recipient,
  event: { readonly id: string; readonly lifecycleEvent: LifecycleEvent; readonly atMs: number },
  tenantId: string,
): JsonObject {
  return {
    specversion: "1.0",
    id: event.id,
    type: `Microsoft.Graph.Subscription${capitalised(event.lifecycleEvent)}`,
    source: sourceOf(recipient, tenantId),
    time: new Date(event.atMs).toISOString(),
    datacontenttype: "application/json",
    data: lifecycleNotification(recipient, event.lifecycleEvent, tenantId),
  };
}

function sourceOf({ subscriptionId }: Recipient, tenantId: string): string {
  return `/tenants/${tenantId}/subscriptions/${subscriptionId}`;
}

function capitalised(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
