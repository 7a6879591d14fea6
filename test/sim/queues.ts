import { below, type Random } from "../../local/graph/random.js";

export const QUEUE_NAMES = ["rounds", "pages", "rounds-poison", "pages-poison"] as const;
export type QueueName = (typeof QUEUE_NAMES)[number];

export type Message = {
  readonly id: number;
  readonly queue: QueueName;
  readonly body: string;
  dequeueCount: number;
  /** Infinity while a handler holds it. */
  visibleMs: number;
};

/** As in host.json. */
const deliveriesMax = 5;
/** As in host.json. */
const retryDelayMs = 10_000;
/** The lease of the queue trigger. A host that lives renews it; a dead one leaves the message hidden for so long. */
const leaseMs = 10 * 60_000;

/** Storage queues as a Functions host uses them: at least once, in any order, poison after five deliveries. */
export class Queues {
  readonly #messages: Message[] = [];
  #lastId = 0;
  poisoned = 0;

  get length(): number {
    return this.#messages.length;
  }

  bodies(queue: QueueName): readonly string[] {
    return this.#messages.filter((message) => message.queue === queue).map(({ body }) => body);
  }

  add(queue: QueueName, body: string, visibleMs: number): void {
    this.#lastId += 1;
    this.#messages.push({ id: this.#lastId, queue, body, dequeueCount: 0, visibleMs });
  }

  visible(nowMs: number): number {
    let count = 0;
    for (const { visibleMs } of this.#messages) if (visibleMs <= nowMs) count += 1;
    return count;
  }

  nextVisibleMs(nowMs: number): number {
    return this.#messages.reduce(
      (next, { visibleMs }) => (visibleMs > nowMs ? Math.min(next, visibleMs) : next),
      Infinity,
    );
  }

  /**
   * Takes one of the visible messages under a lease, or puts it aside when it was delivered too often.
   * @param twice The lease is lost at once: somebody else will get it too.
   */
  take(nowMs: number, random: Random, twice: boolean): Message | null {
    let left = below(random, this.visible(nowMs));
    const message = this.#messages.find(({ visibleMs }) => visibleMs <= nowMs && left-- === 0);
    if (message === undefined) return null;
    message.dequeueCount += 1;
    if (message.dequeueCount > deliveriesMax && !message.queue.endsWith("-poison")) {
      this.#poison(message, nowMs);
      return null;
    }
    message.visibleMs = twice ? nowMs + below(random, 5_000) : Infinity;
    return message;
  }

  delete(message: Message): void {
    const index = this.#messages.indexOf(message);
    if (index >= 0) this.#messages.splice(index, 1);
  }

  /** The handler threw. */
  release(message: Message, nowMs: number): void {
    if (!this.#messages.includes(message)) return;
    if (message.queue.endsWith("-poison")) message.visibleMs = nowMs + leaseMs;
    else if (message.dequeueCount >= deliveriesMax) this.#poison(message, nowMs);
    else message.visibleMs = nowMs + retryDelayMs;
  }

  /** The host died: nobody renews the lease. */
  abandon(message: Message, nowMs: number): void {
    if (message.visibleMs === Infinity) message.visibleMs = nowMs + leaseMs;
  }

  #poison(message: Message, nowMs: number): void {
    this.poisoned += 1;
    this.add(message.queue === "rounds" ? "rounds-poison" : "pages-poison", message.body, nowMs);
    this.delete(message);
  }
}

/** A message as the Functions library hands it over. */
export function jsonOrText(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body; // Plain text is handed over as it is.
  }
}
