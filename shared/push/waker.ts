import type { Log } from "../log.js";
import type { WakeMessage } from "../messages.js";
import type { Store } from "../store/store.js";
import { minuteMs, secondMs } from "../sync/time.js";

/** Bounds of waking. All are our own choice. */
const wakeLimits = {
  /** A message is seen after so long: it finds all that is logged until then. */
  delayMs: 2 * secondMs,
  /** So long after it was sent no other is needed. Shorter than its delay. */
  coveredMs: secondMs,
  /** How long it is believed that there is no subscription, or that there is one. */
  knownMs: minuteMs,
} as const;

type WakePorts = {
  readonly store: Pick<Store, "readSubscriptions">;
  readonly newId: () => string;
  readonly log: Log;
  /** Puts a message on the push queue, to be seen after so many whole seconds. */
  readonly send: (message: WakeMessage, delaySeconds: number) => Promise<void>;
};

/**
 * Wakes deliveries when the logs have grown: by one message for all runs of a process that end within a second, whatever the number of
 * subscriptions, and by none where there is none. A message that is lost costs minutes: the timer finds who is behind.
 */
export class Waker {
  #sentMs = Number.NEGATIVE_INFINITY;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #hasAny = false;

  constructor(private readonly nowMs: () => number) {}

  /** To be called once rows of a log are written. Never throws: what was logged is logged. */
  async wake({ store, newId, log, send }: WakePorts): Promise<void> {
    if (this.#isCovered()) return;
    try {
      const nowMs = this.nowMs();
      if (nowMs - this.#lookedMs >= wakeLimits.knownMs) {
        this.#hasAny = (await store.readSubscriptions()).length > 0;
        this.#lookedMs = nowMs;
      }
      if (!this.#hasAny || this.#isCovered()) return;
      this.#sentMs = this.nowMs();
      await send({ wake: newId() }, wakeLimits.delayMs / secondMs);
    } catch (error) {
      this.#sentMs = Number.NEGATIVE_INFINITY;
      log("warn", "subscribers not woken; the timer does it", { error: String(error) });
    }
  }

  #isCovered(): boolean {
    return this.nowMs() - this.#sentMs < wakeLimits.coveredMs;
  }
}
