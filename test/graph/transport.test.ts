import { readFileSync } from "node:fs";
import { createEmptyPipeline, createHttpHeaders, createPipelineRequest } from "@azure/core-rest-pipeline";
import { describe, expect, test } from "vitest";
import { claimsOf, guardPolicy } from "../../shared/graph/policies.js";
import type { TokenSource } from "../../shared/graph/ports.js";
import { createTransport } from "../../shared/graph/transport.js";
import { productVersion } from "../../shared/version.js";
import { countingIds } from "../worlds/parts.js";
import { answer, errorBody, fixedToken, get, graphServer, openTransport } from "../worlds/scriptedGraph.js";

const page = { value: [] };

/** A token source that writes down what it is asked for, and never gives the same token twice. */
function countingToken() {
  const asked: (Parameters<TokenSource["getToken"]>[0] | null)[] = [];
  const token: TokenSource = {
    async getToken(options) {
      asked.push(options ?? null);
      return `token-${asked.length}`;
    },
  };
  return { token, asked };
}

test.each([
  "/beta/users/a/calendars/delta?$deltatoken=x'y%2Bz%3d.w==%20",
  "/beta/users('A%40b')/calendars/microsoft.graph.delta()?%24skiptoken=a%2fb%5C&x=%7e~!*",
  '/beta/users/a/calendars/delta?$deltatoken=%e4%BD%A0;{}|^`"<>',
])("a link goes out byte for byte: %s", async (rawTarget) => {
  const { root, received } = await graphServer(() => ({ status: 200, body: page }));
  const sent = await openTransport(root).send(get(rawTarget));
  expect(sent).toMatchObject({
    kind: "answer",
    answer: { status: 200, body: { shape: "json", value: page } },
    requests: 1,
  });
  expect(received.map(({ target }) => target)).toEqual([rawTarget]);
});

test("each call says who we are, and has an id of its own", async () => {
  const { root, received } = await graphServer(() => ({ status: 200, body: page }));
  const transport = openTransport(root);
  const first = await transport.send({ ...get("/beta/a"), headers: { Prefer: "odata.maxpagesize=7" } });
  const second = await transport.send({
    method: "POST",
    rawTarget: "/beta/$batch",
    headers: {},
    body: { requests: [] },
  });
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect(productVersion).toBe(version);
  expect(received[0]?.headers).toMatchObject({
    authorization: "Bearer secret-token",
    prefer: "odata.maxpagesize=7",
    accept: "application/json",
    "user-agent": `calendar-mirror/${version}`,
    "client-request-id": first.clientRequestId,
  });
  expect(received[1]).toMatchObject({
    method: "POST",
    body: '{"requests":[]}',
    headers: { "content-type": "application/json" },
  });
  expect(second.clientRequestId).not.toBe(first.clientRequestId);
});

describe("I8: the token stays home", () => {
  test("a redirect is answered, not followed", async () => {
    const elsewhere = await graphServer(() => ({ status: 200, body: page }));
    const { root, received } = await graphServer(() => ({
      status: 302,
      headers: { location: `${elsewhere.root}/beta/x` },
    }));
    const sent = await openTransport(root).send(get("/beta/a"));
    expect(sent).toMatchObject({ kind: "answer", answer: { status: 302 } });
    expect(received).toHaveLength(1);
    expect(elsewhere.received).toEqual([]);
  });

  test.each([
    "//evil.example/x",
    "https://evil.example/x",
    "@evil.example",
    "",
    "/a b",
    "/a\r\nHost: evil",
    "/a\\b",
    "/a#b",
    "/\u0456",
  ])("a target like %j opens no connection", async (rawTarget) => {
    const { root, received } = await graphServer(() => ({ status: 200, body: page }));
    const sent = await openTransport(root).send(get(rawTarget));
    expect(sent).toMatchObject({ kind: "fault", failure: { kind: "linkRefused", code: "linkRefused:host" } });
    expect(received).toEqual([]);
  });

  test.each([
    ["another host", "https://evil.example", {}],
    ["another scheme", "http://graph.microsoft.com", {}],
    ["another port", "https://graph.microsoft.com:8443", {}],
    ["an overridden hostname", "https://graph.microsoft.com", { hostname: "evil.example" }],
    ["an overridden host", "https://graph.microsoft.com", { host: "evil.example" }],
    ["a socket of its own", "https://graph.microsoft.com", { socketPath: "/tmp/x" }],
  ])("the last policy refuses %s, and takes the token away", async (_what, url, overrides) => {
    const pipeline = createEmptyPipeline();
    pipeline.addPolicy(guardPolicy("https://graph.microsoft.com"));
    const request = createPipelineRequest({
      url,
      headers: createHttpHeaders({ Authorization: "Bearer secret-token" }),
      requestOverrides: { path: "/beta/a", ...overrides },
    });
    const wire = { sendRequest: () => Promise.reject(new Error("It went out.")) };
    await expect(pipeline.sendRequest(wire, request)).rejects.toMatchObject({ code: "foreignOrigin" });
    expect(request.headers.has("Authorization")).toBe(false);
  });

  test("a root that is no origin of ours is refused at once", () => {
    const options = { token: fixedToken, newId: countingIds() };
    expect(() => createTransport({ root: "http://graph.microsoft.com", ...options })).toThrow(/loopback/);
  });
});

describe("a refused token", () => {
  const claims = '{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}';
  const challenge = {
    "WWW-Authenticate": `Bearer realm="", error="insufficient_claims", claims="${Buffer.from(claims).toString("base64")}"`,
  };

  test("is renewed once, and the call goes through", async () => {
    const { token, asked } = countingToken();
    const { root, received } = await graphServer((_, count) =>
      count === 1 ? { status: 401, body: errorBody("InvalidAuthenticationToken") } : { status: 200, body: page },
    );
    const sent = await openTransport(root, { token }).send(get("/beta/a"));
    expect(sent).toMatchObject({ kind: "answer", answer: { status: 200 }, requests: 2 });
    expect(asked).toEqual([null, { fresh: true }]);
    expect(received.map(({ headers }) => headers.authorization)).toEqual(["Bearer token-1", "Bearer token-2"]);
  });

  test.each([401, 403])("with a claims challenge on %i is renewed with these claims", async (status) => {
    const { token, asked } = countingToken();
    const { root } = await graphServer((_, count) =>
      count === 1 ? { status, headers: challenge } : { status: 200, body: page },
    );
    const sent = await openTransport(root, { token }).send(get("/beta/a"));
    expect(sent).toMatchObject({ kind: "answer", answer: { status: 200 }, requests: 2 });
    expect(asked).toEqual([null, { claims }]);
  });

  test("twice is an answer like any other, and not tried a third time", async () => {
    const { token } = countingToken();
    const { root, received } = await graphServer(() => ({
      status: 401,
      body: errorBody("InvalidAuthenticationToken"),
    }));
    const sent = await openTransport(root, { token }).send(get("/beta/a"));
    expect(sent).toMatchObject({ kind: "answer", answer: { status: 401 }, requests: 2 });
    expect(received).toHaveLength(2);
  });

  test.each([
    [401, {}, { fresh: true }],
    [401, challenge, { claims }],
    [403, challenge, { claims }],
  ])(
    "is not sent again: %i with %j is the answer, where the identity has no other token",
    async (status, headers, options) => {
      const asked: unknown[] = [];
      const getToken: TokenSource["getToken"] = async (given) => {
        asked.push(given ?? null);
        return "the only token"; // Of a managed identity, until it renews it.
      };
      const { root, received } = await graphServer(() => ({
        status,
        headers,
        body: errorBody("InvalidAuthenticationToken"),
      }));
      const sent = await openTransport(root, { token: { getToken } }).send(get("/beta/a"));
      expect(sent).toMatchObject({ kind: "answer", answer: { status }, requests: 1 });
      expect(asked).toEqual([null, options]);
      expect(received).toHaveLength(1);
    },
  );

  test("by an item of a batch is compared with the one that the identity has by then", async () => {
    const refusal = answer(401, errorBody("InvalidAuthenticationToken"));
    const { root } = await graphServer(() => ({ status: 200, body: page }));
    const tokens = ["one", "one", "two", "two"];
    const asked: unknown[] = [];
    const getToken: TokenSource["getToken"] = async (options) => {
      asked.push(options ?? null);
      const next = tokens.shift();
      if (next === undefined) throw new Error("The identity is away.");
      return next;
    };
    const transport = openTransport(root, { token: { getToken } });
    const sent = await transport.send(get("/beta/$batch"));
    expect(JSON.stringify(sent)).not.toContain("one");
    expect(await transport.hasOtherToken(sent, refusal)).toBe(false);
    expect(await transport.hasOtherToken(sent, refusal)).toBe(true);
    expect(await transport.hasOtherToken(sent, answer(401, undefined, challenge))).toBe(true);
    expect(await transport.hasOtherToken(sent, refusal)).toBe(false); // It cannot be had.
    expect(await transport.hasOtherToken(sent, answer(401, errorBody("MailboxNotEnabledForRESTAPI")))).toBe(false);
    expect(asked).toEqual([null, { fresh: true }, { fresh: true }, { claims }, { fresh: true }]);
  });

  test.each([
    [401, errorBody("MailboxNotEnabledForRESTAPI")],
    [403, errorBody("ErrorAccessDenied")],
  ])("is not what a %i about the mailbox means", async (status, body) => {
    const { root, received } = await graphServer(() => ({ status, body }));
    await openTransport(root).send(get("/beta/a"));
    expect(received).toHaveLength(1);
  });

  test.each(["", "Bearer", 'Bearer claims=""', 'Bearer claims="%%%"', 'Bearer claims="bm90IEpTT04"'])(
    "has no claims in %j",
    (header) => {
      expect(claimsOf(header)).toBeNull();
    },
  );

  test("has claims in either alphabet of base64", () => {
    const text = '{"a":"\u00ff\u00fe~~~???"}';
    expect(claimsOf(`Bearer claims="${Buffer.from(text).toString("base64")}"`)).toBe(text);
    expect(claimsOf(`Bearer Claims="${Buffer.from(text).toString("base64url")}"`)).toBe(text);
  });
});

test("a token that cannot be had is a matter of configuration, and says why", async () => {
  const { root, received } = await graphServer(() => ({ status: 200, body: page }));
  const token = { getToken: () => Promise.reject(new Error("ManagedIdentityCredential: no identity")) };
  const sent = await openTransport(root, { token }).send(get("/beta/a"));
  expect(sent).toMatchObject({
    kind: "fault",
    failure: { kind: "authConfig", code: "tokenUnavailable" },
    detail: "ManagedIdentityCredential: no identity",
    requests: 0,
  });
  expect(received).toEqual([]);
});

describe("faults of the network are transient (taxonomy row 40)", () => {
  const fault = (code: string, requests = 1) => ({
    kind: "fault",
    failure: { kind: "transient", code, retryAfterMs: null },
    requests,
  });

  test("nobody listens", async () => {
    const transport = openTransport("http://127.0.0.1:1");
    expect(await transport.send(get("/beta/a"))).toMatchObject(fault("ECONNREFUSED"));
  });

  test("a new connection that is cut is not tried again", async () => {
    const { root, received } = await graphServer(() => "hangUp");
    expect(await openTransport(root).send(get("/beta/a"))).toMatchObject(fault("ECONNRESET"));
    expect(received).toHaveLength(1);
  });

  test("a kept connection that turns out dead is replaced, once", async () => {
    const { root, received } = await graphServer((_, count) => (count === 2 ? "hangUp" : { status: 200, body: page }));
    const transport = openTransport(root);
    await transport.send(get("/beta/a"));
    expect(await transport.send(get("/beta/b"))).toMatchObject({ kind: "answer", requests: 2 });
    expect(received.map(({ target }) => target)).toEqual(["/beta/a", "/beta/b", "/beta/b"]);
    expect(received[1]?.port).toBe(received[0]?.port);
    expect(received[2]?.port).not.toBe(received[0]?.port);
  });

  test("a server that goes on hanging up is tried twice, not more", async () => {
    const { root, received } = await graphServer((_, count) => (count > 1 ? "hangUp" : { status: 200, body: page }));
    const transport = openTransport(root);
    await transport.send(get("/beta/a"));
    expect(await transport.send(get("/beta/b"))).toMatchObject(fault("ECONNRESET", 2));
    expect(received).toHaveLength(3);
  });

  test("a server that stays silent runs into the limit", async () => {
    const { root } = await graphServer(() => "silence");
    const transport = openTransport(root, { limits: { callMaxMs: 20 } });
    expect(await transport.send(get("/beta/a"))).toMatchObject(fault("timeout"));
  });

  test("a body that never ends runs into the limit too", async () => {
    const { root } = await graphServer(() => ({
      status: 200,
      headers: { "content-length": "100" },
      body: '{"value":[',
    }));
    const transport = openTransport(root, { limits: { callMaxMs: 50 } });
    expect(await transport.send(get("/beta/a"))).toMatchObject(fault("timeout"));
  });

  test("a body beyond the limit is not read to its end", async () => {
    const { root } = await graphServer(() => ({ status: 200, body: `"${"x".repeat(5_000)}"` }));
    const small = openTransport(root, { limits: { bodyBytesMax: 5_001 } });
    expect(await small.send(get("/beta/a"))).toMatchObject(fault("bodyTooLarge"));
    const enough = openTransport(root, { limits: { bodyBytesMax: 5_002 } });
    expect(await enough.send(get("/beta/a"))).toMatchObject({ kind: "answer" });
  });
});

test("after a 503 the next call takes another connection", async () => {
  const { root, received } = await graphServer((_, count) => ({ status: count === 1 ? 503 : 200, body: page }));
  const transport = openTransport(root);
  await transport.send(get("/beta/a"));
  await transport.send(get("/beta/b"));
  await transport.send(get("/beta/c"));
  expect(received[1]?.port).not.toBe(received[0]?.port);
  expect(received[2]?.port).toBe(received[1]?.port);
});

test.each([
  ["HTML", "<html>", "notJson"],
  ["half a JSON", '{"value":[', "notJson"],
  ["bytes that are not UTF-8", Buffer.from([0x22, 0xff, 0x22]), "notJson"],
  ["a byte order mark", "\uFEFF{}", "json"],
  ["nothing", "", "empty"],
])("a body of %s is taken for what it is", async (_what, body, shape) => {
  const { root } = await graphServer(() => ({ status: 200, body }));
  expect(await openTransport(root).send(get("/beta/a"))).toMatchObject({ kind: "answer", answer: { body: { shape } } });
});
