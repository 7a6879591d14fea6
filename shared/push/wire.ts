import type { PushFormat } from "../sync/subscription.js";
import type { Wire } from "./deliver.js";
import { lifecycleRequestOf, requestsOf, type Sender } from "./requests.js";
import { dnsResolve } from "./resolve.js";
import { createSender, type SenderOptions } from "./send.js";
import { askPermission, type Consent, validate } from "./validate.js";

/** What goes over the wire, and the handshakes before it. */
type WholeWire = Wire & {
  /** Asks an address whether it wants notifications in a format. @param token Not to be guessed. */
  readonly consentOf: (url: string, format: PushFormat, token: string) => Promise<Consent>;
};

/** The wire to subscribers, by the safe sender. Its connections are kept. */
export function createWire(options: Omit<SenderOptions, "resolve"> & Sender): WholeWire {
  const { send } = createSender({ ...options, resolve: dnsResolve() });
  return {
    send,
    requestsOf: (subscription, notifications) => requestsOf(subscription, notifications, options),
    lifecycleRequestOf: (subscription, event) => lifecycleRequestOf(subscription, event, options),
    consentOf: (url, format, token) =>
      format === "graph" ? validate(url, send, token) : askPermission(url, send, options.origin),
  };
}
