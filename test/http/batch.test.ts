import { describe, expect, test } from "vitest";
import { betaRoute } from "../../shared/http/beta/beta.js";
import type { HttpPorts } from "../../shared/http/handler.js";
import { addMailbox } from "../../shared/roster/byHand.js";
import { invocationId, origin, routesOver } from "../worlds/http.js";
import { mailboxId, worldWith } from "../worlds/mailbox.js";
import { countingIds } from "../worlds/parts.js";
import { row } from "../worlds/rows.js";

const calendars = `/users/${mailboxId}/calendars`;
type One = {
  readonly id: string;
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body?: Record<string, unknown>;
};

async function opened(changed: Partial<HttpPorts> = {}) {
  const world = await worldWith({ a: "A", b: "B", c: "C" });
  const routes = routesOver(world.store, () => world.clock.ms, changed);
  const post = (text: string, headers: Record<string, string> = {}) =>
    routes.through(betaRoute, `${origin}/api/beta/$batch`, { method: "POST", text, headers });
  const batch = async (requests: readonly unknown[], headers: Record<string, string> = {}) => {
    const { status, body } = await post(JSON.stringify({ requests }), headers);
    expect(status).toBe(200);
    return body["responses"] as readonly One[];
  };
  return { world, ...routes, post, batch };
}

describe("a request in a batch is answered as if it had come alone", () => {
  test.each([
    calendars,
    `${calendars}?$top=1&$select=name`,
    `${calendars}/a`,
    `${calendars}/none`,
    `${calendars}/delta`,
    `${calendars}/delta?$deltatoken=x`,
    "/users/nobody/calendars",
    "/users/getAllCalendars?$top=2",
    "/nothing",
    "/me/calendars",
  ])("%s", async (url) => {
    const { ask, batch } = await opened();
    const [one] = await batch([{ id: "1", method: "GET", url }]);
    const { status, headers, body } = await ask(url);
    const { vary: _vary, "content-type": type = "application/json", ...others } = headers;
    // Microsoft's client for JavaScript looks for the type in these letters, and for no others.
    const named = { "Content-Type": type, ...others };
    expect(one).toEqual({ id: "1", status, headers: expect.objectContaining(named), body });
  });

  test("with a body, where it is one that writes: subscriptions are made, renewed and ended", async () => {
    const { world, batch } = await opened({ newId: countingIds() });
    const expirationDateTime = new Date(world.clock.ms + 3_600_000).toISOString();
    const resource = "users/getAllCalendars";
    const body = { changeType: "updated", notificationUrl: "https://a.example", resource, expirationDateTime };
    const headers = { "Content-Type": "application/json" };
    const [made, without] = await batch([
      { id: "1", method: "POST", url: "/subscriptions", headers, body },
      { id: "2", method: "POST", url: "/subscriptions", headers },
    ]);
    expect([made?.status, without?.status]).toEqual([201, 400]);
    const url = `/subscriptions/${made?.body?.["id"]}`;
    const later = { expirationDateTime: new Date(world.clock.ms + 7_200_000).toISOString() };
    const [renewed, ended] = await batch([
      { id: "1", method: "PATCH", url, headers, body: later },
      { id: "2", method: "DELETE", url, dependsOn: ["1"] },
    ]);
    expect([renewed?.status, renewed?.body, ended?.status]).toMatchObject([200, later, 204]);
  });

  test("with headers of its own: pages, versions and ids of requests", async () => {
    const { ask, batch } = await opened();
    const { headers } = await ask(calendars);
    const id = "3f0c2d1e-aaaa-4bbb-8ccc-1234567890a1";
    const answers = await batch([
      { id: "1", method: "GET", url: calendars, headers: { Prefer: "odata.maxpagesize=1" } },
      { id: "2", method: "get", url: calendars, headers: { "If-None-Match": headers["etag"] } },
      { id: "3", method: "GET", url: `${calendars}/none`, headers: { "client-request-id": id } },
      { id: "4", method: "HEAD", url: calendars },
      { id: "5", method: "DELETE", url: `${calendars}/a` },
      { id: "6", method: "GET", url: "/users/getAllCalendars", headers: { Accept: "text/csv" } },
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 304, 404, 200, 405, 200]);
    const [paged, held, missing, head, written, csv] = answers;
    expect(paged?.body?.["@odata.nextLink"]).toMatch(/\$skiptoken=/);
    expect([held, head].map((one) => "body" in (one ?? {}))).toEqual([false, false]);
    expect(missing?.headers["client-request-id"]).toBe(id);
    expect(written?.headers["allow"]).toBe("GET, HEAD");
    expect(csv?.body).toMatch(/^userId,id,name,/);
  });

  test("never compressed, whatever it asks for", async () => {
    const { batch } = await opened(Object.freeze({}));
    const headers = { "Accept-Encoding": "gzip" };
    const [one] = await batch([{ id: "1", method: "GET", url: "/users/getAllCalendars", headers }]);
    expect(one?.headers["content-encoding"]).toBeUndefined();
    expect(one?.body?.["value"]).toHaveLength(3);
  });

  test("its url may begin with a slash or not, and leads nowhere but below the version", async () => {
    const { batch } = await opened();
    const urls = [
      calendars.slice(1),
      "https://elsewhere.example/users",
      "/../mailboxes",
      "..%2f..",
      "//elsewhere.example/x",
      // Microsoft's client for .NET leaves the version in front, and what takes off the host alone leaves all.
      `beta${calendars}`,
      `/api/beta${calendars}`,
      "/beta/../mailboxes",
    ];
    const answers = await batch(urls.map((url, index) => ({ id: String(index), method: "GET", url })));
    expect(answers.map(({ status }) => status)).toEqual([200, 400, 400, 404, 404, 200, 200, 400]);
    expect(answers[1]?.body).toMatchObject({
      error: { message: "url must be relative to /api/beta, such as /users/{id}/calendars." },
    });
  });

  test("what HTTP cannot carry is refused by itself, and what stands beside it is answered", async () => {
    const { batch } = await opened();
    const answers = await batch([
      ...["TRACE", "CONNECT", "TWO WORDS"].map((method) => ({ id: method, method, url: calendars })),
      ...["a\nb", "日"].map((prefer) => ({ id: prefer, method: "GET", url: calendars, headers: { prefer } })),
      { id: "beside", method: "GET", url: calendars },
    ]);
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400, 200]);
    expect(answers[3]?.body).toMatchObject({
      error: { code: "BadRequest", message: expect.stringContaining("header") },
    });
  });

  test("a batch within a batch has no body, and is refused", async () => {
    const { batch } = await opened();
    const [one] = await batch([{ id: "1", method: "POST", url: "/$batch", body: { requests: [] } }]);
    expect(one?.status).toBe(400);
  });
});

describe("dependsOn", () => {
  test("asks after what it names, and not at all where that was refused", async () => {
    const { batch } = await opened();
    const answers = await batch([
      { id: "last", method: "GET", url: calendars, dependsOn: ["MIDDLE"] },
      { id: "middle", method: "GET", url: `${calendars}/none`, dependsOn: ["first"] },
      { id: "first", method: "GET", url: calendars },
      { id: "beside", method: "GET", url: calendars, dependsOn: ["first"] },
    ]);
    expect(answers.map(({ id, status }) => [id, status])).toEqual([
      ["last", 424],
      ["middle", 404],
      ["first", 200],
      ["beside", 200],
    ]);
    expect(answers[0]?.body).toMatchObject({
      error: { code: "FailedDependency", innerError: { "request-id": invocationId } },
    });
  });
});

describe("a batch that cannot be answered is refused as a whole", () => {
  const get = (id: string, dependsOn?: readonly string[]) => ({ id, method: "GET", url: calendars, dependsOn });
  test.each([
    ["no JSON", "{", /^The body is not JSON\. It must be \{"requests": /],
    ["nothing", "", /^The body must be .* \(see "requests"\)\.$/],
    ["no requests", '{"requests":[]}', /^The body must be .* \(see "requests"\)\.$/],
    [
      "21 requests",
      JSON.stringify({ requests: Array.from({ length: 21 }, (_, id) => get(String(id))) }),
      /20 requests/,
    ],
    ["a request without an id", '{"requests":[{"method":"GET","url":"/x"}]}', /\(see "requests\.0\.id"\)\.$/],
    [
      "an id twice",
      JSON.stringify({ requests: [get("a"), get("A")] }),
      /^The id "a" is given to more than one request;/,
    ],
    ["a lost dependsOn", JSON.stringify({ requests: [get("a", ["b"])] }), /^dependsOn names "b", which is no request/],
    [
      "a url longer than a request's first line may be",
      JSON.stringify({ requests: [{ ...get("a"), url: `/${"users('".repeat(1_500)}` }] }),
      /\(see "requests\.0\.url"\)\.$/,
    ],
    [
      "a dependsOn longer than the batch, and of no ids",
      `{"requests":[{"id":"a","method":"GET","url":"/x","dependsOn":[${Array(200_000).fill(1)}]}]}`,
      /\(see "requests\.0\.dependsOn"\)\.$/,
    ],
    [
      "more than a body may hold",
      `{"requests":[${" ".repeat(500_000)}]}`,
      /^The body is too long: 500015 characters, of at most 500000\.$/,
    ],
    [
      "a circle",
      JSON.stringify({ requests: [get("a", ["b"]), get("b", ["a"])] }),
      /^The request "a" waits by dependsOn for itself\.$/,
    ],
  ])("%s", async (_what, text, message) => {
    const { post } = await opened();
    const { status, body } = await post(text);
    expect([status, body]).toMatchObject([
      400,
      { error: { code: "BadRequest", message: expect.stringMatching(message) } },
    ]);
  });
});

describe("me in a batch", () => {
  const oid = "3f0c2d1e-aaaa-4bbb-8ccc-1234567890a1";
  const principalOf = (id: string) => ({
    "x-ms-client-principal-idp": "aad",
    "x-ms-client-principal": Buffer.from(JSON.stringify({ claims: [{ typ: "oid", val: id }] })).toString("base64"),
  });

  test("is whom App Service Authentication names for the batch, whatever a request says of itself", async () => {
    const { world, batch } = await opened({ isSignInOn: true });
    await addMailbox(oid, {}, world.store, () => "epoch");
    const held = await world.store.readMailbox(oid);
    if (held === null) throw new Error("The mailbox was not added.");
    const next = { ...held.checkpoint, sequence: 1, lastFullRoundMs: 1, lastSuccessMs: 1 };
    await world.store.commitUnits([{ held, rows: [row("mine")], next }], null);
    const me = { id: "1", method: "GET", url: "/me/calendars" };
    const [mine] = await batch([{ ...me, headers: principalOf(mailboxId) }], principalOf(oid));
    expect(mine?.body?.["value"]).toEqual([{ id: "mine", name: "mine" }]);
    const [nobody] = await batch([{ ...me, headers: principalOf(oid) }]);
    expect(nobody?.status).toBe(401);
  });
});
