import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pageFormatOf, textPage } from "../../shared/http/beta/calendarText.js";
import type { JsonObject } from "../../shared/sync/types.js";

/** Pages of calendars as NDJSON and CSV. */

const link = "https://mirror.example/api/beta/users/getAllCalendars?$skiptoken=t";
const item = { userId: "u", id: "c", name: "Work", owner: { name: "Ann", address: "ann@x" }, canEdit: false };

const ndjsonOf = (items: readonly JsonObject[], next: string | null) => String(textPage("ndjson", items, next).body);
const csvOf = (items: readonly JsonObject[], next: string | null) => String(textPage("csv", items, next).body);

/** What RFC 4180 says of a text, without any guard. */
function parsed(csv: string): readonly (readonly string[])[] {
  const rows: string[][] = [[]];
  const cells = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  for (const [, quoted, plain = "", end] of csv.matchAll(cells)) {
    rows.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === "\r\n") rows.push([]);
  }
  return rows.slice(0, -1);
}

/** Cells by the names of their columns. */
function records(csv: string): readonly Readonly<Record<string, string>>[] {
  const [names = [], ...rows] = parsed(csv);
  for (const row of rows) expect(row).toHaveLength(names.length);
  return rows.map((row) => Object.fromEntries(row.map((cell, index) => [names[index] ?? "", cell])));
}

const text = fc.string({ unit: "binary", maxLength: 20 }).map((given) => given.toWellFormed());
const awkward = fc.oneof(
  text,
  fc.constantFrom("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", '"', ",", "\r\n", "'x", ""),
);

describe("Accept", () => {
  test.each([
    [null, "json"],
    ["*/*", "json"],
    ["text/html, */*;q=0.8", "json"],
    ["application/json;odata.metadata=minimal", "json"],
    ["application/x-ndjson", "ndjson"],
    ["Text/CSV", "csv"],
    ["text/csv, */*", "csv"],
    ["text/csv;q=0.5, application/x-ndjson", "ndjson"],
    ["application/json, text/csv", "json"],
    ["text/csv;q=0", "json"],
    ["text/csv;q=high", "json"],
  ])("%s gets %s", (accept, format) => {
    expect(pageFormatOf(accept)).toBe(format);
  });
});

describe("NDJSON", () => {
  test("is one item a line, as it is in JSON, and the next page where there is one", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.dictionary(text, awkward)), fc.boolean(), async (items, hasNext) => {
        const given = ndjsonOf(items, hasNext ? link : null);
        const lines = given.split("\n");
        expect(lines.pop()).toBe(""); // Each line ends: a line that was cut off shows.
        const last = hasNext ? [{ "@odata.nextLink": link }] : [];
        expect(lines.map((line) => JSON.parse(line))).toEqual([...JSON.parse(JSON.stringify(items)), ...last]);
      }),
    );
  });
});

describe("CSV", () => {
  test("has the flat columns of each calendar; what is null, absent or no text is empty", () => {
    const odd: JsonObject = { userId: "u", id: "d", name: null, owner: "x", color: ["a"], isShared: true };
    expect(csvOf([item, odd], null)).toBe(
      [
        "userId,id,name,ownerName,ownerAddress,color,hexColor,isDefaultCalendar,canEdit,canShare,canViewPrivateItems,isShared,isSharedWithMe,isRemovable,changeKey,nextLink",
        "u,c,Work,Ann,ann@x,,,,false,,,,,,,",
        "u,d,,,,,,,,,,true,,,,",
        "",
      ].join("\r\n"),
    );
  });

  test("no cell begins like a formula, and every other text comes back to the letter", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(awkward, awkward), { minLength: 1 }), async (names) => {
        const items = names.map(([name, address]) => ({ ...item, name, owner: { name: "Ann", address } }));
        const found = records(csvOf(items, null));
        expect(found).toHaveLength(items.length);
        for (const [index, record] of found.entries()) {
          const [name = "", address = ""] = names[index] ?? [];
          for (const cell of Object.values(record)) expect(cell).not.toMatch(/^[=+\-@\t\r\n＝＋－＠]/);
          const guarded = (given: string) => (/^[=+\-@\t\r\n＝＋－＠]/.test(given) ? `'${given}` : given);
          expect([record["name"], record["ownerAddress"]]).toEqual([guarded(name), guarded(address)]);
        }
      }),
    );
  });

  test("a page that is not the last says so in its last line, even where it holds no calendar", () => {
    expect(records(csvOf([item, item], link)).map(({ nextLink }) => nextLink)).toEqual(["", link]);
    expect(records(csvOf([], link)).map(({ id, nextLink }) => [id, nextLink])).toEqual([["", link]]);
    expect(records(csvOf([], null))).toEqual([]);
    expect(records(csvOf([item], null)).map(({ nextLink }) => nextLink)).toEqual([""]);
  });
});

test("a page says its type, that it depends on Accept, and where the next one is", () => {
  expect(textPage("csv", [item], link).headers).toEqual({
    "content-type": "text/csv; charset=utf-8; header=present",
    vary: "Accept",
    link: `<${link}>; rel="next"`,
  });
  expect(textPage("ndjson", [], null)).toEqual({
    status: 200,
    headers: { "content-type": "application/x-ndjson; charset=utf-8", vary: "Accept" },
    body: "",
  });
});
