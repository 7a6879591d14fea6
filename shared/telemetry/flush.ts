import { minuteMs } from "../sync/time.js";
import { within } from "../within.js";
import type { Telemetry } from "./telemetry.js";

export type FlushOptions = {
  /** Sends all that is waiting. May fail, and may never end. */
  readonly send: () => Promise<void>;
  /** What went wrong since it was last told. */
  readonly troubles: Set<string>;
  readonly nowMs: () => number;
};

/**
 * How often measurements are sent, and how long that may take. All are our own choice.
 * @internal For tests.
 */
export const flushLimits = {
  /** An invocation waits no longer; the sending goes on. */
  waitMsMax: 2_000,
  /** Then a sending is given up, and the next may begin. Above the exporters' own bounds, which are 30 s. */
  sendMsMax: minuteMs,
  /** What comes in between is sent together at its end: an instance that idles is stopped after half a minute. */
  betweenMsMin: 10_000,
  /** One line of log for each time, however long a receiver is away. */
  tellMsMin: 10 * minuteMs,
};

/** The flush that invocations end with: bounded, for all that end about then, and never a reason to fail. */
export function createFlush({ send, troubles, nowMs }: FlushOptions): Telemetry["flush"] {
  let isSending = false;
  let isLaterSet = false;
  let sentMs = Number.NEGATIVE_INFINITY;
  let toldMs = Number.NEGATIVE_INFINITY;

  const begin = async (): Promise<void> => {
    if (isSending) return; // That receiver hangs, and nobody waits for it again.
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
  const tellTroubles = (tell: (trouble: string) => void) => {
    if (troubles.size === 0 || nowMs() - toldMs < flushLimits.tellMsMin) return;
    toldMs = nowMs();
    tell(`Telemetry could not be sent: ${[...troubles].sort().slice(0, 5).join(", ")}`);
    troubles.clear();
  };

  return async (tell) => {
    tellTroubles(tell); // Before any wait: the log of an invocation ends with it.
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
