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
  const written = changes?.changes.filter(({ sequence }) => sequence <= sequenceSoFar) ?? [];
  return {
    ...startOver(next, isServed(before) ? "reset" : "first"),
    sequence: sequenceSoFar,
    loggedState: before.loggedState,
    loggedSequence: before.loggedSequence,
    unlogged: changes === null ? null : { changes: written, leftOut: changes.leftOut },
    lastSuccessMs: before.lastSuccessMs,
    lastFullRoundMs: before.lastFullRoundMs,
  };
}
