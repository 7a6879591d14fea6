import { addCounters, subtractCounters } from "../figures/counters.js";
import { ticksKept } from "../figures/figures.js";
import { type ShardFigures, type Standing, shardFiguresOf, type TickFigures } from "../figures/shardFigures.js";
import { mapAtOnce } from "../mapAtOnce.js";
import { newestTicks } from "../store/figuresRow.js";
import type { ShardRun } from "../store/shardRow.js";
import type { Store } from "../store/store.js";
import { counterNames } from "../sync/types.js";

/**
 * The figures of all shards, as a process last saw them. A shard is looked at again when it may have changed, and of its
 * ticks only the newest are read then. With many shards that is all that makes a status cheap: each day of ticks is read once.
 */
export type Snapshot = {
  /** In the order of the shards. */
  readonly shards: readonly SeenShard[];
  /** One entry for each tick, over all shards that have finished it; oldest first, `ticksKept` of them at most. */
  readonly ticks: readonly MergedTick[];
};

export type SeenShard = {
  readonly shard: string;
  readonly run: ShardRun | null;
  /** The number of the last row of its log; 0: it has none, or an earlier release has written the shard's row. */
  readonly logNumber: number;
  /** Of its ticks only the newest ones. */
  readonly figures: ShardFigures;
  readonly lookedMs: number;
};

export type MergedTick = TickFigures & { readonly shards: number };

/** When the schedule of ticks fires next after a time, in epoch milliseconds; null: never. */
export type NextFire = (afterMs: number) => number | null;

/**
 * Our choices. How long a shard is not looked at again grows with their number, so that a status costs about the same however
 * many there are: with 256, 15 s while a run works or is due, which reports every 10 s itself; a minute while none is.
 * @internal For tests.
 */
export const snapshotLimits = {
  /** So many are looked at each time, the longest unseen first: with no more shards than these, none is ever old. */
  looksMin: 16,
  workingMsPerShard: 60,
  /** Its run has ended, and the next one is not due: only a tick by hand changes it. */
  restingMsPerShard: 240,
  shardsAtOnceMax: 32,
} as const;

/**
 * Looks at the shards that may have changed since the snapshot before; at all where there is none.
 * @throws StorageError
 */
export async function takeSnapshot(
  store: Store,
  shards: readonly string[],
  before: Snapshot | null,
  nowMs: number,
  nextFireMs: NextFire,
): Promise<Snapshot> {
  const known = new Map(before?.shards.map((seen) => [seen.shard, seen]));
  const due = before === null ? shards : shardsToLookAt(shards, known, nowMs, nextFireMs);
  const looks = await mapAtOnce(due, snapshotLimits.shardsAtOnceMax, (shard) =>
    look(store, shard, known.get(shard) ?? null, nowMs),
  );
  // The ticks of a shard do not go on from those that were seen: it is another table now.
  if (looks.includes("anew")) return takeSnapshot(store, shards, null, nowMs, nextFireMs);
  const ticks = new Map(before?.ticks.map((tick) => [tick.tick, tick]));
  for (const seen of looks) {
    if (seen === "anew") continue;
    mergeTicks(ticks, known.get(seen.shard)?.figures.ticks ?? [], seen.figures.ticks);
    known.set(seen.shard, { ...seen, figures: { ...seen.figures, ticks: seen.figures.ticks.slice(-newestTicks) } });
  }
  return {
    shards: shards.flatMap((shard) => known.get(shard) ?? []),
    ticks: [...ticks.values()].sort(byStart).slice(-ticksKept),
  };
}

const { looksMin, workingMsPerShard, restingMsPerShard } = snapshotLimits;

/** By name where they began in the same millisecond, whichever was seen first. */
function byStart(one: MergedTick, other: MergedTick): number {
  return one.startedMs - other.startedMs || (one.tick < other.tick ? -1 : 1);
}

/** All that have been seen too long ago to be still as they were, and the longest unseen. */
function shardsToLookAt(
  shards: readonly string[],
  known: ReadonlyMap<string, SeenShard>,
  nowMs: number,
  nextFireMs: NextFire,
): readonly string[] {
  const ages = shards.map((shard) => {
    const seen = known.get(shard);
    if (seen === undefined || seen.lookedMs > nowMs) return { shard, ageMs: Number.POSITIVE_INFINITY, isOld: true };
    const ageMs = nowMs - seen.lookedMs;
    const msPerShard = isResting(seen.run, nowMs, nextFireMs) ? restingMsPerShard : workingMsPerShard;
    return { shard, ageMs, isOld: ageMs >= msPerShard * shards.length };
  });
  return ages
    .sort((one, other) => other.ageMs - one.ageMs)
    .filter(({ isOld }, index) => isOld || index < looksMin)
    .map(({ shard }) => shard);
}

/** Whether nobody works on the shard, and nobody is to begin yet. */
function isResting(run: ShardRun | null, nowMs: number, nextFireMs: NextFire): boolean {
  if (run === null || !hasEnded(run)) return false;
  const nextMs = nextFireMs(run.startedMs);
  return nextMs === null || nowMs < nextMs;
}

/** A run that got round the shard, or was stopped by the brake; what writes figures afterwards is another run. */
function hasEnded({ finishedMs, seenMs }: ShardRun): boolean {
  return finishedMs !== null || seenMs === null;
}

/** The shard's row first: figures are written along with the end of a run, so they are never older than what it says. */
async function look(store: Store, shard: string, before: SeenShard | null, nowMs: number): Promise<SeenShard | "anew"> {
  const { run = null, log = null } = (await store.readShardRow(shard))?.row ?? {};
  const logNumber = log?.number ?? 0;
  if (before !== null && isSameEnd(before.run, run)) return { ...before, logNumber, lookedMs: nowMs };
  const lastSeen = before?.figures.ticks.at(-1)?.tick ?? null;
  const figures = await figuresSince(store, shard, lastSeen);
  return figures === null ? "anew" : { shard, run, logNumber, figures, lookedMs: nowMs };
}

/** Figures whose ticks go back to one that was seen, null for all of them; null where they do not go on from it. */
async function figuresSince(store: Store, shard: string, lastSeen: string | null): Promise<ShardFigures | null> {
  const goesOn = ({ ticks }: ShardFigures) => lastSeen === null || ticks.some(({ tick }) => tick === lastSeen);
  if (lastSeen !== null) {
    const newest = shardFiguresOf((await store.readNewestFigures(shard)) ?? {});
    if (goesOn(newest)) return newest;
  }
  const whole = shardFiguresOf((await store.readFigures(shard)) ?? {});
  return goesOn(whole) ? whole : null;
}

/** Whether it is the end of one run: nothing has been written since. */
function isSameEnd(before: ShardRun | null, now: ShardRun | null): boolean {
  if (before === null || now === null || before.runId !== now.runId) return false;
  return hasEnded(before) && hasEnded(now) && before.finishedMs === now.finishedMs;
}

/**
 * Adds what a shard's ticks hold beyond what was seen of them. A tick that goes on after a brake or a crash changes its
 * entry; those before the last one seen have been added long ago.
 */
function mergeTicks(merged: Map<string, MergedTick>, seen: readonly TickFigures[], now: readonly TickFigures[]): void {
  const before = new Map(seen.map((tick) => [tick.tick, tick]));
  const lastSeen = seen.at(-1)?.tick;
  const firstNew = lastSeen === undefined ? 0 : now.findIndex(({ tick }) => tick === lastSeen) + 1;
  for (const [index, tick] of now.entries()) {
    const old = before.get(tick.tick);
    if (old === undefined ? index < firstNew : isSameTick(old, tick)) continue;
    const known = merged.get(tick.tick);
    merged.set(tick.tick, known === undefined ? { ...tick, shards: 1 } : mergedTick(known, old ?? null, tick));
  }
}

function isSameTick(one: TickFigures, other: TickFigures): boolean {
  const isSameStanding = JSON.stringify(one.standing) === JSON.stringify(other.standing);
  return (
    isSameStanding && one.finishedMs === other.finishedMs && counterNames.every((name) => one[name] === other[name])
  );
}

function mergedTick(known: MergedTick, old: TickFigures | null, tick: TickFigures): MergedTick {
  return {
    tick: known.tick,
    startedMs: Math.min(known.startedMs, tick.startedMs),
    finishedMs: Math.max(known.finishedMs, tick.finishedMs),
    shards: known.shards + (old === null ? 1 : 0),
    standing: addStanding(addStanding(known.standing, old?.standing ?? null, -1), tick.standing),
    version: laterOf(known, tick).version,
    ...addCounters(known, old === null ? tick : subtractCounters(tick, old)),
  };
}

/** The one that ended last; of two in the same millisecond the one of the higher version, whichever was seen first. */
function laterOf(one: TickFigures, other: TickFigures): TickFigures {
  if (one.finishedMs !== other.finishedMs) return one.finishedMs > other.finishedMs ? one : other;
  return (one.version ?? "") > (other.version ?? "") ? one : other;
}

function addStanding(sum: Standing | null, one: Standing | null, sign: 1 | -1 = 1): Standing | null {
  if (sum === null || one === null) return sum ?? one;
  return {
    mirrored: sum.mirrored + sign * one.mirrored,
    fresh: sum.fresh + sign * one.fresh,
    attention: sum.attention + sign * one.attention,
  };
}
