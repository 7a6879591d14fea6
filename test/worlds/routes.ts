import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { HttpRequest, type HttpResponseInit, type InvocationContext } from "@azure/functions";
import { createFeed } from "../../shared/feed/feed.js";
import { myCalendarsRoute, userCalendarsRoute } from "../../shared/http/calendars.js";
import { type HttpPorts, httpHandler, type Route } from "../../shared/http/handler.js";
import type { Store } from "../../shared/store/store.js";
import { key } from "./mailbox.js";

export const invocationId = "0f0e0d0c-0b0a-4908-8706-050403020100";
const silent = () => undefined;
export const context = { invocationId, info: silent, warn: silent, error: silent } as unknown as InvocationContext;
export const origin = "http://127.0.0.1:7071";

/** What a route answered, as a caller sees it. */
export type Seen = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Body;
};
type Body = {
  readonly value: readonly Record<string, unknown>[];
  readonly error: { readonly code: string; readonly message: string; readonly innerError: Record<string, string> };
  readonly [name: string]: unknown;
};

/** Our routes over a store, without a host. */
export function routesOver(store: Store, nowMs: () => number, changed: Partial<HttpPorts> = {}) {
  const ports: HttpPorts = {
    store,
    feed: async () => createFeed({ store, key }),
    log: () => undefined,
    newId: () => "id",
    nowMs,
    isTrial: false,
    isSignInOn: false,
    ...changed,
  };
  const through = async (route: Route, url: string, headers: Record<string, string>, params = {}, method = "GET") => {
    const request = new HttpRequest({ url, method, headers, params });
    return seen(await httpHandler(route, async () => ports, nowMs)(request, context));
  };
  const ask = (path: string, headers: Record<string, string> = {}): Promise<Seen> => {
    const url = path.startsWith("http") ? path : `${origin}/api/beta${path}`;
    const [, id = ""] = /\/users\/([^/]+)/i.exec(url) ?? [];
    if (id === "") return through(myCalendarsRoute, url, headers);
    return through(userCalendarsRoute, url, headers, { id: decodeURIComponent(id) });
  };
  return { ask, through };
}

export function seen(answer: HttpResponseInit | { status?: number }): Seen {
  const init = answer as HttpResponseInit;
  const body = init.jsonBody === undefined ? {} : JSON.parse(JSON.stringify(init.jsonBody));
  return { status: init.status ?? 200, headers: (init.headers ?? {}) as Record<string, string>, body };
}

/** The routes on a port of their own, for clients that speak HTTP. Close it with `close`. */
export async function listening(ask: (path: string, headers: Record<string, string>) => Promise<Seen>) {
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
