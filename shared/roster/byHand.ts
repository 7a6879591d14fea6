import { manualSource, type RosterEntry, type RosterRow, StorageError, type Store } from "../store/store.js";
import { resumed } from "../sync/actions.js";
import { newCheckpoint } from "../sync/checkpoint.js";
import { removingReason, suspendedReason } from "../sync/due.js";
import type { Checkpoint } from "../sync/types.js";

/** Each turn loses only to somebody who wrote in between. */
const turnsMax = 10;

/** What an operator asks for. `source`: by hand, whatever discovery says of the user from then on. */
export type Wish = { readonly displayName?: string | undefined; readonly source?: typeof manualSource | undefined };

export type Added = {
  readonly isNew: boolean;
  /** Discovery has suspended it, and it stays so: nothing was written. */
  readonly isLeft: boolean;
  readonly checkpoint: Checkpoint;
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
      return { isNew: false, isLeft: true, checkpoint: before.checkpoint };
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
    if (isAsIs) return { isNew: false, isLeft: false, checkpoint: next };
    const entry: RosterEntry = { row, etag: roster?.etag ?? null, checkpoint: { next, etag: before?.etag ?? null } };
    const [result] = await store.roster.commit([entry]);
    if (result === "committed") return { isNew: before === null, isLeft: false, checkpoint: next };
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
