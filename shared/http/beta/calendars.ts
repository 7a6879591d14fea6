import type { HttpRequest } from "@azure/functions";
import { feedLimits, type MirrorFeed } from "../../feed/feed.js";
import { deltaItem, readItem } from "../../feed/wire.js";
import type { Checkpoint } from "../../sync/types.js";
import { type Answer, type HttpPorts, type Route, refusal } from "../handler.js";
import { etagOf, holdsVersion } from "../versions.js";
import { freshnessOf, namesOf } from "./freshness.js";
import { type AskedMailbox, mailboxOfUser, mailboxRefusal, userKey } from "./mailbox.js";
import { type CalendarsPath, calendarsPathOf } from "./paths.js";
import { signedInUser } from "./principal.js";
import {
  listUrl,
  type Mistake,
  preferenceApplied,
  preferredPageSize,
  type ReadOptions,
  readOptionsOf,
  trackingTokenOf,
} from "./queryOptions.js";

/** `GET /api/beta/users/{id}/calendars`, `…/{calendarId}`, `…/delta`: a mailbox of the roster, in Graph's own format. */
export const userCalendarsRoute: Route = async (request, ports) => {
  const mailbox = await mailboxOfUser(request.params["id"] ?? "", ports);
  return "refusal" in mailbox ? mailbox.refusal : calendarsOf(mailbox, request, ports);
};

/** The same under `/api/beta/me`: the mailbox of the user whom App Service Authentication signed in, and no other. */
export const myCalendarsRoute: Route = async (request, ports) => {
  const user = ports.isSignInOn ? signedInUser(request.headers) : null;
  if (user !== null) return calendarsOf({ id: user, user, isByName: false }, request, ports);
  const message = "Access to me needs a user whom App Service Authentication signed in with Microsoft Entra ID.";
  return refusal(401, "InvalidAuthenticationToken", message, { "www-authenticate": "Bearer" });
};

/** One request for the calendars of one mailbox. */
type CalendarsRequest = {
  readonly mailbox: AskedMailbox;
  readonly path: CalendarsPath;
  readonly url: URL;
  readonly request: HttpRequest;
  readonly feed: MirrorFeed;
  readonly nowMs: number;
};

async function calendarsOf(mailbox: AskedMailbox, request: HttpRequest, ports: HttpPorts): Promise<Answer> {
  const path = calendarsPathOf(request);
  if (path === null) return refusal(404, "ResourceNotFound", "There is nothing under this path.");
  const asked: CalendarsRequest = {
    mailbox,
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
    case "calendar":
      return answerCalendar(asked, path.target.ids);
  }
}

async function answerDelta(asked: CalendarsRequest): Promise<Answer> {
  const { mailbox, path, url, request, feed, nowMs } = asked;
  const tracking = trackingTokenOf(url);
  if ("mistake" in tracking) return badRequest(tracking);
  const preferred = preferredPageSize(request.headers.get("prefer"));
  const page = await feed.delta(mailbox.id, tracking.token, preferred ?? feedLimits.pageSizeDefault);
  if (page.kind !== "page") return mailboxRefusal(mailbox, page, `${path.origin}${path.collection}/delta`, nowMs);
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
  const { mailbox, path, url, request, feed, nowMs } = asked;
  const options = readOptionsOf(url, ["$select", "$top", "$skiptoken"]);
  if ("mistake" in options) return badRequest(options);
  const preferred = preferredPageSize(request.headers.get("prefer"));
  const pageSize = Math.min(options.top ?? Number.POSITIVE_INFINITY, preferred ?? Number.POSITIVE_INFINITY);
  const ifNoneMatch = request.headers.get("if-none-match");
  const page = await feed.list(mailbox.id, {
    token: options.token,
    pageSize: Number.isFinite(pageSize) ? pageSize : feedLimits.pageSizeDefault,
    holds: (version) => holdsVersion(ifNoneMatch, version),
  });
  if (page.kind !== "page" && page.kind !== "unchanged") {
    return mailboxRefusal(mailbox, page, listUrl(path, options, null), nowMs);
  }
  const headers = { ...headersOf(page.checkpoint, nowMs), etag: etagOf(page.version), vary: "Prefer" };
  if (page.kind === "unchanged") return { status: 304, headers };
  const context = contextOf(path, `users(${userKey(mailbox)})/calendars${selected(options)}`);
  const body = {
    "@odata.context": context,
    value: page.rows.map((row) => readItem(row, options.select)),
    ...(page.token === null ? {} : { "@odata.nextLink": listUrl(path, options, page.token) }),
  };
  return { status: 200, jsonBody: body, headers: { ...headers, ...preferenceApplied(preferred) } };
}

async function answerCalendar(asked: CalendarsRequest, ids: readonly string[]): Promise<Answer> {
  const { mailbox, path, url, request, feed, nowMs } = asked;
  const options = readOptionsOf(url, ["$select"]);
  if ("mistake" in options) return badRequest(options);
  const found = await feed.calendar(mailbox.id, ids);
  if (found.kind === "unknownCalendar") {
    const message = "The specified object was not found in the store.";
    return refusal(404, "ErrorItemNotFound", message, freshnessOf(found.checkpoint, nowMs));
  }
  if (found.kind !== "calendar") return mailboxRefusal(mailbox, found, listUrl(path, options, null), nowMs);
  const headers = { ...headersOf(found.checkpoint, nowMs), etag: etagOf(found.version) };
  if (holdsVersion(request.headers.get("if-none-match"), found.version)) return { status: 304, headers };
  const fragment = `users(${userKey(mailbox)})/calendars${selected(options)}/$entity`;
  const body = { "@odata.context": contextOf(path, fragment), ...readItem(found.row, options.select) };
  return { status: 200, jsonBody: body, headers };
}

function contextOf({ origin, root }: CalendarsPath, fragment: string): string {
  return `${origin}${root}/$metadata#${fragment}`;
}

function selected({ select }: ReadOptions): string {
  return select === null ? "" : `(${select.join(",")})`;
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
