import type { DeliverMessage } from "../messages.js";
import type { PushFormat } from "../sync/subscription.js";
import type { Consent } from "./validate.js";

/** What subscriptions are made with. */
export type Subscribers = {
  /** The names of all shards. */
  readonly shards: readonly string[];
  /** Asks an address whether it wants notifications, by the handshake of their format. Bounded in time. */
  readonly consentOf: (url: string, format: PushFormat) => Promise<Consent>;
  /** Sends the message that starts a delivery. Never throws: the subscription is written, and the timer finds who is behind. */
  readonly start: (message: DeliverMessage) => Promise<void>;
  /** Draws a signing secret: 32 random bytes in base64. */
  readonly newSecret: () => string;
  /** The secret as a receiver's library takes it. */
  readonly shownSecret: (secret: string) => string;
};
