import {
  type ChangeType,
  changeTypes,
  type PushPlace,
  type PushPosition,
  pauseReasons,
  pushFormats,
  type Subscription,
} from "../sync/subscription.js";
import type { Json } from "../sync/types.js";
import { RowError, StorageError } from "../table/errors.js";
import { type Entity, type Table, tableLimits } from "../table/table.js";
import {
  columnsOf,
  commitIdColumn,
  count,
  idOf,
  json,
  kindOf,
  label,
  oneOf,
  type RowTable,
  rowOf,
  text,
  time,
  unreadable,
} from "./columns.js";
import { allSubscriptions, pushPartition, subscriptionKey } from "./keys.js";
import { createOrUpdate, writeRow } from "./writeRow.js";

/** A subscription as stored, with the ETag that fences those who deliver to it against each other. */
export type SubscriptionHeld = { readonly subscription: Subscription; readonly etag: string };

const types = kindOf<readonly ChangeType[]>({
  ...text,
  read: (entity, name) => {
    const given = text.read(entity, name)?.split(",") ?? null;
    if (given === null) return null;
    const isKnown = given.every((one) => (changeTypes as readonly string[]).includes(one));
    if (!isKnown) return unreadable(entity, name, `holds none of ${changeTypes.join(", ")}`);
    return changeTypes.filter((type) => given.includes(type));
  },
  write: (columns, name, value) => text.write(columns, name, value.join()),
});

const position = kindOf<PushPosition>({
  ...json,
  read: (entity, name) => {
    const stored = json.read(entity, name);
    if (stored === null) return null;
    const places = Object.entries(stored).map(([shard, place]) => [
      shard,
      placeOf(place) ?? unreadable(entity, name, "holds no places"),
    ]);
    if (places.length === 0) return unreadable(entity, name, "holds no places");
    return Object.fromEntries(places) as PushPosition;
  },
  write: (columns, name, value) => {
    const places = Object.entries(value).map(([shard, { number, entries, sent }]) => [shard, [number, entries, sent]]);
    json.write(columns, name, Object.fromEntries(places));
  },
});

/** Whoever lists subscriptions tells the hosts of all, so one that has none harmed the others (I10). */
const url = kindOf<string>({
  ...text,
  read: (entity, name) => {
    const given = text.read(entity, name);
    return given === null || URL.canParse(given) ? given : unreadable(entity, name, "holds no URL");
  },
});

function placeOf(stored: Json): PushPlace | null {
  if (!Array.isArray(stored)) return null;
  const [number, entries, sent] = stored as readonly Json[];
  return isCount(number) && isCount(entries) && isCount(sent) ? { number, entries, sent } : null;
}

function isCount(value: Json | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/**
 * The columns of a subscription. Of a guess at what it wants or where it is, it would miss something, or be told all anew: what was
 * changed by hand to something else is refused, and reported.
 * @internal For tests.
 */
export const subscriptionTable: RowTable<Subscription> = {
  subscriptionId: idOf(subscriptionKey).needed("subscriptionId", "the full id"),
  mailboxId: text.nullable("mailboxId", "the mailbox that it is about; absent: all"),
  resource: text.needed("resource", "as its creator wrote it"),
  changeTypes: types.needed("changeType", "`created`, `updated`, `deleted`, with commas between"),
  notificationUrl: url.needed("notificationUrl", "where notifications go. It may hold a secret"),
  lifecycleNotificationUrl: url.nullable("lifecycleNotificationUrl", "where lifecycle notifications go. The same"),
  clientState: text.nullable("clientState", "returned with each notification. A secret"),
  latestSupportedTlsVersion: text.nullable("latestSupportedTlsVersion", "as its creator wrote it"),
  format: oneOf(...pushFormats).needed("format", "`graph`, `cloudEvents`, `cloudEventsBatch`"),
  secret: text.needed("secret", "signs its notifications: 32 bytes in base64. A secret"),
  createdMs: time.needed("created", "when it was created"),
  renewedMs: time.needed("renewed", "when it was created, or renewed last"),
  expiresMs: time.needed("expires", "when it ends"),
  position: position.needed(
    "position",
    "JSON: by shard, the last row of its log that was delivered whole, and entries and notifications of the next one",
  ),
  pausedReason: oneOf(...pauseReasons).nullable("pausedReason", "why nothing is sent: `gone`, `byHand`"),
  pausedMs: time.nullable("pausedAt", "since when"),
  failuresInARow: count.defaulted("failuresInARow", 0, "since the last 2xx"),
  notBeforeMs: time.nullable("notBefore", "nothing is sent before then"),
  refusedSinceMs: time.nullable("refusedSince", "since when it answers 404 or 410, or has an address that is refused"),
  lastAnswerMs: time.nullable("lastAnswerAt", "when it last answered, or did not"),
  lastAnswer: label.nullable("lastAnswer", "the status, or the code by which there was none"),
  claimedBy: text.nullable("claimedBy", "the invocation that delivers to it"),
  claimedUntilMs: time.nullable("claimedUntil", "others keep away until then"),
  missedMs: time.nullable("missedAt", "since when `missed` is to be sent to it"),
  lastMissedMs: time.nullable("lastMissedAt", "when it last missed something, told or not"),
  lastMissedWhy: label.nullable("lastMissedWhy", "why: which row of which log is gone, or cannot be read"),
  askedToRenewMs: time.nullable("askedToRenew", "the expiration before which `reauthorizationRequired` was sent"),
  lifecycleNotBeforeMs: time.nullable("lifecycleNotBefore", "no lifecycle notification is sent before then"),
};

/** Null: there is none of that id. @throws RowError */
export async function readSubscription(table: Table, subscriptionId: string): Promise<SubscriptionHeld | null> {
  const entity = await table.get(pushPartition, subscriptionKey(subscriptionId));
  return entity === null ? null : heldOf(entity);
}

/** All of them, in the order of their ids. One that cannot be read is reported and left out; without `onUnreadable` it throws. */
export async function readSubscriptions(
  table: Table,
  onUnreadable: ((error: RowError) => void) | undefined,
): Promise<readonly SubscriptionHeld[]> {
  const found: SubscriptionHeld[] = [];
  for await (const page of table.pages(pushPartition, allSubscriptions, tableLimits.entitiesPerPage)) {
    for (const entity of page) {
      try {
        found.push(heldOf(entity));
      } catch (error) {
        if (!(error instanceof RowError) || onUnreadable === undefined) throw error;
        onUnreadable(error); // The others go on (I10).
      }
    }
  }
  return found;
}

/** Writes a subscription under the ETag of the one that was read; null writes the first one. */
export async function writeSubscription(
  table: Table,
  subscription: Subscription,
  etag: string | null,
  commitId: string,
): Promise<SubscriptionHeld | "superseded"> {
  const columns = { ...columnsOf(subscriptionTable, subscription), [commitIdColumn]: commitId };
  const row = createOrUpdate(subscriptionKey(subscription.subscriptionId), columns, etag);
  const written = await writeRow(table, pushPartition, row);
  return written === null ? "superseded" : { subscription, etag: written };
}

/** @param etag `*` for any state. @returns False: there was none in that state. After a lost answer it may say so of its own success. */
export async function deleteSubscription(table: Table, subscriptionId: string, etag: string): Promise<boolean> {
  const rowKey = subscriptionKey(subscriptionId);
  const answer = await table.transact(pushPartition, [{ kind: "delete", rowKey, etag }]);
  if (answer.kind === "done") return true;
  if (answer.reason === "conflict") return false;
  throw new StorageError("delete subscription", pushPartition, 400, answer.code);
}

function heldOf(entity: Entity): SubscriptionHeld {
  return { subscription: rowOf(subscriptionTable, entity), etag: entity.etag };
}
