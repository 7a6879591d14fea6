import fc from "fast-check";
import { expect, test } from "vitest";
import { arrange, plainList } from "../../shared/feed/query/listQuery.js";
import { parseFilter, parseOrderBy, parseSelect } from "../../shared/feed/query/syntax.js";
import { readItem } from "../../shared/feed/wire.js";
import { listUrl, readOptionsOf } from "../../shared/http/beta/queryOptions.js";
import { type CalendarRow, isJsonObject, type JsonObject } from "../../shared/sync/types.js";
import { calendarId, hostileJson, hostileText } from "./hostile.js";
import { fixedDraws, runs } from "./runs.js";

const words = [
  "and",
  "or",
  "not",
  "eq",
  "ne",
  "gt",
  "le",
  "in",
  "has",
  "(",
  ")",
  ",",
  "/",
  "'",
  "''",
  "*",
  "$",
  "@",
  ".",
  ":",
]
  .concat([
    "name",
    "owner",
    "address",
    "color",
    "isShared",
    "id",
    "later",
    "null",
    "true",
    "5",
    "-1.5e3",
    "'a'",
    "'auto'",
  ])
  .concat([
    "contains(",
    "startswith(",
    "tolower(",
    "any(",
    "microsoft.graph.calendarColor'auto'",
    "__proto__",
    " ",
    "\t",
  ]);

/** Text that looks like an expression, and text that does not. */
const expression = fc.oneof(
  { weight: 4, arbitrary: fc.array(fc.constantFrom(...words), { maxLength: 14 }).map((some) => some.join(" ")) },
  {
    weight: 2,
    arbitrary: fc
      .array(fc.oneof(fc.constantFrom(...words), hostileText), { maxLength: 8 })
      .map((some) => some.join("")),
  },
  { weight: 1, arbitrary: hostileText },
);
const resource = hostileJson.map((value): JsonObject => (isJsonObject(value) ? value : { name: value as string }));
const row = fc.record({ calendarId, resource }).map(
  ({ calendarId, resource }): CalendarRow => ({
    calendarId,
    resource: { ...resource, later: resource },
    generation: 1,
    sequence: 1,
    changedMs: 0,
    removedMs: null,
  }),
);

/** The rows that an option shows; null where it is refused, and then in one short sentence. */
function shownBy(option: "$filter" | "$orderby" | "$select", text: string, rows: readonly CalendarRow[]) {
  const read = () => {
    if (option === "$filter") {
      const filter = parseFilter(text);
      return "mistake" in filter ? filter : arrange({ ...plainList, filter }, rows);
    }
    if (option === "$orderby") {
      const orderBy = parseOrderBy(text);
      return "mistake" in orderBy ? orderBy : arrange({ ...plainList, orderBy }, rows);
    }
    const select = parseSelect(text);
    return "mistake" in select ? select : arrange({ ...plainList, select }, rows);
  };
  const found = read();
  if (!("mistake" in found)) return found;
  expect(found.code).toMatch(/^(RequestBroker--ParseUri|ErrorInvalidUrlQuery(Filter)?)$/);
  return null;
}

test("any text of an option is understood or refused, over any calendars, and nothing is added, lost or doubled", () => {
  const drawn = fc.tuple(
    fc.constantFrom("$filter", "$orderby", "$select"),
    expression,
    fc.array(row, { maxLength: 4 }),
  );
  fc.assert(
    fc.property(drawn, ([option, text, rows]) => {
      const found = shownBy(option, text, rows);
      if (found === null) return;
      expect(new Set(found.arranged).size).toBe(found.arranged.length);
      for (const one of found.arranged) expect(rows).toContain(one);
      if (option !== "$filter") expect(found.arranged.length).toBe(rows.length);
      for (const one of rows) {
        const item = readItem(one, found.select);
        expect(item["id"]).toBe(one.calendarId);
        if (found.select !== null) expect(Object.keys(item).length).toBeLessThanOrEqual(2 * found.select.length + 1);
      }
    }),
    runs(2000),
  );
  const understood = fixedDraws(expression).filter((text) => !("mistake" in parseFilter(text)));
  expect(understood.length).toBeGreaterThan(50);
});

test("a filter and its contrary never show the same calendar, and with null for neither all are shown", () => {
  fc.assert(
    fc.property(expression, fc.array(row, { maxLength: 4 }), (text, rows) => {
      const [shown, contrary, neither] = [text, `not (${text})`, `(${text}) eq null`].map((filter) =>
        shownBy("$filter", filter, rows),
      );
      if (shown === null || shown === undefined || !contrary || !neither) return;
      const all = [...shown.arranged, ...contrary.arranged, ...neither.arranged];
      // What is no Boolean, in a property that Graph does not declare, is not null either.
      expect(new Set(all).size).toBe(all.length);
    }),
    runs(1000),
  );
});

test("nesting and length are bounded, and what is read takes no longer than it is long", () => {
  for (const [open, close] of [
    ["(", ")"],
    ["not ", ""],
    ["contains(name,", ")"],
    ["isShared eq ", ""],
  ] as const) {
    const nested = `${open.repeat(100_000)}isShared${close.repeat(100_000)}`;
    expect(parseFilter(nested)).toMatchObject({ mistake: expect.stringContaining("Recursion depth exceeded") });
  }
  const chained = Array.from({ length: 20_000 }, () => "isShared").join(" or ");
  expect(shownBy("$filter", chained, [])).toMatchObject({ arranged: [] });
  expect(parseFilter(`name eq '${"''".repeat(100_000)}`)).toHaveProperty("mistake");
});

test("options that are taken have a link that is read as they were, and fits a request's first line", () => {
  const option = fc.constantFrom("$filter", "$orderby", "$select", "$skip", "$top", "$count", "$format");
  const some = fc.array(fc.tuple(option, fc.oneof(expression, fc.constantFrom("1", "true", "json", "name"))), {
    maxLength: 4,
  });
  fc.assert(
    fc.property(some, (pairs) => {
      const url = new URL("https://mirror.example/api/beta/me/calendars");
      for (const [name, value] of pairs) url.searchParams.append(name, value);
      const accepted = ["$filter", "$orderby", "$select", "$top", "$skip", "$count", "$format"] as const;
      const read = readOptionsOf(url, accepted);
      if ("mistake" in read) return;
      const link = listUrl({ origin: "https://x.example", collection: "/beta/me/calendars" }, read, null);
      expect(link.length).toBeLessThan(6_100);
      const again = readOptionsOf(new URL(link), accepted);
      expect({ ...again, given: null, query: { ...("query" in again ? again.query : null), allText: null } }).toEqual({
        ...read,
        given: null,
        query: { ...read.query, allText: null },
      });
    }),
    runs(500),
  );
});
