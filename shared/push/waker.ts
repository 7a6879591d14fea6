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
  /** How long it is believed that there is a subscription. That there is none is not: the first one would wait for the timer. */
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
 * subscriptions. Where there is none, each run that has logged something costs one look. A message that is lost costs minutes: the timer finds who is behind.
 */
export class Waker {
  #sentMs = Number.NEGATIVE_INFINITY;
  #foundMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly nowMs: () => number) {}

  /** To be called once rows of a log are written. Never throws: what was logged is logged. */
  async wake({ store, newId, log, send }: WakePorts): Promise<void> {
    if (this.#isCovered()) return;
    try {
      const nowMs = this.nowMs();
      const knownForMs = nowMs - this.#foundMs;
      if (knownForMs < 0 || knownForMs >= wakeLimits.knownMs) {
        if ((await store.readSubscriptions()).length === 0) return;
        this.#foundMs = nowMs;
      }
      if (this.#isCovered()) return;
      this.#sentMs = this.nowMs();
      await send({ wake: newId() }, wakeLimits.delayMs / secondMs);
    } catch (error) {
      this.#sentMs = Number.NEGATIVE_INFINITY;
      log("warn", "subscribers not woken; the timer does it", { error: String(error) });
    }
  }

  #isCovered(): boolean {
    const ageMs = this.nowMs() - this.#sentMs;
    return ageMs >= 0 && ageMs < wakeLimits.coveredMs; // A clock that is set back covers nothing.
  }
}
