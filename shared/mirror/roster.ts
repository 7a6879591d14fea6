import { manualSource, type RosterRow, type Seat, StorageError, type Store } from "../store/store.js";
import { resumed } from "../sync/care.js";
import { newCheckpoint } from "../sync/checkpoint.js";
import { removingReason, suspendedReason } from "../sync/due.js";
import { stateOf } from "../sync/state.js";
import type { Checkpoint } from "../sync/types.js";

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The mailbox id as the table keeps it, or what is wrong with it in one sentence.
 * Object ids only: an address dies with a rename, and some mailboxes fail lastingly when asked for by address.
 */
export function mailboxIdOf(text: string, isTrial: boolean): { readonly id: string } | { readonly mistake: string } {
  if (text === "me") {
    if (isTrial) return { id: text };
    return { mistake: "The mailbox id me is for trials with GRAPH_ACCESS_TOKEN only. Give the user's object id." };
  }
  if (text.includes("@")) return { mistake: "The mailbox id must be the user's object id, not an address." };
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(text)) {
    return {
      mistake:
        "The mailbox id must be the user's object id: letters, digits, dots, dashes and underscores, 128 at most.",
    };
  }
  return { id: guid.test(text) ? text.toLowerCase() : text };
}

/**
 * The same for a mailbox that is to be added. An id of another shape is nobody's, and Graph would refuse it for ever; one
 * that an earlier release took can still be looked at, and removed.
 */
export function newMailboxIdOf(text: string, isTrial: boolean): ReturnType<typeof mailboxIdOf> {
  const named = mailboxIdOf(text, isTrial);
  if ("mistake" in named || named.id === "me" || guid.test(named.id)) return named;
  const mistake = "The mailbox id must be the user's object id, such as 3f0c0000-0000-4000-8000-0000000000a1.";
  return { mistake };
}

/** A mailbox as operators see it. Its link is a secret and never part of this. */
export type MailboxView = ReturnType<typeof viewOf>;

export function viewOf(checkpoint: Checkpoint) {
  const at = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  return {
    id: checkpoint.mailboxId,
    displayName: checkpoint.displayName,
    state: stateOf(checkpoint),
    phase: checkpoint.phase,
    strategy: checkpoint.strategy,
    calendarCount: checkpoint.calendarCount,
    generation: checkpoint.generation,
    sequence: checkpoint.sequence,
    notBefore: at(checkpoint.notBeforeMs),
    lastSuccess: at(checkpoint.lastSuccessMs),
    lastChange: at(checkpoint.lastChangeMs),
    lastFullRound: at(checkpoint.lastFullRoundMs),
    failuresInARow: checkpoint.failuresInARow,
    lastErrorCode: checkpoint.lastErrorCode,
    parkedReason: checkpoint.parkedReason,
    heldRemovals: checkpoint.heldRemovals,
    driftFound: checkpoint.driftFound,
  };
}

/** Each turn loses only to somebody who wrote in between. */
const turnsMax = 10;

/** What an operator asks for. `source`: by hand, whatever discovery says of the user from then on. */
export type Wish = { readonly displayName?: string | undefined; readonly source?: typeof manualSource | undefined };

export type Added = {
  readonly isNew: boolean;
  /** Discovery has suspended it, and it stays so: nothing was written. */
  readonly isLeft: boolean;
  readonly view: MailboxView;
};

/**
 * Puts a mailbox on the roster. Again is harmless. Its first round comes with the next tick. One that discovery does not
 * know is there by hand, and discovery leaves it alone. One that was discovered stays so, for then its user's leaving is
 * seen; only who asks for `manual` takes it over, and resumes it where it is suspended.
 */
export async function addMailbox(
  mailboxId: string,
  wish: Wish,
  store: Store,
  newId: () => string,
  nowMs: number | null = null,
): Promise<Added> {
  for (let turn = 0; turn < turnsMax; turn++) {
    const before = await store.readMailbox(mailboxId);
    const roster = await store.roster.read(mailboxId);
    // Still on its way out: that is completed first, so that nothing of its earlier life stays behind.
    if (before?.checkpoint.parkedReason === removingReason) {
      await store.purgeMailbox(mailboxId, { onlyLeaving: true });
      continue;
    }
    const discovered = roster?.row.source === manualSource || wish.source === manualSource ? undefined : roster?.row;
    if (discovered?.state === "suspended" && before !== null) {
      return { isNew: false, isLeft: true, view: viewOf(before.checkpoint) };
    }
    const displayName = wish.displayName ?? roster?.row.displayName ?? null;
    const row: RosterRow =
      discovered === undefined
        ? manualRow(mailboxId, displayName, roster?.row ?? null, nowMs)
        : { ...discovered, displayName };
    const current = nextOf(before?.checkpoint ?? null) ?? newCheckpoint(mailboxId, newId(), displayName);
    const next = wish.displayName === undefined ? current : named(current, wish.displayName);
    const isAsIs =
      next === before?.checkpoint && roster?.row.source === row.source && roster.row.displayName === displayName;
    if (isAsIs) return { isNew: false, isLeft: false, view: viewOf(next) };
    const seat: Seat = { row, etag: roster?.etag ?? null, checkpoint: { next, etag: before?.etag ?? null } };
    const [result] = await store.roster.commit([seat]);
    if (result === "seated") return { isNew: before === null, isLeft: false, view: viewOf(next) };
  }
  throw new StorageError("add mailbox", "", 412, `lost to others ${turnsMax} times`);
}

function nextOf(before: Checkpoint | null): Checkpoint | null {
  return before?.parkedReason === suspendedReason ? resumed(before) : before;
}

function named(checkpoint: Checkpoint, displayName: string): Checkpoint {
  return checkpoint.displayName === displayName ? checkpoint : { ...checkpoint, displayName };
}

function manualRow(
  mailboxId: string,
  displayName: string | null,
  before: RosterRow | null,
  nowMs: number | null,
): RosterRow {
  return {
    mailboxId,
    source: manualSource,
    state: "active",
    generation: before?.generation ?? 0,
    step: before?.step ?? 0,
    userPrincipalName: before?.userPrincipalName ?? null,
    displayName,
    leaveReason: null,
    sinceMs: nowMs,
    purgeAfterMs: null,
  };
}

/** The mailbox as it stands; null when it is not on the roster. */
export async function findMailbox(mailboxId: string, store: Store): Promise<MailboxView | null> {
  const held = await store.readMailbox(mailboxId);
  return held === null ? null : viewOf(held.checkpoint);
}
