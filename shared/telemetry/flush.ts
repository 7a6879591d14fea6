import { minuteMs } from "../sync/time.js";
import { within } from "../within.js";
import type { Telemetry } from "./telemetry.js";

/** What a flush needs. */
export type FlushOptions = {
  /** Sends everything that is waiting. May fail, and may never end. */
  readonly send: () => Promise<void>;
  /** What went wrong since the last report. */
  readonly troubles: Set<string>;
  readonly nowMs: () => number;
};

/**
 * Bounds of sending, all of them our choice.
 * @internal For tests.
 */
export const flushLimits = {
  /** An invocation waits no longer; the sending goes on. */
  waitMsMax: 2_000,
  /** After that a sending is given up, and the next may begin. Above the exporters' own bounds, which are 30 s. */
  sendMsMax: minuteMs,
  /** What comes in between is sent together afterwards: an idle instance is stopped after half a minute. */
  betweenMsMin: 10_000,
  /** One line of the log in this time, however long a receiver is down. */
  reportMsMin: 10 * minuteMs,
};

/** The flush at the end of invocations: bounded, shared by those that end at about the same time, and never failing. */
export function createFlush({ send, troubles, nowMs }: FlushOptions): Telemetry["flush"] {
  let isSending = false;
  let isLaterSet = false;
  let sentMs = Number.NEGATIVE_INFINITY;
  let reportedMs = Number.NEGATIVE_INFINITY;

  const begin = async (): Promise<void> => {
    if (isSending) return; // The receiver hangs: nobody waits for it a second time.
    isSending = true;
    sentMs = nowMs();
    try {
      await within(flushLimits.sendMsMax, sendingSilent, send);
    } catch (error) {
      troubles.add(error instanceof Error ? error.name : "flushFailed");
    } finally {
      isSending = false;
    }
  };
  const beginLater = (inMs: number) => {
    if (isLaterSet) return;
    isLaterSet = true;
    setTimeout(() => {
      isLaterSet = false;
      void begin();
    }, inMs).unref();
  };
  const reportTroubles = (report: (trouble: string) => void) => {
    if (troubles.size === 0 || nowMs() - reportedMs < flushLimits.reportMsMin) return;
    reportedMs = nowMs();
    report(`Telemetry could not be sent: ${[...troubles].sort().slice(0, 5).join(", ")}`);
    troubles.clear();
  };

  return async (report) => {
    reportTroubles(report); // Before any wait: the log of an invocation ends with the invocation.
    const waitMs = sentMs + flushLimits.betweenMsMin - nowMs();
    if (waitMs > 0) return beginLater(waitMs);
    await within(flushLimits.waitMsMax, sendingSilent, begin).catch(() => troubles.add("tooSlow")); // It never fails itself.
  };
}

function sendingSilent(): Error {
  const error = new Error("The receiver did not answer in time.");
  error.name = "tooSlow";
  return error;
}
