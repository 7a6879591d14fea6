import type { Store } from "../../shared/store/store.js";
import { type MirrorFacts, type Status, statusReader } from "../../shared/views/status.js";

/** The state of the whole mirror as a process sees it that has seen nothing before. */
export function readStatus(store: Store, facts: MirrorFacts, nowMs: number, ticksShown: number): Promise<Status> {
  return statusReader(facts)(store, nowMs, ticksShown);
}
