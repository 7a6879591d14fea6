import { type Declared, lookUp, MEMBERS } from "./calendarSchema.js";
import type { Version } from "./types.js";

/**
 * How the simulator reads `$filter`: from left to right, by the strength of operators, into functions over a calendar. It shares nothing
 * with what the product reads it by.
 *
 * The rules: operators and functions as listed for Graph (https://learn.microsoft.com/graph/filter-query-parameter); their strength, and
 * what null does, by OData 4.01 Part 2, 5.1.1; in which cases an expression is refused, by Microsoft.OData.Core, the library that
 * Graph reads URLs with (tried with 8.4.4); that case of texts does not count, as Exchange does it for folders
 * (microsoftgraph/microsoft-graph-docs-contrib#523: `displayName eq 'inbox'` finds the folder Inbox).
 */

/** Why an expression is refused. */
export class BadExpression extends Error {
  constructor(
    readonly code: "RequestBroker--ParseUri" | "ErrorInvalidUrlQueryFilter",
    message: string,
  ) {
    super(message);
  }
}

type Cal = Readonly<Record<string, unknown>>;
/** Truth: 1, 0, and one half for "null". So `and` is the smaller, `or` the larger one, and `not` its distance to 1. */
type Truth = (calendar: Cal) => number;
/** `null` is the literal. `literal` of a text that a member of an enumeration may be meant by. */
type Term = {
  readonly holds: Declared | "null" | "number";
  readonly of: (calendar: Cal) => unknown;
  readonly literal?: true;
};
type Node = { readonly truth: Truth } | { readonly term: Term };

const PIECES =
  /\s*(?:((?:[A-Za-z_][\w.]*)?'(?:[^']|'')*')|([$@]?[A-Za-z_][\w.]*(?:\/[$@]?[A-Za-z_][\w.]*)*\(?)|(-?\d[\w.:+-]*)|([(),]))/y;
const STRENGTH: Readonly<Record<string, number>> = { or: 1, and: 2, eq: 3, ne: 3, gt: 4, ge: 4, lt: 4, le: 4 };
const NOT_TAKEN = new Set(["has", "add", "sub", "mul", "div", "divby", "mod"]);
const TEXT_FUNCTIONS = new Set(["contains(", "startswith(", "endswith("]);
const OTHER_FUNCTIONS =
  /^(tolower|toupper|length|indexof|substring|trim|concat|cast|isof|now|year|month|day|any|all)\($/;

/** Whether a calendar is shown. @throws BadExpression */
export function readFilter(version: Version, text: string): (calendar: Cal) => boolean {
  const reader = new FilterReader(version, cut(text));
  const truth = reader.truthOf(reader.read(0), "the filter");
  if (reader.peek() !== undefined) throw syntax("Syntax error", reader.place);
  return (calendar) => truth(calendar) === 1;
}

function cut(text: string): readonly string[] {
  const pieces: string[] = [];
  let at = 0;
  while (at < text.trimEnd().length) {
    PIECES.lastIndex = at;
    const found = PIECES.exec(text);
    if (found === null) {
      // A lambda is not read, and refused by its name all the same.
      if (/\/(any|all)\(/.test(text.slice(0, at))) return [...pieces, ":"];
      throw syntax("Syntax error", at);
    }
    pieces.push(found[0].trimStart());
    at = PIECES.lastIndex;
  }
  return pieces;
}

function syntax(what: string, place: number): BadExpression {
  return new BadExpression("RequestBroker--ParseUri", `${what} at position ${place}.`);
}

class FilterReader {
  place = 0;

  constructor(
    private readonly version: Version,
    private readonly pieces: readonly string[],
  ) {}

  peek(): string | undefined {
    return this.pieces[this.place];
  }

  private take(): string {
    const piece = this.peek();
    if (piece === undefined) throw syntax("Expression expected", this.place);
    this.place++;
    return piece;
  }

  private demand(piece: string): void {
    if (this.peek() !== piece) throw syntax(`'${piece}' expected`, this.place);
    this.place++;
  }

  /** An expression whose operators are stronger than `above`. */
  read(above: number): Node {
    let left = this.readOne();
    while (true) {
      const operator = this.peek()?.toLowerCase() ?? "";
      if (NOT_TAKEN.has(operator)) throw invalid(operator);
      const strength = STRENGTH[operator] ?? 0;
      if (strength <= above) return left;
      this.place++;
      left = this.joined(operator, left, this.read(strength));
    }
  }

  private readOne(): Node {
    if (this.peek()?.toLowerCase() === "not") {
      this.place++;
      const inner = this.truthOf(this.readOne(), "not");
      return { truth: (calendar) => 1 - inner(calendar) };
    }
    const left = this.readPrimary();
    if (this.peek()?.toLowerCase() !== "in") return left;
    this.place++;
    return { truth: this.readMembers(left) };
  }

  private readMembers(left: Node): Truth {
    this.demand("(");
    const equals: Truth[] = [];
    while (this.peek() !== ")") {
      if (equals.length > 0) this.demand(",");
      const literal = literalOf(this.take());
      if (literal === null) throw syntax("A literal was expected", this.place);
      equals.push(compared("eq", this.termOf(left), literal));
    }
    this.demand(")");
    return (calendar) => (equals.some((equal) => equal(calendar) === 1) ? 1 : 0);
  }

  private readPrimary(): Node {
    const piece = this.take();
    if (piece === "(") {
      const inner = this.read(0);
      this.demand(")");
      return inner;
    }
    const literal = literalOf(piece);
    if (literal !== null) return { term: literal };
    if (piece.endsWith("(") && piece !== "(") return { truth: this.readCall(piece.toLowerCase()) };
    if (!/^[$@]?[A-Za-z_]/.test(piece)) throw syntax("Expression expected", this.place);
    if (piece.split("/").some((name) => name.startsWith("$") || name.includes("."))) throw invalid(piece);
    const found = lookUp(this.version, piece);
    if (typeof found === "string") throw new BadExpression("RequestBroker--ParseUri", found);
    return { term: { holds: found.holds, of: (calendar) => valueAt(calendar, found.path) } };
  }

  private readCall(name: string): Truth {
    if (!TEXT_FUNCTIONS.has(name)) {
      if (name.includes("/") || OTHER_FUNCTIONS.test(name)) throw invalid(name);
      throw syntax(`An unknown function '${name}' was found`, this.place);
    }
    const given = [this.termOf(this.read(0))];
    while (this.peek() === ",") {
      this.place++;
      given.push(this.termOf(this.read(0)));
    }
    this.demand(")");
    const [whole, part] = given;
    const isFit =
      given.length === 2 && given.every(({ holds }) => holds === "text" || holds === "id" || holds === "null");
    if (whole === undefined || part === undefined || !isFit) throw syntax("No function signature matches", this.place);
    const alike = given.some(({ holds }) => holds === "id") ? String : upper;
    return (calendar) => {
      const [text, sought] = [whole.of(calendar), part.of(calendar)];
      if (typeof text !== "string" || typeof sought !== "string") return 0.5;
      const [all, sub] = [alike(text), alike(sought)];
      if (name === "contains(") return all.includes(sub) ? 1 : 0;
      return (name === "startswith(" ? all.startsWith(sub) : all.endsWith(sub)) ? 1 : 0;
    };
  }

  private joined(operator: string, left: Node, right: Node): Node {
    if (operator === "and" || operator === "or") {
      const [one, other] = [this.truthOf(left, operator), this.truthOf(right, operator)];
      const pick = operator === "and" ? Math.min : Math.max;
      return { truth: (calendar) => pick(one(calendar), other(calendar)) };
    }
    return { truth: compared(operator, this.termOf(left), this.termOf(right)) };
  }

  truthOf(node: Node, what: string): Truth {
    if ("truth" in node) return node.truth;
    const { holds, of } = node.term;
    if (holds !== "bool" && holds !== "null") throw syntax(`${what} takes no ${holds}`, this.place);
    return (calendar) => [0.5, 0, 1][[null, false, true].indexOf(of(calendar) as null | boolean)] ?? 0.5;
  }

  private termOf(node: Node): Term {
    if ("term" in node) return node.term;
    return { holds: "bool", of: (calendar) => [false, null, true][node.truth(calendar) * 2] };
  }
}

const invalid = (what: string) =>
  new BadExpression("ErrorInvalidUrlQueryFilter", `The query filter contains one or more invalid nodes: ${what}.`);

function literalOf(piece: string): Term | null {
  const quote = piece.indexOf("'");
  if (quote >= 0) {
    const value = piece
      .slice(quote + 1, -1)
      .split("''")
      .join("'");
    if (quote === 0) return { holds: "text", of: () => value, literal: true };
    const type = Object.keys(MEMBERS).find(
      (name) => `microsoft.graph.${name}`.toLowerCase() === piece.slice(0, quote).toLowerCase(),
    );
    if (type === undefined) throw syntax("An unknown type of a literal", 0);
    return { holds: type as Declared, of: () => value, literal: true };
  }
  if (piece === "null") return { holds: "null", of: () => null, literal: true };
  if (piece === "true" || piece === "false") return { holds: "bool", of: () => piece === "true", literal: true };
  if (!/^-?\d/.test(piece)) return null;
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(piece)) throw syntax("Syntax error", 0);
  return { holds: "number", of: () => Number(piece), literal: true };
}

/** A value on the way, null where there is none. */
export function valueAt(calendar: Cal, path: string): unknown {
  let value: unknown = calendar;
  for (const name of path.split("/")) value = (value as Record<string, unknown> | null | undefined)?.[name];
  return value ?? null;
}

/** As .NET's `OrdinalIgnoreCase`, with full mappings. */
export const upper = (text: string) => text.toUpperCase().normalize("NFC");

/** Both sides as values that `<` and `===` compare, or a refusal. */
function compared(operator: string, left: Term, right: Term): Truth {
  const kinds = [left.holds, right.holds];
  const type = [left, right].find(({ holds, literal }) => holds in MEMBERS && literal === undefined)?.holds;
  const isIdAmong = kinds.includes("id");
  const side = (term: Term): ((calendar: Cal) => unknown) => {
    if (type !== undefined) return memberOf(term, type);
    if (term.holds === "text" && !isIdAmong) return (calendar) => textOf(term.of(calendar), upper);
    return term.of;
  };
  if (type === undefined && !areComparable(operator, left, right))
    throw syntax(`Types do not fit: ${kinds.join(", ")}`, 0);
  const [one, other] = [side(left), side(right)];
  return (calendar) => {
    const [first, second] = [one(calendar), other(calendar)];
    const isEqual = first === second;
    if (operator === "eq" || operator === "ne") return isEqual === (operator === "eq") ? 1 : 0;
    if (isEqual) return operator.endsWith("e") ? 1 : 0;
    if (first === null || second === null) return 0;
    const isLess = (first as string) < (second as string);
    return isLess === operator.startsWith("l") ? 1 : 0;
  };
}

const textOf = (value: unknown, change: (text: string) => string) => (typeof value === "string" ? change(value) : null);

function areComparable(operator: string, left: Term, right: Term): boolean {
  const kinds = [left.holds, right.holds];
  if (kinds.includes("list")) return false;
  if (kinds.includes("emailAddress")) return kinds.includes("null") && /^(eq|ne)$/.test(operator);
  if (kinds.some((kind) => kind in MEMBERS)) return false;
  const plain = kinds.map((kind) => (kind === "id" ? "text" : kind));
  return plain[0] === plain[1] || plain.includes("null");
}

function memberOf(term: Term, type: string): (calendar: Cal) => unknown {
  const members = (MEMBERS[type] ?? []).map((member) => member.toLowerCase());
  const numberOf = (value: unknown) => {
    const at = members.indexOf(String(value).toLowerCase());
    return at < 0 ? null : at;
  };
  if (term.holds === "null") return () => null;
  if (term.holds !== type && !(term.holds === "text" && term.literal)) throw syntax("Types do not fit", 0);
  if (term.literal && numberOf(term.of({})) === null) throw syntax("Not a valid enumeration type constant", 0);
  return (calendar) => numberOf(term.of(calendar));
}
