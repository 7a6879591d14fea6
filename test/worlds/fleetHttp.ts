import { HttpRequest } from "@azure/functions";
import { brakeReleaseRoute } from "../../shared/http/brakeRelease.js";
import { type HttpPorts, httpHandler, type Route } from "../../shared/http/handler.js";
import { mailboxActionRoute } from "../../shared/http/mailboxActions.js";
import { mailboxCalendarsRoute } from "../../shared/http/mailboxCalendars.js";
import { mailboxRoute } from "../../shared/http/mailboxes.js";
import { mailboxListRoute } from "../../shared/http/mailboxList.js";
import { releaseManyRoute } from "../../shared/http/releaseMany.js";
import { rosterActionRoute } from "../../shared/http/rosterActions.js";
import { statusRoute } from "../../shared/http/status.js";
import type { DiscoverMessage, SyncMessage } from "../../shared/messages.js";
import type { Fleet } from "./fleet.js";

type Handler = ReturnType<typeof httpHandler>;
type Context = Parameters<Handler>[1];

export type Reply = {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
};

/** The HTTP functions' own handlers over the world's table. */
export function httpOf(world: Fleet, source: string | null = "directory") {
  const sent: (SyncMessage | DiscoverMessage)[] = [];
  const errors: string[] = [];
  const context = {
    invocationId: "00000000-0000-4000-8000-00000000abcd",
    info: () => undefined,
    warn: () => undefined,
    error: (text: string) => errors.push(text),
  } as unknown as Context;
  const portsFor = async () =>
    ({
      store: world.storeOf(),
      log: world.ports().log,
      newId: world.newId,
      nowMs: world.clock.nowMs,
      isTrial: false,
    }) as unknown as HttpPorts;
  const ask = async (route: Route, method: string, path: string, params = {}, body?: string): Promise<Reply> => {
    const request = new HttpRequest({
      method: method as "GET",
      url: `http://127.0.0.1/api/${path}`,
      params,
      ...(body === undefined ? {} : { body: { string: body } }),
    });
    const reply = await httpHandler(route, portsFor, world.clock.nowMs)(request, context);
    const {
      status = 200,
      jsonBody,
      headers = {},
    } = reply as {
      status?: number;
      jsonBody?: unknown;
      headers?: Record<string, string>;
    };
    return { status, body: jsonBody, headers };
  };
  const start = (message: SyncMessage | DiscoverMessage) => void sent.push(message);
  return {
    sent,
    errors,
    list: (query = "") => ask(mailboxListRoute(world.shards), "GET", `mailboxes${query}`),
    get: (id: string) => ask(mailboxRoute, "GET", `mailboxes/${id}`, { id }),
    put: (id: string, body?: string) => ask(mailboxRoute, "PUT", `mailboxes/${id}`, { id }, body),
    remove: (id: string) => ask(mailboxRoute, "DELETE", `mailboxes/${id}`, { id }),
    /** Any request of the routes of mailboxes and of the roster. */
    ask: (
      route: "mailbox" | "list" | "calendars" | "action" | "roster" | "status",
      method: string,
      path: string,
      params = {},
      body?: string,
    ) => {
      const routes = {
        mailbox: mailboxRoute,
        list: mailboxListRoute(world.shards),
        calendars: mailboxCalendarsRoute,
        action: mailboxActionRoute(start),
        roster: rosterActionRoute(source, start),
        status: statusRoute(world.facts),
      };
      return ask(routes[route], method, path, params, body);
    },
    act: (id: string, action: string) =>
      ask(mailboxActionRoute(start), "POST", `mailboxes/${id}/${action}`, { id, action }),
    roster: (action: string) => ask(rosterActionRoute(source, start), "POST", `roster/${action}`, { action }),
    liftBrake: () => ask(brakeReleaseRoute, "POST", "brake/release"),
    releaseAll: (query: string) => ask(releaseManyRoute(world.shards), "POST", `mailboxes/release${query}`),
    status: (query = "") => ask(statusRoute(world.facts), "GET", `status${query}`),
  };
}
