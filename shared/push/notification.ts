import type { JsonObject } from "../sync/types.js";

/** What the wire needs to know of a subscription. */
export type Recipient = {
  /** A GUID. */
  readonly subscriptionId: string;
  readonly notificationUrl: string;
  readonly lifecycleNotificationUrl: string | null;
  /** Given back with each notification; null: none was given. A secret. */
  readonly clientState: string | null;
  readonly expiresMs: number;
  /** How notifications are written: Graph's collection, or CloudEvents 1.0, one or many in a request. */
  readonly format: "graph" | "cloudEvents" | "cloudEventsBatch";
  /** Signs requests: 32 bytes in base64. A secret. */
  readonly secret: string;
};

/** What a notification is about. `calendars`: those of a mailbox as a whole, which the subscriber reads anew. */
export type Subject =
  | { readonly kind: "calendar"; readonly mailboxId: string; readonly calendarId: string }
  | { readonly kind: "calendars"; readonly mailboxId: string }
  | { readonly kind: "user"; readonly mailboxId: string };

/** One thing that a subscriber is told. */
export type Notification = {
  /** The same each time that it is sent: by it a receiver knows repeats. Unique within its subscription, also among its lifecycle events. */
  readonly id: string;
  readonly changeType: "created" | "updated" | "deleted";
  readonly subject: Subject;
  /** When the log was told of it. Epoch. */
  readonly atMs: number;
};

/**
 * What a subscriber is told of the subscription itself.
 * @see https://learn.microsoft.com/graph/change-notifications-lifecycle-events
 */
export type LifecycleEvent = "reauthorizationRequired" | "missed";

/** Where Graph would name a tenant and we know none. */
export const unknownTenantId = "00000000-0000-0000-0000-000000000000";

/**
 * A notification in Graph's own format. `@odata.type` is spelt as Graph's notifications spell it, which is not as its other answers do.
 * @param tenantId A GUID.
 * @see https://learn.microsoft.com/graph/api/resources/changenotification, resourcedata
 */
export function changeNotification(
  recipient: Pick<Recipient, "subscriptionId" | "clientState" | "expiresMs">,
  { id, changeType, subject }: Notification,
  tenantId: string,
): JsonObject {
  const { resource, resourceData } = describe(subject);
  return { id, ...subscriptionPart(recipient), changeType, resource, resourceData, tenantId };
}

/**
 * A lifecycle notification: no change, and no resource.
 * @see https://learn.microsoft.com/graph/change-notifications-lifecycle-events, "Structure of a lifecycle notification"
 */
export function lifecycleNotification(
  recipient: Pick<Recipient, "subscriptionId" | "clientState" | "expiresMs">,
  lifecycleEvent: LifecycleEvent,
  tenantId: string,
): JsonObject {
  return { ...subscriptionPart(recipient), tenantId, lifecycleEvent };
}

/** The path of what a notification is about, as in its `resource`. */
export function pathOf(subject: Subject): string {
  const user = `users/${segment(subject.mailboxId)}`;
  if (subject.kind === "user") return user;
  return subject.kind === "calendars" ? `${user}/calendars` : `${user}/calendars/${segment(subject.calendarId)}`;
}

function subscriptionPart({
  subscriptionId,
  clientState,
  expiresMs,
}: Pick<Recipient, "subscriptionId" | "clientState" | "expiresMs">): JsonObject {
  return {
    subscriptionId,
    subscriptionExpirationDateTime: new Date(expiresMs).toISOString(),
    ...(clientState === null ? {} : { clientState }),
  };
}

/** Of a mailbox's calendars as a whole there is no object with an id: the user stands for them. */
function describe(subject: Subject): { readonly resource: string; readonly resourceData: JsonObject } {
  const resource = pathOf(subject);
  if (subject.kind === "calendar") {
    const resourceData = { "@odata.type": "#Microsoft.Graph.Calendar", "@odata.id": resource, id: subject.calendarId };
    return { resource, resourceData };
  }
  const user = pathOf({ kind: "user", mailboxId: subject.mailboxId });
  return {
    resource,
    resourceData: { "@odata.type": "#Microsoft.Graph.User", "@odata.id": user, id: subject.mailboxId },
  };
}

/** An id in a path. Graph's ids end in `=` and stand in its notifications as they are, which RFC 3986 allows. */
function segment(id: string): string {
  return encodeURIComponent(id.toWellFormed()).replaceAll("%3D", "=");
}
