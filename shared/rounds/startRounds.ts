import { mapAtOnce } from "../mapAtOnce.js";
import type { RoundsMessage } from "../messages.js";
import { shardNames } from "../store/keys.js";
import { startDelaysSeconds } from "../sync/pace.js";

/** All that starting a tick needs from outside. */
export type StartPorts = {
  readonly clock: { nowMs(): number };
  readonly newId: () => string;
  readonly shards: number;
  /** When the tick after a time comes, epoch milliseconds; null: never. */
  readonly nextFireMs: (afterMs: number) => number | null;
  /** Puts a message on the rounds queue, to be seen after so many whole seconds. */
  readonly send: (message: RoundsMessage, delaySeconds: number) => Promise<void>;
};

/** A tick that has been started. `atOnce`: messages that are to be seen at once, for the caller to send. */
export type StartedTick = { readonly tick: string; readonly atOnce: readonly RoundsMessage[] };

/** Our choice: 256 messages then take less than a second. */
const sendsAtOnceMax = 16;

/**
 * Starts a tick: one message for each shard. Those that are to be seen later are sent here, for an output binding knows no
 * delay. The others are left to it, for the host takes up at once what it has sent itself. Reads nothing: the timer's work
 * does not grow with the number of mailboxes.
 * @throws the first fault of the queue. A shard whose message it did not take waits for the next tick.
 */
export async function startRounds(ports: StartPorts): Promise<StartedTick> {
  const { clock, newId, shards, nextFireMs, send } = ports;
  const nowMs = clock.nowMs();
  const delays = startDelaysSeconds(shards, nowMs, nextFireMs);
  const tick = tickName(nowMs, newId());
  const starts = shardNames(shards).map((shard, index) => ({ message: { shard, tick }, delay: delays[index] ?? 0 }));
  const later = starts.filter(({ delay }) => delay > 0);
  await mapAtOnce(later, sendsAtOnceMax, ({ message, delay }) => send(message, delay));
  return { tick, atOnce: starts.flatMap(({ message, delay }) => (delay === 0 ? [message] : [])) };
}

/** @param nonce Tells two ticks of the same millisecond apart. */
function tickName(nowMs: number, nonce: string): string {
  return `${new Date(nowMs).toISOString()}-${nonce.slice(0, 8)}`;
}
