/** What another program has asked to be notified of, and how far it has been. Pure data. */

/** What happens to a resource. @see https://learn.microsoft.com/graph/api/resources/changenotification, changeType */
export const changeTypes = ["created", "updated", "deleted"] as const;
export type ChangeType = (typeof changeTypes)[number];

/** How notifications are written: Graph's collection, or CloudEvents 1.0, one or many in a request. */
export const pushFormats = ["graph", "cloudEvents", "cloudEventsBatch"] as const;
export type PushFormat = (typeof pushFormats)[number];

/**
 * Why nothing is sent to a subscriber. `gone`: it has answered 404 or 410, or could not be asked, for a day. `byHand`: an operator
 * has said so, and only an operator resumes it.
 */
export const pauseReasons = ["gone", "byHand"] as const;
export type PauseReason = (typeof pauseReasons)[number];

/**
 * Up to where a subscriber has said yes to a shard's log: to all of the row `number`, and of the row after it to so many
 * entries, and of the entry after these to so many notifications.
 */
export type PushPlace = { readonly number: number; readonly entries: number; readonly sent: number };

/** The places in the logs that a subscription follows, by shard. */
export type PushPosition = Readonly<Record<string, PushPlace>>;

export type Subscription = {
  /** A GUID. */
  readonly subscriptionId: string;
  /** The mailbox that it is about; null: all. */
  readonly mailboxId: string | null;
  /** As its creator wrote it. */
  readonly resource: string;
  readonly changeTypes: readonly ChangeType[];
  readonly notificationUrl: string;
  readonly lifecycleNotificationUrl: string | null;
  /** Returned with each notification, never otherwise. A secret. */
  readonly clientState: string | null;
  readonly latestSupportedTlsVersion: string | null;
  readonly format: PushFormat;
  /** Signs notifications: 32 bytes in base64. A secret. */
  readonly secret: string;
  readonly createdMs: number;
  /** When it was created, or renewed last. */
  readonly renewedMs: number;
  readonly expiresMs: number;
  readonly position: PushPosition;
  /** Null: it is active. */
  readonly pausedReason: PauseReason | null;
  /** Since when; null also where an earlier release has paused it. */
  readonly pausedMs: number | null;
  readonly failuresInARow: number;
  /** Nothing is sent before then. */
  readonly notBeforeMs: number | null;
  /** Since when it has answered 404 or 410, or could not be asked for its address. */
  readonly refusedSinceMs: number | null;
  readonly lastAnswerMs: number | null;
  /** The status of its last answer, or the code by which there was none. */
  readonly lastAnswer: string | null;
  /** Whoever delivers to it now: another keeps away until `claimedUntilMs`. */
  readonly claimedBy: string | null;
  readonly claimedUntilMs: number | null;
  /** Since when it is to be told that it has missed something: the log did not reach back to its position. Null: it is not. */
  readonly missedMs: number | null;
  /** When it last missed something, whether it was told so or not, and why, for people; null: it never has. */
  readonly lastMissedMs: number | null;
  readonly lastMissedWhy: string | null;
  /** The expiration before which it was asked to renew. */
  readonly askedToRenewMs: number | null;
  /** No lifecycle notification is tried before then. */
  readonly lifecycleNotBeforeMs: number | null;
};

/** What a creator says. */
type Asked = Pick<
  Subscription,
  | "subscriptionId"
  | "mailboxId"
  | "resource"
  | "changeTypes"
  | "notificationUrl"
  | "lifecycleNotificationUrl"
  | "clientState"
  | "latestSupportedTlsVersion"
  | "format"
  | "secret"
  | "createdMs"
  | "expiresMs"
  | "position"
>;

/** A subscription that has begun, and has been notified of nothing. */
export function newSubscription(asked: Asked): Subscription {
  return {
    ...asked,
    renewedMs: asked.createdMs,
    pausedReason: null,
    pausedMs: null,
    failuresInARow: 0,
    notBeforeMs: null,
    refusedSinceMs: null,
    lastAnswerMs: null,
    lastAnswer: null,
    claimedBy: null,
    claimedUntilMs: null,
    missedMs: null,
    lastMissedMs: null,
    lastMissedWhy: null,
    askedToRenewMs: null,
    lifecycleNotBeforeMs: null,
  };
}
