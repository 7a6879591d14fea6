import { answering, invalidNode, type QueryMistake, type QueryOption, quoted, unparsed } from "./mistake.js";
import { type Token, tokensOf } from "./tokens.js";

/** Our choice: how deep parentheses, `not` and comparisons of comparisons may be nested. People write two or three levels. */
const levelsMax = 100;

/** In the place of a name: all properties. */
export const allProperties = "*";

/** Names on the way to a property, as they were written. `at`: where the first one stands. */
export type PathSyntax = { readonly kind: "path"; readonly names: readonly string[]; readonly at: number };

/** How two values are compared. */
export type Comparison = "eq" | "ne" | "gt" | "ge" | "lt" | "le";

/** What Graph lists as functions of `$filter`. @see https://learn.microsoft.com/graph/filter-query-parameter */
export type TextFunction = "startswith" | "endswith" | "contains";

/** A literal. `enum`: with the name of its type. */
export type LiteralSyntax =
  | { readonly kind: "literal"; readonly value: string | number | boolean | null; readonly at: number }
  | { readonly kind: "enum"; readonly type: string; readonly member: string; readonly at: number };

/** An expression of `$filter` as it was written: names have not been looked up. */
export type FilterSyntax =
  | PathSyntax
  | LiteralSyntax
  | { readonly kind: "and" | "or"; readonly operands: readonly FilterSyntax[] }
  | { readonly kind: "not"; readonly operand: FilterSyntax }
  | { readonly kind: "compare"; readonly by: Comparison; readonly left: FilterSyntax; readonly right: FilterSyntax }
  | { readonly kind: "in"; readonly left: FilterSyntax; readonly members: readonly LiteralSyntax[] }
  | { readonly kind: "call"; readonly name: TextFunction; readonly given: readonly FilterSyntax[] };

/** A key of `$orderby`. */
export type OrderSyntax = { readonly path: PathSyntax; readonly isDescending: boolean };

/** OData's other canonical functions: known, and not taken, as by Graph. */
const otherFunctions = new Set(
  ["length", "indexof", "substring", "tolower", "toupper", "trim", "concat", "matchespattern", "year", "month", "day"]
    .concat(["hour", "minute", "second", "fractionalseconds", "date", "time", "totaloffsetminutes", "now", "case"])
    .concat(["mindatetime", "maxdatetime", "totalseconds", "round", "floor", "ceiling", "cast", "isof", "hassubset"])
    .concat(["hassubsequence", "geo.distance", "geo.intersects", "geo.length", "any", "all"]),
);
const otherOperators = new Set(["has", "add", "sub", "mul", "div", "divby", "mod"]);

/**
 * `$filter`: comparisons (`eq ne gt ge lt le in`), `and or not`, `startswith endswith contains`, paths and literals, each
 * operator without regard to case. `not` binds tighter than a comparison, `and` tighter than `or`.
 * @see OData 4.01 Part 2, 5.1.1.1 and 5.1.1.14 (precedence)
 */
export function parseFilter(text: string): FilterSyntax | QueryMistake {
  return answering(() => {
    const parser = new Parser("$filter", text);
    const filter = parser.expression();
    parser.expectEnd();
    return filter;
  });
}

/** `$orderby`: paths parted by commas, each with `asc` (the default) or `desc`. @see OData 4.01 Part 2, 5.1.5 */
export function parseOrderBy(text: string): readonly OrderSyntax[] | QueryMistake {
  return answering(() => new Parser("$orderby", text).keys());
}

/** `$select`: paths parted by commas, or `*`, which is a path of that name: all properties. @see OData 4.01 Part 2, 5.1.4 */
export function parseSelect(text: string): readonly PathSyntax[] | QueryMistake {
  return answering(() => new Parser("$select", text).paths());
}

class Parser {
  readonly #option: QueryOption;
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #level = 0;

  constructor(option: QueryOption, text: string) {
    this.#option = option;
    this.#text = text;
    this.#tokens = tokensOf(text);
  }

  expression(): FilterSyntax {
    return this.#chain("or", () => this.#chain("and", () => this.#equality()));
  }

  expectEnd(): void {
    if (this.#token.kind !== "end") throw this.#syntaxError();
  }

  keys(): readonly OrderSyntax[] {
    const keys: OrderSyntax[] = [];
    do {
      const path = this.#path();
      const isDescending = this.#takeName("desc");
      if (!isDescending) this.#takeName("asc");
      keys.push({ path, isDescending });
    } while (this.#take(","));
    this.expectEnd();
    return keys;
  }

  paths(): readonly PathSyntax[] {
    const paths: PathSyntax[] = [];
    do {
      const { at } = this.#token;
      paths.push(this.#take("*") ? { kind: "path", names: [allProperties], at } : this.#path());
    } while (this.#take(","));
    this.expectEnd();
    return paths;
  }

  get #token(): Token {
    const token = this.#tokens[Math.min(this.#next, this.#tokens.length - 1)];
    if (token === undefined) throw new Error("There is always the end of the text.");
    return token;
  }

  /** Whether the next piece is of this kind; if so, it is passed. */
  #take(kind: Token["kind"]): boolean {
    if (this.#token.kind !== kind) return false;
    this.#next += 1;
    return true;
  }

  /** The same for an operator, in any case. @see OData 4.01 Part 2, 5.1.1.1: services must take operators so */
  #takeName(operator: string): boolean {
    const token = this.#token;
    if (token.kind !== "name" || token.text.toLowerCase() !== operator) return false;
    this.#next += 1;
    return true;
  }

  #chain(operator: "and" | "or", operand: () => FilterSyntax): FilterSyntax {
    const operands = [operand()];
    while (this.#takeName(operator)) operands.push(operand());
    const [only] = operands;
    return operands.length === 1 && only !== undefined ? only : { kind: operator, operands };
  }

  #equality(): FilterSyntax {
    return this.#comparisons(["eq", "ne"], () => this.#comparisons(["gt", "ge", "lt", "le"], () => this.#unary()));
  }

  #comparisons(operators: readonly Comparison[], operand: () => FilterSyntax): FilterSyntax {
    let left = operand();
    for (let level = 0; ; level++) {
      if (level > levelsMax) throw this.#tooDeep();
      this.#refuseOtherOperator();
      const by = operators.find((operator) => this.#takeName(operator));
      if (by === undefined) return left;
      left = { kind: "compare", by, left, right: operand() };
    }
  }

  #refuseOtherOperator(): void {
    const token = this.#token;
    if (token.kind !== "name" || !otherOperators.has(token.text.toLowerCase())) return;
    throw invalidNode(this.#option, `the operator '${token.text}'`, token.at);
  }

  #unary(): FilterSyntax {
    if (this.#takeName("not")) return this.#deeper(() => ({ kind: "not", operand: this.#unary() }));
    const left = this.#primary();
    if (!this.#takeName("in")) return left;
    return { kind: "in", left, members: this.#members() };
  }

  #deeper<Value>(read: () => Value): Value {
    this.#level += 1;
    if (this.#level > levelsMax) throw this.#tooDeep();
    const value = read();
    this.#level -= 1;
    return value;
  }

  /** What stands in parentheses after `in`; none at all is allowed, as by Microsoft.OData.Core, and fits nothing. */
  #members(): readonly LiteralSyntax[] {
    if (!this.#take("(")) throw this.#expected("'('");
    if (this.#take(")")) return [];
    const members: LiteralSyntax[] = [];
    do {
      const member = this.#literal();
      if (member === null) throw this.#expected("A literal");
      members.push(member);
    } while (this.#take(","));
    if (!this.#take(")")) throw this.#expected("')' or ','");
    return members;
  }

  #primary(): FilterSyntax {
    const token = this.#token;
    const literal = this.#literal();
    if (literal !== null) return literal;
    if (this.#take("(")) {
      const inner = this.#deeper(() => this.expression());
      if (!this.#take(")")) throw this.#expected("')' or operator");
      return inner;
    }
    const after = this.#tokens[this.#next + 1];
    const isCall = token.kind === "name" && after?.kind === "(" && after.at === token.end;
    return isCall ? this.#call(token.text, token.at) : this.#path();
  }

  #call(name: string, at: number): FilterSyntax {
    const lower = name.toLowerCase();
    const known = (["startswith", "endswith", "contains"] as const).find((one) => one === lower);
    if (known === undefined && otherFunctions.has(lower)) throw invalidNode(this.#option, `the function '${name}'`, at);
    if (known === undefined) throw unparsed(`An unknown function with name '${name}' was found at position ${at}.`);
    this.#next += 2;
    const given = this.#deeper(() => {
      const found = [this.expression()];
      while (this.#take(",")) found.push(this.expression());
      return found;
    });
    if (!this.#take(")")) throw this.#expected("')' or ','");
    return { kind: "call", name: known, given };
  }

  /** Null: there is none here. Its words are in lower case, as Microsoft.OData.Core takes them. */
  #literal(): LiteralSyntax | null {
    const token = this.#token;
    const { at } = token;
    if (token.kind === "string") return this.#passed({ kind: "literal", value: token.text, at });
    if (token.kind === "enum") return this.#passed({ kind: "enum", type: token.type, member: token.text, at });
    if (token.kind === "number") return this.#passed({ kind: "literal", value: this.#number(token.text), at });
    if (token.kind !== "name") return null;
    switch (token.text) {
      case "true":
        return this.#passed({ kind: "literal", value: true, at });
      case "false":
        return this.#passed({ kind: "literal", value: false, at });
      case "null":
        return this.#passed({ kind: "literal", value: null, at });
      default:
        return null;
    }
  }

  #passed(literal: LiteralSyntax): LiteralSyntax {
    this.#next += 1;
    return literal;
  }

  /** No property of a calendar is a date, a GUID or a duration, so that none of these is a literal here. */
  #number(text: string): number {
    const value = Number(text);
    if (Number.isFinite(value) && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text)) return value;
    throw this.#syntaxError();
  }

  #path(): PathSyntax {
    const { at } = this.#token;
    const names: string[] = [];
    do {
      const token = this.#token;
      if (token.kind !== "name") throw this.#expected(names.length === 0 ? "Expression" : "A name");
      this.#next += 1;
      this.#refuseOtherSegment(token.text, token);
      names.push(token.text);
    } while (this.#take("/"));
    return { kind: "path", names, at };
  }

  /** Casts, `$count`, `$it`, `any` and `all`. */
  #refuseOtherSegment(segment: string, { at, end }: Token): void {
    const isCast = segment.includes(".") && !segment.startsWith("@");
    const isCall = this.#token.kind === "(" && this.#token.at === end;
    if (segment.startsWith("$") || isCast || isCall) throw invalidNode(this.#option, `'${segment}'`, at);
  }

  #tooDeep(): Error {
    return unparsed(`Recursion depth exceeded allowed limit: ${levelsMax} levels, at position ${this.#token.at}.`);
  }

  #expected(what: string): Error {
    return unparsed(`${what} expected at position ${this.#token.at} in ${quoted(this.#text)}.`);
  }

  #syntaxError(): Error {
    return unparsed(`Syntax error at position ${this.#token.end} in ${quoted(this.#text)}.`);
  }
}
