import { refuse } from "./answers.js";
import { lookUp, MEMBERS } from "./calendarSchema.js";
import { BadExpression, readFilter, upper, valueAt } from "./filterText.js";
import type { Answer, Calendar, Version } from "./types.js";

/**
 * The query options of the calendar list.
 * @see https://learn.microsoft.com/graph/query-parameters: `$` is optional in beta; the least `$top` is 1; `$skip` is what links of
 *   calendars page by; `$count` counts all that match (OData 4.01 Part 1, 11.2.6.5: whatever `$top` and `$skip`)
 */
export type ListPlan = {
  /** What is shown, in its order. */
  readonly arrange: (calendars: readonly Calendar[]) => readonly Calendar[];
  readonly shape: (calendar: Calendar) => Readonly<Record<string, unknown>>;
  /** For the context: `(name,owner)`, or nothing. */
  readonly selected: string;
  readonly top: number | null;
  readonly skip: number;
  readonly isCounted: boolean;
  /** All options but `$skip`, for links. */
  readonly carried: string;
};

const NAMES = ["$filter", "$orderby", "$select", "$top", "$skip", "$count", "$format"];

/** @param query Raw, without the question mark. */
export function planOf(version: Version, query: string): ListPlan | Answer {
  const given = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    const plain = name.toLowerCase().replace(/^(?!\$)/, version === "beta" ? "$" : "");
    if (!NAMES.includes(plain)) continue;
    if (given.has(plain)) return invalid(`Query option '${plain}' was specified more than once.`);
    given.set(plain, value);
  }
  const mistake = mistakeIn(given);
  if (mistake !== null) return invalid(mistake);
  try {
    return planBy(version, given);
  } catch (error) {
    if (error instanceof BadExpression) return refuse(400, error.code, error.message);
    throw error;
  }
}

function mistakeIn(given: ReadonlyMap<string, string>): string | null {
  const whole = /^\d{1,9}$/;
  if (!whole.test(given.get("$top") ?? "1") || Number(given.get("$top") ?? 1) < 1) return "Invalid value of $top.";
  if (!whole.test(given.get("$skip") ?? "0")) return "Invalid value of $skip.";
  if (!/^(true|false)$/.test(given.get("$count") ?? "true")) return "Invalid value of $count.";
  const isJson = /^(application\/)?json(; *odata\.metadata=minimal)?$/i.test(given.get("$format") ?? "json");
  return isJson ? null : "The format is not supported.";
}

/** The code of Exchange for a query that it does not take; which one it gives for a bad number is not documented. */
const invalid = (message: string): Answer => refuse(400, "ErrorInvalidUrlQuery", message);

function planBy(version: Version, given: ReadonlyMap<string, string>): ListPlan {
  const filterText = given.get("$filter");
  const isShown = filterText === undefined ? () => true : readFilter(version, filterText);
  const inOrder = orderOf(version, given.get("$orderby"));
  const paths = selectOf(version, given.get("$select"));
  const carried = [...given].filter(([name]) => name !== "$skip");
  return {
    arrange: (calendars) => inOrder(calendars.filter((calendar) => isShown(calendar))),
    shape: (calendar) => (paths === null ? calendar : chosen(calendar, paths)),
    selected: paths === null ? "" : `(${paths.join(",")})`,
    top: given.has("$top") ? Number(given.get("$top")) : null,
    skip: Number(given.get("$skip") ?? 0),
    isCounted: given.get("$count") === "true",
    carried: carried.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&"),
  };
}

function found(version: Version, path: string) {
  const property = lookUp(version, path);
  if (typeof property === "string") throw new BadExpression("RequestBroker--ParseUri", property);
  return property;
}

const expected = () => new BadExpression("RequestBroker--ParseUri", "A name was expected.");

/** Null comes first where the order is ascending (OData 4.01 Part 1, 11.2.6.2). Equal calendars keep the order of the list. */
function orderOf(version: Version, text: string | undefined) {
  if (text === undefined) return (calendars: readonly Calendar[]) => calendars;
  const keys = text.split(",").map((part) => {
    const [, path, way = ""] = /^\s*([$@]?[A-Za-z_][\w/]*)(?:\s+(asc|desc))?\s*$/i.exec(part) ?? [];
    if (path === undefined) throw expected();
    const property = found(version, path);
    if (property.holds === "list" || property.holds === "emailAddress") throw expected();
    const members = MEMBERS[property.holds];
    const key = (calendar: Calendar): string | number | null => {
      const value = valueAt(calendar, property.path);
      if (members !== undefined) return members.includes(String(value)) ? members.indexOf(String(value)) : null;
      if (typeof value === "boolean") return Number(value);
      return typeof value !== "string" ? null : property.holds === "id" ? value : upper(value);
    };
    return { key, sign: way.toLowerCase() === "desc" ? -1 : 1 };
  });
  return (calendars: readonly Calendar[]) =>
    [...calendars].sort((one, other) => {
      for (const { key, sign } of keys) {
        const [first, second] = [key(one), key(other)];
        if (first === second) continue;
        const isLess = first === null || (second !== null && first < second);
        return isLess ? -sign : sign;
      }
      return 0;
    });
}

function selectOf(version: Version, text: string | undefined): readonly string[] | null {
  if (text === undefined) return null;
  const parts = text.split(",").map((part) => part.trim());
  for (const part of parts) if (!/^(\*|[$@]?[A-Za-z_][\w/]*)$/.test(part)) throw expected();
  const paths = parts.filter((part) => part !== "*").map((part) => found(version, part).path);
  return parts.includes("*") ? null : [...new Set(paths)];
}

/** The id always comes. Of a complex property the parts that are named, or all. @see OData 4.01 Part 2, 5.1.4 */
function chosen(calendar: Calendar, paths: readonly string[]): Readonly<Record<string, unknown>> {
  const shown: Record<string, unknown> = { id: calendar.id };
  for (const [name, value] of Object.entries(calendar)) {
    const parts = paths.filter((path) => path === name || path.startsWith(`${name}/`));
    if (parts.length === 0) continue;
    const isWhole = parts.includes(name) || typeof value !== "object" || value === null;
    const inner = parts.map((path) => path.slice(name.length + 1));
    shown[name] = isWhole ? value : Object.fromEntries(Object.entries(value).filter(([one]) => inner.includes(one)));
  }
  return shown;
}
