import type { Store } from "../store/store.js";
import { type DirectoryState, releasedHold } from "../sync/directory.js";
import type { DiscoverMessage } from "./messages.js";

/** What an operator may ask of the roster. */
export const rosterActions = ["discover", "release"] as const;
export type RosterAction = (typeof rosterActions)[number];

export type RosterCareEnd =
  | { readonly kind: "accepted"; readonly state: DirectoryState | null; readonly message: DiscoverMessage }
  | { readonly kind: "notHeld" }
  /** A full round is under way that decides by itself. */
  | { readonly kind: "underWay" };

/** Each turn loses only to a discoverer that wrote in between. */
const turnsMax = 10;

/**
 * `discover`: a pass now, or the one in hand goes on. `release`: the shrink that is held is right, and is applied.
 * Written before the message goes out: a lost message costs time until the next schedule.
 */
export async function careForRoster(action: RosterAction, store: Store, newId: () => string): Promise<RosterCareEnd> {
  for (let turn = 0; turn < turnsMax; turn++) {
    const held = await store.readDirectory();
    if (action === "discover") return { kind: "accepted", state: held?.state ?? null, message: { discover: newId() } };
    if (held === null) return { kind: "notHeld" };
    const { state } = held;
    // Asked again: what was released is still being applied.
    if (state.phase === "suspending") return { kind: "accepted", state, message: { discover: state.pass } };
    if (state.hold !== null && state.phase !== "idle") return { kind: "underWay" };
    const next = releasedHold(state);
    if (next === null) return { kind: "notHeld" };
    const moved = await store.writeDirectory({ ...next, step: next.step + 1 }, held.etag);
    if (moved === "superseded") continue;
    return { kind: "accepted", state: moved.state, message: { discover: moved.state.pass } };
  }
  return { kind: "underWay" };
}
