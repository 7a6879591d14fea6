import { stateOf } from "../sync/state.js";
import type { Checkpoint } from "../sync/types.js";

/** Headers of answers and refusals about one mailbox: its state, and the age of its copy in seconds. */
export function freshnessOf(checkpoint: Checkpoint, nowMs: number): Record<string, string> {
  const { lastSuccessMs } = checkpoint;
  return {
    "x-mirror-state": stateOf(checkpoint),
    ...(lastSuccessMs === null
      ? {}
      : {
          age: String(Math.max(0, Math.floor((nowMs - lastSuccessMs) / 1_000))),
          "x-mirror-last-success": new Date(lastSuccessMs).toISOString(),
        }),
  };
}
