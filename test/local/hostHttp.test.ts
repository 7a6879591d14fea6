import { afterAll, beforeAll, expect, test } from "vitest";
import { HostProcess, removeApp, writeApp } from "../worlds/hostApp.js";

const APP = `
  import { app } from "@azure/functions";
  const http = (name, route, handler, more = {}) =>
    app.http(name, { route, authLevel: "anonymous", methods: ["GET"], handler, ...more });
  const tell = (name) => (request) => ({ jsonBody: { name, params: request.params, url: request.url } });

  http("bCatchAll", "things/{*rest}", tell("bCatchAll"));
  http("aLiteral", "things/literal", tell("aLiteral"));
  http("zLate", "things/late", tell("zLate"));
  http("byNumber", "items/{id:int:min(10)}", tell("byNumber"));
  http("byText", "items/{id}/{part?}", tell("byText"));
  http("delta", "users/{id}/calendars/delta()", tell("delta"));
  http("mixed", "users/{id}/calendars('{calendar}')", tell("mixed"));
  http("adminish", "administrators", tell("adminish"));
  http("byDefault", undefined, tell("byDefault"));
  http("echo", "echo", async (request) => ({ body: "got:" + (await request.text()) }), { methods: ["POST", "PUT"] });
  http("query", "query", (request) => ({ jsonBody: {
    all: request.query.get("a"), select: request.query.get("$select"), each: new URL(request.url).searchParams.getAll("a"),
  } }));
  http("empty", "empty", () => ({ status: 204, body: "dropped" }));
  http("silent", "silent", () => undefined);
  http("throws", "throws", () => { throw new Error("secret"); });
  http("rich", "rich", () => ({
    status: 201, headers: { "x-one": "1" }, cookies: [{ name: "c", value: "v", path: "/", sameSite: "Lax" }], body: "ok",
  }));
  http("locked", "locked", tell("locked"), { authLevel: "function" });
  app.timer("missing", { schedule: "%NOT_SET%", handler: () => undefined });
`;

let appDir: string;
let open: HostProcess;
let guarded: HostProcess;
let root: string;

beforeAll(async () => {
  appDir = writeApp({ files: { "app.js": APP } });
  open = new HostProcess(appDir);
  guarded = new HostProcess(appDir, {}, ["--keys", "a-key"]);
  root = `${(await open.event("ready")).url}/api`;
});

afterAll(async () => {
  await Promise.all([open?.stop(), guarded?.stop()]);
  if (appDir !== undefined) removeApp(appDir);
});

async function answerOf(path: string): Promise<{ name: string; params: Record<string, string>; url: string } | number> {
  const answer = await fetch(root + path);
  return answer.ok
    ? ((await answer.json()) as { name: string; params: Record<string, string>; url: string })
    : answer.status;
}

test.each([
  ["/things/literal", "aLiteral", {}],
  ["/things/late", "bCatchAll", { rest: "late" }], // Functions by name, not by how specific their routes are.
  ["/things/x/y", "bCatchAll", { rest: "x/y" }],
  ["/THINGS/Literal", "aLiteral", {}],
  ["/items/12", "byNumber", { id: "12" }],
  ["/items/9", "byText", { id: "9" }],
  ["/items/9/part", "byText", { id: "9", part: "part" }],
  ["/items/a%2Fb", "byText", { id: "a%2Fb" }], // An encoded slash neither splits a segment nor is decoded.
  ["/items/a%20b", "byText", { id: "a b" }],
  ["/users/me/calendars/delta()", "delta", { id: "me" }],
  ["/users/me/calendars('AAM=')", "mixed", { id: "me", calendar: "AAM=" }],
  ["/byDefault", "byDefault", {}],
])("%s is answered by %s", async (path, name, params) => {
  expect(await answerOf(path)).toMatchObject({ name, params });
});

test("a route that nobody has, and a method that its function does not take, are 404", async () => {
  expect(await answerOf("/nothing")).toBe(404);
  expect((await fetch(`${root}/things/literal`, { method: "POST" })).status).toBe(404);
  expect((await fetch(`${root}/things/literal`, { method: "HEAD" })).status).toBe(404);
});

test("a route that begins with `admin` and a setting that is not set put only their own functions in error", async () => {
  const { errors, functions } = await open.event("ready");
  expect(errors.map((error) => error.function).sort()).toEqual(["adminish", "missing"]);
  expect(errors.find((error) => error.function === "missing")?.message).toContain("%NOT_SET%");
  expect(functions.map(({ name }) => name)).not.toContain("adminish");
  expect(await answerOf("/administrators")).toBe(404);
});

test("a body arrives when it has a length, and is dropped when it is chunked", async () => {
  const withLength = await fetch(`${root}/echo`, { method: "POST", body: "hello" });
  expect(await withLength.text()).toBe("got:hello");
  const body = new Blob(["hello"]).stream();
  const chunked = await fetch(`${root}/echo`, { method: "POST", body, duplex: "half" } as RequestInit);
  expect(await chunked.text()).toBe("got:");
});

test("the query is decoded; a repeated name is joined by commas, and whole in the URL", async () => {
  const answer = await fetch(`${root}/query?a=1&a=2&$select=id%2Cname`);
  expect(await answer.json()).toEqual({ all: "1,2", select: "id,name", each: ["1", "2"] });
});

test("status, headers, cookies and body of an answer arrive", async () => {
  const answer = await fetch(`${root}/rich`);
  expect([answer.status, answer.headers.get("x-one"), await answer.text()]).toEqual([201, "1", "ok"]);
  expect(answer.headers.get("set-cookie")).toBe("c=v; Path=/; SameSite=Lax");
});

test("204 has no body, no answer at all is 204, and a handler that throws is 500 with nothing said", async () => {
  const statusAndText = async (path: string) => {
    const answer = await fetch(root + path);
    return [answer.status, await answer.text()];
  };
  expect(await statusAndText("/empty")).toEqual([204, ""]);
  expect(await statusAndText("/silent")).toEqual([204, ""]);
  expect(await statusAndText("/throws")).toEqual([500, ""]);
});

test("without --keys everything is open; with it only anonymous functions are", async () => {
  expect(await answerOf("/locked")).toMatchObject({ name: "locked" });
  const { url } = await guarded.event("ready");
  const statusOf = async (path: string, init?: RequestInit) => (await fetch(url + path, init)).status;
  expect(await statusOf("/api/things/literal")).toBe(200);
  expect(await statusOf("/api/locked")).toBe(401);
  expect(await statusOf("/api/locked?code=wrong")).toBe(401);
  expect(await statusOf("/api/locked?code=a-key")).toBe(200);
  expect(await statusOf("/api/locked", { headers: { "x-functions-key": "a-key" } })).toBe(200);
  expect(await statusOf("/admin/functions/locked", { method: "POST", body: "{}" })).toBe(401);
});

test("a manual run is refused for an HTTP function, an unknown one, and a body that is not JSON", async () => {
  const { url } = await open.event("ready");
  const statusOf = async (name: string, body: string) =>
    (await fetch(`${url}/admin/functions/${name}`, { method: "POST", body })).status;
  expect(await statusOf("locked", '{"input":""}')).toBe(400);
  expect(await statusOf("nobody", '{"input":""}')).toBe(404);
  expect(await statusOf("nobody", "nonsense")).toBe(400);
});
