import { mapAtOnce } from "../mapAtOnce.js";
import { RowError, type ShardClaim, type Store } from "../store/store.js";
import type { LogNumbers } from "./decide.js";

/** Our choice. */
const shardsAtOnceMax = 16;

type LookStore = Pick<Store, "readShardRow" | "lastLogNumber">;

/** The number of the last row of a shard's log, now. */
export async function logNumberOf(store: LookStore, shard: string): Promise<number> {
  return (await claimOf(store, shard))?.row.log?.number ?? (await store.lastLogNumber(shard));
}

/** Null also for a shard's row that cannot be read: its runs fail by that, and tell; the log stands, and subscribers are told of it. */
async function claimOf(store: LookStore, shard: string): Promise<ShardClaim | null> {
  try {
    return await store.readShardRow(shard);
  } catch (error) {
    if (error instanceof RowError) return null;
    throw error;
  }
}

/** The number of the last row of each shard's log, now. */
export async function logNumbersOf(store: LookStore, shards: readonly string[]): Promise<LogNumbers> {
  const numbers = await mapAtOnce(shards, shardsAtOnceMax, async (shard) => {
    return [shard, await logNumberOf(store, shard)] as const;
  });
  return Object.fromEntries(numbers);
}
