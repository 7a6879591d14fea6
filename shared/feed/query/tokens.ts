import { quoted, unparsed } from "./mistake.js";

/**
 * A piece of an expression. `at`, `end`: where it stands, as UTF-16 units from 0.
 * `name`: a name, an operator or a namespace with its name. `string`: without quotes. `enum`: such as
 * `microsoft.graph.calendarColor'auto'`. `number`: also dates and the like, which nothing takes. `end`: of the text.
 */
export type Token = { readonly at: number; readonly end: number } & (
  | { readonly kind: "name" | "string" | "number"; readonly text: string }
  | { readonly kind: "enum"; readonly type: string; readonly text: string }
  | { readonly kind: Mark | "end" }
);

/** `*` and `:` stand in OData's expressions as well: the parser says where they are not taken. */
const marks = ["(", ")", ",", "/", "*", ":"] as const;
type Mark = (typeof marks)[number];

const blank = /[ \t\r\n]+/y;
/** OData's identifiers, parted by dots; `$it`, `$count` and annotations, so that they are named when they are refused. */
const name = /[$@]?[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Nd}\p{Mn}\p{Mc}\p{Pc}\p{Cf}.]*/uy;
/** A quote within is doubled. */
const string = /'(?:[^']|'')*'/y;
const number = /-?\d[\w.:+-]*/y;

/**
 * An expression in pieces.
 * @throws RefusedQuery with the position, for text that is none.
 * @see OData ABNF 4.01; https://learn.microsoft.com/graph/query-parameters (a doubled quote)
 */
export function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0] ?? null;
  };
  const stringHere = (): string => {
    const found = match(string);
    if (found !== null) return found;
    throw unparsed(`There is an unterminated string literal at position ${text.length} in ${quoted(text)}.`);
  };
  while (true) {
    at += match(blank)?.length ?? 0;
    const start = at;
    if (at === text.length) break;
    const mark = marks.find((one) => one === text[at]);
    if (mark !== undefined) {
      at += 1;
      tokens.push({ kind: mark, at: start, end: at });
      continue;
    }
    const named = match(name);
    if (named !== null) at += named.length;
    if (text[at] === "'") {
      const literal = stringHere();
      at += literal.length;
      const value = literal.slice(1, -1).replaceAll("''", "'");
      const place = { text: value, at: start, end: at };
      tokens.push(named === null ? { kind: "string", ...place } : { kind: "enum", type: named, ...place });
      continue;
    }
    const found = named ?? match(number);
    if (found === null) {
      const shown = String.fromCodePoint(text.codePointAt(at) ?? 0);
      throw unparsed(`Syntax error: character '${shown}' is not valid at position ${at} in ${quoted(text)}.`);
    }
    if (named === null) at += found.length;
    tokens.push({ kind: named === null ? "number" : "name", text: found, at: start, end: at });
  }
  return [...tokens, { kind: "end", at: text.length, end: text.length }];
}
