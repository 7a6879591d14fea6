import { foldedOnce } from "../../folded.js";
import type { CalendarRow, JsonObject } from "../../sync/types.js";
import { propertyOf, valueAt } from "./calendarType.js";
import { boundFilter } from "./filter.js";
import { answering, type QueryMistake, unparsed } from "./mistake.js";
import { allProperties, type FilterSyntax, type OrderSyntax, type PathSyntax } from "./syntax.js";
import { ordered } from "./values.js";

/** What a reader asks of a list, in the syntax of OData: names have not been looked up. */
export type ListQuery = {
  readonly filter: FilterSyntax | null;
  /** The first key counts most. Empty: by id. */
  readonly orderBy: readonly OrderSyntax[];
  /** How many of the calendars that match are left out at the start of the list. */
  readonly skip: number;
  /** Null, or with `*` among them: all properties. */
  readonly select: readonly PathSyntax[] | null;
  /** The text of what decides which calendars a page holds, and in which order; null where nothing does. A token is bound to it. */
  readonly text: string | null;
  /** The text of all options: answers to different ones are different. Empty where there are none. */
  readonly allText: readonly string[];
};

/** All calendars, whole, by id. */
export const plainList: ListQuery = { filter: null, orderBy: [], skip: 0, select: null, text: null, allText: [] };

/** Names of properties on the way to a value, as Graph writes them. */
export type PropertyPath = readonly string[];

/** What a list of calendars is made by. */
export type BoundQuery = {
  /** Those that match, in their order. */
  readonly arranged: readonly CalendarRow[];
  readonly select: readonly PropertyPath[] | null;
};

/**
 * The calendars that a query asks for, or why it is refused.
 * @param rows All calendars of the mailbox that are alive.
 */
export function arrange(query: ListQuery, rows: readonly CalendarRow[]): BoundQuery | QueryMistake {
  return answering(() => {
    const resources = rows.map(resourceOf);
    const select = boundSelect(query.select, resources);
    const matches = query.filter === null ? () => true : boundFilter(query.filter, resources);
    const compare = boundOrder(query.orderBy, resources);
    const arranged = rows.filter((row) => matches(resourceOf(row)));
    return { arranged: sorted(arranged, compare), select };
  });
}

/** The Graph object of a row with its id, which Graph may have left out of an item. */
function resourceOf({ resource, calendarId }: CalendarRow): JsonObject {
  return resource["id"] === calendarId ? resource : { ...resource, id: calendarId };
}

/** The properties that `$select` names, each once, as Graph writes them; null for all. */
export function selectOf(
  paths: readonly PathSyntax[] | null,
  resources: readonly JsonObject[],
): { readonly select: readonly PropertyPath[] | null } | QueryMistake {
  return answering(() => ({ select: boundSelect(paths, resources) }));
}

function boundSelect(
  paths: readonly PathSyntax[] | null,
  resources: readonly JsonObject[],
): readonly PropertyPath[] | null {
  if (paths === null) return null;
  const named = paths.filter(({ names }) => names[0] !== allProperties);
  const found = named.map((path) => propertyOf(path, resources, "$select").names);
  if (named.length < paths.length) return null;
  return [...new Map(found.map((names) => [names.join("/"), names])).values()];
}

/** The value of a calendar by one key of the order. */
type Key = { readonly read: (resource: JsonObject) => ReturnType<typeof valueAt>; readonly isDescending: boolean };

/**
 * Null comes first, and last where the order is descending. A property that has been a key before decides nothing: without it
 * there are no more keys than properties. @see OData 4.01 Part 1, 11.2.6.2
 */
function boundOrder(orderBy: readonly OrderSyntax[], resources: readonly JsonObject[]): readonly Key[] {
  const fold = foldedOnce();
  const keys = new Map<string, Key>();
  for (const { path, isDescending } of orderBy) {
    const { names, type } = propertyOf(path, resources, "$orderby");
    if (type.kind === "complex" || type.kind === "collection") {
      throw unparsed("The $orderby expression must evaluate to a single value of primitive type.");
    }
    const isExact = type.kind === "string" && type.isExact;
    const read = (resource: JsonObject) => {
      const value = valueAt(resource, names);
      if (typeof value !== "string" || isExact) return value;
      if (type.kind !== "enum") return fold(value);
      const place = type.members.findIndex((member) => member.toLowerCase() === value.toLowerCase());
      return place === -1 ? null : place;
    };
    const name = names.join("/");
    if (!keys.has(name)) keys.set(name, { read, isDescending });
  }
  return [...keys.values()];
}

/** Calendars that are equal by all keys stand in the order of their ids, so that every list has one order. */
function sorted(rows: readonly CalendarRow[], keys: readonly Key[]): readonly CalendarRow[] {
  const withKeys = rows.map((row) => ({ row, values: keys.map(({ read }) => read(resourceOf(row))) }));
  withKeys.sort((one, other) => {
    for (const [index, { isDescending }] of keys.entries()) {
      const order = ordered(one.values[index] ?? null, other.values[index] ?? null);
      if (order !== 0) return isDescending ? -order : order;
    }
    return one.row.calendarId < other.row.calendarId ? -1 : 1;
  });
  return withKeys.map(({ row }) => row);
}
