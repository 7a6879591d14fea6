import { mapAtOnce } from "../mapAtOnce.js";
import { manualSource, type RosterHeld } from "../store/store.js";
import { type DirectoryState, leftLatelyFromMs, type ShardCount, suspendedBelow } from "../sync/directory.js";
import { leavingEntry } from "./planUser.js";
import type { DiscoverPorts } from "./ports.js";

/** Counts the mailboxes of one shard whose users the pass did not find fit to be mirrored. Manual ones do not count. */
export async function countShard(
  shard: string,
  state: DirectoryState,
  { store, clock }: DiscoverPorts,
): Promise<ShardCount> {
  const count = { leaving: 0, leavingNew: 0, counted: 0, leftLately: 0 };
  const lateMs = leftLatelyFromMs(state, clock.nowMs());
  const heldGeneration = state.hold?.generation ?? 0;
  for await (const page of store.roster.pages(shard)) {
    for (const { row } of page) {
      if (hasLeftSince(row, lateMs)) count.leftLately += 1;
      if (!isDiscovered(row)) continue;
      count.counted += 1;
      if (row.generation >= state.generation) continue;
      count.leaving += 1;
      if (row.generation >= heldGeneration) count.leavingNew += 1;
    }
  }
  return count;
}

/** How far the sweep of one shard came. `superseded`: a newer discovery has written its rows. */
export type ShardSweep = { readonly kind: "done" | "unfinished" | "superseded"; readonly suspended: number };

/**
 * Suspends the mailboxes of one shard whose users the pass did not find fit. Repeating it goes on where it stopped.
 * @throws Error when others have written the rows first, again and again; StorageError.
 */
export async function sweepShard(
  shard: string,
  state: DirectoryState,
  ports: DiscoverPorts,
  isTimeUp: () => boolean,
): Promise<ShardSweep> {
  let suspended = 0;
  const below = suspendedBelow(state);
  for await (const page of ports.store.roster.pages(shard)) {
    let waiting = page.filter(({ row }) => isDiscovered(row) && row.generation < below);
    for (let attempt = 0; waiting.length > 0; attempt++) {
      if (attempt === ports.limits.attemptsMax)
        throw new Error(`The roster's rows were lost to others ${attempt} times.`);
      if (waiting.some(({ row }) => row.step > state.step)) return { kind: "superseded", suspended };
      const leaving = await mapAtOnce(waiting, ports.limits.readsAtOnceMax, (held) => leavingEntry(held, state, ports));
      const entries = leaving.filter((entry) => entry !== null);
      const results = await ports.store.roster.commit(entries);
      suspended += results.filter((result) => result === "committed").length;
      const lost = entries.filter((_, index) => results[index] !== "committed");
      const again = await mapAtOnce(lost, ports.limits.readsAtOnceMax, ({ row }) =>
        ports.store.roster.read(row.mailboxId),
      );
      waiting = again.flatMap((held) => (held !== null && isDiscovered(held.row) ? [held] : []));
    }
    if (isTimeUp()) return { kind: "unfinished", suspended };
  }
  return { kind: "done", suspended };
}

function hasLeftSince({ source, state, sinceMs }: RosterHeld["row"], fromMs: number): boolean {
  return source !== manualSource && state === "suspended" && sinceMs !== null && sinceMs > fromMs;
}

function isDiscovered(row: RosterHeld["row"]): boolean {
  return row.source !== manualSource && row.state === "active";
}

/** Removes all rows of mailboxes whose suspension has outlasted the retention; one that came back is kept. @returns how many. */
export async function purgeSuspended(ports: DiscoverPorts, isTimeUp: () => boolean): Promise<number> {
  const { store, clock, shards, log } = ports;
  let purged = 0;
  for (const shard of shards) {
    for await (const mailboxIds of store.roster.purgeable(shard, clock.nowMs())) {
      for (const mailboxId of mailboxIds) {
        if (isTimeUp()) return purged;
        const end = await store.purgeMailbox(mailboxId, { onlyLeaving: true, isTimeUp });
        if (end === "purged") purged += 1;
        if (end === "purged") log("info", "suspended mailbox purged", { mailbox: mailboxId });
      }
    }
    if (isTimeUp()) return purged;
  }
  return purged;
}
