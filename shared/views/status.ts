import { addCounters, noCounters } from "../figures/counters.js";
import {
  type Census,
  emptyCensus,
  mirroredIn,
  type ShardFigures,
  shardFiguresOf,
  type TickFigures,
} from "../figures/shardFigures.js";
import { mapAtOnce } from "../mapAtOnce.js";
import type { ShardClaim, Store } from "../store/store.js";
import { type Brake, isBraked } from "../sync/brake.js";
import { type MailboxState, mailboxStates } from "../sync/state.js";
import { type Counters, counterNames } from "../sync/types.js";
import { rosterView } from "./roster.js";

/** What is true of the mirror without looking: its shards, and the settings that matter to people. No secrets. */
export type MirrorFacts = {
  readonly shards: readonly string[];
  readonly source: string | null;
  /** Whether Graph documents `calendar: delta` for the cloud of the mailboxes. */
  readonly isDeltaDocumented: boolean;
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  /** When the schedule of ticks fires next after a time; null: never. Absent: told from the ticks that came. */
  readonly nextFireMs?: NextFire;
};

export type NextFire = (afterMs: number) => number | null;

/** How the whole mirror stands. */
export type Status = Awaited<ReturnType<typeof readStatus>>;

type ShardView = { readonly shard: string; readonly run: ShardClaim["row"]["run"]; readonly figures: ShardFigures };

const readsAtOnceMax = 32;
const examplesMax = 20;
/** The longest that a run works before it hands on, and a little more. */
const tickGraceMsMax = 300_000;

const at = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

/**
 * Reads two rows of each shard and two of `~meta`: the price does not grow with the number of mailboxes. Figures of
 * mailboxes are those of each shard's last run that got round.
 * @param ticksMax How many of the newest ticks are told one by one; at most a day of them is kept.
 */
export async function readStatus(store: Store, facts: MirrorFacts, nowMs: number, ticksMax: number) {
  const [views, brake, directory] = await Promise.all([
    mapAtOnce(facts.shards, readsAtOnceMax, (shard) => viewOfShard(store, shard)),
    store.readBrake(),
    store.readDirectory(),
  ]);
  const ticks = mergedTicks(views);
  const usualMs = intervalMs(ticks.map(({ startedMs }) => startedMs));
  const newestMs = newestStartMs(views);
  const census = views
    .map(({ figures }) => censusNow(figures, nowMs, usualMs, facts.nextFireMs))
    .reduce(addCensus, emptyCensus());
  return {
    now: new Date(nowMs).toISOString(),
    mailboxes: mailboxesOf(census, facts),
    troubles: troublesOf(census),
    drift: { changes: census.driftFound, mailboxes: census.driftMailboxes },
    activity: activityOf(ticks.slice(-ticksMax)),
    ticks: {
      newest: at(newestMs),
      intervalSeconds: secondsOf(usualMs),
      /** As `GET health` judges it. */
      isLate: !healthOfTicks(newestMs, usualMs, nowMs, facts.nextFireMs).isHealthy,
    },
    shards: views.map(shardOf),
    roster: rosterView(facts.source, directory?.state ?? null),
    ...brakeView(brake, nowMs),
    settings: facts.settings,
  };
}

/** What all instances obey: Graph throttles the whole application, or refuses it whatever mailbox is asked. */
export function brakeView(brake: Brake | null, nowMs: number) {
  const isOn = isBraked(brake, nowMs);
  const why = { code: brake?.codes[0] ?? null, since: at(brake?.sinceMs ?? null), until: at(brake?.untilMs ?? null) };
  const isRefused = isOn && brake?.kind === "refused";
  const isThrottled = isOn && !isRefused;
  return {
    brake: isThrottled ? { isOn: true, ...why } : { isOn: false, code: null, since: null, until: null },
    /** `until`: when one mailbox is tried again. */
    application: isRefused ? why : null,
  };
}

/** A shard's count, and who of it is still fresh: a tick that was due since, and did not count, makes all of it older. */
function censusNow(figures: ShardFigures, nowMs: number, usualMs: number | null, nextFireMs?: NextFire): Census {
  const { census, atMs, partial } = figures;
  // Before the first run has got round, what it has counted so far: its mailboxes are not unknown.
  if (census === null || atMs === null) return census ?? partial?.census ?? emptyCensus();
  const next = nextFireMs ?? ((afterMs: number) => (usualMs === null ? null : afterMs + usualMs));
  const first = next(atMs);
  const second = first === null ? null : next(first);
  if (first === null || second === null) return census;
  const graceMs = Math.min(tickGraceMsMax, (second - first) / 2); // A tick takes its time before it has counted.
  if (nowMs < first + graceMs) return census;
  return { ...census, freshWithinTwoTicks: nowMs < second + graceMs ? census.freshInTick : 0 };
}

async function viewOfShard(store: Store, shard: string): Promise<ShardView> {
  const [claim, figures] = await Promise.all([store.readShardRow(shard), store.readFigures(shard)]);
  return { shard, run: claim?.row.run ?? null, figures: shardFiguresOf(figures ?? {}) };
}

function mailboxesOf(census: Census, facts: MirrorFacts) {
  const { states, freshWithinTwoTicks, oldestSuccess } = census;
  const total = Object.values(states).reduce((sum, count) => sum + count, 0);
  const mirrored = mirroredIn(census);
  return {
    total,
    /** Without those that are suspended or being removed. */
    mirrored,
    byState: states,
    byStrategy: census.strategies,
    strategyNote: strategyNote(census.strategies, facts),
    calendars: census.calendars,
    freshWithinTwoTicks: {
      count: freshWithinTwoTicks,
      of: mirrored,
      share: mirrored === 0 ? null : freshWithinTwoTicks / mirrored,
    },
    neverSucceeded: census.neverSucceeded,
    oldestSuccess: oldestSuccess === null ? null : { at: at(oldestSuccess.atMs), mailbox: oldestSuccess.mailbox },
  };
}

/** Why lists are read instead of changes; null where none is. A mailbox counts for delta until delta was refused for it. */
function strategyNote({ delta, list }: Census["strategies"], { isDeltaDocumented }: MirrorFacts): string | null {
  if (list === 0) return null;
  const isOffered = isDeltaDocumented && list <= delta;
  const why = isOffered ? "Delta is refused for some mailboxes" : "Delta is not offered here";
  return `${why}: the whole list is read for ${list} of ${delta + list}, and delta is tried again every day.`;
}

const troubledStates = ["parked", "held", "waiting", "suspended"] as const satisfies readonly MailboxState[];

/** For each state that somebody may want to look into: its reasons, the most frequent first, with some mailboxes. */
function troublesOf({ troubles }: Census) {
  const of = (state: MailboxState) =>
    troubles
      .filter((one) => one.state === state)
      .map(({ reason, count, examples }) => ({ reason, count, examples: examples.slice(0, examplesMax) }))
      .sort((one, other) => other.count - one.count);
  const entries = troubledStates.map((state) => [state, of(state)] as const);
  return Object.fromEntries(entries) as Record<(typeof troubledStates)[number], ReturnType<typeof of>>;
}

function addCensus(sum: Census, one: Census): Census {
  for (const state of mailboxStates) sum.states[state] += one.states[state];
  sum.strategies.delta += one.strategies.delta;
  sum.strategies.list += one.strategies.list;
  sum.calendars += one.calendars;
  sum.driftFound += one.driftFound;
  sum.driftMailboxes += one.driftMailboxes;
  sum.freshWithinTwoTicks += one.freshWithinTwoTicks;
  sum.neverSucceeded += one.neverSucceeded;
  const isOlder =
    one.oldestSuccess !== null && one.oldestSuccess.atMs < (sum.oldestSuccess?.atMs ?? Number.POSITIVE_INFINITY);
  if (isOlder) sum.oldestSuccess = one.oldestSuccess;
  for (const trouble of one.troubles) {
    const same = sum.troubles.find(({ state, reason }) => state === trouble.state && reason === trouble.reason);
    if (same === undefined) {
      sum.troubles.push({ ...trouble, examples: [...trouble.examples] });
      continue;
    }
    same.count += trouble.count;
    same.examples.push(...trouble.examples.slice(0, examplesMax - same.examples.length));
  }
  return sum;
}

type MergedTick = TickFigures & { readonly shards: number };

/** One entry for each tick, over all shards that have finished it; oldest first. */
function mergedTicks(views: readonly ShardView[]): readonly MergedTick[] {
  const byName = new Map<string, MergedTick>();
  for (const { figures } of views) {
    for (const tick of figures.ticks) {
      const known = byName.get(tick.tick);
      byName.set(tick.tick, known === undefined ? { ...tick, shards: 1 } : mergedTick(known, tick));
    }
  }
  return [...byName.values()].sort((one, other) => one.startedMs - other.startedMs);
}

function mergedTick(known: MergedTick, tick: TickFigures): MergedTick {
  return {
    tick: known.tick,
    startedMs: Math.min(known.startedMs, tick.startedMs),
    finishedMs: Math.max(known.finishedMs, tick.finishedMs),
    shards: known.shards + 1,
    ...addCounters(known, tick),
  };
}

function activityOf(ticks: readonly MergedTick[]) {
  const total: Counters = ticks.reduce<Counters>(addCounters, noCounters);
  return {
    total,
    ticks: ticks.map((tick) => ({
      tick: tick.tick,
      started: at(tick.startedMs),
      seconds: (tick.finishedMs - tick.startedMs) / 1000,
      shards: tick.shards,
      ...(Object.fromEntries(counterNames.map((name) => [name, tick[name]])) as Counters),
    })),
  };
}

function shardOf({ shard, run, figures }: ShardView) {
  const census = figures.census ?? figures.partial?.census ?? null;
  return {
    shard,
    mailboxes: census === null ? 0 : Object.values(census.states).reduce((sum, count) => sum + count, 0),
    counted: at(figures.atMs ?? figures.partial?.finishedMs ?? null),
    tick: run?.tick ?? null,
    started: at(run?.startedMs ?? null),
    finished: at(run?.finishedMs ?? null),
  };
}

function newestStartMs(views: readonly { readonly run: ShardClaim["row"]["run"] }[]): number | null {
  const starts = views.flatMap(({ run }) => run?.startedMs ?? []);
  return starts.length === 0 ? null : Math.max(...starts);
}

/** The usual time between ticks: the median of the last ones. Null before the second tick. */
function intervalMs(startsMs: readonly number[]): number | null {
  const recent = startsMs.slice(-13);
  const gaps = recent.slice(1).map((startMs, index) => startMs - (recent[index] ?? startMs));
  return gaps.sort((one, other) => one - other)[gaps.length >>> 1] ?? null;
}

function secondsOf(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}

export type Health = { readonly isHealthy: boolean; readonly reason: string };

/** Shards that health looks at. Their runs start together, so a few tell for all; and anybody may ask. */
const healthShardsMax = 16;
const intervalsLateMax = 3;

/**
 * Whether ticks come in time and mailboxes are asked: by the schedule, or by the time between the ticks that came.
 * @throws StorageError when storage does not answer.
 */
export async function readHealth(
  store: Store,
  shards: readonly string[],
  nowMs: number,
  nextFireMs?: NextFire,
): Promise<Health> {
  const [first = ""] = shards;
  const [figures, brake, ...claims] = await Promise.all([
    store.readFigures(first),
    store.readBrake(),
    ...shards.slice(0, healthShardsMax).map((shard) => store.readShardRow(shard)),
  ]);
  const newestMs = newestStartMs(claims.map((claim) => ({ run: claim?.row.run ?? null })));
  const startsMs = shardFiguresOf(figures ?? {}).ticks.map(({ startedMs }) => startedMs);
  const usualMs = intervalMs(startsMs);
  const ticks = healthOfTicks(newestMs, usualMs, nowMs, nextFireMs);
  if (!ticks.isHealthy || brake === null || !isBraked(brake, nowMs)) return ticks;
  return healthOfBrake(brake, startsMs);
}

function healthOfTicks(newestMs: number | null, usualMs: number | null, nowMs: number, nextFireMs?: NextFire): Health {
  if (newestMs === null) return { isHealthy: true, reason: "No tick has come yet." };
  const ago = `The last tick started ${Math.round((nowMs - newestMs) / 1000)} s ago`;
  if (nextFireMs !== undefined) {
    let dueMs: number | null = newestMs;
    for (let count = 0; count < intervalsLateMax && dueMs !== null; count++) dueMs = nextFireMs(dueMs);
    const isLate = dueMs !== null && nowMs > dueMs;
    if (isLate) return { isHealthy: false, reason: `${ago}; ${intervalsLateMax} more were due since.` };
    return {
      isHealthy: true,
      reason: `${ago}; by the schedule the next one is due at ${at(nextFireMs(newestMs)) ?? "never"}.`,
    };
  }
  if (usualMs === null) return { isHealthy: true, reason: "The first ticks: how often they come is not known yet." };
  const said = `${ago}; they come every ${Math.round(usualMs / 1000)} s.`;
  return { isHealthy: nowMs - newestMs <= intervalsLateMax * usualMs, reason: said };
}

/**
 * A brake is Graph's, and no fault of the mirror; one that outlasts three ticks is unhealthy, for nobody is read. Ticks that
 * came: at night, where none is due, nobody would be read without it either.
 */
function healthOfBrake({ kind, codes, sinceMs, untilMs }: Brake, startsMs: readonly number[]): Health {
  const [code = "unknown"] = codes;
  const does = kind === "refused" ? "refuses" : "throttles";
  const then = kind === "refused" ? "one mailbox is tried again at" : "the brake holds until";
  const since = sinceMs === null ? "" : ` since ${at(sinceMs)}`;
  const reason = `Graph ${does} the whole application (${code})${since}; ${then} ${at(untilMs)}.`;
  const outlasted = startsMs.filter((startMs) => sinceMs !== null && startMs > sinceMs).length;
  return { isHealthy: outlasted < intervalsLateMax, reason };
}
