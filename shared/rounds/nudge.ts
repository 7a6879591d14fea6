import type { Held } from "../store/store.js";
import { isServed } from "../sync/checkpoint.js";
import type { Checkpoint } from "../sync/types.js";
import type { Ports } from "./ports.js";

/**
 * Whether other programs must be told: something changed, it can be read (a mailbox is not served before its first full
 * round has ended), and no further page is about to change more.
 */
export function isNudgeDue(checkpoint: Checkpoint): boolean {
  const isWalking = checkpoint.phase === "full" || checkpoint.phase === "incremental";
  const goesOn = isWalking && checkpoint.notBeforeMs === null && checkpoint.parkedReason === null;
  return !goesOn && isServed(checkpoint) && checkpoint.sequence > checkpoint.nudgedSequence;
}

/**
 * Tells other programs of a change that is committed. To be noted in the checkpoint only when it was sent: a nudge that
 * was lost costs time, never truth, for the next tick finds it missing and sends it.
 */
export async function sendNudge({ mailboxId, sequence }: Checkpoint, ports: Ports): Promise<"sent" | "notSent"> {
  if (ports.nudge === null) return "notSent";
  try {
    await ports.nudge({ mailbox: mailboxId, sequence });
    return "sent";
  } catch (error) {
    ports.log("warn", "nudge not sent", { mailbox: mailboxId, error: String(error) });
    return "notSent";
  }
}

/** The checkpoint once the nudge for it was sent. */
export function nudgeNoted(checkpoint: Checkpoint): Checkpoint {
  return { ...checkpoint, nudgedSequence: checkpoint.sequence };
}

/** A mailbox after its commit: told of where that is due, and noted. */
export async function nudged(held: Held, ports: Ports): Promise<Held> {
  if (!isNudgeDue(held.checkpoint) || (await sendNudge(held.checkpoint, ports)) === "notSent") return held;
  const next = nudgeNoted(held.checkpoint);
  const [noted] = (await ports.store.commitUnits([{ held, rows: [], next }], null)).results;
  return noted?.kind === "committed" ? noted.held : held;
}
