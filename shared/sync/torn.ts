import type { Unlogged } from "./changeLog.js";
import { isServed, startOver } from "./checkpoint.js";
import type { Checkpoint } from "./types.js";

/**
 * What the checkpoint says while a unit is only half written: no link and no round, so that a crash costs a full round
 * and never leaves a ghost row (I1). The generation stays, so that the next round takes a newer one than the rows have.
 * @param next The checkpoint that the whole unit ends with. @param sequenceSoFar The sequence of the last row written.
 * @param before The stored checkpoint: half a unit is no success yet.
 * @param changes What the unit changes, for the log: it is owed those that are written.
 */
export function tornCheckpoint(
  next: Checkpoint,
  sequenceSoFar: number,
  before: Checkpoint = next,
  changes: Unlogged | null = next.unlogged,
): Checkpoint {
  return {
    ...startOver(next, isServed(before) ? "reset" : "first"),
    sequence: sequenceSoFar,
    loggedState: before.loggedState,
    loggedSequence: before.loggedSequence,
    unlogged: changes === null ? null : writtenOf(changes, sequenceSoFar, before),
    lastSuccessMs: before.lastSuccessMs,
    lastFullRoundMs: before.lastFullRoundMs,
  };
}

/** Of the changes of half a unit, those that are written; what is not told one by one is counted by their sequences. */
function writtenOf(
  { changes, leftOut }: Unlogged,
  sequenceSoFar: number,
  { sequence, unlogged }: Checkpoint,
): Unlogged {
  const written = changes.filter((change) => change.sequence <= sequenceSoFar);
  const earlier = unlogged ?? { changes: [], leftOut: 0 };
  const untold = sequenceSoFar - sequence - (written.length - earlier.changes.length);
  return { changes: written, leftOut: earlier.leftOut + Math.min(leftOut - earlier.leftOut, Math.max(0, untold)) };
}
