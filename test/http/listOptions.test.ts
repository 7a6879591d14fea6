import { describe, expect, test } from "vitest";
import { betaRoute } from "../../shared/http/beta/beta.js";
import type { JsonObject } from "../../shared/sync/types.js";
import { origin, routesOver } from "../worlds/http.js";
import { mailboxId, worldWith } from "../worlds/mailbox.js";

const calendars = `/users/${mailboxId}/calendars`;
const words = "Could not find a property named";

/** Calendars by their ids, with all their properties. */
const held: Readonly<Record<string, JsonObject>> = {
  a: { name: "Zoo", color: "lightBlue", isShared: true, owner: { name: "Adele", address: "adele@contoso.com" } },
  b: { name: "alpha", color: "auto", isShared: false, owner: { name: "Böb", address: "bob@contoso.com" } },
  c: { name: "Beta", color: "lightPurple", isShared: null, owner: null, later: { deep: 1 } },
  d: { name: "O'Brien", color: "auto", isShared: true, owner: { name: "Bob", address: "BOB@fabrikam.com" } },
};

/** A mailbox with these calendars, and its routes. */
async function opened(resources: Readonly<Record<string, JsonObject>> = held) {
  const world = await worldWith(Object.fromEntries(Object.keys(resources).map((id) => [id, id])));
  const rows = await world.store.readCalendars(mailboxId);
  const before = await world.held();
  const next = { ...before.checkpoint, sequence: before.checkpoint.sequence + rows.length };
  const written = rows.map((row, index) => ({
    ...row,
    resource: { id: row.calendarId, ...resources[row.calendarId] },
    sequence: before.checkpoint.sequence + index + 1,
  }));
  await world.store.commitUnits([{ held: before, rows: written, next }], null);
  const { ask, through } = routesOver(world.store, () => world.clock.ms);
  const list = (query: string, headers = {}) => ask(`${calendars}?${query}`, headers);
  const ids = async (query: string) => {
    const { status, body } = await list(query);
    return status === 200 ? body.value.map(({ id }) => id).join("") : `${status} ${body.error.code}`;
  };
  return { world, ask, through, list, ids };
}

/** The query of a list, with its values encoded. */
const query = (options: Readonly<Record<string, string | number>>) =>
  Object.entries(options)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join("&");

describe("the options of a list", () => {
  test.each([
    ["$filter=name eq 'ZOO'", "a"],
    ["$filter=name+eq+'zoo'", "a"],
    ["filter=NAME EQ 'O''brien'", "d"],
    ["$FILTER=owner/Address eq 'bob@fabrikam.com' or owner/name eq 'adele'", "ad"],
    ["$filter=color eq 'auto'", "bd"],
    ["$filter=color eq microsoft.graph.calendarColor'lightBlue'", "a"],
    ["$filter=color eq 'lightPurple'", "c"],
    ["$filter=color in ('auto','lightblue')", "abd"],
    ["$filter=isShared", "ad"],
    ["$filter=isShared ne true", "bc"],
    ["$filter=not isShared", "b"],
    ["$filter=owner eq null", "c"],
    ["$filter=owner/name eq null", "c"],
    ["$filter=StartsWith(name,'a') or endsWith(name,'A')", "bc"],
    ["$filter=contains(owner/address,'contoso') and not(name eq 'zoo')", "b"],
    ["$filter=id eq 'A'", ""],
    ["$filter=id eq 'a'", "a"],
    ["$filter=later/deep eq 1", "c"],
    ["$filter=false", ""],
    ["$filter=null", ""],
    ["$orderby=name", "bcda"],
    ["$orderby=Name DESC", "adcb"],
    ["$orderby=color,name desc", "dbac"],
    ["$orderby=isShared,id desc", "cbda"],
    ["$orderby=owner/name desc", "bdac"],
    ["$orderby=later/deep desc", "cabd"],
    ["$skip=1", "bcd"],
    ["$skip=9", ""],
    ["$skip=1&$top=2", "bc"],
    ["$top=2&$orderby=name&$skip=1&$filter=name ne 'beta'", "da"],
    ["$format=json", "abcd"],
    ["$format=application/json;odata.metadata=minimal", "abcd"],
    ["$count=false", "abcd"],
  ])("%s: %s", async (options, expected) => {
    const { ids } = await opened();
    expect(await ids(options)).toBe(expected);
  });

  test("the count is of all that match, on each page, whatever is skipped and however large the page", async () => {
    const { ask, list } = await opened();
    const first = await list("$count=true&$filter=name ne 'zoo'&$skip=1&$top=1");
    const second = await ask(String(first.body["@odata.nextLink"]));
    expect([first, second].map(({ body }) => [body["@odata.count"], body.value.map(({ id }) => id)])).toEqual([
      [3, ["c"]],
      [3, ["d"]],
    ]);
    expect(second.body).not.toHaveProperty(["@odata.nextLink"]);
    expect((await list("$top=1")).body).not.toHaveProperty(["@odata.count"]);
  });

  test("a link has all options but the key, what is skipped is skipped once, and the context has canonical names", async () => {
    const { ask } = await opened();
    const options = query({ $orderby: "name desc", $top: 2, $skip: 1, $select: "NAME,Owner/ADDRESS", $format: "json" });
    const first = await ask(`${calendars}?code=secret&${options}`);
    const link = String(first.body["@odata.nextLink"]);
    expect(link).toMatch(
      /calendars\?\$orderby=name%20desc&\$select=NAME,Owner%2FADDRESS&\$top=2&\$skip=1&\$format=json&\$skiptoken=[\w.-]+$/,
    );
    const second = await ask(link);
    expect(second.body).toEqual({
      "@odata.context": `${origin}/api/beta/$metadata#users('adele')/calendars(name,owner/address)`,
      value: [{ id: "b", name: "alpha", owner: { address: "bob@contoso.com" } }],
    });
  });

  test("I6: a token is of one filter, one order and one start; other options may change from page to page", async () => {
    const { list } = await opened();
    const asked = { $filter: "name ne 'zoo'", $orderby: "name", $skip: 0, $top: 1 };
    const link = String((await list(query(asked))).body["@odata.nextLink"]);
    const token = /\$skiptoken=(.+)$/.exec(link)?.[1] ?? "";
    const verdict = async (changed: Readonly<Record<string, string | number>>) =>
      (await list(query({ ...asked, ...changed, $skiptoken: token }))).status;
    expect(await verdict({})).toBe(200);
    expect(await verdict({ $top: 2, $select: "id", $count: "true" })).toBe(200);
    for (const changed of [{ $filter: "name ne 'a'" }, { $orderby: "name desc" }, { $skip: 1 }]) {
      expect(await verdict(changed), JSON.stringify(changed)).toBe(400);
    }
    expect((await list(`$skiptoken=${token}`)).body.error.code).toBe("syncStateInvalid");
  });

  test("I6: a change ends a walk in an order of its own, and says where to start over, with all options", async () => {
    const { world, ask, list } = await opened();
    const asked = query({ $orderby: "name", $top: 2, $skip: 1 });
    const link = String((await list(asked)).body["@odata.nextLink"]);
    await world.page([{ id: "d", name: "Aa" }]);
    const { status, headers } = await ask(link);
    expect([status, headers["location"]]).toEqual([
      410,
      `${origin}/api/beta${calendars}?${asked.replace(/%20/g, "+")}`,
    ]);
  });

  test("calendars/$count is the number as text, with a filter too, and has a version", async () => {
    const { world, ask } = await opened();
    const all = await ask(`${calendars}/$count`);
    expect([all.status, all.body, all.headers["content-type"]]).toEqual([200, "4", "text/plain"]);
    const filtered = `${calendars}/%24COUNT?$filter=contains(name,'b')`;
    const { body, headers } = await ask(filtered);
    expect(body).toBe("2");
    const ifNoneMatch = { "if-none-match": headers["etag"] ?? "" };
    expect((await ask(filtered, ifNoneMatch)).status).toBe(304);
    await world.page([{ id: "c", name: null }]);
    expect((await ask(filtered, ifNoneMatch)).body).toBe("1");
    expect((await ask(`${calendars}/$count?$top=1`)).body.error.code).toBe("ErrorInvalidUrlQuery");
    expect((await ask(`${calendars}/$count?$filter=foo eq 1`)).body.error.message).toContain(words);
  });

  test("the other paths to calendars know the same names, and calendars/$count is text in a batch, too", async () => {
    const grouped = (resource: JsonObject, isDefaultCalendar: boolean) => ({
      ...resource,
      isDefaultCalendar,
      calendarGroupId: "G",
    });
    const resources = Object.fromEntries(Object.entries(held).map(([id, one]) => [id, grouped(one, id === "b")]));
    const { ask, through } = await opened(resources);
    const user = `/users('${mailboxId}')`;
    const selected = { id: "b", owner: { address: "bob@contoso.com" } };
    expect((await ask(`${user}/calendar?$select=OWNER/address`)).body).toEqual({
      "@odata.context": `${origin}/api/beta/$metadata#users('adele')/calendar(owner/address)/$entity`,
      ...selected,
    });
    expect((await ask(`${user}/calendarGroups/G/calendars?$select=Owner/address`)).body.value).toContainEqual(selected);
    for (const path of ["calendar", "calendarGroups/G/calendars"]) {
      expect((await ask(`${user}/${path}?$select=nmae`)).body.error.message).toContain(words);
    }
    expect((await ask(`${user}/calendars/$count`)).body).toBe("4");
    const requests = [{ id: "1", method: "GET", url: `${calendars}/$count?$filter=isShared` }];
    const batch = await through(betaRoute, `${origin}/api/beta/$batch`, {
      method: "POST",
      text: JSON.stringify({ requests }),
    });
    expect(batch.body).toMatchObject({ responses: [{ id: "1", status: 200, body: "2" }] });
  });

  test("a version is of one query: another one of the same moment is another answer", async () => {
    const { list } = await opened();
    const options = ["", "$filter=isShared", "$orderby=name", "$select=id", "$count=true", "$skip=1", "$top=2"];
    const tags = await Promise.all(options.map(async (one) => (await list(one)).headers["etag"]));
    expect(new Set(tags).size).toBe(options.length);
    for (const [index, one] of options.entries()) {
      expect((await list(one, { "if-none-match": tags[index] ?? "" })).status).toBe(304);
      expect((await list(one, { "if-none-match": tags[(index + 1) % tags.length] ?? "" })).status).toBe(200);
    }
  });
});

describe("what a list refuses", () => {
  test.each([
    ["$select=nmae", "nmae", "calendar"],
    ["$select=name,owner/adress", "adress", "emailAddress"],
    ["$filter=nmae eq 'a'", "nmae", "calendar"],
    ["$filter=isShared and owner/x eq 'a'", "x", "emailAddress"],
    ["$orderby=name,nmae", "nmae", "calendar"],
    ["$filter=name eq a", "a", "calendar"],
    ["$filter=isShared eq True", "True", "calendar"],
  ])("%s, in Graph's words", async (options, name, type) => {
    const { list } = await opened();
    const { status, body } = await list(options);
    expect([status, body.error.code, body.error.message]).toEqual([
      400,
      "RequestBroker--ParseUri",
      `${words} '${name}' on type 'microsoft.graph.${type}'.`,
    ]);
  });

  test.each([
    ["$filter=", "Expression expected at position 0 in ''."],
    ["$filter=name eq", "Expression expected at position 7 in 'name eq'."],
    ["$filter=name eq 'a", "There is an unterminated string literal at position 10 in 'name eq 'a'."],
    ["$filter=(name eq 'a'", "')' or operator expected at position 12 in '(name eq 'a''."],
    ["$filter=name eq 'a' or or", "Could not find a property named 'or' on type 'microsoft.graph.calendar'."],
    ["$filter=name eq 'a' x", "Syntax error at position 13 in 'name eq 'a' x'."],
    ["$filter=name", "The $filter expression must evaluate to a single boolean value."],
    ["$filter=color eq 'blue'", "The string 'blue' is not a valid enumeration type constant."],
    ["$orderby=name,", "Expression expected at position 5 in 'name,'."],
    ["$orderby=owner", "The $orderby expression must evaluate to a single value of primitive type."],
    ["$select=na me", "Syntax error at position 5 in 'na me'."],
  ])("%s, in the words of Microsoft.OData.Core", async (options, message) => {
    const { list } = await opened();
    const { status, body } = await list(options);
    expect([status, body.error.code, body.error.message]).toEqual([400, "RequestBroker--ParseUri", message]);
  });

  test.each([
    ["$filter=tolower(name) eq 'a'", "the function 'tolower', at position 0."],
    ["$filter=allowedOnlineMeetingProviders/any(a:a eq 'x')", "'any', at position 30."],
    ["$filter=isShared or color has 'auto'", "the operator 'has', at position 18."],
  ])("%s, which Exchange would not take either", async (options, what) => {
    const { list } = await opened();
    const { error } = (await list(options)).body;
    expect([error.code, error.message]).toEqual(["ErrorInvalidUrlQueryFilter", expect.stringContaining(what)]);
  });

  test("what the mirror does not keep, and options that are too long for a link", async () => {
    const { list } = await opened();
    for (const options of ["$select=events", `$filter=name eq '${"ä".repeat(1_000)}'`]) {
      const { status, body } = await list(options);
      expect([status, body.error.code]).toEqual([400, "ErrorInvalidUrlQuery"]);
    }
  });

  test("a single calendar knows the names of its mailbox's others", async () => {
    const { ask } = await opened();
    expect((await ask(`${calendars}/a?$select=LATER`)).body).toEqual({
      "@odata.context": `${origin}/api/beta/$metadata#users('adele')/calendars(later)/$entity`,
      id: "a",
    });
    expect((await ask(`${calendars}/c?$select=later/deep`)).body["later"]).toEqual({ deep: 1 });
    expect((await ask(`${calendars}/a?$select=nmae`)).body.error.message).toContain(words);
  });
});
