import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePage } from "../../shared/graph/page.js";

const nextLink = "https://graph.microsoft.com/beta/users/u/calendars/delta?$skiptoken=s.1";
const deltaLink = "https://graph.microsoft.com/beta/users/u/calendars/delta?$deltatoken=d.1";
const calendar = { id: "A=", name: "Work" };
const malformed = { kind: "unreadable", code: "malformedPage", retryAfterMs: null };

describe("a delta page", () => {
  test("with a nextLink has more to come, also when it is empty", () => {
    expect(parsePage({ value: [], "@odata.nextLink": nextLink }, "delta")).toMatchObject({
      kind: "page",
      items: [],
      link: nextLink,
    });
  });

  test("with a deltaLink is the last of its round", () => {
    expect(parsePage({ value: [calendar], "@odata.deltaLink": deltaLink }, "delta")).toMatchObject({
      kind: "lastPage",
      items: [{ calendarId: "A=", removed: false, properties: calendar }],
      link: deltaLink,
    });
  });

  test.each([{ reason: "deleted" }, { reason: "changed", extra: 1 }, {}, "deleted", true, false, 0])(
    "takes @removed as %j for a removal",
    (removed) => {
      const page = parsePage({ value: [{ id: "A=", "@removed": removed }], "@odata.deltaLink": deltaLink }, "delta");
      expect(page).toMatchObject({ items: [{ calendarId: "A=", removed: true }] });
    },
  );

  test("takes @removed as null for none", () => {
    const page = parsePage({ value: [{ id: "A=", "@removed": null }], "@odata.deltaLink": deltaLink }, "delta");
    expect(page).toMatchObject({ items: [{ removed: false }] });
  });

  test("keeps properties that nobody knows, even one called __proto__, and changes no prototype", () => {
    const text = '{"id":"A=","newThing":{"a":[1]},"__proto__":{"polluted":true},"color":"ultraviolet"}';
    const page = parsePage(JSON.parse(`{"value":[${text}],"@odata.deltaLink":"${deltaLink}"}`), "delta");
    if (page.kind !== "lastPage") throw new Error("The page was refused.");
    expect(JSON.stringify(page.items[0]?.properties)).toBe(text);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("I3: an id that stands in an own __proto__ only is no id", () => {
    const body = JSON.parse(`{"value":[{"__proto__":{"id":"A="}}],"@odata.deltaLink":"${deltaLink}"}`);
    expect(parsePage(body, "delta")).toEqual(malformed);
  });
});

describe("I3: nothing is half believed", () => {
  const good = { value: [calendar], "@odata.deltaLink": deltaLink };
  test.each<[string, unknown]>([
    ["no object", null],
    ["an array", [good]],
    ["text", "page"],
    ["no value", { "@odata.deltaLink": deltaLink }],
    ["a value that is no array", { ...good, value: { 0: calendar } }],
    ["null as an item", { ...good, value: [calendar, null] }],
    ["an array as an item", { ...good, value: [[calendar]] }],
    ["an item without id", { ...good, value: [calendar, { name: "Rota" }] }],
    ["an empty id", { ...good, value: [{ id: "" }] }],
    ["a number as id", { ...good, value: [{ id: 7 }] }],
    ["both links", { ...good, "@odata.nextLink": nextLink }],
    ["neither link", { value: [calendar] }],
    ["an empty link", { value: [], "@odata.deltaLink": "" }],
    ["a link that is no text", { value: [], "@odata.deltaLink": { href: deltaLink } }],
    ["a good link beside a broken one", { ...good, "@odata.nextLink": 5 }],
    ["a link longer than any", { value: [], "@odata.deltaLink": `${deltaLink}${"x".repeat(16_000)}` }],
    ["an error in mid-answer", { ...good, error: { code: "UnknownError" } }],
    ["a link in a spelling of another day", { ...good, "@nextLink": nextLink }],
  ])("a delta page with %s is refused whole", (_what, body) => {
    expect(parsePage(body, "delta")).toEqual(malformed);
  });

  test.each<[string, unknown]>([
    ["an empty nextLink", { value: [], "@odata.nextLink": "" }],
    ["a nextLink that is no text", { value: [], "@odata.nextLink": 1 }],
    ["a nextLink in another spelling", { value: [], "@odata.nextlink": nextLink }],
    ["a deltaLink", { value: [], "@odata.deltaLink": deltaLink }],
    ["an error in mid-answer", { value: [calendar], error: { code: "UnknownError" } }],
  ])("a list page with %s is refused: taken for the end, it would remove calendars", (_what, body) => {
    expect(parsePage(body, "list")).toEqual(malformed);
  });

  test("an item nested beyond what can be written down again is refused, without a crash", () => {
    const nested = (levels: number) => JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`);
    const pageOf = (levels: number) =>
      parsePage({ value: [{ id: "A=", deep: nested(levels) }], "@odata.deltaLink": deltaLink }, "delta");
    expect(pageOf(98)).toMatchObject({ kind: "lastPage" });
    for (const levels of [99, 5_000, 50_000]) expect(pageOf(levels)).toEqual(malformed);
  });
});

test("a list page without a link is the last one, and has no link to keep", () => {
  expect(parsePage({ value: [calendar] }, "list")).toMatchObject({ kind: "lastPage", link: null });
  expect(parsePage({ value: [calendar], "@odata.nextLink": null }, "list")).toMatchObject({
    kind: "lastPage",
    link: null,
  });
  expect(parsePage({ value: [calendar], "@odata.nextLink": nextLink }, "list")).toMatchObject({
    kind: "page",
    link: nextLink,
  });
});

test("equal payloads have equal hashes though their links rotate, other payloads have others (taxonomy row 47)", () => {
  const hashOf = (value: unknown, link: string) => {
    const page = parsePage({ value, "@odata.nextLink": link }, "delta");
    return page.kind === "page" ? page.payloadHash : "";
  };
  expect(hashOf([calendar], nextLink)).toMatch(/^[\w-]{22}$/);
  expect(hashOf([calendar], `${nextLink}2`)).toBe(hashOf([calendar], nextLink));
  expect(hashOf([{ ...calendar, name: "Rota" }], nextLink)).not.toBe(hashOf([calendar], nextLink));
});

test("an empty page has no hash, and a last page needs none: a quiet mailbox's answer is not serialised again", () => {
  expect(parsePage({ value: [], "@odata.nextLink": nextLink }, "delta")).toMatchObject({ payloadHash: null });
  const deltaLink = nextLink.replace("skiptoken", "deltatoken");
  for (const value of [[], [calendar]]) {
    expect(parsePage({ value, "@odata.deltaLink": deltaLink }, "delta")).not.toHaveProperty("payloadHash");
  }
});

test("I3: any body is a whole page or none, and never a crash", () => {
  const link = fc.option(fc.oneof(fc.constant(nextLink), fc.jsonValue()), { nil: undefined });
  const item = fc.oneof(
    fc.jsonValue(),
    fc.record({ id: fc.string(), "@removed": fc.jsonValue() }, { requiredKeys: [] }),
  );
  const bodies = fc.oneof(
    fc.jsonValue(),
    fc.record({ value: fc.oneof(fc.array(item), fc.jsonValue()), "@odata.nextLink": link, "@odata.deltaLink": link }),
  );
  fc.assert(
    fc.property(bodies, fc.constantFrom("delta" as const, "list" as const), (body, strategy) => {
      const page = parsePage(body, strategy);
      if (page.kind !== "page" && page.kind !== "lastPage") {
        expect(page).toEqual(malformed);
        return;
      }
      const { value } = body as { value: readonly unknown[] };
      expect(page.items.map((each) => each.properties)).toEqual(value);
      expect(page.items.every((each) => each.calendarId !== "")).toBe(true);
      if (strategy === "delta") expect(page.link).toEqual(expect.stringMatching(/./));
    }),
  );
});
