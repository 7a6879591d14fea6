import type { CalendarRow, JsonObject } from "../sync/types.js";
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
 * @param select Names of properties; null for all. The id is always included, as in Graph's own answers.
 */
export function readItem({ calendarId, resource }: CalendarRow, select: readonly string[] | null): JsonObject {
  return { ...propertiesOf(resource, select), id: calendarId };
}

/**
 * An item of the whole tenant: a calendar with `userId`, or `@removed`. For a mailbox that is served no more, its user
 * as `@removed`: with all calendars that the reader holds of it.
 * @param select Names of properties, for a list; null for all. `id` and `userId` are always included.
 */
export function tenantItem({ mailboxId, row }: TenantItem, select: readonly string[] | null = null): JsonObject {
  const userId = mailboxId;
  if (row === null) return { "@odata.type": userType, id: userId, userId, "@removed": { reason: "deleted" } };
  if (row.removedMs !== null) return { ...deltaItem(row), userId };
  return { "@odata.type": calendarType, ...propertiesOf(row.resource, select), id: row.calendarId, userId };
}

/** An annotation such as `owner@odata.type` goes with its property. */
function propertiesOf(resource: JsonObject, select: readonly string[] | null): JsonObject {
  const chosen = Object.entries(resource).filter(([name]) => {
    const property = name.split("@")[0] ?? "";
    return property !== "" && (select === null || select.includes(property));
  });
  return Object.fromEntries(chosen);
}
