import type { HttpRequest } from "@azure/functions";
import * as z from "zod";
import { readdressed, renewed } from "../../push/decide.js";
import { logNumbersOf } from "../../push/logNumbers.js";
import { RowError, type SubscriptionHeld } from "../../store/store.js";
import { isGuid } from "../../sync/mailboxId.js";
import { newSubscription, type PushFormat, type PushPosition, type Subscription } from "../../sync/subscription.js";
import type { JsonObject } from "../../sync/types.js";
import { type Answer, type HttpPorts, refusal } from "../handler.js";
import { bodyOf } from "../requests.js";
import { mailboxOfUser } from "./mailbox.js";
import { contextOf, odataHeaders } from "./odata.js";
import type { SubscriptionsPath } from "./paths.js";
import {
  type AskedResource,
  contentTypeOf,
  isMistake,
  readCreation,
  readUpdate,
  type SubscriptionChange,
  type SubscriptionMistake,
  subscriptionLimits,
  unreadablePayload,
} from "./subscriptionRequest.js";

/**
 * `subscriptions` and what stands below it, as Graph has them: create, list, get, renew, delete.
 * @see https://learn.microsoft.com/graph/api/resources/subscription
 */
export async function answerSubscriptions(
  path: SubscriptionsPath,
  request: HttpRequest,
  ports: HttpPorts,
): Promise<Answer> {
  const { id, isReauthorization } = path;
  const method = request.method === "HEAD" ? "GET" : request.method;
  if (id === null) {
    if (method === "GET") return list(path, ports);
    return method === "POST" ? create(path, request, ports) : notAllowed("GET, HEAD, POST");
  }
  if (isReauthorization) return method === "POST" ? reauthorize(id, ports) : notAllowed("POST");
  switch (method) {
    case "GET":
      return get(path, id, ports);
    case "PATCH":
      return update(path, id, request, ports);
    case "DELETE":
      return remove(id, ports);
    default:
      return notAllowed("GET, HEAD, PATCH, DELETE");
  }
}

async function list(path: SubscriptionsPath, { store, nowMs }: HttpPorts): Promise<Answer> {
  const all = (await store.readSubscriptions()).map(({ subscription }) => subscription);
  const value = all.filter((one) => one.expiresMs > nowMs()).map(entityOf);
  return answered(200, { "@odata.context": contextOf(path, "subscriptions"), value });
}

async function get(path: SubscriptionsPath, id: string, ports: HttpPorts): Promise<Answer> {
  const held = await living(id, ports);
  return held === null ? notFound : answered(200, entity(path, held.subscription));
}

async function create(path: SubscriptionsPath, request: HttpRequest, ports: HttpPorts): Promise<Answer> {
  const { store, subscribers } = ports;
  const sent = await bodyOf(request, z.unknown(), "a subscription");
  const read = "mistake" in sent ? unreadablePayload("creation", sent.mistake) : readCreation(sent.body, ports.nowMs());
  if (isMistake(read)) return bad(read);
  const { asked, ...given } = read;
  const mailbox = await mailboxOf(asked, ports);
  if ("refusal" in mailbox) return mailbox.refusal;
  if ((await countOf(ports)) >= subscriptionLimits.subscriptionsMax) return tooMany; // Before anybody is asked.
  const urls = new Set([given.notificationUrl, given.lifecycleNotificationUrl ?? given.notificationUrl]);
  const withheld = await withheldBy([...urls], given.format, ports);
  if (withheld !== null) return withheld;
  const subscription = newSubscription({
    ...given,
    subscriptionId: ports.newId(),
    mailboxId: mailbox.id,
    secret: subscribers.newSecret(),
    createdMs: ports.nowMs(),
    position: await positionNow(mailbox.id, ports), // Last: what changes from here on is told.
  });
  if ((await store.writeSubscription(subscription, null)) === "superseded") throw new Error("A new id was taken.");
  // Others may have been made during the handshake: of those that come at once, none stays that is one too many.
  if ((await countOf(ports)) > subscriptionLimits.subscriptionsMax) {
    await store.deleteSubscription(subscription.subscriptionId, "*");
    return tooMany;
  }
  const { subscriptionId, notificationUrl } = subscription;
  // Not the resource: a user's name may stand in it.
  const fields = { subscription: subscriptionId, host: hostOf(notificationUrl), mailbox: mailbox.id ?? "all" };
  ports.log("info", "subscription created", fields);
  await subscribers.start({ subscriptions: [subscriptionId] }); // What was logged since the position was read woke nobody, perhaps.
  const secret = { [secretAnnotation]: subscribers.shownSecret(subscription.secret) };
  const created = answered(201, { ...entity(path, subscription), ...secret });
  // As OData has it of all that is created (4.01 Protocol §8.3.2).
  const location = `${path.origin}${path.root}/subscriptions/${subscriptionId}`;
  return { ...created, headers: { ...created.headers, location } };
}

/** Of those that have not expired. */
async function countOf({ store, nowMs }: HttpPorts): Promise<number> {
  const all = await store.readSubscriptions();
  return all.filter(({ subscription }) => subscription.expiresMs > nowMs()).length;
}

/** Told once, when the subscription is created: an instance annotation, which clients of Graph pass on or ignore. */
const secretAnnotation = "@calendarMirror.signingSecret";
/** The same: when the subscription last missed something, as long as it lives. Graph has no property for that. */
const missedAnnotation = "@calendarMirror.missedDateTime";

/** An id of null: all mailboxes. */
async function mailboxOf(
  asked: AskedResource,
  ports: HttpPorts,
): Promise<{ readonly id: string | null } | { readonly refusal: Answer }> {
  if (asked.kind === "all") return { id: null };
  const mailbox = await mailboxOfUser(asked.name, ports);
  if ("refusal" in mailbox) return mailbox;
  if ((await ports.store.readMailbox(mailbox.id)) !== null) return { id: mailbox.id };
  return { refusal: refusal(404, "ResourceNotFound", "The mailbox is not on the mirror's roster.") };
}

async function withheldBy(urls: readonly string[], format: PushFormat, ports: HttpPorts): Promise<Answer | null> {
  const consents = await Promise.all(urls.map((url) => ports.subscribers.consentOf(url, format)));
  const withheld = consents.find((consent) => consent.kind === "withheld");
  return withheld === undefined ? null : bad({ code: "ValidationError", mistake: withheld.why });
}

/** The ends of the logs. One mailbox stands in one of them. */
async function positionNow(mailboxId: string | null, { store, subscribers }: HttpPorts): Promise<PushPosition> {
  const shards = mailboxId === null ? subscribers.shards : [store.shardOf(mailboxId)];
  const numbers = await logNumbersOf(store, shards);
  return Object.fromEntries(shards.map((shard) => [shard, { number: numbers[shard] ?? 0, entries: 0, sent: 0 }]));
}

async function update(path: SubscriptionsPath, id: string, request: HttpRequest, ports: HttpPorts): Promise<Answer> {
  const sent = await bodyOf(request, z.unknown(), "what changes of a subscription");
  if ("mistake" in sent) return bad(unreadablePayload("update", sent.mistake));
  const held = await living(id, ports);
  if (held === null) return notFound;
  const change = readUpdate(sent.body, entityOf(held.subscription), ports.nowMs());
  if (isMistake(change)) return bad(change);
  const { format } = held.subscription;
  const urls = change.notificationUrl === null ? [] : [change.notificationUrl];
  const withheld = await withheldBy(urls, format, ports);
  if (withheld !== null) return withheld;
  const written = await changed(id, (now) => withChange(now, change, ports.nowMs()), ports);
  if (written === null) return notFound;
  // One that was paused as gone, or waits, goes on at once.
  await ports.subscribers.start({ subscriptions: [written.subscriptionId] });
  return answered(200, entity(path, written));
}

function withChange(now: Subscription, { expiresMs, notificationUrl }: SubscriptionChange, nowMs: number) {
  const moved = notificationUrl === null ? now : readdressed(now, notificationUrl);
  return expiresMs === null ? moved : renewed(moved, expiresMs, nowMs);
}

/** Nothing expires with us but the subscription itself: whoever was asked has heard, and is to renew it. */
async function reauthorize(id: string, ports: HttpPorts): Promise<Answer> {
  return (await living(id, ports)) === null ? notFound : { status: 204, headers: {} };
}

/** Also one that nobody can read any more: else it would stay for ever, for nobody sees when it expires. */
async function remove(id: string, ports: HttpPorts): Promise<Answer> {
  const held = await living(id, ports).catch((error: unknown) => {
    if (error instanceof RowError) return "unreadable";
    throw error;
  });
  if (held === null) return notFound;
  if (!(await ports.store.deleteSubscription(id.toLowerCase(), "*"))) return notFound;
  ports.log("info", "subscription deleted", { subscription: id.toLowerCase() });
  return { status: 204, headers: {} };
}

/** Our choice: each attempt loses to a delivery that has written its position. */
const writesMax = 20;

/** Null: it has gone meanwhile. */
async function changed(
  id: string,
  change: (now: Subscription) => Subscription,
  ports: HttpPorts,
): Promise<Subscription | null> {
  for (let attempt = 0; attempt < writesMax; attempt++) {
    const held = await living(id, ports);
    if (held === null) return null;
    const written = await ports.store.writeSubscription(change(held.subscription), held.etag);
    if (written !== "superseded") return written.subscription;
  }
  throw new Error(`A subscription was written by others ${writesMax} times in a row.`);
}

/** Null: there is none of that id, or it has expired. */
async function living(id: string, { store, nowMs }: HttpPorts): Promise<SubscriptionHeld | null> {
  const held = isGuid(id) ? await store.readSubscription(id.toLowerCase()) : null;
  return held !== null && held.subscription.expiresMs > nowMs() ? held : null;
}

function entity(path: SubscriptionsPath, subscription: Subscription) {
  return { "@odata.context": contextOf(path, "subscriptions/$entity"), ...entityOf(subscription) };
}

/** As Graph shows it, with null for what we have not. Secrets are never read back. */
function entityOf(subscription: Subscription): JsonObject {
  return {
    id: subscription.subscriptionId,
    resource: subscription.resource,
    applicationId: null,
    changeType: subscription.changeTypes.join(),
    clientState: null,
    notificationUrl: subscription.notificationUrl,
    notificationQueryOptions: null,
    lifecycleNotificationUrl: subscription.lifecycleNotificationUrl,
    expirationDateTime: new Date(subscription.expiresMs).toISOString(),
    creatorId: null,
    includeResourceData: null,
    latestSupportedTlsVersion: subscription.latestSupportedTlsVersion ?? "v1_2", // Graph's default.
    encryptionCertificate: null,
    encryptionCertificateId: null,
    notificationUrlAppId: null,
    notificationContentType: contentTypeOf(subscription.format),
    ...(subscription.lastMissedMs === null
      ? {}
      : { [missedAnnotation]: new Date(subscription.lastMissedMs).toISOString() }),
  };
}

/** Without path and query, in which secrets may stand. */
function hostOf(url: string): string {
  return new URL(url).host;
}

function answered(status: number, jsonBody: unknown): Answer {
  return { status, headers: { ...odataHeaders, "cache-control": "no-store" }, jsonBody };
}

function bad({ code, mistake }: SubscriptionMistake): Answer {
  return refusal(400, code, mistake);
}

const notFound = refusal(404, "ResourceNotFound", "The object was not found.");

const tooMany = refusal(
  403,
  "Forbidden",
  `Number of subscriptions exceeds the limit: there may be ${subscriptionLimits.subscriptionsMax}. Delete those that nobody needs.`,
);

/** @see RFC 9110 §15.5.6 */
function notAllowed(allow: string): Answer {
  return refusal(405, "notAllowed", "Specified HTTP method is not allowed for the request target.", { allow });
}
