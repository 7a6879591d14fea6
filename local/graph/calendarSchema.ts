import type { Version } from "./types.js";

/**
 * What Graph declares of a calendar, by which it reads `$filter`, `$orderby` and `$select`. `groupClassId` is undeclared: answers have
 * it, and no option knows it.
 * @see https://learn.microsoft.com/graph/api/resources/calendar
 */

/** `text`: case does not count. `id`: it does, as ids of Exchange differ by case alone. The others are enumerations, by type. */
export type Declared = "text" | "id" | "bool" | "list" | "emailAddress" | "calendarColor" | "onlineMeetingProviderType";

const COMMON: Readonly<Record<string, Declared>> = {
  id: "id",
  name: "text",
  color: "calendarColor",
  hexColor: "text",
  isDefaultCalendar: "bool",
  changeKey: "id",
  canShare: "bool",
  canViewPrivateItems: "bool",
  canEdit: "bool",
  allowedOnlineMeetingProviders: "list",
  defaultOnlineMeetingProvider: "onlineMeetingProviderType",
  isTallyingResponses: "bool",
  isRemovable: "bool",
  owner: "emailAddress",
};
const BETA: Readonly<Record<string, Declared>> = {
  ...COMMON,
  isShared: "bool",
  isSharedWithMe: "bool",
  calendarGroupId: "id",
};
const ADDRESS: Readonly<Record<string, Declared>> = { name: "text", address: "text" };

/** Members by their values: `auto` is -1, `lightBlue` 0 and so on. */
export const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  calendarColor:
    "auto lightBlue lightGreen lightOrange lightGray lightYellow lightTeal lightPink lightBrown lightRed maxColor".split(
      " ",
    ),
  onlineMeetingProviderType: "unknown skypeForBusiness skypeForConsumer teamsForBusiness".split(" "),
};

/** A property: its name as Graph writes it, whole as a path, and what it holds. */
export type Found = { readonly path: string; readonly holds: Declared };

/** Looks a path up, without regard to case as Graph does; a text is the message of the refusal. */
export function lookUp(version: Version, path: string): Found | string {
  const [first = "", second, ...more] = path.split("/");
  const top = inTable(version === "beta" ? BETA : COMMON, first);
  if (top === null) return notFound(first, "microsoft.graph.calendar");
  if (second === undefined) return { path: top.path, holds: top.holds };
  if (top.holds !== "emailAddress") return notFound(second, typeName(top.holds));
  const inner = inTable(ADDRESS, second);
  if (inner === null) return notFound(second, "microsoft.graph.emailAddress");
  if (more[0] !== undefined) return notFound(more[0], "Edm.String");
  return { path: `${top.path}/${inner.path}`, holds: inner.holds };
}

function inTable(table: Readonly<Record<string, Declared>>, name: string): Found | null {
  for (const [path, holds] of Object.entries(table))
    if (path.toLowerCase() === name.toLowerCase()) return { path, holds };
  return null;
}

/** Graph's own words. @see https://github.com/wslyvh/paperweight/issues/1 */
const notFound = (name: string, type: string) => `Could not find a property named '${name}' on type '${type}'.`;

function typeName(holds: Declared): string {
  if (holds === "bool") return "Edm.Boolean";
  return holds in MEMBERS ? `microsoft.graph.${holds}` : "Edm.String";
}
