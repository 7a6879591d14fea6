import { mapAtOnce } from "../mapAtOnce.js";
import type { Store } from "../store/store.js";
import type { LogNumbers } from "./decide.js";

/** Our choice. */
const shardsAtOnceMax = 16;

/** The number of the last row of each shard's log, now. */
export async function logNumbersOf(
  store: Pick<Store, "readShardRow" | "lastLogNumber">,
  shards: readonly string[],
): Promise<LogNumbers> {
  const numbers = await mapAtOnce(shards, shardsAtOnceMax, async (shard) => {
    const claim = await store.readShardRow(shard);
    return [shard, claim?.row.log?.number ?? (await store.lastLogNumber(shard))] as const;
  });
  return Object.fromEntries(numbers);
}
