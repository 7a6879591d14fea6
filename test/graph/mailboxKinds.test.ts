import { expect, test } from "vitest";
import { createMailboxKindsClient } from "../../shared/graph/mailboxKinds.js";
import { answer, errorBody, graphServer, openTransport, type Reply } from "../worlds/scriptedGraph.js";

const ids = ["3f0c0000-0000-4000-8000-0000000000a1", "3f0c0000-0000-4000-8000-0000000000a2"] as const;
type Item = { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string> };

async function askedOf(reply: Reply) {
  const server = await graphServer(() => reply);
  const client = createMailboxKindsClient({
    settings: { version: "beta" },
    transport: openTransport(server.root),
    clock: { nowMs: () => 0 },
    log: () => undefined,
  });
  return { answers: await client.kindsOf(ids), received: server.received };
}

const batch = (...items: Item[]): Reply => ({
  status: 200,
  body: { responses: items.map((item, index) => ({ id: `${index + 1}`, ...item })) },
});

test("asks for the purpose of each mailbox in one batch, with no word about page sizes", async () => {
  const { answers, received } = await askedOf(
    batch({ status: 200, body: { value: "room" } }, { status: 200, body: { userPurpose: "Shared" } }),
  );
  expect(answers).toEqual([
    { kind: "known", mailboxKind: "room" },
    { kind: "known", mailboxKind: "shared" },
  ]);
  expect(received).toHaveLength(1);
  const { requests } = JSON.parse(received[0]?.body ?? "") as { requests: { url: string; headers: object }[] };
  expect(requests.map(({ url }) => url)).toEqual(ids.map((id) => `/users/${id}/mailboxSettings/userPurpose`));
  expect(Object.keys(requests[0]?.headers ?? {})).toEqual(["client-request-id"]);
});

test("a purpose that did not exist when this was written is one of the others", async () => {
  const { answers } = await askedOf(
    batch({ status: 200, body: { value: "unknownFutureValue" } }, { status: 200, body: { value: "hologram" } }),
  );
  expect(answers).toEqual([
    { kind: "known", mailboxKind: "others" },
    { kind: "known", mailboxKind: "others" },
  ]);
});

const first: readonly (readonly [string, Item, object])[] = [
  ["no mailbox", { status: 404, body: errorBody("MailboxNotEnabledForRESTAPI") }, { kind: "none" }],
  ["a missing permission", { status: 403, body: errorBody("ErrorAccessDenied") }, { kind: "denied" }],
  ["a service that fails over", { status: 403, body: errorBody("x", "", "serviceReadOnly") }, { kind: "failed" }],
  ["a refused token", { status: 401, body: errorBody("InvalidAuthenticationToken") }, { kind: "failed" }],
  ["no user", { status: 404, body: errorBody("Request_ResourceNotFound") }, { kind: "none" }],
  ["a 404 that says nothing", { status: 404, body: errorBody("UnknownError", "") }, { kind: "failed" }],
  ["a refusal that nobody knows", { status: 400, body: errorBody("HologramExpected") }, { kind: "failed" }],
  ["a 404 without a word", { status: 404 }, { kind: "failed", code: "http404" }],
  ["a stumble", { status: 503, headers: { "Retry-After": "7" } }, { kind: "failed", retryAfterMs: 7000 }],
  ["a throttle", { status: 429, headers: { "Retry-After": "9" } }, { kind: "failed", retryAfterMs: 9000 }],
  ["an answer without the purpose", { status: 200, body: { value: null } }, { kind: "failed", code: "malformedPage" }],
];

test.each(first)("I10: %s is of one mailbox, and its neighbour's kind is known", async (_, item, expected) => {
  const { answers } = await askedOf(batch(item, { status: 200, body: { value: "user" } }));
  expect(answers).toMatchObject([expected, { kind: "known", mailboxKind: "user" }]);
});

test.each([
  ["throttled as a whole", { status: 429, headers: { "Retry-After": "5" } }, { retryAfterMs: 5000 }],
  ["no batch answer", { status: 200, body: { value: [] } }, { code: "malformedBatch" }],
  ["cut off", "hangUp" as const, {}],
])("I3: a batch that is %s says nothing of anybody", async (_, reply, expected) => {
  const { answers } = await askedOf(reply);
  expect(answers).toMatchObject(ids.map(() => ({ kind: "failed", ...expected })));
});

test("an id of the directory cannot leave its place in the URL", async () => {
  const server = await graphServer(() => batch({ status: 404, body: answer(404).body }));
  const client = createMailboxKindsClient({
    settings: { version: "beta" },
    transport: openTransport(server.root),
    clock: { nowMs: () => 0 },
    log: () => undefined,
  });
  await client.kindsOf(["a/b?c"]);
  expect(server.received[0]?.body).toContain("/users/a%2Fb%3Fc/mailboxSettings/userPurpose");
});
