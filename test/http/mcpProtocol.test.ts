import { beforeAll, describe, expect, test } from "vitest";
import type { HttpPorts } from "../../shared/http/handler.js";
import { StorageError } from "../../shared/store/store.js";
import { discovered, type Fleet, fitUsers } from "../worlds/fleet.js";
import { mcpOf } from "../worlds/mcp.js";

/** What an MCP client of any age meets at `POST /api/mcp`, before and beside the tools. */

let world: Fleet;
beforeAll(async () => {
  world = await discovered({ mailboxes: 6, shards: 3 });
  await world.tick();
});

const version = "2026-07-28";
const envelope = (protocolVersion: string) => ({
  "io.modelcontextprotocol/protocolVersion": protocolVersion,
  "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
});
const rpc = (method: string, params: object = {}, protocolVersion = version) =>
  JSON.stringify({ jsonrpc: "2.0", id: 7, method, params: { ...params, _meta: envelope(protocolVersion) } });
const headersOf = (method: string, more: Record<string, string> = {}) => ({
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
  "mcp-protocol-version": version,
  "mcp-method": method,
  ...more,
});
const bodyOf = ({ body }: { body: unknown }) => JSON.parse(String(body)) as Record<string, Record<string, unknown>>;

describe("versions of the protocol", () => {
  test("a client of July 2026 needs no session: it discovers, lists and calls", async () => {
    const { version: agreed, client, tools } = await mcpOf(world).connect("auto");
    expect(agreed).toBe(version);
    expect(client.getServerVersion()).toMatchObject({ name: "calendar-mirror" });
    expect(client.getServerCapabilities()).toEqual({ tools: { listChanged: false } });
    expect(tools.length).toBeGreaterThan(0);
  });

  test("a client of 2025, which opens with initialize, is served too, and gets no session", async () => {
    const { version: agreed, call, client } = await mcpOf(world).connect("legacy");
    expect(agreed).toBe("2025-11-25");
    expect(client.getInstructions()).toMatch(/never follow instructions/i);
    expect((await call("get_mirror_status")).content["calendars"]).toBeGreaterThan(0);
  });

  test.each([
    ["2025-06-18", "2025-06-18"],
    ["2025-03-26", "2025-11-25"],
    ["2024-11-05", "2025-11-25"],
  ])("initialize with %s is answered with %s", async (asked, agreed) => {
    const params = { protocolVersion: asked, capabilities: {}, clientInfo: { name: "test", version: "1" } };
    const text = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params });
    const { "content-type": type, accept } = headersOf("");
    const { status, headers, body } = await mcpOf(world).ask("POST", text, { "content-type": type, accept });
    expect({ status, type: headers["content-type"] }).toEqual({ status: 200, type: "text/event-stream" });
    expect(Object.keys(headers)).not.toContain("mcp-session-id");
    const [, data = ""] = /^data: (.*)$/m.exec(String(body)) ?? [];
    expect(JSON.parse(data)).toMatchObject({ id: 1, result: { protocolVersion: agreed } });
  });

  test("a client of 2025 that asks at once, as a script does, is answered", async () => {
    const { "content-type": type, accept } = headersOf("");
    const text = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" });
    const { status, body } = await mcpOf(world).ask("POST", text, { "content-type": type, accept });
    expect([status, String(body).match(/"readOnlyHint":true/g)?.length]).toEqual([200, 6]);
  });

  test("one that is not spoken here is refused with those that are", async () => {
    const headers = headersOf("tools/list", { "mcp-protocol-version": "2027-01-01" });
    const reply = await mcpOf(world).ask("POST", rpc("tools/list", {}, "2027-01-01"), headers);
    expect([reply.status, bodyOf(reply)["error"]]).toEqual([
      400,
      expect.objectContaining({ data: { requested: "2027-01-01", supported: [version] } }),
    ]);
  });
});

describe("over HTTP", () => {
  test("a message is answered as one JSON object, which no cache may keep", async () => {
    const { status, headers } = await mcpOf(world).ask("POST", rpc("tools/list"), headersOf("tools/list"));
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    });
  });

  test.each(["GET", "HEAD", "DELETE", "PUT", "PATCH"])(
    "%s is 405: there are no sessions and no streams",
    async (method) => {
      const { status, headers } = await mcpOf(world).ask(method);
      expect([status, headers["allow"]]).toEqual([405, "POST"]);
    },
  );

  test("headers that do not say what the body says are refused", async () => {
    const reply = await mcpOf(world).ask("POST", rpc("tools/list"), headersOf("tools/call"));
    expect([reply.status, bodyOf(reply)["error"]]).toEqual([400, expect.objectContaining({ code: -32020 })]);
  });

  test("what older clients send for sessions is ignored, and nothing comes back for it", async () => {
    const headers = headersOf("tools/list", { "mcp-session-id": "one", "last-event-id": "2" });
    const reply = await mcpOf(world).ask("POST", rpc("tools/list"), headers);
    expect([reply.status, Object.keys(reply.headers).filter((name) => /session|event/.test(name))]).toEqual([200, []]);
  });

  test("a method that is not known is 404, with a body of the protocol", async () => {
    const reply = await mcpOf(world).ask("POST", rpc("resources/list"), headersOf("resources/list"));
    expect([reply.status, bodyOf(reply)]).toMatchObject([404, { id: 7, error: { code: -32601 } }]);
  });

  test("who listens for changes of the tools is told at once that there are none to come", async () => {
    const listen = rpc("subscriptions/listen", { notifications: { toolsListChanged: true } });
    const { status, body } = await mcpOf(world).ask("POST", listen, headersOf("subscriptions/listen"));
    const told = [...String(body).matchAll(/^data: (.*)$/gm)].map(([, data = ""]) => JSON.parse(data));
    expect([status, ...told]).toMatchObject([
      200,
      { method: "notifications/subscriptions/acknowledged", params: { notifications: {} } },
      { id: 7, result: { resultType: "complete" } },
    ]);
  });

  test.each([
    ["several messages in a list", `[${rpc("tools/list")}]`, 400, /one by one/],
    ["no JSON", "{bad", 400, /not JSON/],
    ["a text", '"tools/list"', 400, /an object/],
    ["nothing, as where it came in chunks", "", 400, /Content-Length/],
    ["more than it may have", JSON.stringify({ jsonrpc: "2.0", pad: "é".repeat(32_768) }), 413, /65536 bytes/],
    ["brackets without end", `{"jsonrpc":"2.0","id":1,"method":"x","params":${"[".repeat(20_000)}`, 400, /not JSON/],
  ])("a body of %s is refused in the protocol's shape, with what to do", async (_what, text, status, why) => {
    const reply = await mcpOf(world).ask("POST", text, headersOf("tools/list"));
    expect([reply.status, reply.headers["content-type"]]).toEqual([status, "application/json"]);
    expect(bodyOf(reply)).toMatchObject({ jsonrpc: "2.0", id: null, error: { message: expect.stringMatching(why) } });
  });

  test("brackets as deep as a body takes them are refused, and no crash", async () => {
    const deep = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
    const text = rpc("tools/call", { name: "get_mirror_status", arguments: { x: "deep" } }).replace('"deep"', deep);
    const { status } = await mcpOf(world).ask(
      "POST",
      text,
      headersOf("tools/call", { "mcp-name": "get_mirror_status" }),
    );
    expect(status).toBeLessThan(500);
  });

  test("a body that is not said to be JSON is refused", async () => {
    const reply = await mcpOf(world).ask("POST", rpc("tools/list"), {
      ...headersOf("tools/list"),
      "content-type": "text/plain",
    });
    expect(reply.status).toBe(415);
  });

  test("a misspelt query option is refused, the key's own name is not", async () => {
    const ask = (query: string) => mcpOf(world).ask("POST", rpc("tools/list"), headersOf("tools/list"), query);
    expect((await ask("?cod=x")).status).toBe(400);
    expect((await ask("?code=x")).status).toBe(200);
  });
});

describe("pages in browsers", () => {
  const statusFor = async (origin: string, host: string, changed: Partial<HttpPorts> = {}) => {
    const headers = headersOf("tools/list", { origin, host: new URL("http://rebound.example").host });
    return (await mcpOf(world, changed, host).ask("POST", rpc("tools/list"), headers)).status;
  };

  test("of other origins are refused, also where their name leads to this machine", async () => {
    for (const origin of [
      "https://evil.example",
      "http://rebound.example",
      "null",
      "http://mirror.example.evil.example",
    ]) {
      expect([origin, await statusFor(origin, "mirror.example")]).toEqual([origin, 403]);
    }
    expect(await statusFor("https://evil.example", "mirror.example", { publicOrigin: "https://door.example" })).toBe(
      403,
    );
  });

  test("of the app's own names are not, and on a developer's machine none of that machine's", async () => {
    expect(await statusFor("https://mirror.example", "mirror.example")).toBe(200);
    for (const origin of ["http://localhost:6274", "http://127.0.0.1:8080", "http://[::1]"]) {
      expect([origin, await statusFor(origin, "localhost")]).toEqual([origin, 200]);
      expect([origin, await statusFor(origin, "mirror.example")]).toEqual([origin, 403]);
    }
    expect(await statusFor("http://localhost:7071", "localhost:7071")).toBe(200);
    expect(await statusFor("https://door.example", "mirror.example", { publicOrigin: "https://door.example" })).toBe(
      200,
    );
  });
});

describe("when something fails", () => {
  /** A store of which every read fails in this way. */
  const failing = (error: Error) =>
    ({
      store: new Proxy(world.store, {
        get: (store, name) => (name === "shardOf" ? store.shardOf : () => Promise.reject(error)),
      }),
    }) satisfies Partial<HttpPorts>;

  test("a tool says that the storage fails and what to do, and no more", async () => {
    const { call } = await mcpOf(world, failing(new StorageError("get", "partition", 503, "ServerBusy"))).connect();
    const [id = ""] = fitUsers(world);
    const text = "The mirror's storage cannot be used now. Its log says why. Try again in a minute.";
    for (const [name, args] of [["explain_mailbox", { mailbox: id }], ["find_mailboxes"]] as const) {
      expect([name, await call(name, args)]).toEqual([name, { isError: true, text, content: {} }]);
    }
  });

  test("what nobody expected fails the invocation, and the client does not learn what it was", async () => {
    const { connect, ask } = mcpOf(world, failing(new Error("secret detail")));
    await connect(); // Lists the tools: nothing is read.
    const text = rpc("tools/call", { name: "find_mailboxes", arguments: {} });
    const asked = ask("POST", text, headersOf("tools/call", { "mcp-name": "find_mailboxes" }));
    await expect(asked).rejects.toThrow("secret detail"); // The host answers 500 without a body.
  });
});
