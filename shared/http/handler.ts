import type { HttpHandler, HttpRequest, InvocationContext } from "@azure/functions";
import type { MirrorFeed } from "../feed/feed.js";
import type { TenantFeed } from "../feed/tenant.js";
import { type Log, logOf } from "../log.js";
import type { Subscribers } from "../push/subscribers.js";
import type { NamedMailbox } from "../roster/mailboxNames.js";
import { LayoutError, RowError, StorageError, type Store } from "../store/store.js";
import { isGuid } from "../sync/mailboxId.js";
import { within } from "../within.js";
import type { ErrorBody } from "./openapi/parts.js";

/** What a route needs from outside, for one request. */
export type HttpPorts = {
  readonly store: Store;
  /** The mirror as other programs read it. The first call in a process reads the key of the tokens from the table. */
  readonly feed: () => Promise<MirrorFeed>;
  /** The same over all mailboxes. */
  readonly tenant: () => Promise<TenantFeed>;
  /** Whose mailbox a userPrincipalName is. Asks all shards where this process has not met the name yet. */
  readonly mailboxNamed: (userPrincipalName: string) => Promise<NamedMailbox>;
  /** What subscriptions are made with. */
  readonly subscribers: Subscribers;
  readonly log: Log;
  readonly newId: () => string;
  readonly nowMs: () => number;
  /** Whether Graph is asked with a trial token: only then does the mailbox id `me` mean anything. */
  readonly isTrial: boolean;
  /** Whether App Service Authentication stands in front of us: only then are its headers its own. */
  readonly isSignInOn: boolean;
  /** Scheme and host of links, where callers reach us by another name than the host sees; null: as the host sees it. */
  readonly publicOrigin: string | null;
};

/** What a route answers. A body is JSON, and one with `error` gets what Graph adds to errors; or it is text or bytes as they are. */
export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly jsonBody?: unknown;
  readonly body?: string | Uint8Array;
};
/** Answers a request as if it had come alone: it never throws because of the storage, or of a row. */
export type AnswerAlone = (route: Route, request: HttpRequest) => Promise<Answer>;
/**
 * Answers one request. Expected refusals are answers; what it throws is handled by `httpHandler`.
 * @param alone For a request that carries others.
 */
export type Route = (request: HttpRequest, ports: HttpPorts, alone: AnswerAlone) => Promise<Answer>;

const noStore = { "cache-control": "no-store" };

/** An error answer in Graph's shape, which all our routes share. */
export function refusal(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return { status, jsonBody: { error: { code, message } }, headers: { ...noStore, ...headers } };
}

/** An answer that no cache may keep. */
export function answer(status: number, jsonBody?: unknown): Answer {
  return { status, headers: noStore, ...(jsonBody === undefined ? {} : { jsonBody }) };
}

/**
 * Adds the headers that every answer carries: browsers must not guess another content type, and, unless the route has said
 * otherwise, no cache may keep it. No header names the software.
 */
export function guarded(given: Answer): Answer {
  return { ...given, headers: { ...noStore, ...given.headers, "x-content-type-options": "nosniff" } };
}

/**
 * The handler of an HTTP function: gives the route its ports, and answers with a refusal where storage fails or the route
 * takes too long. Any other error is thrown on: the host then answers 500 without a body and counts a failed invocation.
 * HEAD is answered as GET is, without the body (RFC 9110 §9.3.2).
 */
export function httpHandler(
  route: Route,
  portsFor: (log: Log) => Promise<HttpPorts>,
  nowMs: () => number,
): HttpHandler {
  return async (request, context) => {
    const given = await safely(route, portsFor, request, context, nowMs);
    if (request.method !== "HEAD") return given;
    const { body: _body, jsonBody, ...head } = given;
    return jsonBody === undefined
      ? head
      : { ...head, headers: { "content-type": "application/json", ...head.headers } };
  };
}

/** Our choice: below the 230 s after which Azure's load balancer gives up, and above any call of the table. */
const requestMsMax = 200_000;

class SlowRequest extends Error {}

async function safely(
  route: Route,
  portsFor: (log: Log) => Promise<HttpPorts>,
  request: HttpRequest,
  context: InvocationContext,
  nowMs: () => number,
): Promise<Answer> {
  const log = logOf(context);
  const finish = (given: Answer, asked: HttpRequest) => traced(guarded(given), asked, context, nowMs());
  const answerOf = async (one: Route, asked: HttpRequest, ports: () => Promise<HttpPorts>): Promise<Answer> => {
    const alone: AnswerAlone = (other, inner) => answerOf(other, inner, ports);
    try {
      return finish(await one(asked, await ports(), alone), asked);
    } catch (error) {
      return finish(refusalOf(error, context), asked);
    }
  };
  try {
    return await within(
      requestMsMax,
      () => new SlowRequest(),
      () => answerOf(route, request, () => portsFor(log)),
    );
  } catch (error) {
    if (!(error instanceof SlowRequest)) throw error;
    log("error", "request given up: no answer in time");
    return finish(refusal(503, "serviceNotAvailable", "The mirror took too long.", { "retry-after": "30" }), request);
  }
}

/** The answer where the storage fails, or holds a row that cannot be read. @throws All other errors. */
function refusalOf(error: unknown, context: InvocationContext): Answer {
  if (error instanceof RowError) {
    context.error(error.message);
    return refusal(500, "generalException", "A row of the mirror cannot be read. Its log says which.");
  }
  if (!(error instanceof StorageError) && !(error instanceof LayoutError)) throw error;
  context.error(error.message);
  if (error instanceof LayoutError) return refusal(503, "serviceNotAvailable", error.message); // Names settings only.
  return refusal(503, "serviceNotAvailable", "The mirror's storage cannot be used now. Its log says why.");
}

/**
 * Names the request in every answer, as Graph does. `request-id` is the invocation's id, which the log has too. The
 * caller's own id is returned only where it is a GUID, so that no foreign text gets into a header.
 * @see https://learn.microsoft.com/graph/errors
 */
function traced(given: Answer, request: HttpRequest, { invocationId }: InvocationContext, nowMs: number): Answer {
  const theirs = request.headers.get("client-request-id") ?? "";
  const clientRequestId = isGuid(theirs) ? theirs : null;
  const headers = {
    ...given.headers,
    "request-id": invocationId,
    ...(clientRequestId === null ? {} : { "client-request-id": clientRequestId }),
  };
  const error = errorIn(given.jsonBody);
  if (error === null) return { ...given, headers };
  const innerError = {
    date: new Date(nowMs).toISOString().slice(0, 19),
    "request-id": invocationId,
    "client-request-id": clientRequestId ?? invocationId,
  };
  return { ...given, headers, jsonBody: { error: { ...error, innerError } } satisfies ErrorBody };
}

/** What `refusal` gives: an error without its `innerError`. */
type GivenError = Pick<ErrorBody["error"], "code" | "message">;

function errorIn(body: unknown): GivenError | null {
  if (typeof body !== "object" || body === null || !("error" in body)) return null;
  return typeof body.error === "object" ? (body.error as GivenError) : null;
}
