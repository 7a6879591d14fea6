import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { HttpRequest, type HttpResponseInit, type InvocationContext } from "@azure/functions";
import { createFeed } from "../../shared/feed/feed.js";
import { createTenantFeed } from "../../shared/feed/tenant.js";
import { actionLogRoute, operatorRoute } from "../../shared/http/actionLog.js";
import { allCalendarsRoute, betaRoute, meRoute, subscriptionsRoute, userRoute } from "../../shared/http/beta/beta.js";
import { brakeReleaseRoute } from "../../shared/http/brakeRelease.js";
import { calendarFindRoute } from "../../shared/http/calendarFind.js";
import { type HttpPorts, httpHandler, type Route } from "../../shared/http/handler.js";
import { historyRoute, mailboxHistoryRoute } from "../../shared/http/history.js";
import { mailboxActionRoute } from "../../shared/http/mailboxActions.js";
import { mailboxCalendarsRoute } from "../../shared/http/mailboxCalendars.js";
import { mailboxEditRoute, mailboxRoute } from "../../shared/http/mailboxes.js";
import { mailboxListRoute } from "../../shared/http/mailboxList.js";
import { releaseManyRoute } from "../../shared/http/releaseMany.js";
import { rosterActionRoute } from "../../shared/http/rosterActions.js";
import { statusRoute } from "../../shared/http/status.js";
import type { DiscoverMessage, SyncMessage } from "../../shared/messages.js";
import { createMailboxNames } from "../../shared/roster/mailboxNames.js";
import type { Store } from "../../shared/store/store.js";
import type { Fleet } from "./fleet.js";
import { key } from "./mailbox.js";

/**
 * The app's HTTP without a host. Real: routes, the handler around them, the feed, and the store that a test hands in. Fake: the
 * host, which would match paths, check keys and write the answer.
 */

export const invocationId = "0f0e0d0c-0b0a-4908-8706-050403020100";
const silent = () => undefined;
export const context = { invocationId, info: silent, warn: silent, error: silent } as unknown as InvocationContext;
export const origin = "http://127.0.0.1:7071";

/** What a route answered, as a caller sees it. */
export type Reply<Body = unknown> = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Body;
};
type ReadBody = {
  readonly value: readonly Record<string, unknown>[];
  readonly error: { readonly code: string; readonly message: string; readonly innerError: Record<string, string> };
  readonly [name: string]: unknown;
};
type Asked = { method?: string; headers?: Record<string, string>; params?: Record<string, string>; text?: string };

/** Any route over a store, and `ask` for those of calendars. */
export function routesOver(
  store: Store,
  nowMs: () => number,
  changed: Partial<HttpPorts> = {},
  shards: readonly string[] = ["00"],
) {
  const names = createMailboxNames({ isFollowed: true });
  const ports: HttpPorts = {
    store,
    mailboxNamed: (userPrincipalName) => names.find(userPrincipalName, store),
    feed: async () => createFeed({ store, key }),
    tenant: async () => createTenantFeed({ store, shards, key, onUnreadable: silent }),
    subscribers: {
      shards,
      consentOf: async () => ({ kind: "given" }),
      start: async () => undefined,
      newSecret: () => Buffer.alloc(32, 5).toString("base64"),
      shownSecret: (secret) => `whsec_${secret}`,
    },
    log: silent,
    newId: () => "id",
    nowMs,
    isTrial: false,
    isSignInOn: false,
    publicOrigin: null,
    ...changed,
  };
  const through = async (route: Route, url: string, { text, method = "GET", ...asked }: Asked = {}) => {
    const body = text === undefined ? {} : { body: { string: text } };
    const request = new HttpRequest({ url, method: method as "GET", ...asked, ...body });
    return replyOf(await httpHandler(route, async () => ports, nowMs)(request, context));
  };
  const ask = (path: string, headers: Record<string, string> = {}): Promise<Reply<ReadBody>> => {
    const url = path.startsWith("http") ? path : `${origin}/api/beta${path}`;
    return through(functionFor(new URL(url).pathname), url, { headers });
  };
  return { ask, through, ports };
}

/** The route of the function that the host would choose. */
function functionFor(path: string): Route {
  if (/\/beta\/subscriptions(\/|\(|$)/i.test(path)) return subscriptionsRoute;
  if (/\/users\/getAllCalendars(\/|$)/i.test(path)) return allCalendarsRoute;
  if (/\/users\/[^/]+(\/|$)/i.test(path)) return userRoute;
  return /\/beta\/me(\/|$)/i.test(path) ? meRoute : betaRoute;
}

export function replyOf({ status = 200, headers = {}, jsonBody, body }: HttpResponseInit): Reply<ReadBody> {
  const { "content-encoding": encoding, ...seen } = headers as Record<string, string>;
  if (encoding !== "gzip") return { status, headers: seen, body: JSON.parse(JSON.stringify(jsonBody ?? body ?? {})) };
  return { status, headers: seen, body: JSON.parse(gunzipSync(body as Uint8Array).toString("utf8")) };
}

/** The operators' routes over a fleet, and the messages that they have sent. */
export function httpOf(world: Fleet, source: string | null = "directory") {
  const sent: (SyncMessage | DiscoverMessage)[] = [];
  const start = (message: SyncMessage | DiscoverMessage) => void sent.push(message);
  const { store, log, newId } = world.ports();
  const { ask: beta, through } = routesOver(store, world.clock.nowMs, { log, newId }, world.shards);
  const routes = {
    mailbox: mailboxRoute,
    edit: mailboxEditRoute,
    actions: actionLogRoute,
    operator: operatorRoute,
    list: mailboxListRoute(world.shards),
    find: calendarFindRoute(world.shards),
    calendars: mailboxCalendarsRoute,
    history: historyRoute(world.shards),
    mailboxHistory: mailboxHistoryRoute,
    action: mailboxActionRoute(start),
    roster: rosterActionRoute(source, start),
    status: statusRoute(world.facts),
    brake: brakeReleaseRoute,
    releaseMany: releaseManyRoute(world.shards),
  };
  const ask = (
    route: keyof typeof routes,
    method: string,
    path: string,
    params: Record<string, string> = {},
    text?: string,
  ): Promise<Reply> =>
    through(routes[route], `${origin}/api/${path}`, { method, params, ...(text === undefined ? {} : { text }) });
  return {
    sent,
    ask,
    beta,
    list: (query = "") => ask("list", "GET", `mailboxes${query}`),
    history: (query = "") => ask("history", "GET", `history${query}`),
    mailboxHistory: (id: string, query = "") => ask("mailboxHistory", "GET", `mailboxes/${id}/history${query}`, { id }),
    find: (query = "") => ask("find", "GET", `calendars${query}`),
    get: (id: string) => ask("mailbox", "GET", `mailboxes/${id}`, { id }),
    put: (id: string, text?: string) => ask("edit", "PUT", `mailboxes/${id}`, { id }, text),
    remove: (id: string) => ask("edit", "DELETE", `mailboxes/${id}`, { id }),
    act: (id: string, action: string) => ask("action", "POST", `mailboxes/${id}/${action}`, { id, action }),
    roster: (action: string) => ask("roster", "POST", `roster/${action}`, { action }),
    liftBrake: () => ask("brake", "POST", "brake/release"),
    actions: (query = "") => ask("actions", "GET", `actions${query}`),
    operator: () => ask("operator", "GET", "operator"),
    releaseAll: (query: string) => ask("releaseMany", "POST", `mailboxes/release${query}`),
    status: (query = "") => ask("status", "GET", `status${query}`),
  };
}

/** The routes on a port of their own, for clients that speak HTTP. Close it with `close`. */
export async function listening(ask: (path: string, headers: Record<string, string>) => Promise<Reply>) {
  const server = createServer(async (incoming, outgoing) => {
    const url = `http://${incoming.headers.host}${incoming.url}`;
    const { status, headers, body } = await ask(url, incoming.headers as Record<string, string>);
    // The host says so of every `jsonBody`, unless the answer does.
    outgoing
      .writeHead(status, { "content-type": "application/json", ...headers })
      .end(status === 304 ? "" : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}
