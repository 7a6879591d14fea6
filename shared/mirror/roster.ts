import type { Store } from "../store/store.js";
import { newCheckpoint } from "../sync/checkpoint.js";
import { removingReason } from "../sync/due.js";
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

/** Puts a mailbox on the roster. Again is harmless. Its first round comes with the next tick. */
export async function addMailbox(
  mailboxId: string,
  displayName: string | null,
  store: Store,
  newId: () => string,
): Promise<{ readonly isNew: boolean; readonly view: MailboxView }> {
  const before = await store.readMailbox(mailboxId);
  // Still on its way out: that is completed first, so that nothing of its earlier life stays behind.
  if (before?.checkpoint.parkedReason === removingReason) await store.purgeMailbox(mailboxId);
  else if (before !== null) return { isNew: false, view: viewOf(before.checkpoint) };
  const checkpoint = newCheckpoint(mailboxId, newId(), displayName);
  const added = await store.addMailbox(checkpoint);
  return { isNew: added !== "exists", view: viewOf(added === "exists" ? checkpoint : added.checkpoint) };
}

/** The mailbox as it stands; null when it is not on the roster. */
export async function findMailbox(mailboxId: string, store: Store): Promise<MailboxView | null> {
  const held = await store.readMailbox(mailboxId);
  return held === null ? null : viewOf(held.checkpoint);
}
