import { type CalendarRow, isJsonObject, type Json, type JsonObject } from "../sync/types.js";
import type { PropertyPath } from "./query/listQuery.js";
import type { TenantItem } from "./tenant.js";

/**
 * Rows in Graph's own format. Properties that we don't know are kept as they came. OData annotations of an item (names
 * that begin with @) are written anew: they are no part of the calendar, and move no sequence.
 */

const calendarType = "#microsoft.graph.calendar";
const userType = "#microsoft.graph.user";

/**
 * An item of a delta page: the calendar, or `@removed`.
 * @see https://learn.microsoft.com/graph/delta-query-overview
 */
export function deltaItem({ calendarId, resource, removedMs }: CalendarRow): JsonObject {
  if (removedMs !== null) return { "@odata.type": calendarType, id: calendarId, "@removed": { reason: "deleted" } };
  return { "@odata.type": calendarType, ...propertiesOf(resource, null), id: calendarId };
}

/**
 * A calendar as a list or a single read shows it: without its type, which is in `@odata.context`.
 * @param select Properties by their paths; null for all. The id is always included, as in Graph's own answers.
 */
export function readItem({ calendarId, resource }: CalendarRow, select: readonly PropertyPath[] | null): JsonObject {
  return { ...propertiesOf(resource, select), id: calendarId };
}

/**
 * An item of the whole tenant: a calendar with `userId`, or `@removed`. For a mailbox that is served no more, its user
 * as `@removed`: with all calendars that the reader holds of it.
 * @param select Properties by their paths, for a list; null for all. `id` and `userId` are always included.
 */
export function tenantItem({ mailboxId, row }: TenantItem, select: readonly PropertyPath[] | null = null): JsonObject {
  const userId = mailboxId;
  if (row === null) return { "@odata.type": userType, id: userId, userId, "@removed": { reason: "deleted" } };
  if (row.removedMs !== null) return { ...deltaItem(row), userId };
  return { "@odata.type": calendarType, ...propertiesOf(row.resource, select), id: row.calendarId, userId };
}

/** An annotation such as `owner@odata.type` goes with its property. */
function propertiesOf(resource: JsonObject, select: readonly PropertyPath[] | null): JsonObject {
  const chosen = Object.entries(resource).flatMap(([name, value]): readonly (readonly [string, Json])[] => {
    const property = name.split("@")[0] ?? "";
    if (property === "") return [];
    if (select === null) return [[name, value]];
    const within = select.filter(([first]) => first === property).map((path) => path.slice(1));
    if (within.length === 0) return [];
    const isWhole = name !== property || !isJsonObject(value) || within.some((path) => path.length === 0);
    return [[name, isWhole ? value : propertiesOf(value, within)]];
  });
  return Object.fromEntries(chosen);
}
