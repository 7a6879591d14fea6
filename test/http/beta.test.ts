import { HttpRequest } from "@azure/functions";
import { describe, expect, test } from "vitest";
import { allCalendarsRoute, betaRoute, meRoute, userRoute } from "../../shared/http/beta/beta.js";
import { httpHandler, type Route } from "../../shared/http/handler.js";
import { openapiRoute } from "../../shared/http/openapi.js";
import { StorageError } from "../../shared/store/store.js";
import { context, invocationId, origin, type Reply, replyOf, routesOver } from "../worlds/http.js";
import { mailboxId, worldWith } from "../worlds/mailbox.js";

const calendars = `/users/${mailboxId}/calendars`;

async function opened(names: Readonly<Record<string, string>> = { a: "A", b: "B", c: "C" }) {
  const world = await worldWith(names);
  const routes = routesOver(world.store, () => world.clock.ms);
  const send = (method: string, path: string, text?: string, headers: Record<string, string> = {}) =>
    routes.through(betaRoute, `${origin}/api/beta${path}`, {
      method,
      headers,
      ...(text === undefined ? {} : { text }),
    });
  return { world, ...routes, send };
}

describe("what leads nowhere is told in Graph's error shape", () => {
  test.each([
    ["/nothing", "nothing"],
    ["/users", "users"],
    [`/users/${mailboxId}`, "users"],
    [`/users/${mailboxId}/messages`, "messages"],
    [`/users/${mailboxId}/calendar/nothing/more`, "nothing"],
    [`/users/${mailboxId}/calendarGroups/g/calendars/$count`, "$count"],
    // A client whose base URL ends with a slash.
    [`/${calendars}`, ""],
    [`${calendars}('')`, "calendars('')"],
    // A function's own key cannot open these: the host takes them for a user.
    ["/users/getAllCalendars()", "users"],
    ["/users/microsoft.graph.getAllCalendars()/delta", "delta"],
    ["/users/getAllCalendars/nothing", "nothing"],
    ["/me", "me"],
    ["/me/messages", "messages"],
    ["/%24nothing", "$nothing"],
  ])("%s: 404 that names the segment and says what there is", async (path, segment) => {
    const { send } = await opened();
    const { status, body } = (await send("GET", path)) as Reply<{ error: { code: string; message: string } }>;
    expect([status, body.error.code]).toEqual([404, "ResourceNotFound"]);
    expect(body.error.message).toMatch(
      `Resource not found for the segment '${segment}'. The mirror has users/{id}/calendars, `,
    );
  });

  test.each(["", "/"])("the root itself (%j) has no service document", async (path) => {
    const { send } = await opened();
    expect(await send("GET", path)).toMatchObject({
      status: 404,
      body: {
        error: { message: expect.stringMatching(/^There is no service document\. The mirror has users\/\{id\}/) },
      },
    });
  });

  test("a segment of any length is cut", async () => {
    const { send } = await opened();
    const { body } = (await send("GET", `/${"x".repeat(5_000)}`)) as Reply<{ error: { message: string } }>;
    expect(body.error.message.length).toBeLessThan(300);
  });

  test.each([
    [`${calendars}/a/events`, "events"],
    [`${calendars}/a/events/1`, "events"],
    [`${calendars}/a/calendarView?startDateTime=2026-01-01`, "calendarView"],
    [`${calendars}('a')/calendarPermissions`, "calendarPermissions"],
    [`/users/${mailboxId}/calendar/events`, "events"],
    [`/users/${mailboxId}/calendarGroups/g/calendars/a/events/1`, "events"],
    [`/users/${mailboxId}/events`, "events"],
    [`/users/${mailboxId}/calendarView`, "calendarView"],
  ])("%s is not mirrored, and the answer says so", async (path, segment) => {
    const { send } = await opened();
    expect(await send("GET", path)).toMatchObject({
      status: 404,
      body: { error: { message: `The mirror keeps calendars without their ${segment}: ask Microsoft Graph.` } },
    });
  });

  test.each(["POST", "PUT", "PATCH", "DELETE"])("%s is refused everywhere: the mirror is read-only", async (method) => {
    const { send } = await opened();
    const paths = [calendars, `${calendars}/a`, `${calendars}/a/events`, "/users/getAllCalendars", "/nothing", ""];
    for (const path of paths) {
      const { status, headers, body } = await send(method, path, "{}");
      expect([path, status, headers["allow"]]).toEqual([path, 405, "GET, HEAD"]);
      expect(body).toMatchObject({ error: { code: "notAllowed", message: expect.stringMatching(/read-only/) } });
    }
    const { status, headers } = await send(method === "POST" ? "GET" : method, "/$batch");
    expect([status, headers["allow"]]).toEqual([405, "POST"]);
  });
});

describe("a function answers what its key is for, however the path is written", () => {
  const paths: readonly (readonly [Route, string, readonly string[]])[] = [
    [userRoute, "one mailbox", ["/users/getAllCalendars", "/users/getAllCalendars()", "/me/calendars", "/$metadata"]],
    [allCalendarsRoute, "all mailboxes", [calendars, "/me/calendars"]],
    [
      meRoute,
      "the signed-in user",
      [calendars, "/users/getAllCalendars", `/users('${mailboxId}')/calendars`, "/$batch"],
    ],
  ];
  test.each(paths.map(([route, what, others]) => ({ what, route, others })))("$what", async ({ route, others }) => {
    const { through } = await opened();
    for (const path of others) {
      const { status, body } = await through(route, `${origin}/api/beta${path}`);
      expect([path, status, body]).toEqual([path, 404, { error: expect.anything() }]);
    }
  });
});

describe("keys may stand in parentheses, as OData writes them", () => {
  test.each([
    [`/users('${mailboxId}')/calendars`, calendars],
    [`/users('${mailboxId}')/calendars('a')`, `${calendars}/a`],
    [`/users/${mailboxId}/calendars('a')`, `${calendars}/a`],
    [`/users(%27${mailboxId}%27)/calendars(%27a%27)`, `${calendars}/a`],
    [`/users('${mailboxId}')/calendars/delta()`, `${calendars}/delta`],
  ])("%s", async (asked, plain) => {
    const { send } = await opened();
    const [one, other] = [await send("GET", asked), await send("GET", plain)];
    expect(one.status).toBe(200);
    const { "@odata.deltaLink": oneLink, ...rest } = one.body as Record<string, unknown>;
    const { "@odata.deltaLink": _otherLink, ...expected } = other.body as Record<string, unknown>;
    expect(rest).toEqual(expected);
    if (oneLink !== undefined) expect((await send("GET", String(oneLink).split("/beta")[1] ?? "")).status).toBe(200);
  });

  test("a doubled quotation mark is one", async () => {
    const { send, world } = await opened();
    await world.page([{ id: "it's", name: "Quoted" }]);
    expect(await send("GET", `${calendars}('it''s')`)).toMatchObject({ status: 200, body: { name: "Quoted" } });
  });
});

describe("the default calendar", () => {
  test("is the one that Graph calls so, with its own context and version", async () => {
    const { world, ask } = await opened();
    await world.page([{ id: "b", name: "B", others: { isDefaultCalendar: true } }]);
    const { status, headers, body } = await ask(`/users/${mailboxId}/calendar`);
    expect([status, body]).toEqual([
      200,
      {
        "@odata.context": `${origin}/api/beta/$metadata#users('${mailboxId}')/calendar/$entity`,
        ...{ id: "b", name: "B", isDefaultCalendar: true },
      },
    ]);
    const again = await ask(`/users/${mailboxId}/calendar`, { "if-none-match": headers["etag"] ?? "" });
    expect(again.status).toBe(304);
    const named = await ask(`/users/${mailboxId}/calendar?$select=name`);
    expect(named.body).toMatchObject({ id: "b", name: "B" });
    expect(named.body).not.toHaveProperty("isDefaultCalendar");
  });

  test("is not there where Graph has named none", async () => {
    const { ask } = await opened();
    const { status, body, headers } = await ask(`/users/${mailboxId}/calendar`);
    expect([status, body.error.code, headers["x-mirror-state"]]).toEqual([404, "ErrorItemNotFound", "fresh"]);
  });

  test("takes the name that it is selected by, and no option of a list", async () => {
    const { ask } = await opened();
    expect((await ask(`/users/${mailboxId}/calendar?$top=1`)).status).toBe(400);
  });
});

describe("calendar groups", () => {
  const groups = `/users/${mailboxId}/calendarGroups`;
  async function grouped() {
    const routes = await opened();
    await routes.world.page([
      { id: "a", name: "A", others: { calendarGroupId: "two" } },
      { id: "b", name: "B", others: { calendarGroupId: "one" } },
      { id: "c", name: "C", others: { calendarGroupId: "two" } },
      { id: "d", name: "D", others: { calendarGroupId: null } },
    ]);
    return routes;
  }

  test("are those that calendars name, and lead to their calendars", async () => {
    const { ask } = await grouped();
    const context = `${origin}/api/beta/$metadata#users('${mailboxId}')/calendarGroups`;
    expect((await ask(groups)).body).toEqual({
      "@odata.context": context,
      value: [{ id: "one" }, { id: "two" }],
    });
    expect((await ask(`${groups}/one`)).body).toEqual({ "@odata.context": `${context}/$entity`, id: "one" });
    const { body } = await ask(`${groups}('two')/calendars?$select=name`);
    expect(body).toEqual({
      "@odata.context": `${context}('two')/calendars(name)`,
      value: [
        { id: "a", name: "A" },
        { id: "c", name: "C" },
      ],
    });
  });

  test("have calendars that are read one by one, each in its own group alone", async () => {
    const { ask } = await grouped();
    const context = `${origin}/api/beta/$metadata#users('${mailboxId}')/calendarGroups('two')/calendars(name)/$entity`;
    for (const path of ["/two/calendars/c", "('two')/calendars('c')"]) {
      const { status, headers, body } = await ask(`${groups}${path}?$select=name`);
      expect([status, body]).toEqual([200, { "@odata.context": context, id: "c", name: "C" }]);
      expect((await ask(`${groups}${path}`, { "if-none-match": headers["etag"] ?? "" })).status).toBe(200);
      expect((await ask(`${groups}${path}?$select=name`, { "if-none-match": headers["etag"] ?? "" })).status).toBe(304);
    }
  });

  test("take $format, and refuse what they do not know", async () => {
    const { ask } = await grouped();
    for (const path of ["", "/one", "/one/calendars", "/one/calendars/b"]) {
      expect([path, (await ask(`${groups}${path}?$format=json`)).status]).toEqual([path, 200]);
      expect([path, (await ask(`${groups}${path}?$top=1`)).status]).toEqual([path, 400]);
    }
  });

  test("that nobody names are not found, and where Graph tells of none that is said", async () => {
    const { ask } = await grouped();
    for (const path of ["/none", "/none/calendars", "/none/calendars/a", "/one/calendars/a", "/one/calendars/none"]) {
      const { status, body } = await ask(`${groups}${path}`);
      expect([status, body.error.code]).toEqual([404, "ErrorItemNotFound"]);
    }
    const { body } = await (await opened()).ask(groups);
    expect(body.error.message).toBe("Graph has told the mirror of no calendarGroupId in this mailbox.");
  });
});

describe("HEAD", () => {
  test.each([calendars, `${calendars}/a`, `${calendars}/delta`, `${calendars}/none`, "/nothing"])(
    "%s has the status and headers of GET, and no body",
    async (path) => {
      const { world, ports, send } = await opened();
      const head = await httpHandler(
        betaRoute,
        async () => ports,
        () => world.clock.ms,
      )(new HttpRequest({ method: "HEAD", url: `${origin}/api/beta${path}` }), context);
      const { status, headers } = await send("GET", path);
      expect(head).toEqual({ status, headers: { "content-type": "application/json", ...headers } });
    },
  );
});

describe("PUBLIC_ORIGIN", () => {
  test("stands in every link and context, whatever the caller says of itself", async () => {
    const world = await worldWith({ a: "A", b: "B" });
    const publicOrigin = "https://calendars.example";
    const { ask, through } = routesOver(world.store, () => world.clock.ms, { publicOrigin });
    const forwarded = { "x-forwarded-host": "evil.example", forwarded: "host=evil.example" };
    const [list, delta] = [await ask(`${calendars}?$top=1`, forwarded), await ask(`${calendars}/delta`, forwarded)];
    const description = await through(openapiRoute, `${origin}/api/openapi.json`, { headers: forwarded });
    expect(list.body["@odata.context"]).toMatch(/^https:\/\/calendars\.example\/api\/beta\/\$metadata#/);
    expect(list.body["@odata.nextLink"]).toMatch(/^https:\/\/calendars\.example\/api\/beta\/users\//);
    expect(delta.body["@odata.deltaLink"]).toMatch(/^https:\/\/calendars\.example\/api\/beta\/users\//);
    expect(description.body).toMatchObject({ servers: [{ url: "https://calendars.example/api" }] });
  });

  test("where it is not set, the host that the caller used counts, and no forwarded host", async () => {
    const { ask } = await opened();
    const forwarded = { "x-forwarded-host": "evil.example", forwarded: "host=evil.example" };
    expect((await ask(calendars, forwarded)).body["@odata.context"]).toMatch(`${origin}/api/beta/$metadata#`);
  });
});

describe("a failing storage", () => {
  test("is 503 for the request alone, also within a batch", async () => {
    const { world, ports } = await opened();
    const readMailbox = async () => {
      throw new StorageError("get", "", 503, "ServerBusy");
    };
    const store = { ...world.store, readMailbox };
    const { through } = routesOver(store, () => world.clock.ms, { log: ports.log });
    const text = JSON.stringify({
      requests: [
        { id: "1", method: "GET", url: calendars },
        { id: "2", method: "GET", url: "/x" },
      ],
    });
    const { status, body } = await through(betaRoute, `${origin}/api/beta/$batch`, { method: "POST", text });
    expect([status, body]).toMatchObject([
      200,
      {
        responses: [
          { id: "1", status: 503, body: { error: { code: "serviceNotAvailable" } } },
          { id: "2", status: 404 },
        ],
      },
    ]);
  });
});

test("every refusal names the request, as Graph does", async () => {
  const { world, ports } = await opened();
  const request = new HttpRequest({ method: "GET", url: `${origin}/api/beta/x` });
  const { body } = replyOf(
    await httpHandler(
      betaRoute,
      async () => ports,
      () => world.clock.ms,
    )(request, context),
  );
  expect(body.error.innerError).toMatchObject({ "request-id": invocationId, "client-request-id": invocationId });
});
