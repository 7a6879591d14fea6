import { stateOf } from "../sync/state.js";
import type { Checkpoint } from "../sync/types.js";

/** What answers and refusals tell of their mailbox: how old the copy is, and whether it is cared for. */
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
