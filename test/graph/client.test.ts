import { describe, expect, test } from "vitest";
import type { Answer } from "../../shared/graph/ports.js";
import type { Ask } from "../../shared/sync/types.js";
import {
  answer,
  ask,
  asksFor,
  batchGraph,
  entriesOf,
  errorBody,
  graphServer,
  lastPage,
  openClient,
  openTransport,
  scriptedTransport,
} from "../worlds/scriptedGraph.js";

describe("asking one mailbox", () => {
  test("is one GET, with the page size, and without query options at the start of a round", async () => {
    const { transport, calls } = batchGraph(() => null);
    const asked = await openClient(transport).client.ask([ask("m1")]);
    expect(calls).toEqual([
      {
        method: "GET",
        rawTarget: "/beta/users/m1/calendars/delta",
        headers: { Prefer: "odata.maxpagesize=50" },
        body: null,
        mailboxId: "m1",
      },
    ]);
    expect(asked).toMatchObject({
      outcomes: [{ kind: "lastPage", items: [{ calendarId: "m1-calendar" }] }],
      requests: 1,
      throttles: 0,
      brake: null,
    });
  });

  test.each<[Ask, string]>([
    [ask("me"), "/beta/me/calendars/delta"],
    [{ mailboxId: "m1", strategy: "list", link: null }, "/beta/users/m1/calendars"],
    [ask("a/b#c"), "/beta/users/a%2Fb%23c/calendars/delta"],
  ])("%j goes to %s", async (one, rawTarget) => {
    const { transport, calls } = batchGraph(() => null);
    await openClient(transport).client.ask([one]);
    expect(calls.map((call) => call.rawTarget)).toEqual([rawTarget]);
  });

  test("replays a link over the wire byte for byte", async () => {
    const { root: local, received } = await graphServer(() => ({ status: 200, body: lastPage("m1") }));
    const target = "/beta/Users('m1')/calendars/delta?%24deltatoken=a'b%2Bc%3dd.e==%20f";
    const { client } = openClient(openTransport(local), { root: local });
    expect(await client.ask([ask("m1", `${local}${target}`)])).toMatchObject({ outcomes: [{ kind: "lastPage" }] });
    expect(received.map((request) => request.target)).toEqual([target]);
  });

  test("I8: a link that leads elsewhere is refused without any request, and the log does not tell it", async () => {
    const { transport, calls } = batchGraph(() => null);
    const { client, lines } = openClient(transport);
    const asked = await client.ask([
      ask("m1", "https://evil.example/beta/users/m1/calendars/delta?$deltatoken=secret"),
    ]);
    expect(asked).toMatchObject({ outcomes: [{ kind: "linkRefused", code: "linkRefused:host" }], requests: 0 });
    expect(calls).toEqual([]);
    expect(lines).toMatchObject([{ level: "error", fields: { mailbox: "m1", code: "linkRefused:host" } }]);
    expect(JSON.stringify(lines)).not.toMatch(/secret|evil/);
  });

  test("an id that cannot stand in a path is no mailbox, and asks nothing", async () => {
    const { transport, calls } = batchGraph(() => null);
    expect(await openClient(transport).client.ask([ask("..")])).toMatchObject({
      outcomes: [{ kind: "noMailbox", code: "invalidMailboxId" }],
    });
    expect(calls).toEqual([]);
  });

  test.each<[string, Answer, object]>([
    ["HTML with status 200", answer(200, "<html>"), { kind: "unreadable", code: "malformedPage" }],
    ["an empty 200", answer(200), { kind: "unreadable", code: "malformedPage" }],
    ["another 2xx", answer(204), { kind: "transient", code: "http204" }],
    ["a refusal", answer(403, errorBody("ErrorQuotaExceeded")), { kind: "mailboxFull", code: "ErrorQuotaExceeded" }],
  ])("I3: %s is no page", async (_what, given, outcome) => {
    const { transport } = scriptedTransport(() => given);
    expect(await openClient(transport).client.ask([ask("m1")])).toMatchObject({ outcomes: [outcome] });
  });

  test("a missing item means a lost link only when a delta link was asked", async () => {
    const { transport } = scriptedTransport(() => answer(404, errorBody("ErrorItemNotFound")));
    const { client } = openClient(transport);
    const link = lastPage("m1")["@odata.deltaLink"];
    expect((await client.ask([ask("m1", link)])).outcomes).toMatchObject([{ kind: "resetSync" }]);
    expect((await client.ask([ask("m1")])).outcomes).toMatchObject([{ kind: "denied" }]);
  });

  test("a throttled mailbox is no brake for the others", async () => {
    const { transport } = scriptedTransport(() =>
      answer(429, errorBody("ApplicationThrottled"), { "Retry-After": "9" }),
    );
    expect(await openClient(transport).client.ask([ask("m1")])).toEqual({
      outcomes: [{ kind: "throttled", code: "ApplicationThrottled", retryAfterMs: 9_000 }],
      requests: 1,
      throttles: 1,
      brake: null,
    });
  });

  test("a token that two calls in a row did not help is a matter of configuration", async () => {
    let tokens = 0;
    const { root: local, received } = await graphServer(() => ({
      status: 401,
      body: errorBody("InvalidAuthenticationToken"),
    }));
    const { client } = openClient(openTransport(local, { token: { getToken: async () => `token-${++tokens}` } }), {
      root: local,
    });
    expect(await client.ask([ask("m1")])).toMatchObject({
      outcomes: [{ kind: "authConfig", code: "InvalidAuthenticationToken" }],
      requests: 2,
    });
    expect(received).toHaveLength(2);
  });
});

describe("the log", () => {
  test("has one line for each failed answer, with what support asks for, and no body", async () => {
    const headers = { "request-id": "r-1", "x-ms-ags-diagnostic": "d".repeat(400) };
    const { transport } = scriptedTransport(() =>
      answer(403, errorBody("Forbidden", "Anna's secret", "ErrorAccessDenied"), headers),
    );
    const { client, lines } = openClient(transport);
    await client.ask([ask("m1")]);
    expect(lines).toEqual([
      {
        level: "warn",
        message: "Graph refused",
        fields: {
          mailbox: "m1",
          outcome: "denied",
          code: "ErrorAccessDenied",
          status: 403,
          codes: "Forbidden/ErrorAccessDenied",
          retryAfterMs: null,
          clientRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
          requestId: "r-1",
          diagnostic: "d".repeat(300),
        },
      },
    ]);
  });

  test("names the item's own client-request-id", async () => {
    const { transport, calls } = batchGraph((mailboxId) =>
      mailboxId === "m1" ? { status: 500 } : { status: 200, body: lastPage(mailboxId) },
    );
    const { client, lines } = openClient(transport);
    await client.ask(asksFor(2));
    const [call] = calls;
    if (call === undefined) throw new Error("Nothing was asked.");
    expect(lines).toMatchObject([
      { fields: { mailbox: "m1", clientRequestId: entriesOf(call)[1]?.headers["client-request-id"] } },
    ]);
  });

  test("says once why the identity gives no token, and each time that the network failed", async () => {
    const failure = { kind: "authConfig", code: "tokenUnavailable" } as const;
    const silent = openClient(scriptedTransport(() => ({ kind: "fault", failure, detail: "no identity" })).transport);
    await silent.client.ask([ask("m1")]);
    await silent.client.ask([ask("m2")]);
    expect(silent.lines).toMatchObject([
      { level: "error", fields: { code: "tokenUnavailable", detail: "no identity" } },
    ]);
    const cut = { kind: "transient", code: "ECONNRESET", retryAfterMs: null } as const;
    const broken = openClient(scriptedTransport(() => ({ kind: "fault", failure: cut, detail: null })).transport);
    await broken.client.ask([ask("m1")]);
    await broken.client.ask([ask("m2")]);
    expect(broken.lines).toHaveLength(2);
  });
});
