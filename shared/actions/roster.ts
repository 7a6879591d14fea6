import type { DiscoverMessage } from "../messages.js";
import type { Store } from "../store/store.js";
import { throttledUntilMs } from "../sync/brake.js";
import { type DirectoryState, discoveredNow, releasedHold } from "../sync/directory.js";

/** What an operator may ask of the roster. */
export const rosterActions = ["discover", "release"] as const;
export type RosterAction = (typeof rosterActions)[number];

/**
 * What came of an action. `accepted`: send the message, which starts or continues discovery. `notHeld`: no shrink waits to be
 * released. `underWay`: a full round is in progress that decides by itself.
 */
export type RosterActionEnd =
  | {
      readonly kind: "accepted";
      readonly state: DirectoryState | null;
      readonly message: DiscoverMessage;
      /** Graph is not asked before then all the same; null: now. */
      readonly notBeforeMs: number | null;
    }
  | { readonly kind: "notHeld" }
  | { readonly kind: "underWay" };

/** Our choice: an attempt fails only when discovery wrote its state in between. */
const attemptsMax = 10;

/**
 * `discover`: a pass now, or the one in progress goes on. Where discovery waits after a failure, the wait is over and a full
 * pass begins; a wait that Graph asked for, or the brake, stays, and `notBeforeMs` says until when. `release`: the shrink
 * that is held is confirmed, and is applied. Both are written before the message is sent: a lost message delays them to the
 * next scheduled discovery.
 * @throws StorageError
 */
export async function actOnRoster(
  action: RosterAction,
  store: Store,
  newId: () => string,
  nowMs: number,
): Promise<RosterActionEnd> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const held = await store.readDirectory();
    if (action === "discover") {
      const next = held === null ? null : discoveredNow(held.state, nowMs);
      const state = await (next === null ? (held?.state ?? null) : written(store, next, held?.etag ?? null));
      if (state === "superseded") continue;
      const untilMs = Math.max(state?.notBeforeMs ?? 0, throttledUntilMs(await store.readBrake(), nowMs));
      const notBeforeMs = untilMs > nowMs ? untilMs : null;
      return { kind: "accepted", state, message: { discover: newId() }, notBeforeMs };
    }
    if (held === null) return { kind: "notHeld" };
    const { state } = held;
    // Released before, and still being applied.
    if (state.phase === "suspending") return applying(state);
    if (state.hold !== null && state.phase !== "idle") return { kind: "underWay" };
    const next = releasedHold(state);
    if (next === null) return { kind: "notHeld" };
    const released = await written(store, next, held.etag);
    if (released !== "superseded") return applying(released);
  }
  return { kind: "underWay" };
}

function applying(state: DirectoryState): RosterActionEnd {
  return { kind: "accepted", state, message: { discover: state.pass }, notBeforeMs: null };
}

async function written(
  store: Store,
  next: DirectoryState,
  etag: string | null,
): Promise<DirectoryState | "superseded"> {
  const held = await store.writeDirectory({ ...next, step: next.step + 1 }, etag);
  return held === "superseded" ? held : held.state;
}
