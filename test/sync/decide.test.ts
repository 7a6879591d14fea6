import { describe, expect, test } from "vitest";
import { decide } from "../../shared/sync/decide.js";
import { syncLimits } from "../../shared/sync/limits.js";
import type { Outcome, Phase, Step } from "../../shared/sync/types.js";
import { checkpointIn, item, lastPage, moment, nowMs, page } from "../worlds/rows.js";

const outcomes: Record<Outcome["kind"], Outcome> = {
  page: page("next-2", [item("a")]),
  lastPage: lastPage("delta-2", [item("a")]),
  throttled: { kind: "throttled", code: "TooManyRequests", retryAfterMs: 7_000 },
  transient: { kind: "transient", code: "http503", retryAfterMs: null },
  unreadable: { kind: "unreadable", code: "malformedPage", retryAfterMs: null },
  resetSync: { kind: "resetSync", code: "SyncStateNotFound" },
  linkRefused: { kind: "linkRefused", code: "linkRefused:host" },
  denied: { kind: "denied", code: "ErrorAccessDenied" },
  noMailbox: { kind: "noMailbox", code: "MailboxNotEnabledForRESTAPI" },
  mailboxFull: { kind: "mailboxFull", code: "ErrorQuotaExceeded" },
  featureUnavailable: { kind: "featureUnavailable", code: "BadRequest" },
  authConfig: { kind: "authConfig", code: "InvalidAuthenticationToken" },
};

const kinds: Record<Phase, Record<Outcome["kind"], Step["kind"]>> = {
  initial: {
    page: "apply",
    lastPage: "apply",
    throttled: "wait",
    transient: "wait",
    unreadable: "wait",
    resetSync: "wait",
    linkRefused: "wait",
    denied: "park",
    noMailbox: "park",
    mailboxFull: "restart",
    featureUnavailable: "restart",
    authConfig: "wait",
  },
  full: {
    page: "apply",
    lastPage: "apply",
    throttled: "wait",
    transient: "wait",
    unreadable: "wait",
    resetSync: "restart",
    linkRefused: "restart",
    denied: "park",
    noMailbox: "park",
    mailboxFull: "restart",
    featureUnavailable: "restart",
    authConfig: "wait",
  },
  incremental: {
    page: "apply",
    lastPage: "apply",
    throttled: "wait",
    transient: "wait",
    unreadable: "wait",
    resetSync: "restart",
    linkRefused: "restart",
    denied: "park",
    noMailbox: "park",
    mailboxFull: "restart",
    featureUnavailable: "restart",
    authConfig: "wait",
  },
  idle: {
    page: "apply",
    lastPage: "apply",
    throttled: "wait",
    transient: "wait",
    unreadable: "wait",
    resetSync: "restart",
    linkRefused: "restart",
    denied: "park",
    noMailbox: "park",
    mailboxFull: "restart",
    featureUnavailable: "restart",
    authConfig: "wait",
  },
};
const phases = Object.keys(kinds) as Phase[];
const cells = phases.flatMap((phase) => Object.values(outcomes).map((outcome) => ({ phase, outcome })));

describe("every outcome in every phase has its step", () => {
  test.each(cells)("in $phase, $outcome.kind", ({ phase, outcome }) => {
    expect(decide(checkpointIn(phase), outcome, moment).kind).toBe(kinds[phase][outcome.kind]);
  });

  test.each(cells)("I3: in $phase, $outcome.kind sweeps only if it ends a full round", ({ phase, outcome }) => {
    const step = decide(checkpointIn(phase), outcome, moment);
    const endsFullRound = outcome.kind === "lastPage" && (phase === "initial" || phase === "full");
    expect(step.kind === "apply" && step.sweep).toBe(endsFullRound);
  });

  test.each(cells)(
    "I7: in $phase after $outcome.kind the mailbox goes on, waits until a time, or is parked for a reason",
    ({ phase, outcome }) => {
      const step = decide(checkpointIn(phase), outcome, moment);
      if (step.kind === "apply" || step.kind === "restart") expect(step.next.parkedReason).toBeNull();
      else expect(step.next.notBeforeMs).toBeGreaterThan(nowMs);
      if (step.kind === "park") expect(step.next.parkedReason).toMatch(/^\w+:\w+$/);
    },
  );

  test.each(cells)("in $phase, $outcome.kind is marked as handled in this tick", ({ phase, outcome }) => {
    expect(decide(checkpointIn(phase), outcome, moment).next.lastTick).toBe("tick-1");
  });
});

describe("a round", () => {
  test("a full round takes a new generation with its first page, and keeps it", () => {
    const first = decide(checkpointIn("initial", { generation: 4 }), page("next-1", [item("a")]), moment).next;
    expect(first).toMatchObject({ generation: 5, phase: "full", link: "next-1", roundId: "round-new", pageNumber: 1 });
    const second = decide(first, page("next-2", [item("b")]), { ...moment, roundId: "another" }).next;
    expect(second).toMatchObject({ generation: 5, phase: "full", link: "next-2", roundId: "round-new", pageNumber: 2 });
    const last = decide(second, lastPage("delta-1"), moment).next;
    expect(last).toMatchObject({
      generation: 5,
      phase: "idle",
      link: "delta-1",
      lastSuccessMs: nowMs,
      lastFullRoundMs: nowMs,
    });
  });

  test("an incremental round keeps the generation and sweeps nothing", () => {
    const step = decide(checkpointIn("idle"), page("next-1"), moment);
    expect(step).toMatchObject({ sweep: false, next: { generation: 1, phase: "incremental", roundReason: "changes" } });
    expect(decide(step.next, lastPage("delta-2"), moment)).toMatchObject({ sweep: false, ends: true });
  });

  test("every round of the list strategy is full and ends without a link", () => {
    const step = decide(checkpointIn("idle", { strategy: "list", link: null } as never), lastPage(null), moment);
    expect(step).toMatchObject({
      sweep: true,
      next: { phase: "idle", link: null, generation: 2, roundReason: "list" },
    });
  });

  test("a page that succeeds releases a parked mailbox", () => {
    const parked = checkpointIn("idle", { parkedReason: "denied:X", notBeforeMs: nowMs, failuresInARow: 3 });
    const { next } = decide(parked, lastPage("delta-2"), moment);
    expect(next).toMatchObject({ parkedReason: null, notBeforeMs: null, failuresInARow: 0, lastErrorCode: null });
  });
});

describe("waiting", () => {
  test.each(["throttled", "transient"] as const)("%s obeys Retry-After, however long, without jitter", (kind) => {
    const day = 24 * 3_600_000;
    const { next } = decide(checkpointIn("idle"), { kind, code: "x", retryAfterMs: day }, moment);
    expect(next.notBeforeMs).toBe(nowMs + day);
  });

  test("without Retry-After the wait doubles with each failure, spread by jitter, up to an hour", () => {
    const outcome: Outcome = { kind: "transient", code: "x", retryAfterMs: null };
    const waitMs = (failuresInARow: number, jitter: number) =>
      (decide(checkpointIn("idle", { failuresInARow }), outcome, { ...moment, jitter }).next.notBeforeMs ?? 0) - nowMs;
    expect([0, 1, 2, 3].map((failures) => waitMs(failures, 1))).toEqual([250, 500, 1_000, 2_000]);
    expect(waitMs(3, 0)).toBe(1_000);
    expect(waitMs(22, 1)).toBe(3_600_000);
  });

  test("waiting keeps the link and the phase: the same request is asked again", () => {
    const { next } = decide(checkpointIn("full"), outcomes.transient, moment);
    expect(next).toMatchObject({ phase: "full", link: "next-1", failuresInARow: 1, lastErrorCode: "http503" });
  });

  test("a parked mailbox is looked at again after 15 minutes, then ever later, up to a day", () => {
    const waitMs = (failuresInARow: number) =>
      (decide(checkpointIn("idle", { failuresInARow }), outcomes.denied, moment).next.notBeforeMs ?? 0) - nowMs;
    expect([0, 1, 2, 9].map((failures) => waitMs(failures) / 60_000)).toEqual([15, 60, 240, 1440]);
  });
});

describe("a lost sync state", () => {
  test("drops the link and asks anew at once, twice in a row", () => {
    const step = decide(checkpointIn("idle"), outcomes.resetSync, moment);
    expect(step).toMatchObject({ kind: "restart", next: { phase: "initial", link: null, resetsInARow: 1 } });
    const again = decide(checkpointIn("idle", { resetsInARow: 1 }), outcomes.resetSync, moment);
    expect(again.kind).toBe("restart");
  });

  test("gives way to the list from the third in a row on: full rounds of delta cost storage in the mailbox", () => {
    for (const phase of ["idle", "incremental", "full"] as const) {
      const third = decide(checkpointIn(phase, { resetsInARow: 2 }), outcomes.resetSync, moment);
      const { next } = third;
      expect(third.kind).toBe("restart");
      expect(next).toMatchObject({
        strategy: "list",
        phase: "initial",
        link: null,
        lastErrorCode: "SyncStateNotFound",
      });
      expect(next.deltaProbeMs).toBe(nowMs + 86_400_000);
    }
  });

  test("without a link it waits, and at the third in a row gives way to the list", () => {
    const first = decide(checkpointIn("initial"), outcomes.resetSync, moment);
    expect(first).toMatchObject({ kind: "wait", next: { resetsInARow: 1, strategy: "delta" } });
    const third = decide(checkpointIn("initial", { resetsInARow: 2 }), outcomes.resetSync, moment);
    expect(third).toMatchObject({ kind: "restart", next: { resetsInARow: 3, strategy: "list" } });
  });

  test("counts as mended only by an incremental round that ends", () => {
    expect(decide(checkpointIn("full", { resetsInARow: 2 }), lastPage("d"), moment).next.resetsInARow).toBe(2);
    expect(decide(checkpointIn("idle", { resetsInARow: 2 }), lastPage("d"), moment).next.resetsInARow).toBe(0);
  });

  test("I4: keeps rows, sequence, counts and the time of the last success", () => {
    const before = checkpointIn("idle", { sequence: 9 });
    const { next } = decide(before, outcomes.resetSync, moment);
    expect(next).toMatchObject({ sequence: 9, calendarCount: 2, generation: 1, lastSuccessMs: before.lastSuccessMs });
  });
});

describe("I7: a link that is refused", () => {
  test.each(["full", "incremental", "idle"] as const)(
    "in phase %s is dropped, and the start is asked at once",
    (phase) => {
      const step = decide(checkpointIn(phase), { kind: "linkRefused", code: "UnknownError" }, moment);
      expect(step).toMatchObject({
        kind: "restart",
        next: { phase: "initial", link: null, resetsInARow: 1, parkedReason: null, lastErrorCode: "UnknownError" },
      });
      expect(decide(step.next, outcomes.noMailbox, moment)).toMatchObject({
        kind: "park",
        next: { parkedReason: "noMailbox:MailboxNotEnabledForRESTAPI" },
      });
    },
  );

  test("of a list is dropped once at once; then the list is given up and waited for, ever longer, up to an hour", () => {
    const listed = (loopsInARow: number) =>
      decide(checkpointIn("full", { strategy: "list", loopsInARow }), outcomes.linkRefused, moment);
    expect(listed(0)).toMatchObject({ kind: "restart", next: { strategy: "list", link: null, loopsInARow: 1 } });
    const waits = [1, 2, 3, 30].map((loops) => (listed(loops).next.notBeforeMs ?? 0) - nowMs);
    expect(waits).toEqual([500, 1_000, 2_000, 3_600_000]);
  });

  test("by a denial is kept at first; denied again at the next look, or after others were lost, it is dropped", () => {
    const first = decide(checkpointIn("idle"), outcomes.denied, moment);
    expect(first).toMatchObject({ kind: "park", next: { link: "delta-1", parkedReason: "denied:ErrorAccessDenied" } });
    expect(decide(first.next, outcomes.denied, moment)).toMatchObject({ kind: "restart", next: { link: null } });
    const lost = checkpointIn("idle", { resetsInARow: 1 });
    expect(decide(lost, outcomes.denied, moment)).toMatchObject({ kind: "restart", next: { link: null } });
    const start = checkpointIn("initial", { parkedReason: "denied:ErrorAccessDenied" });
    expect(decide(start, outcomes.denied, moment).kind).toBe("park");
  });
});

describe("I7: delta that brings nothing but trouble gives way in the end", () => {
  test.each([
    ["unreadable", syncLimits.unreadableBeforeList],
    ["transient", syncLimits.transientBeforeList],
  ] as const)("%s: after so many in a row the link is dropped, and without one the list is read", (kind, patience) => {
    const stepAfter = (failuresInARow: number, link: boolean) =>
      decide(checkpointIn(link ? "idle" : "initial", { failuresInARow }), outcomes[kind], moment);
    expect(stepAfter(patience - 2, true).kind).toBe("wait");
    expect(stepAfter(patience - 2, false).kind).toBe("wait");
    const dropped = stepAfter(patience - 1, true);
    expect(dropped).toMatchObject({ kind: "restart", next: { phase: "initial", strategy: "delta" } });
    expect(decide(dropped.next, outcomes[kind], moment)).toMatchObject({ kind: "restart", next: { strategy: "list" } });
  });

  test("a link that is refused like a token, time after time, is dropped: the start shows whether it was the link", () => {
    const stepAfter = (failuresInARow: number) =>
      decide(checkpointIn("idle", { failuresInARow }), outcomes.authConfig, moment);
    expect(stepAfter(syncLimits.transientBeforeList - 2).kind).toBe("wait");
    const dropped = stepAfter(syncLimits.transientBeforeList - 1);
    expect(dropped).toMatchObject({ kind: "restart", next: { link: null, strategy: "delta" } });
    expect(decide(dropped.next, outcomes.authConfig, moment)).toMatchObject({
      kind: "wait",
      next: { strategy: "delta" },
    });
    const noToken = { kind: "authConfig", code: "tokenUnavailable" } as const;
    expect(decide(checkpointIn("idle", { failuresInARow: 99 }), noToken, moment).kind).toBe("wait");
  });

  test("an unreadable answer to a link, after others were lost, drops it at once", () => {
    const lost = checkpointIn("idle", { resetsInARow: 1 });
    expect(decide(lost, outcomes.unreadable, moment)).toMatchObject({ kind: "restart", next: { resetsInARow: 2 } });
    expect(decide(lost, outcomes.transient, moment).kind).toBe("wait");
  });

  test("a list waits on: there is nothing else to read", () => {
    const tired = checkpointIn("initial", { strategy: "list", failuresInARow: 99 });
    expect(decide(tired, outcomes.unreadable, moment).kind).toBe("wait");
  });

  test("a throttle is no such trouble, however often it comes", () => {
    expect(decide(checkpointIn("idle", { failuresInARow: 99 }), outcomes.throttled, moment).kind).toBe("wait");
  });
});

describe("delta that does not work", () => {
  test.each(["mailboxFull", "featureUnavailable"] as const)(
    "%s turns to the list, and delta is tried again in a day",
    (kind) => {
      const { next } = decide(checkpointIn("idle"), outcomes[kind], moment);
      expect(next).toMatchObject({ strategy: "list", phase: "initial", link: null, roundReason: "list" });
      expect(next.deltaProbeMs).toBe(nowMs + 86_400_000);
    },
  );

  test("a list that is refused as well parks the mailbox", () => {
    const listed = checkpointIn("initial", { strategy: "list" });
    expect(decide(listed, outcomes.mailboxFull, moment).next.parkedReason).toBe("mailboxFull:ErrorQuotaExceeded");
  });
});

describe("the loop guard abandons the round and keeps what is served", () => {
  test("the same link again", () => {
    const step = decide(checkpointIn("full"), page("next-1", [item("a")]), moment);
    expect(step).toMatchObject({ kind: "wait", next: { phase: "initial", link: null, lastErrorCode: "loopSameLink" } });
  });

  test("one payload over and over under rotating links; a single repeat is a legal replay", () => {
    let checkpoint = checkpointIn("initial");
    const codes: (string | null)[] = [];
    for (let index = 0; index <= syncLimits.payloadRepeatsMax; index++) {
      checkpoint = decide(checkpoint, page(`next-${index}`, [item("a")], "same"), moment).next;
      codes.push(checkpoint.lastErrorCode);
    }
    expect(codes).toEqual([null, null, null, null, "loopSamePayload"]);
  });

  test("runs of empty pages are normal until the page cap", () => {
    const early = checkpointIn("full", { payloadHash: "none", pageNumber: syncLimits.pagesPerRoundMax - 2 });
    expect(decide(early, page("next-x", [], "none"), moment).kind).toBe("apply");
    const late = checkpointIn("full", { payloadHash: "none", pageNumber: syncLimits.pagesPerRoundMax - 1 });
    expect(decide(late, page("next-x", [], "none"), moment).next.lastErrorCode).toBe("loopTooManyPages");
  });

  test("a round that takes too long", () => {
    const old = checkpointIn("full", { roundStartedMs: nowMs - syncLimits.roundMaxMs - 1 });
    expect(decide(old, page("next-x", [item("a")]), moment).next.lastErrorCode).toBe("loopTooLong");
  });

  test("after three rounds in a row that never end, the list takes over", () => {
    const tired = checkpointIn("full", { loopsInARow: 2 });
    expect(decide(tired, page("next-1"), moment).next).toMatchObject({ strategy: "list", loopsInARow: 3 });
  });

  test("a delta that was tried again and loops goes back to the list at once", () => {
    const probing = checkpointIn("full", { roundReason: "probe" });
    expect(decide(probing, page("next-1"), moment).next).toMatchObject({ strategy: "list", roundReason: "list" });
  });
});
