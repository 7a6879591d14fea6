import type { HttpRequest } from "@azure/functions";
import { feedLimits, type MirrorFeed } from "../../feed/feed.js";
import type { PropertyPath } from "../../feed/query/listQuery.js";
import { deltaItem, readItem } from "../../feed/wire.js";
import { mailboxIdOf } from "../../sync/mailboxId.js";
import type { Checkpoint } from "../../sync/types.js";
import { type Answer, type HttpPorts, type Route, refusal } from "../handler.js";
import { etagOf, holdsVersion } from "../versions.js";
import { feedRefusal, unknownMailbox } from "./feedRefusals.js";
import { freshnessOf, namesOf } from "./freshness.js";
import { type CalendarsPath, calendarsPathOf } from "./paths.js";
import { signedInUser } from "./principal.js";
import {
  listUrl,
  type Mistake,
  preferenceApplied,
  preferredPageSize,
  readOptionsOf,
  trackingTokenOf,
} from "./queryOptions.js";

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

const listOptions = ["$filter", "$orderby", "$select", "$top", "$skip", "$count", "$format", "$skiptoken"] as const;

/** One request for the calendars of one mailbox. */
type CalendarsRequest = {
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
  const asked: CalendarsRequest = {
    mailboxId,
    path,
    url: new URL(request.url),
    request,
    feed: await ports.feed(),
    nowMs: ports.nowMs(),
  };
  switch (path.target.kind) {
    case "delta":
      return answerDelta(asked);
    case "list":
      return answerList(asked);
    case "count":
      return answerCount(asked);
    case "calendar":
      return answerCalendar(asked, path.target.ids);
  }
}

async function answerDelta(asked: CalendarsRequest): Promise<Answer> {
  const { mailboxId, path, url, request, feed, nowMs } = asked;
  const tracking = trackingTokenOf(url);
  if ("mistake" in tracking) return badRequest(tracking);
  const preferred = preferredPageSize(request.headers.get("prefer"));
  const page = await feed.delta(mailboxId, tracking.token, preferred ?? feedLimits.pageSizeDefault);
  if (page.kind !== "page") return feedRefusal(page, `${path.origin}${path.collection}/delta`, nowMs);
  const name = page.link === "nextLink" ? "$skiptoken" : "$deltatoken";
  const body = {
    "@odata.context": contextOf(path, "Collection(calendar)"),
    value: page.rows.map(deltaItem),
    [`@odata.${page.link}`]: `${path.origin}${path.collection}/delta?${name}=${page.token}`,
  };
  const headers = { ...headersOf(page.checkpoint, nowMs), "cache-control": "no-store" };
  return { status: 200, jsonBody: body, headers: { ...headers, ...preferenceApplied(preferred) } };
}

async function answerList(asked: CalendarsRequest): Promise<Answer> {
  const { mailboxId, path, url, request, feed, nowMs } = asked;
  const options = readOptionsOf(url, listOptions);
  if ("mistake" in options) return badRequest(options);
  const preferred = preferredPageSize(request.headers.get("prefer"));
  const pageSize = Math.min(options.top ?? Number.POSITIVE_INFINITY, preferred ?? Number.POSITIVE_INFINITY);
  const ifNoneMatch = request.headers.get("if-none-match");
  const page = await feed.list(mailboxId, {
    token: options.token,
    query: options.query,
    pageSize: Number.isFinite(pageSize) ? pageSize : feedLimits.pageSizeDefault,
    holds: (version) => holdsVersion(ifNoneMatch, version),
  });
  if (page.kind !== "page" && page.kind !== "unchanged") {
    return feedRefusal(page, listUrl(path, options, null), nowMs);
  }
  const headers = { ...headersOf(page.checkpoint, nowMs), etag: etagOf(page.version), vary: "Prefer" };
  if (page.kind === "unchanged") return { status: 304, headers };
  const context = contextOf(path, `users('${encodeURIComponent(mailboxId)}')/calendars${selected(page.select)}`);
  const body = {
    "@odata.context": context,
    ...(options.isCounted ? { "@odata.count": page.count } : {}),
    value: page.rows.map((row) => readItem(row, page.select)),
    ...(page.token === null ? {} : { "@odata.nextLink": listUrl(path, options, page.token) }),
  };
  return { status: 200, jsonBody: body, headers: { ...headers, ...preferenceApplied(preferred) } };
}

/** The number alone, as text. @see OData 4.01 Part 1, 11.2.10 */
async function answerCount(asked: CalendarsRequest): Promise<Answer> {
  const { mailboxId, path, url, request, feed, nowMs } = asked;
  const options = readOptionsOf(url, ["$filter"]);
  if ("mistake" in options) return badRequest(options);
  const ifNoneMatch = request.headers.get("if-none-match");
  const { query } = options;
  const holds = (version: string) => holdsVersion(ifNoneMatch, version);
  const page = await feed.list(mailboxId, { token: null, pageSize: 1, query, holds });
  if (page.kind !== "page" && page.kind !== "unchanged") return feedRefusal(page, listUrl(path, options, null), nowMs);
  const headers = { ...headersOf(page.checkpoint, nowMs), etag: etagOf(page.version), "content-type": "text/plain" };
  return page.kind === "unchanged" ? { status: 304, headers } : { status: 200, headers, body: String(page.count) };
}

async function answerCalendar(asked: CalendarsRequest, ids: readonly string[]): Promise<Answer> {
  const { mailboxId, path, url, request, feed, nowMs } = asked;
  const options = readOptionsOf(url, ["$select", "$format"]);
  if ("mistake" in options) return badRequest(options);
  const found = await feed.calendar(mailboxId, ids, options.query.select);
  if (found.kind === "unknownCalendar") {
    const message = "The specified object was not found in the store.";
    return refusal(404, "ErrorItemNotFound", message, freshnessOf(found.checkpoint, nowMs));
  }
  if (found.kind !== "calendar") return feedRefusal(found, listUrl(path, options, null), nowMs);
  const headers = { ...headersOf(found.checkpoint, nowMs), etag: etagOf(found.version) };
  if (holdsVersion(request.headers.get("if-none-match"), found.version)) return { status: 304, headers };
  const fragment = `users('${encodeURIComponent(mailboxId)}')/calendars${selected(found.select)}/$entity`;
  const body = { "@odata.context": contextOf(path, fragment), ...readItem(found.row, found.select) };
  return { status: 200, jsonBody: body, headers };
}

function contextOf({ origin, root }: CalendarsPath, fragment: string): string {
  return `${origin}${root}/$metadata#${fragment}`;
}

function selected(select: readonly PropertyPath[] | null): string {
  return select === null ? "" : `(${select.map((names) => names.join("/")).join(",")})`;
}

function headersOf(checkpoint: Checkpoint, nowMs: number): Record<string, string> {
  return {
    "content-type": "application/json; odata.metadata=minimal; charset=utf-8",
    "odata-version": "4.0",
    "cache-control": "private, no-cache",
    ...freshnessOf(checkpoint, nowMs),
    ...namesOf(checkpoint),
  };
}

function badRequest({ code, mistake }: Mistake): Answer {
  return refusal(400, code, mistake);
}
