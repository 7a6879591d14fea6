import { syncLimits } from "./limits.js";

/**
 * A wait that doubles with each failure, up to `maxMs`, spread over its upper half so that those that failed
 * together don't come back together.
 * @param failures Failures in a row, 1 or more. @param jitter A draw from 0 up to 1.
 */
export function spreadWaitMs(baseMs: number, maxMs: number, failures: number, jitter: number): number {
  const fullMs = Math.min(maxMs, baseMs * 2 ** Math.min(failures - 1, 40));
  return Math.round(fullMs * (0.5 + jitter / 2));
}

/** The wait after a failure that named none. Milliseconds. */
export function backoffMs(failures: number, jitter: number): number {
  return spreadWaitMs(syncLimits.backoffBaseMs, syncLimits.backoffMaxMs, failures, jitter);
}

/** How long until a parked mailbox is looked at again: 15 minutes at first, a day at most. Milliseconds. */
export function reprobeMs(failures: number, jitter: number): number {
  return spreadWaitMs(syncLimits.reprobeBaseMs, syncLimits.reprobeMaxMs, 2 * failures - 1, jitter);
}
