import type { PropertyPath } from "../../feed/query/listQuery.js";
import { readItem } from "../../feed/wire.js";
import type { CalendarRow, Checkpoint } from "../../sync/types.js";
import { type Answer, refusal } from "../handler.js";
import { etagOf, holdsVersion } from "../versions.js";
import { type CalendarsRequest, selected } from "./calendars.js";
import { freshnessOf } from "./freshness.js";
import { mailboxRefusal, userKey } from "./mailbox.js";
import { badRequest, contextOf, headersOf } from "./odata.js";
import { readOptionsOf } from "./queryOptions.js";

/**
 * Calendar groups, as far as the mirror knows them: by the `calendarGroupId` of calendars. Graph names them nowhere in a calendar, so
 * a group has its id alone, and one without calendars is not seen.
 * @see https://learn.microsoft.com/graph/api/resources/calendargroup
 */

/** `…/calendarGroups`. */
export function answerGroups(asked: CalendarsRequest): Promise<Answer> {
  return withGroups(asked, [], (groups, users) => ({
    fragment: `${users}/calendarGroups`,
    body: { value: [...groups.keys()].sort().map((id) => ({ id })) },
  }));
}

/** `…/calendarGroups/{id}`. @param ids Possible ids, the likelier one first. */
export function answerGroup(asked: CalendarsRequest, ids: readonly string[]): Promise<Answer> {
  return withGroups(asked, [], (groups, users) => {
    const id = ids.find((one) => groups.has(one));
    return id === undefined ? null : { fragment: `${users}/calendarGroups/$entity`, body: { id } };
  });
}

/** `…/calendarGroups/{id}/calendars`, on one page. */
export function answerGroupCalendars(asked: CalendarsRequest, ids: readonly string[]): Promise<Answer> {
  return withGroups(asked, ["$select"], (groups, users, select) => {
    const group = groupAmong(groups, ids);
    if (group === null) return null;
    const body = { value: group.rows.map((row) => readItem(row, select)) };
    return { fragment: `${users}/${group.fragment}/calendars${selected(select)}`, body };
  });
}

/** `…/calendarGroups/{id}/calendars/{id}`. @param ids Possible ids of the calendar, the likelier one first. */
export function answerGroupCalendar(
  asked: CalendarsRequest,
  groupIds: readonly string[],
  ids: readonly string[],
): Promise<Answer> {
  return withGroups(asked, ["$select"], (groups, users, select) => {
    const group = groupAmong(groups, groupIds);
    const [row] = ids.flatMap((id) => group?.rows.find(({ calendarId }) => calendarId === id) ?? []);
    if (group === null || row === undefined) return null;
    return { fragment: `${users}/${group.fragment}/calendars${selected(select)}/$entity`, body: readItem(row, select) };
  });
}

/** The first of these groups that there is, and how a context names it. */
function groupAmong(
  groups: Groups,
  ids: readonly string[],
): { readonly rows: readonly CalendarRow[]; readonly fragment: string } | null {
  const id = ids.find((one) => groups.has(one));
  if (id === undefined) return null;
  return { rows: groups.get(id) ?? [], fragment: `calendarGroups('${encodeURIComponent(id)}')` };
}

/** What a reading of the groups answers; null: there is no such group. */
type Found = { readonly fragment: string; readonly body: Readonly<Record<string, unknown>> } | null;
type Groups = ReadonlyMap<string, readonly CalendarRow[]>;

async function withGroups(
  { mailbox, path, url, request, feed, nowMs }: CalendarsRequest,
  accepted: readonly "$select"[],
  find: (groups: Groups, users: string, select: readonly PropertyPath[] | null) => Found,
): Promise<Answer> {
  const options = readOptionsOf(url, accepted);
  if ("mistake" in options) return badRequest(options);
  const all = await feed.list(mailbox.id, { token: null, pageSize: Number.MAX_SAFE_INTEGER, query: options.query });
  if (all.kind === "unchanged") throw new Error("A version was held, though none was named.");
  if (all.kind !== "page") return mailboxRefusal(mailbox, all, `${path.origin}${path.collection}`, nowMs);
  const groups = groupsOf(all.rows);
  if (groups.size === 0) {
    return notFound("Graph has told the mirror of no calendarGroupId in this mailbox.", all.checkpoint, nowMs);
  }
  const found = find(groups, `users(${userKey(mailbox)})`, all.select);
  if (found === null) return notFound("The specified object was not found in the store.", all.checkpoint, nowMs);
  const headers = { ...headersOf(all.checkpoint, nowMs), etag: etagOf(all.version) };
  if (holdsVersion(request.headers.get("if-none-match"), all.version)) return { status: 304, headers };
  return { status: 200, headers, jsonBody: { "@odata.context": contextOf(path, found.fragment), ...found.body } };
}

function groupsOf(rows: readonly CalendarRow[]): Groups {
  const groups = new Map<string, CalendarRow[]>();
  for (const row of rows) {
    const id = row.resource["calendarGroupId"];
    if (typeof id !== "string" || id === "") continue;
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [row]);
    else group.push(row);
  }
  return groups;
}

function notFound(message: string, checkpoint: Checkpoint, nowMs: number): Answer {
  return refusal(404, "ErrorItemNotFound", message, freshnessOf(checkpoint, nowMs));
}
