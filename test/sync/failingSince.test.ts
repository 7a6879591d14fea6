import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { released, suspended } from "../../shared/sync/actions.js";
import { decide, park, wait } from "../../shared/sync/decide.js";
import { syncLimits } from "../../shared/sync/limits.js";
import type { Checkpoint, Outcome } from "../../shared/sync/types.js";
import { checkpointIn, item, lastPage, moment, nowMs, page } from "../worlds/rows.js";

const failures = {
  throttled: { kind: "throttled", code: "TooManyRequests", retryAfterMs: 7_000 },
  transient: { kind: "transient", code: "http503", retryAfterMs: null },
  unreadable: { kind: "unreadable", code: "malformedPage", retryAfterMs: null },
  resetSync: { kind: "resetSync", code: "SyncStateNotFound" },
  linkRefused: { kind: "linkRefused", code: "UnknownError" },
  denied: { kind: "denied", code: "ErrorAccessDenied" },
  noMailbox: { kind: "noMailbox", code: "MailboxNotEnabledForRESTAPI" },
  mailboxFull: { kind: "mailboxFull", code: "ErrorQuotaExceeded" },
  authConfig: { kind: "authConfig", code: "InvalidAuthenticationToken" },
} as const satisfies Partial<Record<Outcome["kind"], Outcome>>;
const pages = { page: page("next-2", [item("a")]), lastPage: lastPage("delta-2", [item("a")]) };

describe("since when a mailbox fails, and the answer that its code stems from", () => {
  const later = { ...moment, nowMs: nowMs + 60_000 };
  const failing = { ...failures.denied, requestId: "request-1" };

  test("the first failure's time stays while it fails, whatever Graph says next; the answer is the last one's", () => {
    const first = decide(checkpointIn("idle"), failing, moment).next;
    expect(first).toMatchObject({ failingSinceMs: nowMs, lastRequestId: "request-1" });
    const second = decide(first, { ...failures.throttled, requestId: "request-2" }, later).next;
    expect(second).toMatchObject({ failingSinceMs: nowMs, lastRequestId: "request-2" });
    const unanswered = decide(second, { kind: "transient", code: "timeout", retryAfterMs: null }, later).next;
    expect(unanswered).toMatchObject({ failingSinceMs: nowMs, lastRequestId: null, lastErrorCode: "timeout" });
  });

  test("a page ends it; with the list, the code that stays in sight keeps its answer", () => {
    const denied = decide(checkpointIn("idle"), failing, moment).next;
    const clean = { failingSinceMs: null, lastRequestId: null, lastErrorCode: null };
    expect(decide(denied, pages.page, later).next).toMatchObject(clean);
    expect(decide(denied, pages.lastPage, later).next).toMatchObject(clean);
    const full = decide(checkpointIn("idle"), { ...failures.mailboxFull, requestId: "request-3" }, moment);
    expect(full).toMatchObject({ kind: "restart", next: { failingSinceMs: nowMs } });
    const listed = decide(full.next, lastPage(null), later).next;
    expect(listed).toMatchObject({ failingSinceMs: null, lastRequestId: "request-3", strategy: "list" });
    expect(listed.lastErrorCode).toBe("ErrorQuotaExceeded");
  });

  test("codes of our own name no answer", () => {
    const denied = decide(checkpointIn("idle"), failing, moment).next;
    const own = { failingSinceMs: nowMs, lastRequestId: null };
    expect(wait(denied, { code: "rowUnreadable" }, later).next).toMatchObject(own);
    expect(park(denied, "tooLarge:row", "tooLarge", later).next).toMatchObject(own);
    const looping = checkpointIn("full", { pageNumber: syncLimits.pagesPerRoundMax });
    expect(decide(looping, page("next-x", []), moment).next).toMatchObject({
      ...own,
      lastErrorCode: "loopTooManyPages",
    });
  });

  test("an operator's action and leaving the roster clear both", () => {
    const denied = decide(checkpointIn("idle"), failing, moment).next;
    const cleared = { failingSinceMs: null, lastRequestId: null };
    expect(released(denied)).toMatchObject(cleared);
    expect(suspended(denied, "disabled")).toMatchObject(cleared);
  });

  test("where an earlier release has seen the first failure, nobody says since when until a page", () => {
    const old = checkpointIn("idle", { failuresInARow: 3, lastErrorCode: "http503" });
    expect(decide(old, failing, moment).next).toMatchObject({ failingSinceMs: null, lastRequestId: "request-1" });
  });

  test("whatever Graph says: a time says that the mailbox fails, never runs ahead, and no answer is named without a code", () => {
    const anyOutcome = fc
      .tuple(fc.constantFrom(...Object.values({ ...failures, ...pages })), fc.boolean())
      .map(([outcome, isNamed]) => (isNamed && "code" in outcome ? { ...outcome, requestId: "r" } : outcome));
    fc.assert(
      fc.property(fc.array(anyOutcome, { minLength: 1, maxLength: 30 }), (answers) => {
        let from: Checkpoint = checkpointIn("idle");
        let firstMs: number | null = null;
        for (const [index, outcome] of answers.entries()) {
          const step = decide(from, outcome, { ...moment, nowMs: nowMs + index });
          firstMs = step.kind === "apply" ? null : (firstMs ?? nowMs + index);
          expect(step.next.failingSinceMs).toBe(firstMs);
          if (step.next.lastErrorCode === null) expect(step.next.lastRequestId).toBeNull();
          from = step.next;
        }
      }),
    );
  });
});
