import { type ChangeType, changeTypes, type PushFormat, type Subscription } from "../../sync/subscription.js";
import { dayMs, minuteMs } from "../../sync/time.js";
import { isJsonObject, type JsonObject } from "../../sync/types.js";

/** Bounds of a subscription. All are our own choice, but for the words in which Graph tells of the first. */
export const subscriptionLimits = {
  /** Graph's for messages, events and contacts of Outlook. */
  lifetimeMsMax: 7 * dayMs,
  /** Clocks of callers: who asks for just seven days gets them. */
  clockMsMax: 5 * minuteMs,
  urlUnitsMax: 2_048,
  /** Graph's. */
  clientStateUnitsMax: 255,
  subscriptionsMax: 200,
} as const;

/** A mistake of the caller: Graph's error code, and a sentence, in Graph's words where it has some. */
export type SubscriptionMistake = { readonly code: string; readonly mistake: string };

/** Whose calendars are meant: all, or those of a user by id or name. */
export type AskedResource = { readonly kind: "all" } | { readonly kind: "user"; readonly name: string };

/** What a caller has asked for. */
export type SubscriptionAsked = Pick<
  Subscription,
  | "changeTypes"
  | "notificationUrl"
  | "lifecycleNotificationUrl"
  | "clientState"
  | "latestSupportedTlsVersion"
  | "format"
> & {
  readonly resource: string;
  readonly asked: AskedResource;
  readonly expiresMs: number;
};

/** What a caller changes of a subscription; null stays as it is. */
export type SubscriptionChange = { readonly expiresMs: number | null; readonly notificationUrl: string | null };

/** Graph's property for the format of notifications, and its values. */
const contentTypes: Readonly<Record<PushFormat, string>> = {
  graph: "application/json",
  cloudEvents: "application/cloudevents+json",
  cloudEventsBatch: "application/cloudevents-batch+json",
};
const tlsVersions = ["v1_2", "v1_3"];

/** The format as Graph's `notificationContentType` names it. */
export function contentTypeOf(format: PushFormat): string {
  return contentTypes[format];
}

const creatable = [
  "changeType",
  "notificationUrl",
  "resource",
  "expirationDateTime",
  "clientState",
  "lifecycleNotificationUrl",
  "latestSupportedTlsVersion",
  "notificationContentType",
];

/** Graph's, and made by whoever keeps the subscription: what a caller says of them is ignored. @see OData 4.01 Protocol §11.4.2 */
const computed = ["id", "applicationId", "creatorId"];

const idsAlone = "notifications name ids alone, and the mirror's answers hold the rest";
/** Graph's, and not the mirror's: why. */
const unsupported: Readonly<Record<string, string>> = {
  includeResourceData: idsAlone,
  encryptionCertificate: idsAlone,
  encryptionCertificateId: idsAlone,
  notificationQueryOptions: "all changes of the resource are told",
  notificationUrlAppId: "notifications are signed by a secret of the subscription",
};

/** Graph's words for a body that it cannot read. */
const payload = (what: string) =>
  `Could not process subscription ${what} payload. Are all property names spelled and camelCased properly?`;

/** The mistake of a body that is no JSON object of known properties. */
export function unreadablePayload(what: "creation" | "update", why: string): SubscriptionMistake {
  return mistakeOf(`${payload(what)} ${why}`);
}

/**
 * What the body of `POST subscriptions` asks for.
 * @see https://learn.microsoft.com/graph/api/subscription-post-subscriptions
 */
export function readCreation(body: unknown, nowMs: number): SubscriptionAsked | SubscriptionMistake {
  const given = propertiesOf(body, creatable, "creation");
  if ("mistake" in given) return given;
  const { properties } = given;
  const missing = ["changeType", "notificationUrl", "resource", "expirationDateTime"].find(
    (name) => typeof properties[name] !== "string" || properties[name] === "",
  );
  if (missing !== undefined) return mistakeOf(`${missing} is a required property for subscription creation.`);
  const text = (name: string) => (typeof properties[name] === "string" ? properties[name] : null);
  const resource = text("resource") ?? "";
  const types = changeTypesOf(text("changeType") ?? "");
  const asked = resourceOf(resource);
  const expiresMs = expirationOf(text("expirationDateTime") ?? "", nowMs);
  const format = formatOf(text("notificationContentType"));
  const notificationUrl = urlOf("notificationUrl", text("notificationUrl") ?? "");
  const lifecycle = text("lifecycleNotificationUrl");
  const lifecycleNotificationUrl = lifecycle === null ? null : urlOf("lifecycleNotificationUrl", lifecycle);
  const clientState = text("clientState");
  const latestSupportedTlsVersion = text("latestSupportedTlsVersion");
  for (const read of [types, asked, expiresMs, format, notificationUrl, lifecycleNotificationUrl]) {
    if (isMistake(read)) return read;
  }
  if ((clientState ?? "").length > subscriptionLimits.clientStateUnitsMax) {
    return mistakeOf(`clientState must have ${subscriptionLimits.clientStateUnitsMax} characters at most.`);
  }
  if (latestSupportedTlsVersion !== null && !tlsVersions.includes(latestSupportedTlsVersion)) {
    return mistakeOf(`latestSupportedTlsVersion must be ${tlsVersions.join(" or ")}.`);
  }
  return {
    changeTypes: types,
    resource,
    asked,
    expiresMs,
    format,
    notificationUrl,
    lifecycleNotificationUrl,
    clientState,
    latestSupportedTlsVersion,
  } as SubscriptionAsked;
}

/**
 * What the body of `PATCH subscriptions/{id}` changes. Clients that hold a whole subscription send all of it: what it says of
 * other properties may be what they are.
 * @param shown The subscription as answers show it.
 * @see https://learn.microsoft.com/graph/api/subscription-update
 */
export function readUpdate(body: unknown, shown: JsonObject, nowMs: number): SubscriptionChange | SubscriptionMistake {
  const given = propertiesOf(body, ["expirationDateTime", "notificationUrl"], "update", shown);
  if ("mistake" in given) return given;
  const { expirationDateTime = null, notificationUrl = null } = given.properties;
  if (expirationDateTime === null && notificationUrl === null) {
    return mistakeOf("expirationDateTime, notificationUrl or both must be provided with the update.");
  }
  const expiresMs = expirationDateTime === null ? null : expirationOf(expirationDateTime, nowMs);
  const isMoved = notificationUrl !== null && notificationUrl !== shown["notificationUrl"];
  const url = isMoved ? urlOf("notificationUrl", notificationUrl) : null;
  if (isMistake(expiresMs)) return expiresMs;
  return isMistake(url) ? url : { expiresMs, notificationUrl: url };
}

/** Whether what was read is a mistake. */
export function isMistake(read: unknown): read is SubscriptionMistake {
  return typeof read === "object" && read !== null && "mistake" in read;
}

/**
 * The known properties. Clients of Graph send others that they hold: null, false, annotations, and what is `shown` of the
 * subscription mean nothing. Any other one is refused, for a typing error must not pass unseen.
 */
function propertiesOf(
  body: unknown,
  known: readonly string[],
  what: "creation" | "update",
  shown: JsonObject = {},
): { readonly properties: Readonly<Record<string, string>> } | SubscriptionMistake {
  if (!isJsonObject(body)) return unreadablePayload(what, "The body must be a JSON object.");
  const properties: Record<string, string> = {};
  for (const [name, value] of Object.entries(body as JsonObject)) {
    if (value === null || value === false || name.startsWith("@") || computed.includes(name)) continue;
    const quoted = JSON.stringify(name.slice(0, 40));
    if (!known.includes(name)) {
      const why = Object.hasOwn(unsupported, name) ? unsupported[name] : undefined;
      if ((why !== undefined && value === "") || (Object.hasOwn(shown, name) && shown[name] === value)) continue;
      if (why !== undefined) return mistakeOf(`${name} is not supported here: ${why}.`);
      return unreadablePayload(what, `${quoted} is not known here. Known: ${known.join(", ")}.`);
    }
    if (typeof value !== "string") return unreadablePayload(what, `${quoted} must be a string.`);
    properties[name] = value.toWellFormed();
  }
  return { properties };
}

function changeTypesOf(text: string): readonly ChangeType[] | SubscriptionMistake {
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !(changeTypes as readonly string[]).includes(name));
  if (unknown === undefined) return changeTypes.filter((type) => names.includes(type));
  return mistakeOf(
    `Invalid 'changeType' attribute: '${unknown.slice(0, 40)}'. It must be of ${changeTypes.join(", ")}.`,
  );
}

/** With or without the slash that leads it, and keys as segments or in parentheses, as in paths. */
function resourceOf(text: string): AskedResource | SubscriptionMistake {
  const path = text.replace(/^\//, "").replace(/\/$/, "");
  if (/^users\/(?:microsoft\.graph\.)?getAllCalendars(?:\(\))?$/i.test(path)) return { kind: "all" };
  const [, keyed, segment] = /^users(?:\('([^'/]+)'\)|\/([^/]+))\/calendars$/i.exec(path) ?? [];
  const name = keyed ?? segment;
  if (name !== undefined && path.length <= 400) return { kind: "user", name };
  return mistakeOf("resource must be users/{id}/calendars or users/getAllCalendars: the mirror has no other.");
}

function expirationOf(text: string, nowMs: number): number | SubscriptionMistake {
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/i.test(text);
  const ms = isTime ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    return mistakeOf("expirationDateTime must be a time with its offset, such as 2026-11-20T18:23:45.935Z.");
  }
  if (ms <= nowMs) return mistakeOf("expirationDateTime must be in the future.");
  const { lifetimeMsMax, clockMsMax } = subscriptionLimits;
  if (ms <= nowMs + lifetimeMsMax + clockMsMax) return ms;
  const mistake = `Subscription expiration can only be ${lifetimeMsMax / minuteMs} minutes in the future.`;
  return { code: "ExtensionError", mistake };
}

function formatOf(text: string | null): PushFormat | SubscriptionMistake {
  if (text === null) return "graph";
  const found = Object.entries(contentTypes).find(([, type]) => type === text.toLowerCase());
  if (found !== undefined) return found[0] as PushFormat;
  return mistakeOf(`notificationContentType must be ${Object.values(contentTypes).join(", ")}.`);
}

/** Whether we talk to the host is for the sender to say, which knows it. */
function urlOf(name: string, text: string): string | SubscriptionMistake {
  if (text.length <= subscriptionLimits.urlUnitsMax && /^https?:\/\//i.test(text) && URL.canParse(text)) return text;
  return mistakeOf(
    `${name} must be an https URL of ${subscriptionLimits.urlUnitsMax} characters at most, such as https://receiver.example/notify.`,
  );
}

function mistakeOf(mistake: string): SubscriptionMistake {
  return { code: "InvalidRequest", mistake };
}
