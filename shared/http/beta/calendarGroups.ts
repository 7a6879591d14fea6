import type { PropertyPath } from "../../feed/query/listQuery.js";
import { readItem } from "../../feed/wire.js";
import type { CalendarRow } from "../../sync/types.js";
import type { Answer } from "../handler.js";
import { answerFromAll, type CalendarsRequest, type Found, noSuchObject, selected } from "./calendars.js";

/**
 * Calendar groups, as far as the mirror knows them: by the `calendarGroupId` of calendars. Graph names them nowhere in a calendar, so
 * a group has its id alone, and one without calendars is not seen.
 * @see https://learn.microsoft.com/graph/api/resources/calendargroup
 */

/** `…/calendarGroups`. */
export function answerGroups(asked: CalendarsRequest): Promise<Answer> {
  return withGroups(asked, ["$format"], (groups) => ({
    fragment: `calendarGroups`,
    body: { value: [...groups.keys()].sort().map((id) => ({ id })) },
  }));
}

/** `…/calendarGroups/{id}`. @param ids Possible ids, the likelier one first. */
export function answerGroup(asked: CalendarsRequest, ids: readonly string[]): Promise<Answer> {
  return withGroups(asked, ["$format"], (groups) => {
    const id = ids.find((one) => groups.has(one));
    return id === undefined ? noSuchObject : { fragment: `calendarGroups/$entity`, body: { id } };
  });
}

/** `…/calendarGroups/{id}/calendars`, on one page. */
export function answerGroupCalendars(asked: CalendarsRequest, ids: readonly string[]): Promise<Answer> {
  return withGroups(asked, ["$select", "$format"], (groups, select) => {
    const group = groupAmong(groups, ids);
    if (group === null) return noSuchObject;
    const body = { value: group.rows.map((row) => readItem(row, select)) };
    return { fragment: `${group.fragment}/calendars${selected(select)}`, body };
  });
}

/** `…/calendarGroups/{id}/calendars/{id}`. @param ids Possible ids of the calendar, the likelier one first. */
export function answerGroupCalendar(
  asked: CalendarsRequest,
  groupIds: readonly string[],
  ids: readonly string[],
): Promise<Answer> {
  return withGroups(asked, ["$select", "$format"], (groups, select) => {
    const group = groupAmong(groups, groupIds);
    const [row] = ids.flatMap((id) => group?.rows.find(({ calendarId }) => calendarId === id) ?? []);
    if (group === null || row === undefined) return noSuchObject;
    return { fragment: `${group.fragment}/calendars${selected(select)}/$entity`, body: readItem(row, select) };
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

type Groups = ReadonlyMap<string, readonly CalendarRow[]>;

function withGroups(
  asked: CalendarsRequest,
  accepted: readonly ("$select" | "$format")[],
  find: (groups: Groups, select: readonly PropertyPath[] | null) => Found,
): Promise<Answer> {
  return answerFromAll(asked, accepted, (rows, select) => {
    const groups = groupsOf(rows);
    if (groups.size === 0) return "Graph has told the mirror of no calendarGroupId in this mailbox.";
    return find(groups, select);
  });
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
