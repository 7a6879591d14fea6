import type { JsonObject } from "../sync/types.js";
import { productVersion } from "../version.js";
import { cloudEvent, lifecycleCloudEvent } from "./cloudEvents.js";
import {
  changeNotification,
  type LifecycleEvent,
  lifecycleNotification,
  type Notification,
  type Recipient,
  unknownTenantId,
} from "./notification.js";
import { signedHeaders, webhookId } from "./signature.js";

/** Bounds of one request. Both are our choice. @internal For tests. */
export const requestLimits = {
  notificationsMax: 100,
  /** UTF-8. A hundred with Graph's usual ids are 90 KiB, as CloudEvents 140. */
  bodyBytesMax: 256 * 1024,
} as const;

/** A request that is ready to be sent by POST. */
export type PushRequest = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** How many notifications it takes along: the next ones, in their order. */
  readonly count: number;
};

/** Who sends. */
export type Sender = {
  readonly nowMs: () => number;
  /** A GUID; null: not known. */
  readonly tenantId: string | null;
  /** The DNS name of the mirror, by which it asked receivers of CloudEvents for permission. */
  readonly origin: string;
};

/** Without a charset, which JSON has none of: the CloudEvents SDK for JavaScript knows it by one spelling alone. */
const contentTypes: Readonly<Record<Recipient["format"], string>> = {
  graph: "application/json",
  cloudEvents: "application/cloudevents+json",
  cloudEventsBatch: "application/cloudevents-batch+json",
};

/**
 * The requests that tell a subscriber of these notifications, in their order. Each is made when it is asked for: what it is signed
 * with is the time at which it is sent.
 *
 * No request exceeds the limits, but for one notification that does so by itself: it goes alone, for none is left out.
 */
export function* requestsOf(
  recipient: Recipient,
  notifications: readonly Notification[],
  sender: Sender,
  limits: { readonly notificationsMax: number; readonly bodyBytesMax: number } = requestLimits,
): Generator<PushRequest, void, undefined> {
  const tenantId = sender.tenantId ?? unknownTenantId;
  const write = recipient.format === "graph" ? changeNotification : cloudEvent;
  const countMax = recipient.format === "cloudEvents" ? 1 : limits.notificationsMax;
  for (let start = 0; start < notifications.length; ) {
    const items: string[] = [];
    let bytes = enveloped(recipient.format, []).length;
    for (const notification of notifications.slice(start, start + countMax)) {
      const item = JSON.stringify(write(recipient, notification, tenantId));
      bytes += Buffer.byteLength(item) + 1; // And a comma.
      if (items.length > 0 && bytes > limits.bodyBytesMax) break;
      items.push(item);
    }
    const ids = notifications.slice(start, start + items.length).map(({ id }) => id);
    const body = enveloped(recipient.format, items);
    yield { ...requestOf(recipient, recipient.notificationUrl, ids, body, sender), count: items.length };
    start += items.length;
  }
}

/**
 * The request that tells a subscriber of its subscription; null where it has given no address for that.
 * @param event `id`: the same each time that this one is sent. `atMs`: when it came to be owed. Epoch.
 */
export function lifecycleRequestOf(
  recipient: Recipient,
  event: { readonly id: string; readonly lifecycleEvent: LifecycleEvent; readonly atMs: number },
  sender: Sender,
): PushRequest | null {
  const url = recipient.lifecycleNotificationUrl;
  if (url === null) return null;
  const tenantId = sender.tenantId ?? unknownTenantId;
  const item: JsonObject =
    recipient.format === "graph"
      ? lifecycleNotification(recipient, event.lifecycleEvent, tenantId)
      : lifecycleCloudEvent(recipient, event, tenantId);
  const body = enveloped(recipient.format, [JSON.stringify(item)]);
  return { ...requestOf(recipient, url, [event.id], body, sender), count: 1 };
}

/** @see https://learn.microsoft.com/graph/api/resources/changenotificationcollection, and the batch of CloudEvents' JSON format */
function enveloped(format: Recipient["format"], items: readonly string[]): string {
  if (format === "graph") return `{"value":[${items.join()}]}`;
  return format === "cloudEvents" ? items.join() : `[${items.join()}]`;
}

function requestOf(
  { subscriptionId, format, secret }: Recipient,
  url: string,
  ids: readonly string[],
  body: string,
  { nowMs, origin }: Sender,
): Omit<PushRequest, "count"> {
  const headers = {
    "content-type": contentTypes[format],
    "user-agent": `calendar-mirror/${productVersion}`,
    ...signedHeaders(secret, webhookId(subscriptionId, ids), body, nowMs()),
    // Once a receiver has given permission, each request names who asked for it.
    ...(format === "graph" ? {} : { "webhook-request-origin": origin }),
  };
  return { url, headers, body };
}
