import { dayMs, hourMs, minuteMs } from "./time.js";

/** Bounds of the round logic. Every way back to Graph is bounded by one of these. */
export const syncLimits = {
  /** Our choice: calendar lists fit one page as a rule; a thousand pages is a loop, not a list. */
  pagesPerRoundMax: 1_000,
  /** Our choice: even a round that waits for throttles ends within hours. */
  roundMaxMs: 12 * hourMs,
  /** One repeated page is a legal replay; a service fault repeats for ever (facts: endless nextLinks over one payload). */
  payloadRepeatsMax: 4,
  /**
   * Two links lost in a row may be bad luck. At the third the list takes over from a delta whose links lead nowhere: each
   * full round of delta costs storage in the mailbox, and the list costs none.
   */
  resetsBeforeList: 3,
  /** Rounds abandoned in a row after which the list takes over from a delta that never ends. */
  loopsBeforeList: 3,
  /** Our choice: half an hour with ticks of five minutes. No passing fault makes Graph answer nonsense for so long. */
  unreadableBeforeList: 6,
  /** Our choice: nine hours or more with the waits below, so that no outage and no mailbox move sends a fleet to the list. */
  transientBeforeList: 24,
  /** Ticks are minutes apart: the first failures wait for the next tick and no longer. */
  backoffBaseMs: 250,
  /** Mailbox moves last for hours: an hour is the longest that a transient failure keeps us away. */
  backoffMaxMs: hourMs,
  authBackoffMaxMs: 15 * minuteMs,
  /** A mailbox that was licensed a moment ago answers 404 for a while, so the first look back comes soon. */
  reprobeBaseMs: 15 * minuteMs,
  reprobeMaxMs: dayMs,
  deltaProbeMs: dayMs,
  /** Our choice: how long a page message has a slow mailbox to itself. A call of 100 s, its token, and the wait in the queue. */
  aloneMsMax: 5 * minuteMs,
  /** Our choice: a quarter of the time that a run waits for an answer. A slow mailbox that needs no more is slow no longer. */
  quickMsMax: 1_000,
  /** Fewer removals than this are never held (I11). */
  heldRemovalsMin: 3,
} as const;
