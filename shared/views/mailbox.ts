import { statedReason, stateOf } from "../sync/state.js";
import { isoOrNull } from "../sync/time.js";
import type { Checkpoint } from "../sync/types.js";
import type { MailboxView } from "./mailboxSchema.js";

export type { MailboxView };

/** A mailbox as operators see it, without what the roster knows of it. */
export function mailboxView(checkpoint: Checkpoint): MailboxView {
  return {
    id: checkpoint.mailboxId,
    displayName: checkpoint.displayName,
    userPrincipalName: checkpoint.userPrincipalName,
    kind: checkpoint.mailboxKind,
    state: stateOf(checkpoint),
    phase: checkpoint.phase,
    strategy: checkpoint.strategy,
    round: {
      reason: checkpoint.roundReason,
      started: isoOrNull(checkpoint.roundStartedMs),
      pages: checkpoint.pageNumber,
    },
    calendarCount: checkpoint.calendarCount,
    generation: checkpoint.generation,
    sequence: checkpoint.sequence,
    notBefore: isoOrNull(checkpoint.notBeforeMs),
    lastSuccess: isoOrNull(checkpoint.lastSuccessMs),
    lastChange: isoOrNull(checkpoint.lastChangeMs),
    lastFullRound: isoOrNull(checkpoint.lastFullRoundMs),
    failuresInARow: checkpoint.failuresInARow,
    lastErrorCode: checkpoint.lastErrorCode,
    failingSince: isoOrNull(checkpoint.failingSinceMs),
    lastRequestId: checkpoint.lastRequestId,
    parkedReason: statedReason(checkpoint),
    heldRemovals: checkpoint.heldRemovals,
    driftFound: checkpoint.driftFound,
  };
}
