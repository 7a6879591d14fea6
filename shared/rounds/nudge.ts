import type { Held, PendingUnit } from "../store/store.js";
import { isServed } from "../sync/checkpoint.js";
import type { Checkpoint } from "../sync/types.js";
import type { Ports } from "./ports.js";
import { commitOne } from "./step.js";

/**
 * Whether other programs are to be notified: something changed, it can be read (a mailbox is not served before its first full
 * round has ended), and no further page is about to change more.
 */
export function isNudgeDue(checkpoint: Checkpoint): boolean {
  const isWalking = checkpoint.phase === "full" || checkpoint.phase === "incremental";
  const goesOn = isWalking && checkpoint.notBeforeMs === null && checkpoint.parkedReason === null;
  return !goesOn && isServed(checkpoint) && checkpoint.sequence > checkpoint.nudgedSequence;
}

/**
 * Notifies other programs of a change that is committed. To be noted in the checkpoint only when it was sent: a nudge that
 * was lost costs time, never truth, for the next tick finds it missing and sends it.
 */
async function sendNudge({ mailboxId, sequence }: Checkpoint, ports: Ports): Promise<"sent" | "notSent"> {
  if (ports.nudge === null) return "notSent";
  try {
    await ports.nudge({ mailbox: mailboxId, sequence });
    return "sent";
  } catch (error) {
    ports.log("warn", "nudge not sent", { mailbox: mailboxId, error: String(error) });
    return "notSent";
  }
}

/** Sends the nudges of a run in lanes, so many at once. */
export class NudgeSender {
  readonly #lanes: Promise<unknown>[] = [];
  #count = 0;

  constructor(private readonly ports: Ports) {}

  /** Sends the nudge that is due for a checkpoint, after those that are ahead in its lane. */
  send(checkpoint: Checkpoint): Promise<"sent" | "notSent"> {
    const lane = this.#count++ % this.ports.limits.sendsInFlightMax;
    const sending = (this.#lanes[lane] ?? Promise.resolve()).then(() => sendNudge(checkpoint, this.ports));
    this.#lanes[lane] = sending;
    return sending;
  }

  /** Resolves once all nudges so far are sent, or have failed. */
  async sent(): Promise<void> {
    await Promise.all(this.#lanes);
  }
}

/** Sends the nudge of a mailbox by itself, if one is due, and notes it. Where it was moved meanwhile, its next commit finds that. */
export async function nudged(held: Held, ports: Ports): Promise<Held> {
  if (!isNudgeDue(held.checkpoint) || (await sendNudge(held.checkpoint, ports)) === "notSent") return held;
  const noted = await commitOne(notedUnit(held), ports);
  return noted.kind === "committed" ? noted.held : held;
}

/** The unit that notes a nudge as sent. */
export function notedUnit(held: Held): PendingUnit {
  return { held, rows: [], next: { ...held.checkpoint, nudgedSequence: held.checkpoint.sequence } };
}
