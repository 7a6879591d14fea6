import type { SyncMessage } from "../messages.js";
import { type Held, StorageError, type Store } from "../store/store.js";
import { releasedAlone, resynced } from "../sync/actions.js";
import { isLeaving } from "../sync/due.js";
import type { Checkpoint } from "../sync/types.js";

/** What an operator may ask of one mailbox. */
export const mailboxActions = ["sync", "resync", "release"] as const;
export type MailboxAction = (typeof mailboxActions)[number];

/**
 * What came of an action. `accepted`: send the message, which starts the round. `unknown`: the mailbox is not on the
 * roster. `leaving`: it is suspended or being removed.
 */
export type MailboxActionEnd =
  | { readonly kind: "accepted"; readonly checkpoint: Checkpoint; readonly message: SyncMessage }
  | { readonly kind: "unknown" }
  | { readonly kind: "leaving"; readonly checkpoint: Checkpoint };

/** Our choice: an attempt fails only when a worker wrote the checkpoint in between. */
const attemptsMax = 10;

/**
 * `sync`: a round now. `resync`: a full round now; readers keep what they have meanwhile (I4). `release`: the mailbox is no
 * longer parked, held or waiting, and gets a round now, a full one where Graph has refused it. What `resync` and `release`
 * change is in the checkpoint before the message is sent: a lost message costs a tick, nothing else.
 * @throws StorageError also when every attempt lost to a worker
 */
export async function actOnMailbox(
  mailboxId: string,
  action: MailboxAction,
  store: Store,
  newId: () => string,
): Promise<MailboxActionEnd> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const held = await store.readMailbox(mailboxId);
    if (held === null) return { kind: "unknown" };
    if (isLeaving(held.checkpoint)) return { kind: "leaving", checkpoint: held.checkpoint };
    const checkpoint = await written(held, changed(held.checkpoint, action), store);
    if (checkpoint === null) continue;
    const wanted = action === "resync" ? { generation: checkpoint.generation } : {};
    return { kind: "accepted", checkpoint, message: { mailbox: mailboxId, sync: newId(), ...wanted } };
  }
  throw new StorageError(`${action} mailbox`, "", 412, `lost to others ${attemptsMax} times`);
}

function changed(checkpoint: Checkpoint, action: MailboxAction): Checkpoint {
  if (action === "sync") return checkpoint;
  return action === "resync" ? resynced(checkpoint) : releasedAlone(checkpoint);
}

/** Null: a worker was faster. */
async function written(held: Held, next: Checkpoint, store: Store): Promise<Checkpoint | null> {
  if (next === held.checkpoint) return next;
  const { results } = await store.commitUnits([{ held, rows: [], next }], null);
  return results[0]?.kind === "committed" ? next : null;
}
