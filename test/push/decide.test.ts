import { describe, expect, test } from "vitest";
import {
  afterAccepted,
  afterFailure,
  afterLifecycle,
  afterLifecycleFailure,
  claimed,
  type Failure,
  lifecycleDue,
  moved,
  renewed,
  standingOf,
} from "../../shared/push/decide.js";
import { moveTo } from "../../shared/push/logNotifications.js";
import { minuteMs, startMs } from "../worlds/parts.js";
import { subscriptionOf } from "../worlds/subscriptions.js";

const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const moment = { nowMs: startMs, jitter: 1 };
const refused = (status: number, retryAfterMs: number | null = null): Failure => ({
  kind: "refused",
  status,
  retryAfterMs,
});
const waitOf = (failures: number, failure: Failure) => {
  const before = subscriptionOf({ failuresInARow: failures });
  return (afterFailure(before, failure, moment).notBeforeMs ?? 0) - startMs;
};

describe("after a failure", () => {
  test("the wait grows from 10 s to an hour, and is spread", () => {
    const waits = [0, 1, 2, 7, 8, 9, 40].map((failures) => waitOf(failures, refused(503)));
    expect(waits).toEqual([10_000, 20_000, 40_000, 1_280_000, 2_560_000, hourMs, hourMs]);
    const early = afterFailure(subscriptionOf(), refused(503), { ...moment, jitter: 0 });
    expect(early.notBeforeMs).toBe(startMs + 5_000);
  });

  test("Retry-After is kept to, up to an hour, and is never shorter than our own wait", () => {
    expect(waitOf(0, refused(429, 90_000))).toBe(90_000);
    expect(waitOf(0, refused(429, 1_000))).toBe(10_000);
    expect(waitOf(0, refused(503, 400 * dayMs))).toBe(hourMs);
  });

  test.each<[string, Failure, string]>([
    ["a status", refused(500), "500"],
    ["no answer", { kind: "unreachable", code: "timeout" }, "timeout"],
    [
      "an address that is not ours to talk to, without its name",
      { kind: "forbidden", why: "10.0.0.1 is private" },
      "forbidden",
    ],
  ])("people are shown %s", (_what, failure, lastAnswer) => {
    expect(afterFailure(subscriptionOf(), failure, moment)).toMatchObject({ lastAnswer, lastAnswerMs: startMs });
  });

  test.each<[string, Failure]>([
    ["404", refused(404)],
    ["410", refused(410)],
    ["a forbidden address", { kind: "forbidden", why: "private" }],
  ])("a day of %s pauses it, and not a moment less", (_what, failure) => {
    const first = afterFailure(subscriptionOf(), failure, moment);
    expect(first).toMatchObject({ refusedSinceMs: startMs, pausedReason: null });
    const late = (nowMs: number) => afterFailure(first, failure, { nowMs, jitter: 1 }).pausedReason;
    expect(late(startMs + dayMs - 1)).toBeNull();
    expect(late(startMs + dayMs)).toBe("gone");
  });

  test.each<[string, Failure]>([
    ["500", refused(500)],
    ["401", refused(401)],
    ["no answer", { kind: "unreachable", code: "ECONNREFUSED" }],
  ])("%s never pauses it, and ends a row of 410", (_what, failure) => {
    const before = subscriptionOf({ refusedSinceMs: startMs - 2 * dayMs });
    expect(afterFailure(before, failure, moment)).toMatchObject({ refusedSinceMs: null, pausedReason: null });
  });

  test("a yes ends all waiting", () => {
    const before = afterFailure(subscriptionOf(), refused(410), moment);
    expect(afterAccepted(before, 202, startMs + 1)).toMatchObject({
      ...{ failuresInARow: 0, notBeforeMs: null, refusedSinceMs: null },
      ...{ lastAnswer: "202", lastAnswerMs: startMs + 1 },
    });
  });
});

describe("how a subscription stands", () => {
  const behind = { "00": 1 };
  test.each([
    ["upToDate", {}, { "00": 0 }],
    ["behind", {}, behind],
    ["behind", { position: { "00": { number: 5, entries: 0, sent: 0 } } }, { "00": 3 }],
    ["waiting", { notBeforeMs: startMs + 1 }, behind],
    ["behind", { notBeforeMs: startMs }, behind],
    ["claimed", { claimedBy: "other", claimedUntilMs: startMs + 1 }, behind],
    ["behind", { claimedBy: "other", claimedUntilMs: startMs }, behind],
    ["paused", { pausedReason: "gone" }, behind],
    ["expired", { pausedReason: "gone", expiresMs: startMs }, behind],
    ["lifecycle", { missedMs: 1, lifecycleNotificationUrl: "https://a.example", notBeforeMs: startMs + 1 }, behind],
  ] as const)("%s: %j", (standing, changed, numbers) => {
    expect(standingOf(subscriptionOf(changed), numbers, startMs)).toBe(standing);
  });

  test("a claim ends by itself, for whoever had it may have died", () => {
    const taken = claimed(subscriptionOf(), "one", startMs);
    expect(standingOf(taken, behind, startMs + minuteMs - 1)).toBe("claimed");
    expect(standingOf(taken, behind, startMs + minuteMs)).toBe("behind");
  });
});

test("a time further ahead than anybody sets it comes from a fast clock, and holds nobody back", () => {
  const behind = subscriptionOf({ position: { "00": { number: 0, entries: 0, sent: 0 } } });
  const at = (changed: Partial<typeof behind>) => standingOf({ ...behind, ...changed }, { "00": 1 }, startMs);
  expect(at({ claimedUntilMs: startMs + minuteMs + 30_000 })).toBe("claimed");
  expect(at({ claimedUntilMs: startMs + minuteMs + 30_001 })).toBe("behind");
  expect(at({ notBeforeMs: startMs + hourMs + 30_000 })).toBe("waiting");
  expect(at({ notBeforeMs: startMs + hourMs + 30_001 })).toBe("behind");
  const owed = { missedMs: startMs, lifecycleNotificationUrl: "https://life.example" };
  expect(at({ ...owed, lifecycleNotBeforeMs: startMs + 5 * minuteMs })).toBe("behind");
  expect(at({ ...owed, lifecycleNotBeforeMs: startMs + dayMs })).toBe("lifecycle");
});

describe("lifecycle notifications", () => {
  const asked = subscriptionOf({ lifecycleNotificationUrl: "https://life.example" });
  const tellAt = (subscription: typeof asked, nowMs: number) => {
    const event = lifecycleDue(subscription, nowMs);
    return event === null ? subscription : afterLifecycle(subscription, event);
  };
  const eventAt = (subscription: typeof asked, nowMs: number) =>
    lifecycleDue(subscription, nowMs)?.lifecycleEvent ?? null;

  test("reauthorizationRequired comes a day before the end, or in the last third of a shorter life, and once", () => {
    expect(eventAt(asked, asked.expiresMs - dayMs - 1)).toBeNull();
    expect(eventAt(asked, asked.expiresMs - dayMs)).toBe("reauthorizationRequired");
    const short = { ...asked, expiresMs: startMs + 3 * hourMs };
    expect(eventAt(short, startMs + 2 * hourMs - 1)).toBeNull();
    expect(eventAt(short, startMs + 2 * hourMs)).toBe("reauthorizationRequired");
    const told = tellAt(asked, asked.expiresMs - dayMs);
    expect(eventAt(told, asked.expiresMs - 1)).toBeNull();
    const again = renewed(told, told.expiresMs + dayMs, told.expiresMs - 1);
    expect(eventAt(again, again.expiresMs - 1)).toBe("reauthorizationRequired");
  });

  test("who renews before it answers reauthorizationRequired is asked again before the new end", () => {
    const nowMs = asked.expiresMs - dayMs;
    const event = lifecycleDue(asked, nowMs);
    if (event === null) throw new Error("Nothing is due.");
    const told = afterLifecycle(renewed(asked, asked.expiresMs + 7 * dayMs, nowMs), event);
    expect(eventAt(told, told.expiresMs - dayMs - 1)).toBeNull();
    expect(eventAt(told, told.expiresMs - dayMs)).toBe("reauthorizationRequired");
  });

  test("missed comes until it is accepted, a while after each failure, under one id for each time", () => {
    const missed = moved(asked, [moveTo("00", 4, "gone")], startMs);
    const { expiresMs } = asked;
    const event = { id: `missed-${startMs}`, lifecycleEvent: "missed", atMs: startMs, expiresMs };
    expect(lifecycleDue(missed, startMs)).toEqual(event);
    expect(missed).toMatchObject({ lastMissedMs: startMs, lastMissedWhy: "gone" });
    const failed = moved(afterLifecycleFailure(missed, startMs), [moveTo("00", 9, null)], startMs + 1);
    expect(eventAt(failed, startMs + 5 * minuteMs - 1)).toBeNull();
    expect(lifecycleDue(failed, startMs + 5 * minuteMs)?.id).toBe(`missed-${startMs}`);
    // Its receiver may know that one already, without our knowing.
    const again = moved(missed, [moveTo("00", 12, "gone")], startMs + 2);
    expect(lifecycleDue(again, startMs + 2)?.id).toBe(`missed-${startMs + 2}`);
    const told = tellAt(failed, startMs + 5 * minuteMs);
    expect(eventAt(told, startMs + dayMs)).toBeNull();
    expect(told).toMatchObject({ missedMs: null, lastMissedMs: startMs });
  });

  test("nobody is told who has given no address for it", () => {
    expect(lifecycleDue({ ...asked, lifecycleNotificationUrl: null, missedMs: 1 }, asked.expiresMs - 1)).toBeNull();
  });
});

describe("a renewal", () => {
  test("brings back who was taken for gone, at once, and not who was paused by hand", () => {
    const gone = subscriptionOf({
      pausedReason: "gone",
      notBeforeMs: startMs + hourMs,
      refusedSinceMs: 1,
      failuresInARow: 9,
    });
    const later = gone.expiresMs + dayMs;
    expect(renewed(gone, later, startMs)).toMatchObject({
      ...{ expiresMs: later, renewedMs: startMs, pausedReason: null },
      ...{ notBeforeMs: null, refusedSinceMs: null, failuresInARow: 0, position: gone.position },
    });
    expect(renewed({ ...gone, pausedReason: "byHand" }, later, startMs).pausedReason).toBe("byHand");
  });

  test("ends no wait: whoever asked for it has not been asked", () => {
    const waiting = subscriptionOf({ notBeforeMs: startMs + hourMs });
    expect(renewed(waiting, waiting.expiresMs + 1, startMs).notBeforeMs).toBe(startMs + hourMs);
  });
});
