import type { RosterHeld } from "../store/store.js";
import { type DirectoryState, type LeftOut, newDirectory } from "../sync/directory.js";
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
    ...leftOutOf(source === null ? null : state),
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

/** Who is left out, and what would let the mirror look at those whom it could not look at. Null: nobody is discovered. */
function leftOutOf(state: DirectoryState | null): Pick<RosterView, "leftOut" | "notLookedAt" | "notLookedAtNote"> {
  // The first full round may take long: what it has met so far is told at once.
  const notLookedAt = (state?.leftOut ?? state?.leftOutSoFar)?.notLookedAt ?? 0;
  return {
    leftOut: state === null || state.leftOut === null ? null : reasonsOf(state.leftOut),
    notLookedAt,
    notLookedAtNote: notLookedAt === 0 ? null : noteOf(notLookedAt, (state?.kindProbe ?? null) !== null),
  };
}

function reasonsOf({ disabled, guest, noMail, kind }: LeftOut): RosterView["leftOut"] {
  return { disabled, guest, noMail, kind };
}

function noteOf(count: number, isPermissionMissing: boolean): string {
  const accounts = count === 1 ? "1 disabled account was" : `${count} disabled accounts were`;
  const why = isPermissionMissing
    ? "grant MailboxSettings.Read, and shared mailboxes, rooms and equipment among them are found."
    : "they are outside the scope of MailboxSettings.Read, or Graph has not answered yet.";
  return `${accounts} not looked at: ${why}`;
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
  const { source, state, userPrincipalName, displayName, mailboxKind, leaveReason } = held.row;
  const { kindAskedMs, sinceMs, purgeAfterMs } = held.row;
  return {
    source,
    state,
    userPrincipalName,
    displayName,
    kind: mailboxKind,
    kindAsked: at(kindAskedMs),
    leaveReason,
    since: at(sinceMs),
    purgeAfter: at(purgeAfterMs),
  };
}

/** The start of a pass is 0 while none was started. */
function at(ms: number | null): string | null {
  return ms === 0 ? null : isoOrNull(ms);
}
