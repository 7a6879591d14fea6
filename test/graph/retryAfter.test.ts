import fc from "fast-check";
import { expect, test } from "vitest";
import { retryAfterMs } from "../../shared/graph/retryAfter.js";
import { parseRetryAfter } from "../../shared/sync/retryAfter.js";
import { answer } from "../worlds/scriptedGraph.js";

const nowMs = Date.UTC(2026, 0, 1, 12, 0, 0);

test.each([
  ["0", 0],
  ["7", 7_000],
  [" 7 ", 7_000],
  ["2.128", 2_128],
  ["0.0001", 1],
  ["86400", 86_400_000],
  ["Thu, 01 Jan 2026 12:01:00 GMT", 60_000],
  ["Thu, 01 Jan 2026 11:00:00 GMT", 0],
])("Retry-After %j is a wait of %i ms, never shortened", (header, waitMs) => {
  expect(parseRetryAfter(header, nowMs)).toBe(waitMs);
});

test.each([
  null,
  "",
  "-5",
  "1e3",
  "0x10",
  "5 seconds",
  "5,5",
  ".5",
  "12345678901",
  "tomorrow",
  "2026-01-01",
  "Thu, 01 Xyz 2026 12:01:00 GMT",
])("Retry-After %j is unreadable, so the caller backs off by itself", (header) => {
  expect(parseRetryAfter(header, nowMs)).toBeNull();
});

test.each(["Retry-After", "retry-after", "RETRY-AFTER", "Retry-after"])("the header is found as %s", (name) => {
  expect(retryAfterMs(answer(429, "", { [name]: "3" }), nowMs)).toBe(3_000);
});

test("any text gives a wait of 0 or more, or none", () => {
  const texts = fc.oneof(
    fc.string(),
    fc.stringMatching(/^-?\d{0,12}\.?\d{0,20}$/),
    fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const waitMs = parseRetryAfter(text, nowMs);
      expect(waitMs === null || (Number.isSafeInteger(waitMs) && waitMs >= 0)).toBe(true);
    }),
  );
});

test("whole seconds and fractions are never shortened", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 999_999_999 }), fc.integer({ min: 0, max: 999_999 }), (seconds, fraction) => {
      const header = `${seconds}.${String(fraction).padStart(6, "0")}`;
      const waitMs = parseRetryAfter(header, nowMs) ?? -1;
      expect(waitMs).toBeGreaterThanOrEqual(Math.floor(seconds * 1000 + fraction / 1000));
      expect(waitMs).toBeLessThanOrEqual(Math.ceil(seconds * 1000 + fraction / 1000) + 1);
    }),
  );
});
