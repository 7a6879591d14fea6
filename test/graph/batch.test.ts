import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseBody } from "../../shared/graph/answer.js";
import { batchBody, batchGate, isForSingleCall, parseBatch } from "../../shared/graph/batch.js";
import type { Body } from "../../shared/graph/ports.js";
import { answer } from "../worlds/scriptedGraph.js";

const json = (value: unknown): Body => ({ shape: "json", value });
const item = (id: unknown, status: unknown = 200, rest: object = {}) => ({ id, status, body: { value: [] }, ...rest });

test("a batch names its items 1, 2, 3 and gives each its own headers", () => {
  const requests = ["/users/a/calendars/delta", "/me/calendars/delta?$deltatoken=x'%2B"].map((url, index) => ({
    url,
    clientRequestId: `guid-${index}`,
  }));
  expect(batchBody(requests, "odata.maxpagesize=50")).toEqual({
    requests: [
      {
        id: "1",
        method: "GET",
        url: "/users/a/calendars/delta",
        headers: { Prefer: "odata.maxpagesize=50", "client-request-id": "guid-0" },
      },
      {
        id: "2",
        method: "GET",
        url: "/me/calendars/delta?$deltatoken=x'%2B",
        headers: { Prefer: "odata.maxpagesize=50", "client-request-id": "guid-1" },
      },
    ],
  });
});

describe("the answer of a batch", () => {
  test("is matched by id, in any order", () => {
    const items = parseBatch(json({ responses: [item("3", 404), item("1", 200), item("2", 429)] }), 3);
    expect(items?.map((each) => (typeof each === "string" ? each : each.status))).toEqual([200, 429, 404]);
  });

  test("I10: may miss an item, hold one twice or spoil one; the others count", () => {
    const responses = [
      item("1"),
      item("2"),
      item("2", 404),
      item("4", "200"),
      item("5", 99),
      item("6", 200.5),
      null,
      item(7),
      item("99"),
      item("01"),
    ];
    const items = parseBatch(json({ responses }), 7);
    expect(items?.map((each) => (typeof each === "string" ? each : each.status))).toEqual([
      200,
      "duplicate",
      "missing",
      "malformed",
      "malformed",
      "malformed",
      "missing",
    ]);
  });

  test("has headers in any case", () => {
    const [only] =
      parseBatch(
        json({ responses: [item("1", 429, { headers: { "rEtRy-aFtEr": "2.5", "request-id": "r", odd: {} } })] }),
        1,
      ) ?? [];
    if (only === undefined || typeof only === "string") throw new Error("The item was refused.");
    expect([...only.headers]).toEqual([
      ["retry-after", "2.5"],
      ["request-id", "r"],
    ]);
  });

  test.each<[string, unknown, Body]>([
    ["inline JSON", { value: [] }, json({ value: [] })],
    ["null", null, { shape: "empty" }],
    ["nothing", undefined, { shape: "empty" }],
    ["empty text", "", { shape: "empty" }],
    ["JSON as text", '{"value":[]}', json({ value: [] })],
    ["JSON as base64", Buffer.from('{"value":["~~~"]}').toString("base64"), json({ value: ["~~~"] })],
    ["JSON as base64url", Buffer.from('{"value":["???"]}').toString("base64url"), json({ value: ["???"] })],
    ["HTML", "<html></html>", { shape: "notJson" }],
    ["base64 of HTML", Buffer.from("<html></html>").toString("base64"), { shape: "notJson" }],
  ])("has an item body as %s", (_what, body, read) => {
    const [only] = parseBatch(json({ responses: [{ id: "1", status: 200, body }] }), 1) ?? [];
    expect(only).toMatchObject({ status: 200, body: read });
  });

  test.each<[string, Body]>([
    ["HTML", { shape: "notJson" }],
    ["nothing", { shape: "empty" }],
    ["an array", json([])],
    ["no responses", json({})],
    ["responses that are no array", json({ responses: {} })],
  ])("that is %s is none (taxonomy row 46)", (_what, body) => {
    expect(parseBatch(body, 2)).toBeNull();
  });

  test("I3: whatever comes, there are as many items as asks, or none; and no crash", () => {
    const response = fc.oneof(
      fc.jsonValue(),
      fc.record({
        id: fc.oneof(fc.integer({ min: -1, max: 22 }).map(String), fc.jsonValue()),
        status: fc.oneof(fc.integer(), fc.jsonValue()),
        headers: fc.jsonValue(),
        body: fc.jsonValue(),
      }),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string().map(parseBody),
          fc.array(response, { maxLength: 25 }).map((responses) => json({ responses })),
        ),
        fc.integer({ min: 1, max: 20 }),
        (body, count) => {
          const items = parseBatch(body, count);
          if (items !== null) expect(items).toHaveLength(count);
          for (const each of items ?? []) if (typeof each !== "string") expect(each.status).toBeGreaterThanOrEqual(100);
        },
      ),
    );
  });
});

test("an item is asked again by itself when its answer is about the batch (taxonomy rows 44, 46)", () => {
  expect([answer(424), answer(200), answer(200, "<html>")].map(isForSingleCall)).toEqual([true, true, true]);
  expect([answer(200, {}), answer(404), answer(429), answer(500)].map(isForSingleCall)).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

test("three refusals in a row stop batches for a quarter of an hour; a batch that is taken starts the count anew", () => {
  const clock = { atMs: 1_000, nowMs: () => clock.atMs };
  const gate = batchGate({ refusalsInARow: 0, pausedUntilMs: 0, patienceMs: null, cutInARow: 0 }, clock);
  gate.refused();
  gate.refused();
  gate.accepted();
  gate.refused();
  gate.refused();
  expect(gate.isOpen()).toBe(true);
  gate.refused();
  expect(gate.isOpen()).toBe(false);
  clock.atMs += 15 * 60_000 - 1;
  expect(gate.isOpen()).toBe(false);
  clock.atMs += 1;
  expect(gate.isOpen()).toBe(true);
});
