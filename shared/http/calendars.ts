import type { HttpRequest } from "@azure/functions";
import { type FeedRefusal, feedLimits, type MirrorFeed } from "../feed/feed.js";
import { deltaItem, readItem } from "../feed/wire.js";
import { mailboxIdOf } from "../mirror/roster.js";
import { stateOf } from "../sync/state.js";
import type { Checkpoint } from "../sync/types.js";
import { type Answer, type HttpPorts, type Route, refusal } from "./handler.js";
import {
  etagOf,
  holdsVersion,
  type Mistake,
  preferredPageSize,
  type ReadOptions,
  readOptionsOf,
  trackingTokenOf,
} from "./odata.js";
import { type CalendarsPath, calendarsPathOf } from "./paths.js";
import { signedInUser } from "./principal.js";

/** How soon to look again at a mailbox whose first full round has not ended: most take seconds. */
const notReadyRetrySeconds = 30;

/** `GET /api/beta/users/{id}/calendars`, `…/{calendarId}`, `…/delta`: a mailbox of the roster, in Graph's own format. */
export const userCalendarsRoute: Route = async (request, ports) => {
  const named = mailboxIdOf(request.params["id"] ?? "", ports.isTrial);
  if ("mistake" in named) return unknownMailbox(named.mistake);
  return calendarsOf(named.id, request, ports);
};

/** The same under `/api/beta/me`: the mailbox of the user whom App Service Authentication signed in, and no other. */
export const myCalendarsRoute: Route = async (request, ports) => {
  const user = ports.isSignInOn ? signedInUser(request.headers) : null;
  if (user !== null) return calendarsOf(user, request, ports);
  const message = "Access to me needs a user whom App Service Authentication signed in with Microsoft Entra ID.";
  return refusal(401, "InvalidAuthenticationToken", message, { "www-authenticate": "Bearer" });
};

/** One request for the calendars of one mailbox. */
type Ask = {
  readonly mailboxId: string;
  readonly path: CalendarsPath;
  readonly url: URL;
  readonly request: HttpRequest;
  readonly feed: MirrorFeed;
  readonly nowMs: number;
};

async function calendarsOf(mailboxId: string, request: HttpRequest, ports: HttpPorts): Promise<Answer> {
  const path = calendarsPathOf(request);
  if (path === null) return refusal(404, "ResourceNotFound", "There is nothing under this path.");
  const ask: Ask = {
    mailboxId,
    path,
    url: new URL(request.url),
    request,
    feed: await ports.feed(),
    nowMs: ports.nowMs(),
  };
  switch (path.target.kind) {
    case "delta":
      return answerDelta(ask);
    case "list":
      return answerList(ask);
    case "calendar":
      return answerCalendar(ask, path.target.ids);
  }
}

async function answerDelta(ask: Ask): Promise<Answer> {
  const { mailboxId, path, url, request, feed } = ask;
  const asked = trackingTokenOf(url);
  if ("mistake" in asked) return badRequest(asked);
  const preferred = preferredPageSize(request.headers.get("prefer"));
  const page = await feed.delta(mailboxId, asked.token, preferred ?? feedLimits.pageSizeDefault);
  if (page.kind !== "page") return refusalOf(page, path);
  const name = page.link === "nextLink" ? "$skiptoken" : "$deltatoken";
  const body = {
    "@odata.context": contextOf(path, "Collection(calendar)"),
    value: page.rows.map(deltaItem),
    [`@odata.${page.link}`]: `${path.origin}${path.collection}/delta?${name}=${page.token}`,
  };
  const headers = { ...headersOf(page.checkpoint, ask.nowMs), "cache-control": "no-store" };
  return { status: 200, jsonBody: body, headers: { ...headers, ...preferenceApplied(preferred) } };
}

async function answerList(ask: Ask): Promise<Answer> {
  const { mailboxId, path, url, request, feed, nowMs } = ask;
  const options = readOptionsOf(url, ["$select", "$top", "$skiptoken"]);
  if ("mistake" in options) return badRequest(options);
  const preferred = preferredPageSize(request.headers.get("prefer"));
  const pageSize = Math.min(options.top ?? Number.POSITIVE_INFINITY, preferred ?? Number.POSITIVE_INFINITY);
  const ifNoneMatch = request.headers.get("if-none-match");
  const page = await feed.list(mailboxId, {
    token: options.token,
    pageSize: Number.isFinite(pageSize) ? pageSize : feedLimits.pageSizeDefault,
    holds: (version) => holdsVersion(ifNoneMatch, version),
  });
  if (page.kind !== "page" && page.kind !== "unchanged") return refusalOf(page, path);
  const headers = { ...headersOf(page.checkpoint, nowMs), etag: etagOf(page.version), vary: "Prefer" };
  if (page.kind === "unchanged") return { status: 304, headers };
  const context = contextOf(path, `users('${encodeURIComponent(mailboxId)}')/calendars${selected(options)}`);
  const body = {
    "@odata.context": context,
    value: page.rows.map((row) => readItem(row, options.select)),
    ...(page.token === null ? {} : { "@odata.nextLink": nextLinkOf(path, options, page.token) }),
  };
  return { status: 200, jsonBody: body, headers: { ...headers, ...preferenceApplied(preferred) } };
}

async function answerCalendar(ask: Ask, ids: readonly string[]): Promise<Answer> {
  const { mailboxId, path, url, request, feed, nowMs } = ask;
  const options = readOptionsOf(url, ["$select"]);
  if ("mistake" in options) return badRequest(options);
  const found = await feed.calendar(mailboxId, ids);
  if (found.kind === "unknownCalendar") {
    return refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.");
  }
  if (found.kind !== "calendar") return refusalOf(found, path);
  const headers = { ...headersOf(found.checkpoint, nowMs), etag: etagOf(found.version) };
  if (holdsVersion(request.headers.get("if-none-match"), found.version)) return { status: 304, headers };
  const fragment = `users('${encodeURIComponent(mailboxId)}')/calendars${selected(options)}/$entity`;
  const body = { "@odata.context": contextOf(path, fragment), ...readItem(found.row, options.select) };
  return { status: 200, jsonBody: body, headers };
}

function contextOf({ origin, root }: CalendarsPath, fragment: string): string {
  return `${origin}${root}/$metadata#${fragment}`;
}

function selected({ select }: ReadOptions): string {
  return select === null ? "" : `(${select.join(",")})`;
}

/** The options of the first page go along, as in Graph's own links; the function key does not. */
function nextLinkOf({ origin, collection }: CalendarsPath, { select, top }: ReadOptions, token: string): string {
  const options = [
    ...(select === null ? [] : [`$select=${select.join(",")}`]),
    ...(top === null ? [] : [`$top=${top}`]),
    `$skiptoken=${token}`,
  ];
  return `${origin}${collection}?${options.join("&")}`;
}

/** What every answer tells of its mailbox: how old the copy is, and whether it is cared for. */
function headersOf(checkpoint: Checkpoint, nowMs: number): Record<string, string> {
  const { lastSuccessMs } = checkpoint;
  return {
    "content-type": "application/json; odata.metadata=minimal; charset=utf-8",
    "odata-version": "4.0",
    "cache-control": "private, no-cache",
    "x-mirror-state": stateOf(checkpoint),
    ...(lastSuccessMs === null
      ? {}
      : {
          age: String(Math.max(0, Math.floor((nowMs - lastSuccessMs) / 1_000))),
          "x-mirror-last-success": new Date(lastSuccessMs).toISOString(),
        }),
  };
}

function preferenceApplied(pageSize: number | null): Record<string, string> {
  return pageSize === null ? {} : { "preference-applied": `odata.maxpagesize=${pageSize}` };
}

function badRequest({ code, mistake }: Mistake): Answer {
  return refusal(400, code, mistake);
}

function unknownMailbox(why: string): Answer {
  return refusal(404, "ResourceNotFound", `Resource could not be discovered. ${why}`);
}

function refusalOf({ kind }: FeedRefusal, { origin, collection }: CalendarsPath): Answer {
  switch (kind) {
    case "unknownMailbox":
      return unknownMailbox("The mailbox is not on the mirror's roster.");
    case "notReady":
      return refusal(503, "serviceNotAvailable", "The mailbox's first full round has not ended: try again soon.", {
        "retry-after": String(notReadyRetrySeconds),
      });
    case "badToken":
      return refusal(400, "syncStateInvalid", "Badly formed token.");
    case "expired": {
      const message = "The sync state is no longer found: start over, and drop what the new walk does not contain.";
      return refusal(410, "syncStateNotFound", message, { location: `${origin}${collection}/delta` });
    }
  }
}
