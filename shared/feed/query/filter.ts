import { foldedOnce } from "../../folded.js";
import type { Json, JsonObject } from "../../sync/types.js";
import { type PropertyType, propertyOf, typeNameOf, valueAt } from "./calendarType.js";
import { unparsed } from "./mistake.js";
import type { Comparison, FilterSyntax, LiteralSyntax, TextFunction } from "./syntax.js";
import { ordered } from "./values.js";

/** Whether a calendar is one that a filter asks for. */
export type Matches = (resource: JsonObject) => boolean;

/** What a part of a filter yields: its type, and its value for a calendar. `null`: the literal, which fits every type. */
type Part = {
  readonly type: PropertyType | { readonly kind: "null" | "number" };
  readonly isLiteral: boolean;
  readonly read: (resource: JsonObject) => Json;
};
type Kind = Part["type"]["kind"];

/** What the parts of one filter have in common. `fold`: how texts are compared. */
type Scope = { readonly resources: readonly JsonObject[]; readonly fold: (text: string) => string };

/**
 * A filter with its names looked up and its types checked. Only calendars for which it is true match, not those for which it
 * is null.
 * @param resources All calendars of the mailbox: what they hold is known as well.
 * @throws RefusedQuery, in the words of Microsoft.OData.Core.
 * @see OData 4.01 Part 2, 5.1.2; https://learn.microsoft.com/graph/filter-query-parameter
 */
export function boundFilter(syntax: FilterSyntax, resources: readonly JsonObject[]): Matches {
  const part = partOf(syntax, { resources, fold: foldedOnce() });
  if (!isBoolean(part)) throw unparsed("The $filter expression must evaluate to a single boolean value.");
  return (resource) => part.read(resource) === true;
}

function partOf(syntax: FilterSyntax, scope: Scope): Part {
  switch (syntax.kind) {
    case "path": {
      const { names, type } = propertyOf(syntax, scope.resources, "$filter");
      return { type, isLiteral: false, read: (resource) => valueAt(resource, names) };
    }
    case "literal":
    case "enum":
      return literal(syntax);
    case "and":
    case "or":
      return chain(
        syntax.kind,
        syntax.operands.map((operand) => partOf(operand, scope)),
      );
    case "not":
      return negation(partOf(syntax.operand, scope));
    case "compare":
      return comparison(syntax.by, partOf(syntax.left, scope), partOf(syntax.right, scope), scope);
    case "in":
      return membership(partOf(syntax.left, scope), syntax.members, scope);
    case "call": {
      const given = syntax.given.map((argument) => partOf(argument, scope));
      return call(syntax.name, given, scope);
    }
  }
}

function literal(syntax: LiteralSyntax): Part {
  if (syntax.kind === "enum") {
    return constant({ kind: "enum", name: syntax.type, members: [syntax.member] }, syntax.member);
  }
  const { value } = syntax;
  if (value === null) return constant({ kind: "null" }, value);
  if (typeof value === "number") return constant({ kind: "number" }, value);
  return constant(typeof value === "boolean" ? { kind: "boolean" } : { kind: "string", isExact: false }, value);
}

function constant(type: Part["type"], value: Json): Part {
  return { type, isLiteral: true, read: () => value };
}

function yields(read: (resource: JsonObject) => boolean | null): Part {
  return { type: { kind: "boolean" }, isLiteral: false, read };
}

/** The truth value of a part; null where it has none. */
function truth(part: Part, resource: JsonObject): boolean | null {
  const value = part.read(resource);
  return typeof value === "boolean" ? value : null;
}

/** `and` is false where any operand is, `or` true where any is; else null where any is null. @see OData 4.01 Part 2, 5.1.1.1.7 */
function chain(operator: "and" | "or", operands: readonly Part[]): Part {
  for (const [index, operand] of operands.entries()) {
    if (!isBoolean(operand))
      throw incompatible(operands[index === 0 ? 1 : 0], operand, operator === "and" ? "And" : "Or");
  }
  const decisive = operator === "or";
  return yields((resource) => {
    let isNullAmong = false;
    for (const operand of operands) {
      const value = truth(operand, resource);
      if (value === decisive) return decisive;
      isNullAmong ||= value === null;
    }
    return isNullAmong ? null : !decisive;
  });
}

function negation(operand: Part): Part {
  if (!isBoolean(operand)) {
    const found = `Found operand type '${typeOf(operand)}' for operator kind 'Not'.`;
    throw unparsed(`A unary operator with an incompatible type was detected. ${found}`);
  }
  return yields((resource) => {
    const value = truth(operand, resource);
    return value === null ? null : !value;
  });
}

const operatorNames: Readonly<Record<Comparison, string>> = {
  eq: "Equal",
  ne: "NotEqual",
  gt: "GreaterThan",
  ge: "GreaterThanOrEqual",
  lt: "LessThan",
  le: "LessThanOrEqual",
};

/**
 * Null equals nothing but null, so that `ne` and a value is true for it; nothing is greater or less than null.
 * @see OData 4.01 Part 2, 5.1.1.1.1 to 5.1.1.1.6
 */
function comparison(by: Comparison, left: Part, right: Part, scope: Scope): Part {
  const [one, other] = comparable(by, left, right, scope);
  return yields((resource) => {
    const order = relation(one(resource), other(resource));
    switch (by) {
      case "eq":
        return order === 0;
      case "ne":
        return order !== 0;
      case "ge":
        return order !== null && order >= 0;
      case "le":
        return order !== null && order <= 0;
      case "gt":
        return order !== null && order > 0;
      case "lt":
        return order !== null && order < 0;
    }
  });
}

/** As `ordered`; null for values that have no order: of two kinds, null and a value, and objects. */
function relation(first: Json, second: Json): number | null {
  if (first === null && second === null) return 0;
  if (typeof first === "object" || typeof first !== typeof second) return null;
  return ordered(first, second);
}

/** True where the left side equals a member. @see OData 4.01 Part 2, 5.1.1.1.12 */
function membership(left: Part, members: readonly LiteralSyntax[], scope: Scope): Part {
  const sides = members.map((member) => comparable("eq", left, literal(member), scope));
  const values = new Set(sides.map(([, readMember]) => readMember({})));
  const [readLeft] = sides[0] ?? []; // The same beside every literal.
  return yields((resource) => readLeft !== undefined && values.has(readLeft(resource)));
}

type Reader = (resource: JsonObject) => Json;

/** The values of both sides in a form in which `ordered` compares them. */
function comparable(by: Comparison, left: Part, right: Part, { fold }: Scope): readonly [Reader, Reader] {
  for (const side of [left, right]) {
    if (side.type.kind !== "collection") continue;
    const rule = "Binary operators require both operands to be single values.";
    throw unparsed(`The operand for a binary operator '${operatorNames[by]}' is not a single value. ${rule}`);
  }
  const refused = () => incompatible(left, right, operatorNames[by]);
  const enumeration = [left, right].find(({ type, isLiteral }) => type.kind === "enum" && !isLiteral)?.type;
  if (enumeration?.kind === "enum")
    return [memberOf(left, enumeration, refused), memberOf(right, enumeration, refused)];
  if (!isComparable(by, left.type.kind, right.type.kind)) throw refused();
  const isExact = [left, right].some(({ type }) => type.kind === "string" && type.isExact);
  return isExact ? [left.read, right.read] : [foldedReader(left, fold), foldedReader(right, fold)];
}

function isComparable(by: Comparison, left: Kind, right: Kind): boolean {
  const isOrdering = by !== "eq" && by !== "ne";
  const isComplex = left === "complex" || right === "complex";
  if (isComplex) return !isOrdering && (left === "null" || right === "null");
  if (left === "enum" || right === "enum") return false; // A literal of an enumeration beside what is none.
  return left === right || [left, right].some((kind) => kind === "null" || kind === "untyped");
}

/** A side of a comparison with a property that is an enumeration: the place of its member, as values of those are ordered. */
function memberOf(side: Part, { name, members }: PropertyType & { kind: "enum" }, refused: () => Error): Reader {
  const { type } = side;
  const isOfType = type.kind === "enum" && type.name.toLowerCase() === name.toLowerCase();
  const isText = type.kind === "string" && side.isLiteral;
  if (!isOfType && !isText && type.kind !== "null") throw refused();
  const places = new Map(members.map((member, place) => [member.toLowerCase(), place]));
  const placeOf = (value: Json) => (typeof value === "string" ? (places.get(value.toLowerCase()) ?? null) : null);
  if (!side.isLiteral || type.kind === "null") return (resource) => placeOf(side.read(resource));
  const value = side.read({});
  const place = placeOf(value);
  if (place === null) throw unparsed(`The string '${String(value)}' is not a valid enumeration type constant.`);
  return () => place;
}

function foldedReader(part: Part, fold: Scope["fold"]): Reader {
  const comparableOf = (value: Json): Json => (typeof value === "string" ? fold(value) : value);
  if (!part.isLiteral) return (resource) => comparableOf(part.read(resource));
  const value = comparableOf(part.read({}));
  return () => value;
}

/** Null where an argument is. @see OData 4.01 Part 2, 5.1.1.5 */
function call(name: TextFunction, given: readonly Part[], { fold }: Scope): Part {
  const [whole, sought] = given;
  const areTexts = given.every(({ type }) => ["string", "untyped", "null"].includes(type.kind));
  if (whole === undefined || sought === undefined || given.length > 2 || !areTexts) {
    const rule = `${name}(Edm.String Nullable=true, Edm.String Nullable=true)`;
    const what = `No function signature for the function with name '${name}' matches the specified arguments.`;
    throw unparsed(`${what} The function signatures considered are: ${rule}.`);
  }
  const isExact = given.some(({ type }) => type.kind === "string" && type.isExact);
  const [readWhole, readSought] = isExact
    ? [whole.read, sought.read]
    : [foldedReader(whole, fold), foldedReader(sought, fold)];
  return yields((resource) => {
    const [text, part] = [readWhole(resource), readSought(resource)];
    if (typeof text !== "string" || typeof part !== "string") return null;
    if (name === "contains") return text.includes(part);
    return name === "startswith" ? text.startsWith(part) : text.endsWith(part);
  });
}

function isBoolean({ type }: Part): boolean {
  return type.kind === "boolean" || type.kind === "null" || type.kind === "untyped";
}

function incompatible(left: Part | undefined, right: Part, operator: string): Error {
  const types = left === undefined ? `'${typeOf(right)}'` : `'${typeOf(left)}' and '${typeOf(right)}'`;
  const found = `Found operand types ${types} for operator kind '${operator}'.`;
  return unparsed(`A binary operator with incompatible types was detected. ${found}`);
}

function typeOf({ type }: Part): string {
  switch (type.kind) {
    case "null":
      return "<null>";
    case "number":
      return "Edm.Double";
    default:
      return typeNameOf(type);
  }
}
