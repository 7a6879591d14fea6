import type { WakeMessage } from "../messages.js";
import { secondMs } from "../sync/time.js";

/** Puts a message on the push queue, to be seen after so many whole seconds. */
export type SendWake = (message: WakeMessage, delaySeconds: number) => Promise<void>;

type Pending = { readonly atMs: number; readonly sent: Promise<void> };

/**
 * Later looks at who is to be delivered to: messages that wake, and stand in the queue whatever happens to this process. One
 * serves all that ask for about the same time, so their number does not grow with that of subscribers.
 */
export class Looks {
  #pending: readonly Pending[] = [];

  constructor(private readonly nowMs: () => number) {}

  /**
   * Sees to it that there is a look between these times, epoch milliseconds. @throws what `send` throws.
   * Messages that other processes have sent are not known here.
   */
  async between(earliestMs: number, latestMs: number, send: SendWake, newId: () => string): Promise<void> {
    const nowMs = this.nowMs();
    this.#pending = this.#pending.filter(({ atMs }) => atMs > nowMs);
    const known = this.#pending.find(({ atMs }) => atMs >= earliestMs && atMs <= latestMs);
    if (known !== undefined) return known.sent;
    const sent = send({ wake: newId() }, Math.max(0, Math.ceil((latestMs - nowMs) / secondMs)));
    const pending: Pending = { atMs: latestMs, sent };
    this.#pending = [...this.#pending, pending];
    try {
      await sent;
    } catch (error) {
      this.#pending = this.#pending.filter((one) => one !== pending);
      throw error;
    }
  }
}
