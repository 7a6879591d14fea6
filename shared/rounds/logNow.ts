import { countsOf, type PendingCounters } from "../figures/counters.js";
import type { Held } from "../store/store.js";
import { logged } from "../sync/logged.js";
import { sendNudge } from "./nudge.js";
import type { Ports } from "./ports.js";

/**
 * Has the change log tell at once what page messages have changed of a mailbox, and notifies other programs. Only where no
 * run has the shard in hand, for it would lose it; and where a run or another message is faster, the next run tells (I12).
 * @returns Whether the log has grown.
 */
export async function logNow(held: Held, counters: PendingCounters, ports: Ports): Promise<boolean> {
  const { next, entry } = logged(held.checkpoint);
  if (entry === null) return false;
  const { store, clock } = ports;
  const claim = await store.readShardRow(store.shardOf(next.mailboxId));
  if (claim === null || claim.row.log === null || (claim.row.run?.finishedMs ?? null) === null) return false;
  const committed = await store.commitUnits(
    [{ held, rows: [], next: counters.onto(next, countsOf(null, 0)), entry }],
    claim,
    clock.nowMs(),
  );
  const [result] = committed.results;
  if (result?.kind !== "committed" || committed.claim === null || committed.claim === "superseded") return false;
  const { row } = committed.claim;
  const isSent = await sendNudge(entry, ports);
  if (!isSent || row.log === null || claim.row.log.nudgedNumber !== claim.row.log.number) return true;
  // Lost to somebody else, the next run sends it once more.
  await store.writeShardRow({ ...committed.claim, row: { ...row, log: { ...row.log, nudgedNumber: row.log.number } } });
  return true;
}
