import type { Ask, Checkpoint, RoundReason } from "./types.js";

/** The checkpoint of a mailbox that was just put on the roster. `epoch` tells this life of it from earlier ones. */
export function newCheckpoint(mailboxId: string, epoch: string, displayName: string | null): Checkpoint {
  return {
    mailboxId,
    epoch,
    strategy: "delta",
    phase: "initial",
    link: null,
    generation: 0,
    sequence: 0,
    nudgedSequence: 0,
    roundId: null,
    roundReason: "first",
    roundStartedMs: null,
    pageNumber: 0,
    payloadHash: null,
    payloadRepeats: 0,
    notBeforeMs: null,
    lastSuccessMs: null,
    lastChangeMs: null,
    lastFullRoundMs: null,
    failuresInARow: 0,
    resetsInARow: 0,
    loopsInARow: 0,
    lastErrorCode: null,
    parkedReason: null,
    heldRemovals: null,
    deltaProbeMs: null,
    driftFound: 0,
    calendarCount: 0,
    retiredSequence: 0,
    displayName,
    lastTick: null,
    walked: null,
    aloneUntilMs: null,
  };
}

/** Forgets the link: the next request opens a full round. Rows stay as they are and are served meanwhile (I4). */
export function startOver(checkpoint: Checkpoint, roundReason: RoundReason): Checkpoint {
  return {
    ...checkpoint,
    phase: "initial",
    link: null,
    roundId: null,
    roundReason,
    roundStartedMs: null,
    pageNumber: 0,
    payloadHash: null,
    payloadRepeats: 0,
  };
}

/** Whether a page that comes now belongs to a full round. Every round of the list strategy is a full one. */
export function isFullRound(checkpoint: Checkpoint): boolean {
  return checkpoint.phase === "initial" || checkpoint.phase === "full" || checkpoint.strategy === "list";
}

/** Whether there is a copy to serve: a full round has ended since the mailbox was added. Until then readers are told to wait. */
export function isServed(checkpoint: Checkpoint): boolean {
  return checkpoint.lastFullRoundMs !== null;
}

/** Whether the next request opens a round. */
export function opensRound(checkpoint: Checkpoint): boolean {
  return checkpoint.phase === "initial" || checkpoint.phase === "idle";
}

/** What to ask Graph next. */
export function askOf(checkpoint: Checkpoint): Ask {
  return { mailboxId: checkpoint.mailboxId, strategy: checkpoint.strategy, link: checkpoint.link };
}
