import { describe, expect, test } from "vitest";
import { addMailbox } from "../../shared/roster/byHand.js";
import { discovered, type FleetOptions, fitUsers } from "../worlds/fleet.js";
import { httpOf, type Reply } from "../worlds/http.js";
import { tickMs } from "../worlds/parts.js";

/** What operators do by hand, and what the answers say before it does harm. */

async function opened(options: FleetOptions = {}) {
  const world = await discovered({ mailboxes: 8, ...options });
  await world.tick();
  const [id = ""] = fitUsers(world);
  return { world, http: httpOf(world), id };
}

const unknown = "3f0c0000-0000-4000-8000-0000000000a1";
const codeOf = ({ status, body }: Reply) => `${status} ${(body as { error: { code: string } }).error.code}`;
const said = ({ status, body }: Reply) => {
  const { error } = body as { error?: { code: string; message: string } };
  return `${status} ${error?.code}: ${error?.message}`;
};

describe("PUT, GET and DELETE mailboxes/{id}", () => {
  test("PUT creates a manual roster row, and GET shows it", async () => {
    const { world, http } = await opened({ source: null });
    const id = world.graph.mailboxes.idAt(1);
    expect((await http.put(id, '{"displayName":"Ravi"}')).status).toBe(201);
    expect((await http.put(id)).status).toBe(200);
    const since = new Date(world.clock.ms).toISOString();
    expect(await http.get(id)).toMatchObject({
      status: 200,
      body: { state: "new", displayName: "Ravi", roster: { source: "manual", state: "active", since } },
    });
  });

  test("DELETE answers 204 when all rows are gone, the roster's too, and again", async () => {
    const { world, http, id } = await opened();
    for (const _ of [1, 2]) expect((await http.remove(id)).status).toBe(204);
    const left = () => world.table.entities().filter(({ rowKey }) => rowKey.includes(id));
    expect(left().map(({ rowKey }) => rowKey)).toEqual([expect.stringMatching(/^mailbox\|[^|]+\|[^|]+$/)]);
    await world.tick(); // Its departure goes once the change log has told of it (I12).
    expect(left()).toEqual([]);
    expect(codeOf(await http.get(id))).toBe("404 itemNotFound");
  });

  test("DELETE that takes longer than its request answers 202, GET shows removing, and the next tick completes it", async () => {
    const slow = { isSlow: false };
    const { world, http, id } = await opened({
      calendars: 250,
      table: {
        onCall: (name, { moment }) => {
          if (slow.isSlow && name === "transact" && moment === "after") world.clock.ms += 30_000;
        },
      },
    });
    slow.isSlow = true;
    expect(await http.remove(id)).toMatchObject({ status: 202, body: { id, state: "removing" } });
    expect(await http.get(id)).toMatchObject({ status: 200, body: { state: "removing" } });
    slow.isSlow = false;
    world.clock.ms += tickMs;
    await world.tick();
    expect(world.table.entities().filter(({ rowKey }) => rowKey.includes(id))).toEqual([]);
  });
});

describe("PUT of a discovered mailbox leaves it discovered, so that its user's leaving is seen", () => {
  test("the answer says who put it there, and a leaver is suspended all the same", async () => {
    const { world, http, id } = await opened();
    expect(await http.put(id)).toMatchObject({
      status: 200,
      body: { state: "fresh", roster: { source: "directory" } },
    });
    world.graph.mailboxes.remove(id, "deleted");
    await world.discover();
    expect(await http.get(id)).toMatchObject({ body: { state: "suspended", roster: { source: "directory" } } });
  });

  test("who asks for manual takes it over with its rows, and may do so again", async () => {
    const { world, http, id } = await opened();
    for (const _ of [1, 2]) {
      expect(await http.put(id, '{"source":"manual"}')).toMatchObject({
        status: 200,
        body: { state: "fresh", roster: { source: "manual" } },
      });
    }
    world.graph.mailboxes.remove(id, "deleted");
    await world.discover();
    expect(await http.get(id)).toMatchObject({ body: { roster: { source: "manual", state: "active" } } });
  });

  test("a suspended one is not resumed by the way: 409 says how to keep it by hand, and that does", async () => {
    const { world, http, id } = await opened();
    world.graph.mailboxes.remove(id, "deleted");
    await world.discover();
    expect(said(await http.put(id))).toMatch(/^409 conflict: The mailbox .* is suspended: .*"source": "manual"/);
    expect(await http.get(id)).toMatchObject({ body: { state: "suspended", roster: { source: "directory" } } });
    expect(await http.put(id, '{"source":"manual"}')).toMatchObject({
      status: 200,
      body: { state: "inProgress", roster: { source: "manual", leaveReason: null } },
    });
  });

  test("a newcomer that discovery does not know is there by hand, and the answer says so", async () => {
    const { http } = await opened();
    expect(await http.put(unknown)).toMatchObject({ status: 201, body: { roster: { source: "manual" } } });
  });

  test("a display name is taken where the mailbox is there already, whoever put it there", async () => {
    const { http, id } = await opened();
    for (const one of [id, unknown]) {
      await http.put(one);
      expect(await http.put(one, '{"displayName":"Somebody"}')).toMatchObject({
        status: 200,
        body: { displayName: "Somebody", roster: { displayName: "Somebody" } },
      });
    }
  });
});

describe("DELETE says what will happen", () => {
  test("a discovered mailbox comes back: the answer says so", async () => {
    const { http, id } = await opened();
    const { status, headers } = await http.remove(id);
    expect([status, headers["x-mirror-note"]]).toEqual([
      204,
      "Discovered by ROSTER=directory: it comes back with the next full pass of discovery that finds its user.",
    ]);
  });

  test("one that is there by hand, is suspended, or is not there at all does not", async () => {
    const { world, http, id } = await opened();
    await http.put(unknown);
    world.graph.mailboxes.remove(id, "deleted");
    await world.discover();
    for (const one of [id, unknown, unknown]) {
      const { status, headers } = await http.remove(one);
      expect([status, headers["x-mirror-note"]]).toEqual([204, undefined]);
    }
  });
});

describe("PUT takes object ids only", () => {
  test.each([
    "banana",
    "ravi.iyer",
    "me",
    "a@example.com",
    `{${unknown}}`,
    unknown.replaceAll("-", ""),
    unknown.slice(1),
    `${unknown}0`,
    `%7B${unknown}%7D`,
    "",
  ])("%j is refused, and nothing is written", async (id) => {
    const { world, http } = await opened();
    const before = world.table.entities().length;
    expect(said(await http.put(id))).toMatch(/^400 invalidRequest: The mailbox id /);
    expect(world.table.entities()).toHaveLength(before);
  });

  test("in whichever case: it is one mailbox", async () => {
    const { http } = await opened();
    expect((await http.put(unknown.toUpperCase())).status).toBe(201);
    expect(await http.put(unknown)).toMatchObject({ status: 200, body: { id: unknown } });
    expect((await http.get(unknown.toUpperCase())).status).toBe(200);
  });

  test("one of another shape that an earlier release took can be looked at and removed", async () => {
    const { world, http } = await opened();
    await addMailbox("banana", {}, world.store, world.newId);
    expect((await http.get("banana")).status).toBe(200);
    expect((await http.remove("banana")).status).toBe(204);
    expect((await http.get("banana")).status).toBe(404);
  });
});

describe("what nobody would read is refused, and changes nothing", () => {
  test.each([
    ["{bad", /The body is not JSON/],
    ["displayName=Ravi", /The body is not JSON/],
    ["<mailbox/>", /The body is not JSON/],
    ["\u0000", /The body is not JSON/],
    ["[]", /must be empty or \{/],
    ["null", /must be empty or \{/],
    ['"Ravi"', /must be empty or \{/],
    ['{"displayName":5}', /see "displayName"/],
    ['{"displayName":null}', /see "displayName"/],
    [`{"displayName":"${"x".repeat(257)}"}`, /at most 256 characters \(see "displayName"\)/],
    ['{"displayname":"Ravi"}', /see "displayname"/],
    ['{"source":"directory"}', /see "source"/],
    ['{"__proto__":{"displayName":"Ravi"}}', /see "__proto__"/],
  ])("PUT with the body %j", async (body, message) => {
    const { http } = await opened();
    const reply = await http.put(unknown, body);
    expect(said(reply)).toMatch(/^400 invalidRequest: The body /);
    expect(said(reply)).toMatch(message);
    expect((await http.get(unknown)).status).toBe(404);
  });

  test.each([
    ["list", "GET", "mailboxes?stat=parked", {}],
    ["list", "GET", "mailboxes?State=parked", {}],
    ["list", "GET", "mailboxes?state=parked&state=fresh", {}],
    ["list", "GET", "mailboxes?$top=5", {}],
    ["status", "GET", "status?tick=2", {}],
    ["mailbox", "GET", "mailboxes/x?expand=calendars", { id: "x" }],
    ["edit", "PUT", `mailboxes/${unknown}?displayName=Ravi`, { id: unknown }],
    ["edit", "DELETE", "mailboxes/x?dryRun=true", { id: "x" }],
    ["calendars", "GET", "mailboxes/x/calendars?top=1", { id: "x" }],
    ["action", "POST", "mailboxes/x/resync?later", { id: "x", action: "resync" }],
    ["roster", "POST", "roster/discover?full=true", { action: "discover" }],
  ] as const)("%s: %s %s", async (route, method, path, params) => {
    const { http, id } = await opened();
    const named = "id" in params && params.id === "x" ? { ...params, id } : params;
    expect(said(await http.ask(route, method, path, named))).toMatch(/^400 invalidRequest: The query parameter /);
    expect(http.sent).toEqual([]);
    expect((await http.get(id)).status).toBe(200);
    // The function key may stand in the query.
    const keyed = `${path.replace(/\?.*/, "")}?code=key`;
    expect((await http.ask(route, method, keyed, named)).status).toBeLessThan(300);
  });

  test.each([
    ["edit", "DELETE", { id: "x" }],
    ["action", "POST", { id: "x", action: "resync" }],
    ["roster", "POST", { action: "discover" }],
  ] as const)("%s: a body for %s, which takes none", async (route, method, params) => {
    const { world, http, id } = await opened();
    const named = "id" in params ? { ...params, id } : params;
    for (const body of ["{bad", '{"dryRun":true}']) {
      expect(said(await http.ask(route, method, "any", named, body))).toMatch(/^400 invalidRequest: The body /);
    }
    expect(http.sent).toEqual([]);
    world.clock.ms += tickMs;
    expect((await http.ask(route, method, "any", named, "{}")).status).toBeLessThan(300);
  });
});
