import { expect, test } from "vitest";
import { standingOf } from "../../shared/push/decide.js";
import { deliver, deliverLimits, type Wire } from "../../shared/push/deliver.js";
import { logNumbersOf } from "../../shared/push/logNumbers.js";
import { lifecycleRequestOf, requestsOf } from "../../shared/push/requests.js";
import { SharedLogs } from "../../shared/push/sharedLogs.js";
import { columnsOf, rowOf } from "../../shared/store/columns.js";
import { subscriptionTable } from "../../shared/store/subscriptionRows.js";
import type { Subscription } from "../../shared/sync/subscription.js";
import { sender } from "../worlds/subscriber.js";
import { releases, upgraded, without } from "./releases.js";

/** Subscriptions as releases have left them: each is read, and goes on, a day later. `clientState` names the state. */
const withSubscriptions = releases.filter(({ rows }) => rows.some(({ rowKey }) => rowKey.startsWith("subscription|")));

test("there is a release that has left some", () => {
  expect(withSubscriptions.length).toBeGreaterThan(0);
});

/** How each stands a day after, and what is sent for it then: changes, or the name of a lifecycle event. */
const dayAfter = {
  new: ["upToDate"],
  told: ["upToDate"],
  inRow: ["behind", "changes"],
  ofMailbox: ["behind", "changes"],
  claimed: ["behind", "changes"],
  waiting: ["behind", "changes"],
  gone: ["paused"],
  byHand: ["paused"],
  missed: ["lifecycle", "missed"],
  askedToRenew: ["upToDate"],
  expired: ["expired"],
} as const;

const left = {
  new: { lastAnswer: null, failuresInARow: 0, format: "graph", mailboxId: null },
  told: { lastAnswer: "202", lastAnswerMs: expect.any(Number) },
  inRow: { position: expect.objectContaining({ "00": { number: expect.any(Number), entries: 1, sent: 0 } }) },
  ofMailbox: {
    mailboxId: expect.any(String),
    resource: expect.stringMatching(/^\/users\//),
    changeTypes: ["updated", "deleted"],
    format: "cloudEventsBatch",
    latestSupportedTlsVersion: "v1_3",
  },
  claimed: { claimedBy: "delivery", claimedUntilMs: expect.any(Number), format: "cloudEvents" },
  waiting: { failuresInARow: 1, lastAnswer: "503", notBeforeMs: expect.any(Number), pausedReason: null },
  gone: { failuresInARow: 2, lastAnswer: "410", pausedReason: "gone", refusedSinceMs: expect.any(Number) },
  byHand: { pausedReason: "byHand" },
  missed: { missedMs: expect.any(Number), lifecycleNotBeforeMs: expect.any(Number) },
  askedToRenew: { askedToRenewMs: expect.any(Number), lifecycleNotificationUrl: expect.stringMatching(/life/) },
  expired: { expiresMs: expect.any(Number) },
} as const;

test.each(withSubscriptions)("rows of release $release: every subscription is read, in its state", async ({ rows }) => {
  const { store, clock, shards } = await upgraded(rows);
  const numbers = await logNumbersOf(store, shards);
  const held = (await store.readSubscriptions()).map(({ subscription }) => subscription);
  expect(held).toHaveLength(rows.filter(({ rowKey }) => rowKey.startsWith("subscription|")).length);
  const byState = Object.fromEntries(held.map((one): [string, Subscription] => [one.clientState ?? "", one]));
  expect(byState).toMatchObject(left);
  const standings = Object.entries(byState).map(([state, one]) => [state, standingOf(one, numbers, clock.ms)]);
  expect(Object.fromEntries(standings)).toEqual(
    Object.fromEntries(Object.entries(dayAfter).map(([state, [standing]]) => [state, standing])),
  );
});

test.each(withSubscriptions)("rows of release $release: one that is written again holds what it held", ({ rows }) => {
  for (const row of rows.filter(({ rowKey }) => rowKey.startsWith("subscription|"))) {
    const { commitId: _, ...before } = row.columns;
    expect(columnsOf(subscriptionTable, rowOf(subscriptionTable, { ...row, etag: "" }))).toMatchObject(before);
  }
});

test.each(
  withSubscriptions.flatMap(({ release, rows }) => [
    { release, what: "as they stand", rows },
    {
      release,
      what: "without any column that has a default",
      rows: rows.map((row) => ({ ...row, columns: without(row.columns, subscriptionTable) })),
    },
  ]),
)("I15: over rows of release $release, $what, each is told what it has not been told", async ({ rows }) => {
  const { store, clock, shards, newId } = await upgraded(rows);
  const told = new Map<string, string>();
  const wireOf = (state: string): Wire => ({
    send: async ({ body }) => {
      told.set(state, /"lifecycleEvent":"(\w+)"/.exec(body)?.[1] ?? "changes");
      return { kind: "accepted", status: 202 };
    },
    requestsOf: (to, notifications) => requestsOf(to, notifications, sender),
    lifecycleRequestOf: (to, event) => lifecycleRequestOf(to, event, sender),
  });
  const logs = new SharedLogs(clock.nowMs);
  const random = { next: () => 0.5 };
  const fixed = {
    clock,
    random,
    newId,
    store,
    logs,
    log: () => undefined,
    limits: deliverLimits,
    onAccepted: () => undefined,
  };
  for (const { subscription } of await store.readSubscriptions()) {
    const { subscriptionId, clientState } = subscription;
    const standing = dayAfter[clientState as keyof typeof dayAfter][0];
    const { kind } = await deliver(subscriptionId, { ...fixed, wire: wireOf(clientState ?? "") });
    const end = standing === "paused" || standing === "expired" ? standing : "upToDate";
    expect([clientState, kind]).toEqual([clientState, end]);
  }
  const expected = Object.entries(dayAfter).flatMap(([state, [, sent]]) => (sent === undefined ? [] : [[state, sent]]));
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(expected));
  const numbers = await logNumbersOf(store, shards);
  for (const { subscription } of await store.readSubscriptions()) {
    if (subscription.pausedReason === null) expect(standingOf(subscription, numbers, clock.ms)).toBe("upToDate");
  }
});
