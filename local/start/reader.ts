import type { JsonObject } from "../../shared/sync/types.js";
import type { HistoryItem, HistoryPage } from "../../shared/views/historySchema.js";
import { saidBy } from "./product.js";

/** A subscription, and what verifies its notifications. */
export type Subscribed = { readonly id: string; readonly secret: string };

/** The mirror as programs of others reach it: subscriptions, calendars, the history. All throw an Error in one line when they are refused. */
export type Reader = {
  /** Subscribes to the calendars of all mailboxes. */
  subscribe(notificationUrl: string): Promise<Subscribed>;
  /** False: there is no such subscription any more. */
  renew(id: string, notificationUrl: string): Promise<boolean>;
  unsubscribe(id: string): Promise<void>;
  /** Null: the mailbox has no such calendar, or there is no such mailbox. */
  calendar(mailboxId: string, calendarId: string): Promise<JsonObject | null>;
  /** None of a mailbox that is gone. */
  calendars(mailboxId: string): Promise<readonly JsonObject[]>;
  /** Of all mailboxes, each with its `userId`. */
  allCalendars(): AsyncIterable<JsonObject>;
  /** What was logged from then until then, `historyMax` of it. Epoch; both are included. */
  history(firstMs: number, lastMs: number): Promise<readonly HistoryItem[]>;
};

const dayMs = 86_400_000;
const lifetimeMs = 6 * dayMs; // Of 7 that may be asked for.
const historyMax = 500;

/** @param hostUrl Without a slash at its end. */
export function readerAt(hostUrl: string): Reader {
  const beta = `${hostUrl}/api/beta`;
  /** Null: 404. */
  const ask = async (what: string, url: string, method = "GET", body?: object): Promise<JsonObject | null> => {
    const json =
      body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    const response = await fetch(url, { method, ...json });
    if (!response.ok && response.status !== 404) throw new Error(`${what}: ${await saidBy(response)}`);
    const text = await response.text();
    return response.ok ? (JSON.parse(text === "" ? "{}" : text) as JsonObject) : null;
  };
  const walk = async function* (what: string, first: string): AsyncGenerator<JsonObject> {
    for (let next: unknown = first; typeof next === "string"; ) {
      const page: JsonObject = (await ask(what, next)) ?? { value: [] };
      yield* page["value"] as readonly JsonObject[];
      next = page["@odata.nextLink"];
    }
  };
  const expirationDateTime = () => new Date(Date.now() + lifetimeMs).toISOString();
  const user = (mailboxId: string) => `${beta}/users/${encodeURIComponent(mailboxId)}/calendars`;
  return {
    subscribe: async (notificationUrl) => {
      const made = await ask("The receiver cannot subscribe", `${beta}/subscriptions`, "POST", {
        changeType: "created,updated,deleted",
        notificationUrl,
        lifecycleNotificationUrl: notificationUrl,
        resource: "users/getAllCalendars",
        expirationDateTime: expirationDateTime(),
      });
      if (made === null) throw new Error("The receiver cannot subscribe: this app has no subscriptions.");
      return { id: String(made["id"]), secret: String(made["@calendarMirror.signingSecret"]) };
    },
    renew: async (id, notificationUrl) => {
      const body = { expirationDateTime: expirationDateTime(), notificationUrl };
      return (await ask("The subscription cannot be renewed", `${beta}/subscriptions/${id}`, "PATCH", body)) !== null;
    },
    unsubscribe: async (id) => {
      await ask("The subscription cannot be deleted", `${beta}/subscriptions/${id}`, "DELETE");
    },
    calendar: (mailboxId, calendarId) =>
      ask("A calendar cannot be read", `${user(mailboxId)}/${encodeURIComponent(calendarId)}`),
    calendars: async (mailboxId) => {
      const all: JsonObject[] = [];
      for await (const calendar of walk("Calendars cannot be read", user(mailboxId))) all.push(calendar);
      return all;
    },
    allCalendars: () => walk("The mirror cannot be read", `${beta}/users/getAllCalendars`),
    history: async (firstMs, lastMs) => {
      const query = new URLSearchParams({
        since: new Date(firstMs).toISOString(),
        until: new Date(lastMs + 1).toISOString(),
        top: `${historyMax}`,
      });
      const page = await ask("The history cannot be read", `${hostUrl}/api/history?${query}`);
      return page === null ? [] : (page as unknown as HistoryPage).value;
    },
  };
}
