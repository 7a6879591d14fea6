import type { DiscoverMessage } from "../messages.js";
import type { Store } from "../store/store.js";
import { throttledUntilMs } from "../sync/brake.js";
import { type DirectoryState, discoveredNow, releasedHold } from "../sync/directory.js";

/** What an operator may ask of the roster. */
export const rosterActions = ["discover", "release"] as const;
export type RosterAction = (typeof rosterActions)[number];

export type RosterCareEnd =
  | {
      readonly kind: "accepted";
      readonly state: DirectoryState | null;
      readonly message: DiscoverMessage;
      /** Until when Graph is left alone all the same; null: nothing is waited for. */
      readonly notBeforeMs: number | null;
    }
  | { readonly kind: "notHeld" }
  /** A full round is under way that decides by itself. */
  | { readonly kind: "underWay" };

/** Each turn loses only to a discoverer that wrote in between. */
const turnsMax = 10;

/**
 * `discover`: a pass now, or the one in hand goes on. Where discovery waits for a failure, that wait is over, and a full
 * pass begins anew; a wait that Graph asked for, or the brake, stays, and the answer's `notBefore` says until when. `release`: the shrink that is held is right, and is applied.
 * Written before the message goes out: a lost message costs time until the next schedule.
 */
export async function careForRoster(
  action: RosterAction,
  store: Store,
  newId: () => string,
  nowMs: number,
): Promise<RosterCareEnd> {
  for (let turn = 0; turn < turnsMax; turn++) {
    const held = await store.readDirectory();
    if (action === "discover") {
      const anew = held === null ? null : discoveredNow(held.state, nowMs);
      const state = await (anew === null ? (held?.state ?? null) : moved(store, anew, held?.etag ?? null));
      if (state === "superseded") continue;
      const untilMs = Math.max(state?.notBeforeMs ?? 0, throttledUntilMs(await store.readBrake(), nowMs));
      const notBeforeMs = untilMs > nowMs ? untilMs : null;
      return { kind: "accepted", state, message: { discover: newId() }, notBeforeMs };
    }
    if (held === null) return { kind: "notHeld" };
    const { state } = held;
    // Asked again: what was released is still being applied.
    if (state.phase === "suspending") return applying(state);
    if (state.hold !== null && state.phase !== "idle") return { kind: "underWay" };
    const next = releasedHold(state);
    if (next === null) return { kind: "notHeld" };
    const released = await moved(store, next, held.etag);
    if (released !== "superseded") return applying(released);
  }
  return { kind: "underWay" };
}

function applying(state: DirectoryState): RosterCareEnd {
  return { kind: "accepted", state, message: { discover: state.pass }, notBeforeMs: null };
}

async function moved(store: Store, next: DirectoryState, etag: string | null): Promise<DirectoryState | "superseded"> {
  const held = await store.writeDirectory({ ...next, step: next.step + 1 }, etag);
  return held === "superseded" ? held : held.state;
}
