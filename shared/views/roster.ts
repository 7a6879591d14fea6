import type { RosterHeld } from "../store/store.js";
import { type DirectoryState, newDirectory, type RosterHold } from "../sync/directory.js";

const at = (ms: number | null): string | null => (ms === null || ms === 0 ? null : new Date(ms).toISOString());

/**
 * How discovery stands, for people. Its link is a secret and never part of this.
 * @param source The setting, by name; null: mailboxes are put on the roster by hand alone.
 */
export function rosterView(source: string | null, stored: DirectoryState | null) {
  const state = stored ?? newDirectory(source ?? "manual");
  const { hold } = state;
  const isApplied = state.phase === "suspending";
  return {
    source: source ?? "manual",
    state: source === null ? ("manual" as const) : stateOfRoster(state),
    phase: state.phase,
    isFull: state.isFull,
    /** Discovered mailboxes that are mirrored. Those put there by hand are not among them. */
    discovered: state.discovered,
    generation: state.generation,
    passStarted: at(state.passStartedMs),
    pages: state.pages,
    seen: state.seen,
    added: state.added,
    resumed: state.resumed,
    suspended: state.suspended,
    /** Users of the pass whose properties Graph did not tell. */
    untold: state.untold,
    held: isApplied || hold === null ? null : heldView(hold),
    lastSuccess: at(state.lastSuccessMs),
    lastFullRound: at(state.lastFullRoundMs),
    notBefore: at(state.notBeforeMs),
    failuresInARow: state.failuresInARow,
    lastErrorCode: state.lastErrorCode,
  };
}

/** `needsRelease`: no second reading confirms it, only `POST roster/release` does. */
function heldView({ leaving, of, sinceMs, needsRelease }: RosterHold) {
  return { leaving, of, since: at(sinceMs), needsRelease };
}

function stateOfRoster(state: DirectoryState): "new" | "discovering" | "held" | "waiting" | "idle" {
  if (state.phase !== "idle") return state.failuresInARow > 0 ? "waiting" : "discovering";
  if (state.hold !== null) return "held";
  if (state.failuresInARow > 0) return "waiting";
  return state.lastSuccessMs === null ? "new" : "idle";
}

/** What the roster knows of one mailbox, for people. Null: it was put there by hand, before there were such rows. */
export function seatView(held: RosterHeld | null) {
  if (held === null) return null;
  const { source, state, userPrincipalName, displayName, leaveReason, sinceMs, purgeAfterMs } = held.row;
  return {
    source,
    state,
    userPrincipalName,
    displayName,
    leaveReason,
    since: at(sinceMs),
    purgeAfter: at(purgeAfterMs),
  };
}
