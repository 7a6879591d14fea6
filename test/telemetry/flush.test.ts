import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createFlush, flushLimits } from "../../shared/telemetry/flush.js";

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
});
afterEach(() => {
  vi.useRealTimers();
});

function trial(send: () => Promise<void>) {
  const troubles = new Set<string>();
  const reported: string[] = [];
  const sending = vi.fn(send);
  const flush = createFlush({ send: sending, troubles, nowMs: () => Date.now() });
  return { troubles, reported, sending, flush: () => flush((trouble) => reported.push(trouble)) };
}

const never = () => new Promise<void>(() => undefined);

describe("the flush at an invocation's end", () => {
  test("sends at once, then what comes within ten seconds together at their end", async () => {
    const { sending, flush } = trial(async () => undefined);
    await flush();
    await vi.advanceTimersByTimeAsync(1_000);
    await flush();
    await flush();
    expect(sending).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(flushLimits.betweenMsMin - 1_001);
    expect(sending).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(sending).toHaveBeenCalledTimes(2);
  });

  test("waits two seconds for a receiver that hangs, and the next one not at all", async () => {
    const { sending, flush } = trial(never);
    const startMs = Date.now();
    const first = flush();
    await vi.advanceTimersByTimeAsync(flushLimits.waitMsMax);
    await first;
    expect(Date.now() - startMs).toBe(flushLimits.waitMsMax);
    await vi.advanceTimersByTimeAsync(flushLimits.betweenMsMin);
    await flush();
    expect(sending).toHaveBeenCalledTimes(1); // It still runs: a second one would only queue up behind it.
  });

  test("goes on as before once a slow receiver has answered", async () => {
    let answer: () => void = () => undefined;
    const { sending, flush } = trial(() => new Promise((resolve) => (answer = resolve)));
    const first = flush();
    await vi.advanceTimersByTimeAsync(flushLimits.waitMsMax);
    await first;
    answer();
    await vi.advanceTimersByTimeAsync(flushLimits.betweenMsMin);
    void flush();
    expect(sending).toHaveBeenCalledTimes(2);
  });

  test("never fails, and says what went wrong once in ten minutes, at an invocation's end", async () => {
    const { reported, troubles, flush } = trial(() => Promise.reject(new RangeError("https://secret.example")));
    await flush();
    expect(reported).toEqual([]);
    troubles.add("OTLPExporterError:503");
    await flush();
    expect(reported).toEqual(["Telemetry could not be sent: OTLPExporterError:503, RangeError"]);
    await vi.advanceTimersByTimeAsync(flushLimits.reportMsMin - 1);
    await flush();
    expect(reported).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    await flush();
    expect(reported).toEqual([expect.any(String), "Telemetry could not be sent: RangeError"]);
  });
});
