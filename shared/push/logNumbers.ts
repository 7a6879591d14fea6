import { mapAtOnce } from "../mapAtOnce.js";
import type { Store } from "../store/store.js";
import type { LogNumbers } from "./decide.js";

/** Our choice. */
const shardsAtOnceMax = 16;

type LookStore = Pick<Store, "readShardRow" | "lastLogNumber">;

/** The number of the last row of a shard's log, now. */
export async function logNumberOf(store: LookStore, shard: string): Promise<number> {
  const claim = await store.readShardRow(shard);
  return claim?.row.log?.number ?? (await store.lastLogNumber(shard));
}

/** The number of the last row of each shard's log, now. */
export async function logNumbersOf(store: LookStore, shards: readonly string[]): Promise<LogNumbers> {
  const numbers = await mapAtOnce(shards, shardsAtOnceMax, async (shard) => {
    return [shard, await logNumberOf(store, shard)] as const;
  });
  return Object.fromEntries(numbers);
}
