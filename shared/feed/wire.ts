import type { CalendarRow, JsonObject } from "../sync/types.js";

/**
 * Rows in Graph's own words. Properties that we don't know are kept as they came. What OData said about an item (names
 * that begin with @) is said anew: it is no part of the calendar, and moves no sequence.
 */

const calendarType = "#microsoft.graph.calendar";

/** A row of a delta page: the calendar, or that it is gone. */
export function deltaItem({ calendarId, resource, removedMs }: CalendarRow): JsonObject {
  if (removedMs !== null) return { "@odata.type": calendarType, id: calendarId, "@removed": { reason: "deleted" } };
  return { "@odata.type": calendarType, ...propertiesOf(resource, null), id: calendarId };
}

/**
 * A calendar as a list or a single read shows it: without the type, which the context tells.
 * @param select Names of properties; null for all. The id always comes, as with Outlook's own resources.
 */
export function readItem({ calendarId, resource }: CalendarRow, select: readonly string[] | null): JsonObject {
  return { ...propertiesOf(resource, select), id: calendarId };
}

/** An annotation such as `owner@odata.type` goes with its property. */
function propertiesOf(resource: JsonObject, select: readonly string[] | null): JsonObject {
  const chosen = Object.entries(resource).filter(([name]) => {
    const property = name.split("@")[0] ?? "";
    return property !== "" && (select === null || select.includes(property));
  });
  return Object.fromEntries(chosen);
}
