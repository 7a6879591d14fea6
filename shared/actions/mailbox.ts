import type { SyncMessage } from "../messages.js";
import { type Held, StorageError, type Store } from "../store/store.js";
import { releasedAlone, resynced } from "../sync/actions.js";
import { isLeaving } from "../sync/due.js";
import type { Checkpoint } from "../sync/types.js";

/** What an operator may ask of one mailbox. */
export const careActions = ["sync", "resync", "release"] as const;
export type CareAction = (typeof careActions)[number];

export type CareEnd =
  | { readonly kind: "accepted"; readonly checkpoint: Checkpoint; readonly message: SyncMessage }
  | { readonly kind: "unknown" }
  | { readonly kind: "leaving"; readonly checkpoint: Checkpoint };

/** Each turn loses only to a worker that wrote in between. */
const turnsMax = 10;

/**
 * `sync`: a round now. `resync`: a full round now, and readers keep what they have meanwhile (I4). `release`: what it is
 * parked, held or waiting for is over, and a round now: a full one where Graph has refused it. What `resync` and `release` change stands in the checkpoint
 * before the message goes out: a lost message costs a tick, nothing else.
 */
export async function careFor(
  mailboxId: string,
  action: CareAction,
  store: Store,
  newId: () => string,
): Promise<CareEnd> {
  for (let turn = 0; turn < turnsMax; turn++) {
    const held = await store.readMailbox(mailboxId);
    if (held === null) return { kind: "unknown" };
    if (isLeaving(held.checkpoint)) return { kind: "leaving", checkpoint: held.checkpoint };
    const cared = await written(held, changed(held.checkpoint, action), store);
    if (cared === null) continue;
    const wanted = action === "resync" ? { generation: cared.generation } : {};
    return { kind: "accepted", checkpoint: cared, message: { mailbox: mailboxId, sync: newId(), ...wanted } };
  }
  throw new StorageError(`${action} mailbox`, "", 412, `lost to others ${turnsMax} times`);
}

function changed(checkpoint: Checkpoint, action: CareAction): Checkpoint {
  if (action === "sync") return checkpoint;
  return action === "resync" ? resynced(checkpoint) : releasedAlone(checkpoint);
}

/** Null: a worker was faster. */
async function written(held: Held, next: Checkpoint, store: Store): Promise<Checkpoint | null> {
  if (next === held.checkpoint) return next;
  const { results } = await store.commitUnits([{ held, rows: [], next }], null);
  return results[0]?.kind === "committed" ? next : null;
}
