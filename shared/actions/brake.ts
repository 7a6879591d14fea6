import type { Log } from "../log.js";
import type { Store } from "../store/store.js";
import { type Brake, isBraked, lifted } from "../sync/brake.js";

/**
 * Lifts the brake, whatever raised it: the next tick asks all mailboxes that are due. If the cause is still there, the
 * brake comes back. `lifted`: whether it was on; `brake`: as it was written, null where nothing was.
 * @throws StorageError
 */
export async function liftBrake(
  store: Store,
  log: Log,
  nowMs: number,
): Promise<{ readonly lifted: boolean; readonly brake: Brake | null }> {
  const after = await store.changeBrake((brake) =>
    brake !== null && isBraked(brake, nowMs) ? lifted(brake, nowMs) : null,
  );
  if (after !== null) log("warn", "application retried by hand", { code: after.codes.join(",") });
  return { lifted: after !== null, brake: after };
}
