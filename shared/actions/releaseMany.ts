import type { Held, PendingUnit, Store } from "../store/store.js";
import { released } from "../sync/actions.js";
import { isLeaving } from "../sync/due.js";
import type { Checkpoint } from "../sync/types.js";
import type { ListPlace } from "../views/mailboxList.js";

/** `next`: where the release goes on; null when all shards were gone through. */
export type ReleaseEnd = { readonly released: number; readonly next: ListPlace | null };

/**
 * Releases all that are parked or waiting for one reason, in the order of the table: the next tick asks them. Bounded in
 * time; doing it again is harmless. Whom a worker moves meanwhile is left to it.
 */
export async function releaseMany(
  reason: string,
  from: ListPlace,
  store: Store,
  shards: readonly string[],
  isTimeUp: () => boolean,
): Promise<ReleaseEnd> {
  let count = 0;
  let place = from;
  for (; place.shard < shards.length; place = { shard: place.shard + 1, after: null }) {
    const range = { after: place.after, upTo: null };
    for await (const page of store.readMailboxes(shards[place.shard] ?? "", range)) {
      count += await releasePage(
        page.filter(({ checkpoint }) => isFor(reason, checkpoint)),
        store,
      );
      place = { shard: place.shard, after: page.at(-1)?.checkpoint.mailboxId ?? place.after };
      if (isTimeUp()) return { released: count, next: place };
    }
  }
  return { released: count, next: null };
}

async function releasePage(page: readonly Held[], store: Store): Promise<number> {
  const units = page.map((held): PendingUnit => ({ held, rows: [], next: released(held.checkpoint) }));
  const { results } = await store.commitUnits(units, null);
  return results.filter(({ kind }) => kind === "committed").length;
}

/** Whole, or up to a colon: `denied` stands for `denied:ErrorAccessDenied` too. Who waits is named by the code alone. */
function isFor(reason: string, checkpoint: Checkpoint): boolean {
  const { parkedReason, notBeforeMs, lastErrorCode } = checkpoint;
  if (isLeaving(checkpoint)) return false;
  if (parkedReason !== null) return parkedReason === reason || parkedReason.startsWith(`${reason}:`);
  return notBeforeMs !== null && lastErrorCode === reason;
}
