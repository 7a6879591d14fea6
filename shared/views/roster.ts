import type { RosterHeld } from "../store/store.js";
import { type DirectoryState, newDirectory } from "../sync/directory.js";
import { isoOrNull } from "../sync/time.js";
import type { RosterEntryView, RosterView } from "./rosterSchema.js";

export type { RosterView };

/**
 * The state of discovery, for people.
 * @param source The setting, by name; null where mailboxes are put on the roster by hand alone.
 * @param stored Null before the first discovery.
 */
export function rosterView(source: string | null, stored: DirectoryState | null): RosterView {
  const state = stored ?? newDirectory(source ?? "manual");
  const { hold } = state;
  const isApplied = state.phase === "suspending";
  return {
    source: source ?? "manual",
    state: source === null ? "manual" : stateOfRoster(state),
    phase: state.phase,
    isFull: state.isFull,
    discovered: state.discovered,
    generation: state.generation,
    passStarted: at(state.passStartedMs),
    pages: state.pages,
    seen: state.seen,
    added: state.added,
    resumed: state.resumed,
    suspended: state.suspended,
    untold: state.untold,
    held:
      isApplied || hold === null
        ? null
        : { leaving: hold.leaving, of: hold.of, since: at(hold.sinceMs), needsRelease: hold.needsRelease },
    lastSuccess: at(state.lastSuccessMs),
    lastFullRound: at(state.lastFullRoundMs),
    notBefore: at(state.notBeforeMs),
    failuresInARow: state.failuresInARow,
    lastErrorCode: state.lastErrorCode,
  };
}

function stateOfRoster(state: DirectoryState): RosterView["state"] {
  if (state.phase !== "idle") return state.failuresInARow > 0 ? "waiting" : "discovering";
  if (state.hold !== null) return "held";
  if (state.failuresInARow > 0) return "waiting";
  return state.lastSuccessMs === null ? "new" : "idle";
}

/** What the roster knows of one mailbox. Null for one that was put there by hand before there were roster rows. */
export function rosterEntryView(held: RosterHeld | null): RosterEntryView | null {
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

/** The start of a pass is 0 while none was started. */
function at(ms: number | null): string | null {
  return ms === 0 ? null : isoOrNull(ms);
}
