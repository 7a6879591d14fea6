import { isJsonObject, type Json, type JsonObject } from "../../sync/types.js";
import { type QueryOption, RefusedQuery, unparsed } from "./mistake.js";
import type { PathSyntax } from "./syntax.js";

/**
 * What a property holds. `string`: `isExact` where case counts, as in ids, which Graph tells apart by it. `untyped`: a property
 * that Graph does not declare; whatever the rows hold.
 */
export type PropertyType =
  | { readonly kind: "string"; readonly isExact: boolean }
  | { readonly kind: "enum"; readonly name: string; readonly members: readonly string[] }
  | { readonly kind: "complex"; readonly name: string; readonly properties: Properties }
  | { readonly kind: "boolean" | "collection" | "untyped" };
type Properties = Readonly<Record<string, PropertyType>>;

/** A property by its canonical names, and what it holds. */
export type Property = { readonly names: readonly string[]; readonly type: PropertyType };

const text: PropertyType = { kind: "string", isExact: false };
const exact: PropertyType = { kind: "string", isExact: true };
const flag: PropertyType = { kind: "boolean" };
const untyped: PropertyType = { kind: "untyped" };

const calendarColor: PropertyType = {
  kind: "enum",
  name: "microsoft.graph.calendarColor",
  members: [
    "auto",
    "lightBlue",
    "lightGreen",
    "lightOrange",
    "lightGray",
    "lightYellow",
    "lightTeal",
    "lightPink",
  ].concat(["lightBrown", "lightRed", "maxColor"]),
};
const onlineMeetingProviderType: PropertyType = {
  kind: "enum",
  name: "microsoft.graph.onlineMeetingProviderType",
  members: ["unknown", "skypeForBusiness", "skypeForConsumer", "teamsForBusiness"],
};
const emailAddress: PropertyType = {
  kind: "complex",
  name: "microsoft.graph.emailAddress",
  properties: { name: text, address: text },
};

/**
 * What Graph declares of a calendar in beta. Members of an enumeration stand in the order of their values.
 * @see https://learn.microsoft.com/graph/api/resources/calendar, and the schema of beta
 */
const calendarProperties: Properties = {
  allowedOnlineMeetingProviders: { kind: "collection" },
  calendarGroupId: exact,
  canEdit: flag,
  canShare: flag,
  canViewPrivateItems: flag,
  changeKey: exact,
  color: calendarColor,
  defaultOnlineMeetingProvider: onlineMeetingProviderType,
  hexColor: text,
  id: exact,
  isDefaultCalendar: flag,
  isRemovable: flag,
  isShared: flag,
  isSharedWithMe: flag,
  isTallyingResponses: flag,
  name: text,
  owner: emailAddress,
};

const calendarTypeName = "microsoft.graph.calendar";

/** Declared too, and not part of what the mirror keeps. */
const navigationProperties = new Set(
  [
    "calendarPermissions",
    "calendarView",
    "events",
    "multiValueExtendedProperties",
    "singleValueExtendedProperties",
  ].map((name) => name.toLowerCase()),
);

/**
 * The property that a path names, without regard to case, as Graph has it. Known is what Graph declares, and what stands in
 * `resources`: the mirror keeps properties that Graph adds later.
 * @throws RefusedQuery in Graph's words, where it is not known.
 */
export function propertyOf({ names, at }: PathSyntax, resources: readonly JsonObject[], option: QueryOption): Property {
  let properties: Properties | null = calendarProperties;
  let typeName = calendarTypeName;
  let type: PropertyType = untyped;
  let objects = resources;
  const found: string[] = [];
  for (const name of names) {
    if (found.length === 0 && navigationProperties.has(name.toLowerCase())) throw notMirrored(option, name, at);
    const declared: string | undefined = properties === null ? undefined : spelled(Object.keys(properties), name);
    const canonical = declared ?? spelled(namesIn(objects), name);
    if (canonical === undefined) throw unparsed(`Could not find a property named '${name}' on type '${typeName}'.`);
    type = properties?.[declared ?? ""] ?? untyped;
    found.push(canonical);
    objects = objects.map((object) => valueAt(object, [canonical])).filter(isJsonObject);
    // Below a property that cannot have any, nothing is known, whatever stands there.
    if (type.kind !== "complex" && type.kind !== "untyped") objects = [];
    properties = type.kind === "complex" ? type.properties : null;
    typeName = typeNameOf(type);
  }
  return { names: found, type: withMembersIn(type, found, resources) };
}

/** The value of a property; null where it is absent, too. */
export function valueAt(resource: JsonObject, names: readonly string[]): Json {
  let value: Json = resource;
  for (const name of names) value = isJsonObject(value) && Object.hasOwn(value, name) ? (value[name] ?? null) : null;
  return value;
}

/** The name of a type as OData says it in messages. */
export function typeNameOf(type: PropertyType): string {
  switch (type.kind) {
    case "string":
      return "Edm.String";
    case "boolean":
      return "Edm.Boolean";
    case "enum":
    case "complex":
      return type.name;
    case "collection":
      return "Collection(microsoft.graph.onlineMeetingProviderType)";
    case "untyped":
      return "Edm.Untyped";
  }
}

function spelled(known: Iterable<string>, name: string): string | undefined {
  const all = [...known];
  return all.includes(name) ? name : all.find((one) => one.toLowerCase() === name.toLowerCase());
}

/** Names of properties; annotations, which hold an @, are none. */
function namesIn(objects: readonly JsonObject[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const object of objects) for (const name of Object.keys(object)) if (!name.includes("@")) names.add(name);
  return names;
}

/** Members that Graph adds later stand after those that it declares, in the order of the alphabet. */
function withMembersIn(type: PropertyType, names: readonly string[], resources: readonly JsonObject[]): PropertyType {
  if (type.kind !== "enum") return type;
  const added = new Set<string>();
  for (const resource of resources) {
    const value = valueAt(resource, names);
    if (typeof value === "string" && !type.members.includes(value)) added.add(value);
  }
  return { ...type, members: [...type.members, ...[...added].sort()] };
}

function notMirrored(option: QueryOption, name: string, at: number): RefusedQuery {
  const mistake = `${option} names '${name}' at position ${at}, which the mirror does not keep: ask Graph for it.`;
  return new RefusedQuery({ code: "ErrorInvalidUrlQuery", mistake });
}
