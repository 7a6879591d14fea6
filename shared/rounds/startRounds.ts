import type { RoundsMessage } from "../messages.js";
import { shardNames } from "../store/keys.js";

/**
 * One message for each shard. Reads nothing: the timer's work does not grow with the number of mailboxes.
 * @param nonce Tells two ticks of the same millisecond apart.
 */
export function startRounds(shards: number, nowMs: number, nonce: string): readonly RoundsMessage[] {
  const tick = `${new Date(nowMs).toISOString()}-${nonce.slice(0, 8)}`;
  return shardNames(shards).map((shard) => ({ shard, tick }));
}
