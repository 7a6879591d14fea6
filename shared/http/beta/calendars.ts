import type { HttpRequest } from "@azure/functions";
import { feedLimits, type MirrorFeed } from "../../feed/feed.js";
import type { PropertyPath } from "../../feed/query/listQuery.js";
import { deltaItem, readItem } from "../../feed/wire.js";
import type { CalendarRow } from "../../sync/types.js";
import { type Answer, refusal } from "../handler.js";
import { etagOf, holdsVersion } from "../versions.js";
import { freshnessOf } from "./freshness.js";
import { type AskedMailbox, mailboxRefusal, userKey } from "./mailbox.js";
import { badRequest, contextOf, headersOf } from "./odata.js";
import type { MailboxPath } from "./paths.js";
import {
  listOptions,
  listUrl,
  preferenceApplied,
  preferredPageSize,
  readOptionsOf,
  trackingTokenOf,
} from "./queryOptions.js";

/** One request for calendars of a mailbox. */
export type CalendarsRequest = {
  readonly mailbox: AskedMailbox;
  readonly path: MailboxPath;
  readonly url: URL;
  readonly request: HttpRequest;
  readonly feed: MirrorFeed;
  readonly nowMs: number;
};

/** `…/calendars/delta`: what has changed. */
export async function answerDelta(asked: CalendarsRequest): Promise<Answer> {
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

/** `…/calendars`: the calendars of a mailbox, page by page. */
export async function answerList(asked: CalendarsRequest): Promise<Answer> {
  const { mailbox, path, url, request, feed, nowMs } = asked;
  const options = readOptionsOf(url, listOptions);
  if ("mistake" in options) return badRequest(options);
  const preferred = preferredPageSize(request.headers.get("prefer"));
  const pageSize = Math.min(options.top ?? Number.POSITIVE_INFINITY, preferred ?? Number.POSITIVE_INFINITY);
  const ifNoneMatch = request.headers.get("if-none-match");
  const page = await feed.list(mailbox.id, {
    token: options.token,
    query: options.query,
    pageSize: Number.isFinite(pageSize) ? pageSize : feedLimits.pageSizeDefault,
    holds: (version) => holdsVersion(ifNoneMatch, version),
  });
  if (page.kind !== "page" && page.kind !== "unchanged") {
    return mailboxRefusal(mailbox, page, listUrl(path, options, null), nowMs);
  }
  const headers = { ...headersOf(page.checkpoint, nowMs), etag: etagOf(page.version), vary: "Prefer" };
  if (page.kind === "unchanged") return { status: 304, headers };
  const context = contextOf(path, `users(${userKey(mailbox)})/calendars${selected(page.select)}`);
  const body = {
    "@odata.context": context,
    ...(options.isCounted ? { "@odata.count": page.count } : {}),
    value: page.rows.map((row) => readItem(row, page.select)),
    ...(page.token === null ? {} : { "@odata.nextLink": listUrl(path, options, page.token) }),
  };
  return { status: 200, jsonBody: body, headers: { ...headers, ...preferenceApplied(preferred) } };
}

/** `…/calendars/$count`: the number alone, as text. @see OData 4.01 Part 1, 11.2.10 */
export async function answerCount(asked: CalendarsRequest): Promise<Answer> {
  const { mailbox, path, url, request, feed, nowMs } = asked;
  const options = readOptionsOf(url, ["$filter"]);
  if ("mistake" in options) return badRequest(options);
  const ifNoneMatch = request.headers.get("if-none-match");
  const { query } = options;
  const holds = (version: string) => holdsVersion(ifNoneMatch, version);
  const page = await feed.list(mailbox.id, { token: null, pageSize: 1, query, holds });
  if (page.kind !== "page" && page.kind !== "unchanged")
    return mailboxRefusal(mailbox, page, listUrl(path, options, null), nowMs);
  const headers = { ...headersOf(page.checkpoint, nowMs), etag: etagOf(page.version), "content-type": "text/plain" };
  return page.kind === "unchanged" ? { status: 304, headers } : { status: 200, headers, body: String(page.count) };
}

/** `…/calendars/{id}`. @param ids Possible ids, the likelier one first. */
export async function answerCalendar(asked: CalendarsRequest, ids: readonly string[]): Promise<Answer> {
  const { mailbox, path, url, request, feed, nowMs } = asked;
  const options = readOptionsOf(url, ["$select", "$format"]);
  if ("mistake" in options) return badRequest(options);
  const found = await feed.calendar(mailbox.id, ids, options.query.select);
  if (found.kind === "unknownCalendar") {
    return refusal(404, "ErrorItemNotFound", noSuchObject, freshnessOf(found.checkpoint, nowMs));
  }
  if (found.kind !== "calendar") return mailboxRefusal(mailbox, found, listUrl(path, options, null), nowMs);
  const headers = { ...headersOf(found.checkpoint, nowMs), etag: etagOf(found.version) };
  if (holdsVersion(request.headers.get("if-none-match"), found.version)) return { status: 304, headers };
  const fragment = `users(${userKey(mailbox)})/calendars${selected(found.select)}/$entity`;
  const body = { "@odata.context": contextOf(path, fragment), ...readItem(found.row, found.select) };
  return { status: 200, jsonBody: body, headers };
}

/** `…/calendar`: the default calendar. Graph has one in each mailbox; if a copy has more, the first by its id counts. */
export function answerDefaultCalendar(asked: CalendarsRequest): Promise<Answer> {
  return answerFromAll(asked, ["$select", "$format"], (rows, select) => {
    const row = rows.find(({ resource }) => resource["isDefaultCalendar"] === true);
    if (row === undefined) return "The mirror knows no default calendar of this mailbox.";
    return { fragment: `calendar${selected(select)}/$entity`, body: readItem(row, select) };
  });
}

/** What was found among the calendars of a mailbox, and how a context names it below its user; or why it is not there. */
export type Found = { readonly fragment: string; readonly body: Readonly<Record<string, unknown>> } | string;

/** An answer that is made of all calendars of a mailbox. */
export async function answerFromAll(
  { mailbox, path, url, request, feed, nowMs }: CalendarsRequest,
  accepted: readonly ("$select" | "$format")[],
  find: (rows: readonly CalendarRow[], select: readonly PropertyPath[] | null) => Found,
): Promise<Answer> {
  const options = readOptionsOf(url, accepted);
  if ("mistake" in options) return badRequest(options);
  const all = await feed.list(mailbox.id, { token: null, pageSize: Number.MAX_SAFE_INTEGER, query: options.query });
  if (all.kind === "unchanged") throw new Error("A version was held, though none was named.");
  if (all.kind !== "page") return mailboxRefusal(mailbox, all, `${path.origin}${path.collection}`, nowMs);
  const found = find(all.rows, all.select);
  if (typeof found === "string") return refusal(404, "ErrorItemNotFound", found, freshnessOf(all.checkpoint, nowMs));
  const headers = { ...headersOf(all.checkpoint, nowMs), etag: etagOf(all.version) };
  if (holdsVersion(request.headers.get("if-none-match"), all.version)) return { status: 304, headers };
  const context = contextOf(path, `users(${userKey(mailbox)})/${found.fragment}`);
  return { status: 200, headers, jsonBody: { "@odata.context": context, ...found.body } };
}

/** In Graph's words: a calendar, or a group, that is not there. */
export const noSuchObject = "The specified object was not found in the store.";

/** The properties that were asked for, as a context names them. */
export function selected(select: readonly PropertyPath[] | null): string {
  return select === null ? "" : `(${select.map((names) => names.join("/")).join(",")})`;
}
