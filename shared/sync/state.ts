import type { Checkpoint } from "./types.js";

/** Every mailbox is in exactly one of these (I7). */
export const mailboxStates = [
  "new",
  "fresh",
  "inProgress",
  "waiting",
  "held",
  "parked",
  "suspended",
  "removing",
] as const;
/** How a mailbox stands. */
export type MailboxState = (typeof mailboxStates)[number];

/** The state of a mailbox, for people and for figures. */
export function stateOf(checkpoint: Checkpoint): MailboxState {
  if (checkpoint.lifecycle !== "active") return checkpoint.lifecycle;
  if (checkpoint.parkedReason !== null) return "parked";
  if (checkpoint.heldRemovals !== null) return "held";
  if (checkpoint.notBeforeMs !== null) return "waiting";
  if (checkpoint.phase === "full" || checkpoint.phase === "incremental") return "inProgress";
  if (checkpoint.lastSuccessMs === null) return "new";
  // It starts over and was not asked yet: its next round is about to open.
  return checkpoint.phase === "initial" ? "inProgress" : "fresh";
}

/** Why no work is done on a mailbox, as people and filters see it; null while work goes on, or waits by itself. */
export function statedReason({ lifecycle, parkedReason }: Checkpoint): string | null {
  return lifecycle === "active" ? parkedReason : lifecycle;
}

/**
 * Whether a mailbox is parked, or waits, for a reason: that text, or one that begins with it and a colon, as `denied` means
 * `denied:ErrorAccessDenied` too. A mailbox that waits is named by its error code alone. Who leaves has none.
 */
export function hasReason(reason: string, checkpoint: Checkpoint): boolean {
  const { lifecycle, parkedReason, notBeforeMs, lastErrorCode } = checkpoint;
  if (lifecycle !== "active") return false;
  if (parkedReason !== null) return parkedReason === reason || parkedReason.startsWith(`${reason}:`);
  return notBeforeMs !== null && lastErrorCode === reason;
}
