import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { arrange, type ListQuery, plainList } from "../../shared/feed/query/listQuery.js";
import type { QueryMistake } from "../../shared/feed/query/mistake.js";
import { parseFilter, parseOrderBy, parseSelect } from "../../shared/feed/query/syntax.js";
import type { CalendarRow, JsonObject } from "../../shared/sync/types.js";

const rowOf = (calendarId: string, resource: JsonObject): CalendarRow => ({
  calendarId,
  resource,
  generation: 1,
  sequence: 1,
  changedMs: 0,
  removedMs: null,
});

/** The query of one option. */
function queryOf(option: string, text: string): ListQuery | QueryMistake {
  if (option === "$filter") {
    const filter = parseFilter(text);
    return "mistake" in filter ? filter : { ...plainList, filter };
  }
  if (option === "$orderby") {
    const orderBy = parseOrderBy(text);
    return "mistake" in orderBy ? orderBy : { ...plainList, orderBy };
  }
  const select = parseSelect(text);
  return "mistake" in select ? select : { ...plainList, select };
}

/** The ids of the calendars in their order, or why there are none. */
function idsBy(option: string, text: string, rows: readonly CalendarRow[]): string {
  const query = queryOf(option, text);
  const found = "mistake" in query ? query : arrange(query, rows);
  return "mistake" in found ? found.mistake : found.arranged.map(({ calendarId }) => calendarId).join("");
}

describe("what Microsoft.OData.Core makes of an option", () => {
  const table = readFileSync(join(import.meta.dirname, "odataCore.tsv"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split("\t"))
    .map(([verdict = "", option = "", text = "", words = ""]) => ({
      verdict,
      option,
      text: JSON.parse(text) as string,
      words,
    }));
  const rows = [rowOf("a", { id: "a", name: "A" })];
  const mistakeOf = (option: string, text: string): string | null => {
    const query = queryOf(option, text);
    const found = "mistake" in query ? query : arrange(query, rows);
    return "mistake" in found ? found.mistake : null;
  };

  /** What the library takes and a list does not: what Exchange refuses, what says nothing, and expressions where a name is meant. */
  const refusedHere = new Set(
    [
      ...["", " ", "name,", "@p", "owner eq owner", "color eq name", "name eq microsoft.graph.calendarColor'auto'"],
      ...["color eq -1", "color eq '-1'", "color has 'auto'", "tolower(name) eq 'a'", "length(name) eq 3", "events"],
      ...["contains(tolower(name),'a')", "events/any()", "$it/name eq 'a'", "microsoft.graph.calendar/name eq 'a'"],
      ...["allowedOnlineMeetingProviders/any(a:a eq 'teamsForBusiness')", "allowedOnlineMeetingProviders/$count eq 0"],
      ...["name eq 'a'", "'a'", "null", "tolower(name)", "(name)"].map((text) => `$orderby ${text}`),
      "microsoft.graph.calendar/name",
    ].flatMap((text) =>
      text.startsWith("$orderby ") ? [text] : ["$filter", "$orderby", "$select"].map((one) => `${one} ${text}`),
    ),
  );
  refusedHere.delete("$filter name eq 'a'");

  test("is taken here as well, but for what Exchange does not take", () => {
    const refused = table
      .filter(({ verdict }) => verdict === "ok")
      .filter(({ option, text }) => mistakeOf(option, text) !== null && !refusedHere.has(`${option} ${text}`));
    expect(refused).toEqual([]);
    expect(table.filter(({ verdict }) => verdict === "ok").length).toBeGreaterThan(100);
  });

  test("is refused here as well, in its words where a name is unknown, a type does not fit or something is missing", () => {
    // The library takes `in` in lower case alone, though OData 4.01 wants operators taken in any.
    const refused = table.filter(({ verdict, text }) => verdict === "no" && text !== "name IN ('a')");
    for (const { option, text, words } of refused) {
      const mistake = mistakeOf(option, text);
      expect(mistake, `${option} ${text}`).not.toBeNull();
      const isSaidSo = /^(Could not find|A (bi|u)nary operator|There is an|'\)' or operator|The \$)/.test(words);
      const isOfWhatIsRefusedSooner = /\b(has|sub|add|mul)\b|Permissions|\$count|Edm\.(Int32|Single|Date)|^[[{]/.test(
        `${text} ${words}`,
      );
      if (isSaidSo && !isOfWhatIsRefusedSooner) expect(mistake, `${option} ${text}`).toBe(words);
    }
    expect(refused.length).toBeGreaterThan(100);
  });
});

describe("null and values of other kinds", () => {
  const rows = [
    rowOf("a", { name: "x", isShared: true, later: "x", other: 5 }),
    rowOf("b", { name: null, isShared: null, later: 7, other: { x: 1 } }),
    rowOf("c", { name: "y", isShared: false, later: true }),
  ];

  test.each([
    ["name eq null", "b"],
    ["name ne null", "ac"],
    ["name ne 'x'", "bc"],
    ["not (name eq 'x')", "bc"],
    ["name gt 'a'", "ac"],
    ["name lt 'z' or name ge 'z'", "ac"],
    ["name ge null", "b"],
    ["name gt null", ""],
    ["null le null", "abc"],
    ["startswith(name,'x')", "a"],
    ["not startswith(name,'x')", "c"],
    ["startswith(name,'x') eq null", "b"],
    ["startswith(name,null)", ""],
    ["isShared", "a"],
    ["not isShared", "c"],
    ["isShared or null", "a"],
    ["not (isShared and null)", "c"],
    ["isShared ge false", "ac"],
    ["name in (null,'y')", "bc"],
    ["name in ()", ""],
    ["later eq 'X'", "a"],
    ["later gt 5", "b"],
    ["later lt 'z'", "a"],
    ["later", "c"],
    ["not later", ""],
    ["other eq null", "c"],
    ["other ne null", "ab"],
    ["other eq other", "ac"],
    ["other/x eq 1", "b"],
  ])("$filter=%s: %s", (filter, expected) => {
    expect(idsBy("$filter", filter, rows)).toBe(expected);
  });

  test.each([
    ["name", "bac"],
    ["name desc", "cab"],
    ["isShared", "bca"],
    ["later", "cba"],
    ["other desc", "bac"],
  ])("$orderby=%s: %s", (orderBy, expected) => {
    expect(idsBy("$orderby", orderBy, rows)).toBe(expected);
  });
});

describe("texts", () => {
  const rows = ["zoe", "Zoé", "Straße", "a_b", "aZb", "İstanbul"].map((name, index) =>
    rowOf("abcdef"[index] ?? "", { name }),
  );

  test.each([
    ["name eq 'ZOE'", "a"],
    ["name eq 'zoe\u0301'", "b"],
    ["name eq 'STRASSE'", "c"],
    ["name lt 'a_b'", "e"],
    ["endswith(name,'ASSE')", "c"],
    ["contains(name,'')", "abcdef"],
    ["startswith(name,'i\u0307')", "f"],
  ])("case does not count, marks do: %s: %s", (filter, expected) => {
    expect(idsBy("$filter", filter, rows)).toBe(expected);
  });

  test("the case of an id counts, and that of what is compared with one", () => {
    const ids = [rowOf("A", { name: "a" }), rowOf("a", { name: "a" })];
    expect(idsBy("$filter", "id eq 'a'", ids)).toBe("a");
    expect(idsBy("$filter", "startswith(id,'A')", ids)).toBe("A");
    expect(idsBy("$filter", "name eq id", ids)).toBe("a");
    expect(idsBy("$orderby", "id desc", ids)).toBe("aA");
  });
});

describe("the longest query costs little more than a short one", () => {
  const names = Array.from({ length: 200 }, (_, index) => `Calendar ${index}`);
  const rows = names.map((name, index) => rowOf(String(index), { name }));

  test.each([
    ["$filter", `name in (${names.map((name) => `'${name}'`)})`],
    ["$filter", names.map((name) => `contains(name,'${name}')`).join(" or ")],
    ["$orderby", names.map((_, index) => (index % 2 === 0 ? "name" : "Name desc")).join(",")],
  ])("%s: each text is made comparable once, whatever it is compared with", (option, text) => {
    const made = vi.spyOn(String.prototype, "normalize");
    idsBy(option, text, rows);
    expect(made.mock.calls.length).toBeLessThanOrEqual(2 * names.length);
    made.mockRestore();
  });

  test("what is sought among values is read once, however many they are", () => {
    const read = vi.fn(() => 7);
    const resource = Object.defineProperty({ id: "a" }, "later", { get: read, enumerable: true });
    const readsOf = (values: readonly number[]) => {
      read.mockClear();
      expect(idsBy("$filter", `later in (${values})`, [rowOf("a", resource)])).toBe("a");
      return read.mock.calls.length;
    };
    expect(readsOf(Array.from({ length: 500 }, (_, index) => index).reverse())).toBe(readsOf([7]));
  });
});

describe("what is known", () => {
  test("is what Graph declares, and what any calendar of the mailbox has; annotations are no names", () => {
    const rows = [rowOf("a", { later: { deep: { er: 1 } }, "later@odata.type": "x" }), rowOf("b", { later: 5 })];
    expect(idsBy("$filter", "LATER/Deep/er eq 1", rows)).toBe("a");
    const unknown = "Could not find a property named";
    expect(idsBy("$filter", "later/deeper eq 1", rows)).toBe(`${unknown} 'deeper' on type 'Edm.Untyped'.`);
    expect(idsBy("$filter", "later/deep/er/x eq 1", rows)).toBe(`${unknown} 'x' on type 'Edm.Untyped'.`);
    expect(idsBy("$filter", "later eq 5", [])).toBe(`${unknown} 'later' on type 'microsoft.graph.calendar'.`);
    expect(idsBy("$filter", "__proto__ eq null", rows)).toBe(
      `${unknown} '__proto__' on type 'microsoft.graph.calendar'.`,
    );
    expect(idsBy("$select", "*,later/deep", rows)).toBe("ab");
    expect(idsBy("$select", "*,latter", rows)).toBe(`${unknown} 'latter' on type 'microsoft.graph.calendar'.`);
    expect(idsBy("$select", "later@odata.type", rows)).toBe("Syntax error at position 16 in 'later@odata.type'.");
  });

  test("members of enumerations that Graph adds are known where a calendar has them, and come after the others", () => {
    const rows = [rowOf("a", { color: "lightZinc" }), rowOf("b", { color: "maxColor" }), rowOf("c", { color: "auto" })];
    expect(idsBy("$filter", "color eq 'LIGHTZINC'", rows)).toBe("a");
    expect(idsBy("$filter", "color gt 'lightRed'", rows)).toBe("ab");
    expect(idsBy("$orderby", "color", rows)).toBe("cba");
    expect(idsBy("$filter", "color eq 'lightZinc'", rows.slice(1))).toContain("not a valid enumeration type constant");
  });
});
