import { describe, expect, test } from "vitest";
import type { Answer, Transport } from "../../shared/graph/ports.js";
import {
  answer,
  ask,
  asksFor,
  batchGraph,
  entriesOf,
  errorBody,
  lastPage,
  mailboxOf,
  openClient,
  root,
  scriptedTransport,
} from "../worlds/scriptedGraph.js";

describe("asking many mailboxes", () => {
  test("is one request for all, and the outcomes come in the order of the asks", async () => {
    const { transport, calls } = batchGraph((mailboxId) => ({ status: 200, body: lastPage(mailboxId) }));
    const link = `${root}/beta/users/m20/calendars/delta?$deltatoken=a'b%2Bc%3d.==`;
    const asked = await openClient(transport).client.ask([...asksFor(19), ask("m20", link)]);
    expect(asked).toMatchObject({ requests: 1, throttles: 0, brake: null });
    expect(asked.outcomes.map((outcome) => ("items" in outcome ? outcome.items[0]?.calendarId : outcome.kind))).toEqual(
      [...asksFor(19).map((one) => one.mailboxId), "m20"].map((mailboxId) => `${mailboxId}-calendar`),
    );
    const [call] = calls;
    if (call === undefined) throw new Error("Nothing was asked.");
    expect(call).toMatchObject({ method: "POST", rawTarget: "/beta/$batch" });
    const entries = entriesOf(call);
    expect(entries.map((entry) => entry.id)).toEqual(Array.from({ length: 20 }, (_, index) => String(index + 1)));
    expect(entries[19]).toMatchObject({
      method: "GET",
      url: "/users/m20/calendars/delta?$deltatoken=a'b%2Bc%3d.==",
      headers: { Prefer: "odata.maxpagesize=50" },
    });
    expect(new Set(entries.map((entry) => entry.headers["client-request-id"])).size).toBe(20);
  });

  test("I10: each item is judged by itself", async () => {
    const items: Record<string, { status: number; body?: unknown; headers?: Record<string, string> }> = {
      m0: { status: 200, body: lastPage("m0") },
      m1: { status: 429, headers: { "retry-after": "3" } },
      m2: { status: 410, body: errorBody("SyncStateNotFound") },
      m3: { status: 200, body: { value: [] } },
    };
    const { transport, calls } = batchGraph((mailboxId) => items[mailboxId] ?? null);
    const asked = await openClient(transport).client.ask([
      ...asksFor(4),
      ask("m9", "https://evil.example/x?$deltatoken=d"),
    ]);
    expect(asked).toMatchObject({
      outcomes: [
        { kind: "lastPage" },
        { kind: "throttled", retryAfterMs: 3_000 },
        { kind: "resetSync" },
        { kind: "unreadable", code: "malformedPage" },
        { kind: "linkRefused" },
      ],
      requests: 1,
      throttles: 1,
      brake: null,
    });
    expect(calls).toHaveLength(1);
  });

  test.each<[string, { status: number; body?: unknown } | null]>([
    ["is missing", null],
    ["has no body", { status: 200, body: null }],
    ["has HTML as its body", { status: 200, body: "<html>" }],
    ["failed with another item", { status: 424 }],
    ["has its token refused", { status: 401, body: errorBody("InvalidAuthenticationToken") }],
  ])("asks an item again by itself when it %s (taxonomy rows 44, 46)", async (_what, bad) => {
    const { transport, calls } = batchGraph((mailboxId) =>
      mailboxId === "m1" ? bad : { status: 200, body: lastPage(mailboxId) },
    );
    const asked = await openClient(transport).client.ask(asksFor(3));
    expect(asked).toMatchObject({
      outcomes: [{ kind: "lastPage" }, { kind: "lastPage" }, { kind: "lastPage" }],
      requests: 2,
    });
    expect(calls.map((call) => call.rawTarget)).toEqual(["/beta/$batch", "/beta/users/m1/calendars/delta"]);
  });

  test("does not ask an item again whose token is refused while the identity has no other", async () => {
    const refused = { status: 401, body: errorBody("InvalidAuthenticationToken") };
    const { transport, calls } = batchGraph((mailboxId) =>
      mailboxId === "m1" ? refused : { status: 200, body: lastPage(mailboxId) },
    );
    const hasOtherToken = async () => false;
    expect(await openClient({ ...transport, hasOtherToken }).client.ask(asksFor(3))).toMatchObject({
      outcomes: [
        { kind: "lastPage" },
        { kind: "authConfig", code: "InvalidAuthenticationToken" },
        { kind: "lastPage" },
      ],
      requests: 1,
    });
    expect(calls).toHaveLength(1);
  });

  test("an item that comes twice is believed in neither form", async () => {
    const { transport, calls } = scriptedTransport((call) => {
      if (call.method === "GET") return answer(200, lastPage("m1"));
      const responses = ["m0", "m1", "m1"].map((mailboxId) => ({
        id: String(Number(mailboxId.slice(1)) + 1),
        status: 200,
        body: lastPage(mailboxId),
      }));
      return answer(200, { responses });
    });
    expect(await openClient(transport).client.ask(asksFor(2))).toMatchObject({
      outcomes: [{ kind: "lastPage" }, { kind: "lastPage" }],
    });
    expect(calls.map((call) => call.rawTarget)).toEqual(["/beta/$batch", "/beta/users/m1/calendars/delta"]);
  });

  test("a link that spells the version otherwise goes by itself", async () => {
    const { transport, calls } = batchGraph((mailboxId) => ({ status: 200, body: lastPage(mailboxId) }));
    await openClient(transport).client.ask([
      ...asksFor(2),
      ask("m9", `${root}/Beta/users/m9/calendars/delta?$deltatoken=d`),
    ]);
    expect(calls.map((call) => call.rawTarget)).toEqual([
      "/beta/$batch",
      "/Beta/users/m9/calendars/delta?$deltatoken=d",
    ]);
  });

  test("with a batch size of 1 is refused: a mistake in the program", async () => {
    const { transport } = batchGraph(() => null);
    await expect(openClient(transport, { batchSize: 1 }).client.ask(asksFor(2))).rejects.toThrow(/2 asks/);
    await expect(openClient(transport).client.ask(asksFor(21))).rejects.toThrow(/21 asks/);
    await expect(openClient(transport).client.ask([ask("m1"), ask("m1")])).rejects.toThrow(/twice/);
    expect(() => openClient(transport, { batchSize: 21 })).toThrow(/1 to 20/);
    expect(() => openClient(transport, { root: "http://graph.microsoft.com" })).toThrow(/loopback/);
  });

  test("nobody is asked by nothing", async () => {
    const { transport } = batchGraph(() => null);
    expect(await openClient(transport).client.ask([])).toEqual({
      outcomes: [],
      requests: 0,
      throttles: 0,
      brake: null,
    });
  });
});

describe("a batch that is refused whole", () => {
  const refuse = (refusal: Answer) =>
    scriptedTransport((call) => (call.method === "POST" ? refusal : answer(200, lastPage(mailboxOf(call.rawTarget)))));

  test.each<[string, Answer]>([
    ["400 for a duplicate id (taxonomy row 45)", answer(400, errorBody("BadRequest", "Duplicate request id"))],
    ["404", answer(404)],
    ["413", answer(413, "<html>")],
    ["200 with HTML (taxonomy row 46)", answer(200, "<html>")],
    ["200 with something else", answer(200, { value: [] })],
  ])("by %s blames no mailbox: each is asked by itself", async (_what, refusal) => {
    const { transport, calls } = refuse(refusal);
    const asked = await openClient(transport).client.ask(asksFor(6));
    expect(asked.outcomes.map((outcome) => outcome.kind)).toEqual(Array(6).fill("lastPage"));
    expect(asked).toMatchObject({ requests: 7, throttles: 0, brake: null });
    expect(calls).toHaveLength(7);
  });

  test("three times in a row is not tried for a quarter of an hour, by no client of the process", async () => {
    const { transport, calls } = refuse(answer(400));
    const { client, clock } = openClient(transport);
    const batches = () => calls.filter((call) => call.method === "POST").length;
    for (let round = 0; round < 3; round++) await client.ask(asksFor(2));
    expect(batches()).toBe(3);
    await client.ask(asksFor(2));
    await openClient(transport).client.ask(asksFor(2));
    expect(batches()).toBe(3);
    clock.atMs = 15 * 60_000;
    await client.ask(asksFor(2));
    expect(batches()).toBe(4);
  });

  test("now and then does not stop batches", async () => {
    const { transport, calls } = scriptedTransport((call) => {
      if (call.method === "GET") return answer(200, lastPage(mailboxOf(call.rawTarget)));
      const isTaken = calls.filter((each) => each.method === "POST").length === 3;
      return isTaken ? answer(200, { responses: [] }) : answer(400);
    });
    const { client } = openClient(transport);
    for (let round = 0; round < 6; round++) await client.ask(asksFor(2));
    expect(calls.filter((call) => call.method === "POST")).toHaveLength(6);
  });

  test("single calls run four at a time, not more", async () => {
    let running = 0;
    let runningMax = 0;
    const { transport } = refuse(answer(400));
    const counted: Transport = {
      ...transport,
      async send(call) {
        running += 1;
        runningMax = Math.max(runningMax, running);
        const sent = await transport.send(call);
        running -= 1;
        return sent;
      },
    };
    await openClient(counted).client.ask(asksFor(20));
    expect(runningMax).toBe(4);
  });

  test.each([429, 503])("by %i brakes the whole application, and nothing else goes out", async (status) => {
    const { transport, calls } = refuse(answer(status, "", { "Retry-After": "30" }));
    const stray = ask("m9", `${root}/Beta/users/m9/calendars/delta?$deltatoken=d`);
    const asked = await openClient(transport).client.ask([...asksFor(2), stray]);
    const outcome = { kind: "throttled", code: `http${status}`, retryAfterMs: 30_000 };
    expect(asked).toEqual({
      outcomes: [outcome, outcome, outcome],
      requests: 1,
      throttles: 1,
      brake: { retryAfterMs: 30_000, code: `http${status}` },
    });
    expect(calls).toHaveLength(1);
  });

  test.each<[Answer, object]>([[answer(401, errorBody("InvalidAuthenticationToken")), { kind: "authConfig" }]])(
    "by $status is every mailbox's outcome, without single calls",
    async (refusal, outcome) => {
      const { transport, calls } = refuse(refusal);
      expect(await openClient(transport).client.ask(asksFor(2))).toMatchObject({
        outcomes: [outcome, outcome],
        brake: null,
      });
      expect(calls).toHaveLength(1);
    },
  );

  const reset = { kind: "transient", code: "ECONNRESET", retryAfterMs: null } as const;
  const fault = { kind: "fault", failure: reset, detail: null } as const;
  const failures: readonly [string, Answer | typeof fault][] = [
    ["500", answer(500)],
    ["502 with HTML", answer(502, "<html>")],
    ["503 without a time", answer(503)],
    ["504", answer(504, errorBody("UnknownError"))],
    ["a redirect", answer(302)],
    ["a reset", fault],
  ];

  test.each(failures)("I10: by %s blames no mailbox: each is asked by itself", async (_what, failed) => {
    const { transport, calls } = scriptedTransport((call) =>
      call.method === "POST" ? failed : answer(200, lastPage(mailboxOf(call.rawTarget))),
    );
    const { client } = openClient(transport);
    for (let round = 0; round < 4; round++) {
      const { outcomes } = await client.ask(asksFor(20));
      expect(outcomes.map(({ kind }) => kind)).toEqual(Array(20).fill("lastPage"));
    }
    expect(calls.filter(({ method }) => method === "POST")).toHaveLength(3); // Then it is left alone for a while.
  });

  test("I10: that fails for one of its items harms that mailbox alone", async () => {
    const bad = (url: string) => mailboxOf(url) === "m3";
    const { transport } = scriptedTransport((call) =>
      call.method === "POST" || bad(call.rawTarget) ? answer(502) : answer(200, lastPage(mailboxOf(call.rawTarget))),
    );
    const { outcomes } = await openClient(transport).client.ask(asksFor(20));
    expect(outcomes.map(({ kind }) => kind)).toEqual(asksFor(20).map((_, at) => (at === 3 ? "transient" : "lastPage")));
  });

  test("I10: that never answers, while single calls do, is left alone for a while after some tries", async () => {
    const late = { kind: "transient", code: "answersSlowly", retryAfterMs: null } as const;
    const { transport, calls } = scriptedTransport((call) =>
      call.method === "POST"
        ? { kind: "fault", failure: late, detail: null }
        : answer(200, lastPage(mailboxOf(call.rawTarget))),
    );
    const { client, clock } = openClient(transport);
    const posts = () => calls.filter(({ method }) => method === "POST").length;
    const hurry = { onPage: () => undefined, onCall: () => undefined };
    for (let round = 0; round < 8; round++) {
      const { outcomes } = await client.ask(asksFor(20), hurry);
      expect(outcomes.map(({ kind }) => kind)).toEqual(Array(20).fill("lastPage"));
    }
    expect(posts()).toBe(5); // With 4, 8 and three times 16 s.
    clock.atMs = 15 * 60_000;
    await client.ask(asksFor(20), hurry);
    expect(posts()).toBe(6);
  });

  test.each(failures)("by %s as all else is costs a few calls, and batches are gone on with", async (_what, failed) => {
    const { transport, calls } = scriptedTransport(() => failed);
    const { client } = openClient(transport);
    for (let round = 1; round <= 5; round++) {
      const { outcomes } = await client.ask(asksFor(20));
      expect(outcomes.map(({ kind }) => kind)).toEqual(Array(20).fill("transient"));
      expect(calls.filter(({ method }) => method === "POST")).toHaveLength(round);
      expect(calls.length).toBeLessThanOrEqual(round * (1 + 8 + 3));
    }
  });
});

describe("many throttled items at once", () => {
  const graph = (throttled: number) =>
    batchGraph((mailboxId) => {
      const index = Number(mailboxId.slice(1));
      return index < throttled
        ? { status: 429, headers: { "Retry-After": String(index + 1) } }
        : { status: 200, body: lastPage(mailboxId) };
    });

  test("brake the application, for the longest of their waits", async () => {
    expect(await openClient(graph(4).transport).client.ask(asksFor(8))).toMatchObject({
      throttles: 4,
      brake: { retryAfterMs: 4_000, code: "http429" },
    });
  });

  test("are no brake when they are fewer than half, or the batch is small", async () => {
    expect(await openClient(graph(3).transport).client.ask(asksFor(8))).toMatchObject({ throttles: 3, brake: null });
    expect(await openClient(graph(7).transport).client.ask(asksFor(7))).toMatchObject({ throttles: 7, brake: null });
  });
});
