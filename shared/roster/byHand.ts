import { newRosterRow } from "../store/rosterRows.js";
import { manualSource, type RosterEntry, type RosterRow, StorageError, type Store } from "../store/store.js";
import { resumed } from "../sync/actions.js";
import { newCheckpoint } from "../sync/checkpoint.js";
import type { Checkpoint } from "../sync/types.js";

/** Each attempt fails only when somebody else wrote in between. */
const attemptsMax = 10;

/** What an operator asks for. `source`: `manual` keeps the mailbox by hand, whatever discovery finds from then on. */
export type AddRequest = {
  readonly displayName?: string | undefined;
  readonly source?: typeof manualSource | undefined;
};

/** What became of the request. */
export type Added = {
  readonly isNew: boolean;
  /** Discovery has suspended it, and it stays so: nothing was written. */
  readonly isLeft: boolean;
  readonly checkpoint: Checkpoint;
};

/**
 * Puts a mailbox on the roster. Repeating it is harmless. Its first round comes with the next tick. Discovery leaves a
 * mailbox that was put there by hand alone. One that was discovered stays discovered, so that its user's leaving is
 * noticed; only a request for `manual` takes it over, and resumes it where it is suspended.
 * @throws StorageError, with status 412 when others have written its rows first, again and again.
 */
export async function addMailbox(
  mailboxId: string,
  request: AddRequest,
  store: Store,
  newId: () => string,
  nowMs: number | null = null,
): Promise<Added> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const before = await store.readMailbox(mailboxId);
    const roster = await store.roster.read(mailboxId);
    // Completes a removal first, so that no row of the earlier epoch is left.
    if (before?.checkpoint.lifecycle === "removing") {
      await store.purgeMailbox(mailboxId, { onlyLeaving: true });
      continue;
    }
    const isByHand = roster?.row.source === manualSource || request.source === manualSource;
    // Discovery has a row without a mailbox for those whom it leaves out: a person may put them there all the same.
    const isLeftOut = roster?.row.state === "suspended" && before === null;
    const discovered = isByHand || isLeftOut ? undefined : roster?.row;
    if (discovered?.state === "suspended" && before !== null) {
      return { isNew: false, isLeft: true, checkpoint: before.checkpoint };
    }
    const displayName = request.displayName ?? roster?.row.displayName ?? null;
    const row: RosterRow =
      discovered === undefined
        ? manualRow(mailboxId, displayName, roster?.row ?? null, nowMs)
        : { ...discovered, displayName };
    const current = nextOf(before?.checkpoint ?? null) ?? newCheckpoint(mailboxId, newId(), displayName);
    const next = request.displayName === undefined ? current : named(current, request.displayName);
    const isAsIs =
      next === before?.checkpoint && roster?.row.source === row.source && roster.row.displayName === displayName;
    if (isAsIs) return { isNew: false, isLeft: false, checkpoint: next };
    const entry: RosterEntry = { row, etag: roster?.etag ?? null, checkpoint: { next, etag: before?.etag ?? null } };
    const [result] = await store.roster.commit([entry]);
    if (result === "committed") return { isNew: before === null, isLeft: false, checkpoint: next };
  }
  throw new StorageError("add mailbox", "", 412, `lost to others ${attemptsMax} times`);
}

function nextOf(before: Checkpoint | null): Checkpoint | null {
  return before?.lifecycle === "suspended" ? resumed(before) : before;
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
  const { generation, step, userPrincipalName } = before ?? newRosterRow(mailboxId, manualSource);
  return { ...newRosterRow(mailboxId, manualSource), generation, step, userPrincipalName, displayName, sinceMs: nowMs };
}
