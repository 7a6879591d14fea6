import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { simulator, verdict } from "../worlds/simulator.js";

/** What Graph's and OData's documentation say of the options of a list, held against the simulator alone. */

const values = [
  { name: "Zoo", color: "lightBlue", isShared: true, owner: { name: "Adele", address: "adele@contoso.com" } },
  { name: "alpha", color: "auto", isShared: false, owner: { name: "Bob", address: "bob@contoso.com" } },
  { name: "Beta", color: "lightGreen", isShared: null, owner: null },
  { name: "O'Brien", color: "auto", isShared: true, owner: { name: "Bob", address: "BOB@fabrikam.com" } },
];

function opened() {
  const world = simulator({ calendars: values.length });
  const { graph, mailboxId, ask, page } = world;
  for (const [index, { id }] of graph.truth(mailboxId).entries())
    graph.updateCalendar(mailboxId, id, values[index] ?? {});
  const list = (query: string, version = "beta") => `/${version}/users/${mailboxId}/calendars?${query}`;
  const names = (query: string) => page(list(query)).value.map(({ name }) => name);
  return { ...world, list, names, refused: (query: string) => verdict(ask(list(query))) };
}

describe("a list of calendars by OData's query options", () => {
  test.each([
    ["$filter=name eq 'ZOO'", ["Zoo"], "case does not count"],
    ["$filter=name+eq+'O''brien'", ["O'Brien"], "a quote is doubled"],
    ["filter=COLOR EQ 'auto'", ["alpha", "O'Brien"], "the dollar sign is optional in beta"],
    ["$filter=color eq microsoft.graph.calendarColor'auto' and isShared", ["O'Brien"], "members with their type"],
    ["$filter=color gt 'auto'", ["Zoo", "Beta"], "members are ordered by their values"],
    ["$filter=isShared ne true", ["alpha", "Beta"], "null is not true"],
    ["$filter=not isShared", ["alpha"], "what is null is left out, and so is its contrary"],
    ["$filter=name eq 'zoo' or name eq 'alpha' and isShared", ["Zoo"], "and is stronger than or"],
    ["$filter=not isShared eq true", ["alpha"], "not is stronger than eq"],
    ["$filter=owner/name in ('adele',null)", ["Zoo", "Beta"], "null is in a list that has it"],
    ["$filter=name ge null", [], "nothing but null is greater than or equal to null"],
    ["$filter=startswith(name,'a') or endswith(owner/address,'fabrikam.com')", ["alpha", "O'Brien"], "functions"],
    ["$orderby=name", ["alpha", "Beta", "O'Brien", "Zoo"], "without regard to case"],
    ["$orderby=owner/name desc,name", ["alpha", "O'Brien", "Zoo", "Beta"], "null comes last in descending order"],
    ["$orderby=isShared", ["Beta", "alpha", "Zoo", "O'Brien"], "null, false, true"],
    ["$orderby=name&$skip=1&$top=2", ["Beta", "O'Brien"], "skips, then takes"],
  ])("%s: %j (%s)", (query, expected) => {
    expect(opened().names(query)).toEqual(expected);
  });

  test("the count is of all that match, links have all options, and each page shows what was selected", () => {
    const { list, page } = opened();
    const first = page(list("$count=true&$filter=name ne 'zoo'&$orderby=name&$top=2&$select=Owner/NAME,color"));
    expect(first).toMatchObject({
      "@odata.count": 3,
      "@odata.context": expect.stringMatching(/calendars\(owner\/name,color\)$/),
    });
    expect(first.value).toEqual([
      { id: expect.any(String), color: "auto", owner: { name: "Bob" } },
      { id: expect.any(String), color: "lightGreen", owner: null },
    ]);
    const second = page(first["@odata.nextLink"] ?? "");
    expect(second).toMatchObject({ "@odata.count": 3, value: [{ color: "auto", owner: { name: "Bob" } }] });
    expect(second["@odata.nextLink"]).toBeUndefined();
  });

  test("calendars/$count is a number as text, with a filter too", () => {
    const { mailboxId, ask } = opened();
    const count = ask(`/beta/users/${mailboxId}/calendars/$count?$filter=isShared`);
    expect([count.status, count.body, count.headers["content-type"]]).toEqual([200, "2", "text/plain"]);
    expect(ask(`/beta/users/${mailboxId}/calendars/%24count`).body).toBe("4");
    expect(verdict(ask(`/beta/users/${mailboxId}/calendars/$count?$filter=x`))).toBe("400 RequestBroker--ParseUri");
  });

  test("v1.0 knows no sharing flags, and needs the dollar sign", () => {
    const { ask, list } = opened();
    expect(verdict(ask(list("$filter=isShared", "v1.0")))).toBe("400 RequestBroker--ParseUri");
    expect(verdict(ask(list("$filter=canEdit", "v1.0")))).toBe("200");
    expect(verdict(ask(list("filter=x", "v1.0")))).toBe("200");
  });

  test.each(["$top=0", "$top=x", "$skip=-1", "$count=yes", "$format=atom", "$top=1&$TOP=1"])(
    "%s is refused",
    (query) => {
      expect(opened().refused(query)).toBe("400 ErrorInvalidUrlQuery");
    },
  );

  test.each(["tolower(name) eq 'a'", "color has 'auto'", "allowedOnlineMeetingProviders/any(a:a eq 'x')"])(
    "$filter=%s holds what Exchange does not take",
    (filter) => {
      expect(opened().refused(`$filter=${filter}`)).toBe("400 ErrorInvalidUrlQueryFilter");
    },
  );

  test("what Microsoft.OData.Core refuses is refused here", () => {
    const { ask, list } = opened();
    const lines = readFileSync(join(import.meta.dirname, "../feed/odataCore.tsv"), "utf8").split("\n");
    const refused = lines.filter((line) => line.startsWith("no\t")).map((line) => line.split("\t"));
    const taken = refused.filter(([, option, text = ""]) => {
      const query = `${option}=${encodeURIComponent(JSON.parse(text) as string)}`;
      return ask(list(query)).status !== 400;
    });
    // `in` in upper case, which the library refuses against the standard.
    expect(taken.map(([, , text]) => text)).toEqual([`"name IN ('a')"`]);
    expect(refused.length).toBeGreaterThan(100);
  });
});
