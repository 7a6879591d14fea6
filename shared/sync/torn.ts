import { isServed, startOver } from "./checkpoint.js";
import type { Checkpoint } from "./types.js";

/**
 * What the checkpoint says while a unit is only half written: no link and no round, so that a crash costs a full round
 * and never leaves a ghost row (I1). The generation stays, so that the next round takes a newer one than the rows have.
 * @param next The checkpoint that the whole unit ends with. @param sequenceSoFar The sequence of the last row written.
 * @param before The stored checkpoint: half a unit is no success yet.
 */
export function tornCheckpoint(next: Checkpoint, sequenceSoFar: number, before: Checkpoint = next): Checkpoint {
  return {
    ...startOver(next, isServed(before) ? "reset" : "first"),
    sequence: sequenceSoFar,
    nudgedSequence: Math.min(next.nudgedSequence, sequenceSoFar),
    lastSuccessMs: before.lastSuccessMs,
    lastFullRoundMs: before.lastFullRoundMs,
  };
}
