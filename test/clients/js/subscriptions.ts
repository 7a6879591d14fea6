import type { App } from "./app.js";

/** What the clients subscribe to, each in its own way. */

const inDays = (days: number) => new Date(Date.now() + days * 86_400_000);

/** A subscription to all calendars. `change`: what a test wants otherwise. */
export function wantedOf(app: App, change: object = {}) {
  return {
    changeType: "created,updated,deleted",
    notificationUrl: app.receiverUrl,
    resource: "users/getAllCalendars",
    expirationDateTime: inDays(1).toISOString(),
    clientState: "a secret of the receiver",
    ...change,
  };
}

/** A later end, as JSON has it. */
export const later = () => inDays(3).toISOString();

/** Subscriptions that are refused, by what is changed of the one above: the code and the message. */
export const refusedSubscriptions = [
  [{ notificationUrl: "http://127.0.0.1:9/nobody" }, "ValidationError", /^Subscription validation request failed\./],
  [{ resource: "users/a/messages" }, "InvalidRequest", /^resource must be users\/\{id\}\/calendars/],
  [{ changeType: "moved" }, "InvalidRequest", /^Invalid 'changeType' attribute: 'moved'\./],
] as const;

/** The secret that a new subscription tells. */
export const secretName = "@calendarMirror.signingSecret";
