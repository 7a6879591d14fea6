import type { Held, PendingUnit, Store } from "../store/store.js";
import { released } from "../sync/actions.js";
import { hasReason } from "../sync/state.js";
import type { ListPlace } from "../views/mailboxList.js";

/** How many were released, and where to go on; `next` is null after the last shard. */
export type ReleaseEnd = { readonly released: number; readonly next: ListPlace | null };

/**
 * Releases all mailboxes that are parked or waiting for one reason, in the order of the table: the next tick asks them. It
 * stops after the page in which `isTimeUp` says so. Again is harmless. A mailbox that a worker writes meanwhile is left to it.
 * @param reason A parked reason, the part of one before its colon, or the error code of a mailbox that waits.
 * @throws StorageError
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
        page.filter(({ checkpoint }) => hasReason(reason, checkpoint)),
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
