import type { HttpHandler, HttpRequest, HttpResponseInit } from "@azure/functions";
import { type Log, logOf } from "../log.js";
import { LayoutError, StorageError, type Store } from "../store/store.js";

/** What a route needs from outside. */
export type HttpPorts = {
  readonly store: Store;
  readonly log: Log;
  readonly newId: () => string;
  readonly nowMs: () => number;
  /** Whether Graph is asked with a trial token: only then does the mailbox id `me` mean anything. */
  readonly isTrial: boolean;
};
export type Route = (request: HttpRequest, ports: HttpPorts) => Promise<HttpResponseInit>;

/** An error answer in Graph's shape, which all our routes share. */
export function refusal(status: number, code: string, message: string): HttpResponseInit {
  return { status, jsonBody: { error: { code, message } }, headers: { "cache-control": "no-store" } };
}

export function answer(status: number, jsonBody: unknown): HttpResponseInit {
  return { status, jsonBody, headers: { "cache-control": "no-store" } };
}

/** Gives a route its store, and turns trouble with the storage into an answer that says so. Surprises throw. */
export function httpHandler(route: Route, portsFor: (log: Log) => Promise<HttpPorts>): HttpHandler {
  return async (request, context) => {
    try {
      return await route(request, await portsFor(logOf(context)));
    } catch (error) {
      if (!(error instanceof StorageError) && !(error instanceof LayoutError)) throw error;
      context.error(error.message);
      return refusal(503, "serviceNotAvailable", "The mirror's storage cannot be used now. Its log says why.");
    }
  };
}
