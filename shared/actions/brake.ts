import type { Log } from "../log.js";
import type { Store } from "../store/store.js";
import { type Brake, isBraked, lifted } from "../sync/brake.js";

/** Lifts the brake, whoever raised it: the next tick asks all that are due. If the cause is still there, it comes back. */
export async function liftBrake(
  store: Store,
  log: Log,
  nowMs: number,
): Promise<{ readonly lifted: boolean; readonly brake: Brake | null }> {
  const after = await store.changeBrake((brake) =>
    brake !== null && isBraked(brake, nowMs) ? lifted(brake, nowMs) : null,
  );
  if (after !== null) log("warn", "brake lifted by hand", { code: after.codes.join(",") });
  return { lifted: after !== null, brake: after };
}
