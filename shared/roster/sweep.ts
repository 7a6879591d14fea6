import { mapAtOnce } from "../mapAtOnce.js";
import { manualSource, type RosterHeld } from "../store/store.js";
import { type DirectoryState, leftLatelyFromMs, type ShardCount, suspendedBelow } from "../sync/directory.js";
import { leavingSeat } from "./applyUsers.js";
import type { DiscoverPorts } from "./ports.js";

/** Whom the pass did not find fit to be mirrored, in one shard. Rows of manual mailboxes are not looked at. */
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

export type ShardSweep = { readonly kind: "done" | "unfinished" | "superseded"; readonly suspended: number };

/** Suspends whom the pass did not find fit, in one shard. Doing it again goes on where it stopped. */
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
    for (let turn = 0; waiting.length > 0; turn++) {
      if (turn === ports.limits.turnsMax) throw new Error(`The roster's rows were lost to others ${turn} times.`);
      if (waiting.some(({ row }) => row.step > state.step)) return { kind: "superseded", suspended };
      const seats = (
        await mapAtOnce(waiting, ports.limits.readsAtOnceMax, (held) => seatsOf(held, state, ports))
      ).flat();
      const results = await ports.store.roster.commit(seats);
      suspended += results.filter((result) => result === "committed").length;
      const lost = seats.filter((_, index) => results[index] !== "committed");
      const again = await mapAtOnce(lost, ports.limits.readsAtOnceMax, ({ row }) =>
        ports.store.roster.read(row.mailboxId),
      );
      waiting = again.flatMap((held) => (held !== null && isDiscovered(held.row) ? [held] : []));
    }
    if (isTimeUp()) return { kind: "unfinished", suspended };
  }
  return { kind: "done", suspended };
}

async function seatsOf(held: RosterHeld, state: DirectoryState, ports: DiscoverPorts) {
  const seat = await leavingSeat(held, held.row.leaveReason ?? "vanished", state, ports);
  return seat === null ? [] : [seat];
}

function hasLeftSince({ source, state, sinceMs }: RosterHeld["row"], fromMs: number): boolean {
  return source !== manualSource && state === "suspended" && sinceMs !== null && sinceMs > fromMs;
}

function isDiscovered(row: RosterHeld["row"]): boolean {
  return row.source !== manualSource && row.state === "active";
}

/** Removes all rows of mailboxes that were suspended longer ago than the retention. One that came back is kept. */
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
