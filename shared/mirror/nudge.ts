import type { Checkpoint } from "../sync/types.js";
import type { Ports } from "./ports.js";

/** Whether other programs must be told: something changed, and it can be read as a whole. */
export function isNudgeDue(checkpoint: Checkpoint): boolean {
  const isWalking = checkpoint.phase === "full" || checkpoint.phase === "incremental";
  return !isWalking && checkpoint.sequence > checkpoint.nudgedSequence;
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
