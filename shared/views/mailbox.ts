import { statedReason, stateOf } from "../sync/state.js";
import type { Checkpoint } from "../sync/types.js";

/** A mailbox as operators see it. Its link is a secret and never part of this. */
export type MailboxView = ReturnType<typeof mailboxView>;

export function mailboxView(checkpoint: Checkpoint) {
  const at = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  return {
    id: checkpoint.mailboxId,
    displayName: checkpoint.displayName,
    state: stateOf(checkpoint),
    phase: checkpoint.phase,
    strategy: checkpoint.strategy,
    calendarCount: checkpoint.calendarCount,
    generation: checkpoint.generation,
    sequence: checkpoint.sequence,
    notBefore: at(checkpoint.notBeforeMs),
    lastSuccess: at(checkpoint.lastSuccessMs),
    lastChange: at(checkpoint.lastChangeMs),
    lastFullRound: at(checkpoint.lastFullRoundMs),
    failuresInARow: checkpoint.failuresInARow,
    lastErrorCode: checkpoint.lastErrorCode,
    parkedReason: statedReason(checkpoint),
    heldRemovals: checkpoint.heldRemovals,
    driftFound: checkpoint.driftFound,
  };
}
