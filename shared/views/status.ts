import { addCounters, noCounters } from "../figures/counters.js";
import { ticksKept } from "../figures/figures.js";
import { type Census, emptyCensus, mirroredIn, type ShardFigures, shardFiguresOf } from "../figures/shardFigures.js";
import { LogTimes } from "../push/behind.js";
import type { ShardRun } from "../store/shardRow.js";
import type { Store } from "../store/store.js";
import { type Brake, isBraked } from "../sync/brake.js";
import type { DirectoryState } from "../sync/directory.js";
import { mailboxKinds } from "../sync/mailboxKind.js";
import { type MailboxState, mailboxStates } from "../sync/state.js";
import { isoOrNull } from "../sync/time.js";
import { type Counters, counterNames } from "../sync/types.js";
import { productVersion } from "../version.js";
import { rosterView } from "./roster.js";
import { type MergedTick, type NextFire, type SeenShard, type Snapshot, takeSnapshot } from "./snapshot.js";
import type { BrakeView, Status } from "./statusSchema.js";
import { subscriberCounter } from "./subscribers.js";

export type { NextFire, Status };

/** What is known of the mirror without reading its table: its shards, and the settings that matter to people. No secrets. */
export type MirrorFacts = {
  readonly shards: readonly string[];
  /** The source of the roster, by name; null where mailboxes are put there by hand alone. */
  readonly source: string | null;
  /** Whether Graph documents `calendar: delta` for the cloud of the mailboxes. */
  readonly isDeltaDocumented: boolean;
  readonly settings: Status["settings"];
  /** Which app this is, for people who have several; absent: not known. */
  readonly about?: Pick<Status["about"], "app" | "tenantId">;
  /** Absent: estimated from the ticks that came. */
  readonly nextFireMs?: NextFire;
};

export { ticksKept };

/** Ids that are listed of each trouble. */
export const examplesMax = 20;
/** The longest that a run works before it hands on, and a little more. */
const tickGraceMsMax = 300_000;

/** Our choice: who asks within so long of another one's question gets what that one was told of the shards. */
const snapshotKeptMs = 1_000;

/**
 * What reads the status again and again, for one process: it keeps what it has seen of the shards, and looks only at those
 * that may have changed. Read from nothing it takes two rows of each shard and two of `~meta`, whatever the number of mailboxes.
 * Figures of mailboxes are those of each shard's last run that reached the end of the shard. `ticksShown`: how many of the newest
 * ticks are listed; no more than `ticksKept` are stored. Throws StorageError. All who ask at once share one look. The brake and the roster are always read.
 */
export function statusReader(facts: MirrorFacts): (store: Store, nowMs: number, ticksShown: number) => Promise<Status> {
  const count = subscriberCounter(new LogTimes());
  let last: Snapshot | null = null;
  let current: { readonly atMs: number; readonly snapshot: Promise<Snapshot>; isPending: boolean } | null = null;
  const take = (store: Store, nowMs: number): Promise<Snapshot> => {
    const ageMs = current === null ? Number.POSITIVE_INFINITY : nowMs - current.atMs;
    if (current !== null && (current.isPending || (ageMs >= 0 && ageMs < snapshotKeptMs))) return current.snapshot;
    const snapshot = takeSnapshot(store, facts.shards, last, nowMs, nextTick(facts, last));
    const taking = { atMs: nowMs, snapshot, isPending: true };
    current = taking;
    const ended = (taken: Snapshot | null) => {
      taking.isPending = false;
      if (taken === null)
        current = null; // The next one asks anew, and begins with what was seen before.
      else last = taken;
    };
    snapshot.then(ended, () => ended(null));
    return snapshot;
  };
  return async (store, nowMs, ticksShown) => {
    const [snapshot, brake, directory] = await Promise.all([
      take(store, nowMs),
      store.readBrake(),
      store.readDirectory(),
    ]);
    const numbers = Object.fromEntries(snapshot.shards.map(({ shard, logNumber }) => [shard, logNumber]));
    const subscribers = await count(store, numbers, nowMs);
    return { ...statusOf(facts, nowMs, ticksShown, snapshot, brake, directory?.state ?? null), subscribers };
  };
}
/** When the next tick is due; where nothing says how often they come, one always is. */
function nextTick({ nextFireMs }: MirrorFacts, last: Snapshot | null): NextFire {
  if (nextFireMs !== undefined) return remembered(nextFireMs);
  const usualMs = last === null ? null : intervalMs(startsOf(last.ticks));
  return (afterMs) => afterMs + (usualMs ?? 0);
}

/** The same, calculated once for all times between two fires: it is asked for each shard, and a schedule takes its time. */
function remembered(nextFireMs: NextFire): NextFire {
  const known: { fromMs: number; readonly fireMs: number }[] = [];
  return (afterMs) => {
    const found = known.find(({ fromMs, fireMs }) => fromMs <= afterMs && afterMs < fireMs);
    if (found !== undefined) return found.fireMs;
    const fireMs = nextFireMs(afterMs);
    if (fireMs === null) return null;
    const same = known.find((one) => one.fireMs === fireMs);
    if (same === undefined) known.push({ fromMs: afterMs, fireMs });
    else same.fromMs = Math.min(same.fromMs, afterMs);
    return fireMs;
  };
}

const startsOf = (ticks: readonly MergedTick[]): readonly number[] => ticks.map(({ startedMs }) => startedMs);

function statusOf(
  facts: MirrorFacts,
  nowMs: number,
  ticksShown: number,
  { shards, ticks }: Snapshot,
  brake: Brake | null,
  directory: DirectoryState | null,
): Omit<Status, "subscribers"> {
  const usualMs = intervalMs(startsOf(ticks));
  const newestMs = newestStartMs(shards);
  const nextFireMs = facts.nextFireMs === undefined ? undefined : remembered(facts.nextFireMs);
  const census = shards
    .map(({ figures }) => censusNow(figures, nowMs, usualMs, nextFireMs))
    .reduce(addCensus, emptyCensus());
  return {
    now: new Date(nowMs).toISOString(),
    mailboxes: mailboxesOf(census, facts),
    troubles: troublesOf(census),
    drift: { changes: census.driftFound, mailboxes: census.driftMailboxes },
    activity: activityOf(ticks.slice(-ticksShown)),
    ticks: {
      newest: isoOrNull(newestMs),
      intervalSeconds: secondsOf(usualMs),
      isLate: !healthOfTicks(newestMs, usualMs, nowMs, nextFireMs).isHealthy,
    },
    shards: shards.map(shardOf),
    roster: rosterView(facts.source, directory),
    ...brakeView(brake, nowMs),
    settings: facts.settings,
    about: { version: productVersion, app: null, tenantId: null, ...facts.about },
  };
}

/** What all instances obey: Graph throttles the whole application, or refuses it whatever mailbox is asked. */
export function brakeView(brake: Brake | null, nowMs: number): BrakeView {
  const isOn = isBraked(brake, nowMs);
  const why = {
    code: brake?.codes[0] ?? null,
    since: isoOrNull(brake?.sinceMs ?? null),
    until: isoOrNull(brake?.untilMs ?? null),
  };
  const isRefused = isOn && brake?.kind === "refused";
  const isThrottled = isOn && !isRefused;
  return {
    brake: isThrottled ? { isOn: true, ...why } : { isOn: false, code: null, since: null, until: null },
    application: isRefused ? why : null,
  };
}

/** A shard's count, with those that are fresh by now: each tick that was due since, and has not counted, makes all of them older. */
function censusNow(figures: ShardFigures, nowMs: number, usualMs: number | null, nextFireMs?: NextFire): Census {
  const { census, atMs, partial } = figures;
  // Until the first run has reached the end of the shard: what it has counted so far.
  if (census === null || atMs === null) return census ?? partial?.census ?? emptyCensus();
  const next = nextFireMs ?? ((afterMs: number) => (usualMs === null ? null : afterMs + usualMs));
  const first = next(atMs);
  const second = first === null ? null : next(first);
  if (first === null || second === null) return census;
  // A tick needs time before it has counted. A shard that begins late in each tick was counted late in the last one, too.
  const placeMs = second - first - (first - atMs);
  const graceMs = Math.min(tickGraceMsMax, Math.max((second - first) / 2, placeMs + (second - first) / 4));
  if (nowMs < first + graceMs) return census;
  return { ...census, freshWithinTwoTicks: nowMs < second + graceMs ? census.freshInTick : 0 };
}

function mailboxesOf(census: Census, facts: MirrorFacts): Status["mailboxes"] {
  const { states, freshWithinTwoTicks, oldestSuccess } = census;
  const total = Object.values(states).reduce((sum, count) => sum + count, 0);
  const mirrored = mirroredIn(census);
  return {
    total,
    mirrored,
    byState: states,
    byKind: census.kinds,
    byStrategy: census.strategies,
    strategyNote: strategyNote(census.strategies, facts),
    calendars: census.calendars,
    freshWithinTwoTicks: {
      count: freshWithinTwoTicks,
      of: mirrored,
      share: mirrored === 0 ? null : freshWithinTwoTicks / mirrored,
    },
    neverSucceeded: census.neverSucceeded,
    oldestSuccess:
      oldestSuccess === null ? null : { at: isoOrNull(oldestSuccess.atMs), mailbox: oldestSuccess.mailbox },
  };
}

/** Why whole lists are read instead of changes; null where none is. A mailbox counts as `delta` until delta was refused for it. */
function strategyNote({ delta, list }: Census["strategies"], { isDeltaDocumented }: MirrorFacts): string | null {
  if (list === 0) return null;
  const isOffered = isDeltaDocumented && list <= delta;
  const why = isOffered ? "Delta is refused for some mailboxes" : "Delta is not offered here";
  return `${why}: the whole list is read for ${list} of ${delta + list}, and delta is tried again every day.`;
}

function troublesOf({ troubles }: Census): Status["troubles"] {
  const of = (state: MailboxState) =>
    troubles
      .filter((one) => one.state === state)
      .map(({ reason, count, examples }) => ({ reason, count, examples: examples.slice(0, examplesMax) }))
      .sort((one, other) => other.count - one.count);
  return { parked: of("parked"), held: of("held"), waiting: of("waiting"), suspended: of("suspended") };
}

function addCensus(sum: Census, one: Census): Census {
  for (const state of mailboxStates) sum.states[state] += one.states[state];
  for (const kind of mailboxKinds) sum.kinds[kind] += one.kinds[kind];
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

function activityOf(ticks: readonly MergedTick[]): Status["activity"] {
  const total: Counters = ticks.reduce<Counters>(addCounters, noCounters);
  return {
    total,
    ticks: ticks.map((tick) => ({
      tick: tick.tick,
      started: isoOrNull(tick.startedMs),
      seconds: (tick.finishedMs - tick.startedMs) / 1000,
      shards: tick.shards,
      standing: tick.standing,
      version: tick.version,
      ...(Object.fromEntries(counterNames.map((name) => [name, tick[name]])) as Counters),
    })),
  };
}

function shardOf({ shard, run, figures }: SeenShard): Status["shards"][number] {
  const census = figures.census ?? figures.partial?.census ?? null;
  return {
    shard,
    mailboxes: census === null ? 0 : Object.values(census.states).reduce((sum, count) => sum + count, 0),
    counted: isoOrNull(figures.atMs ?? figures.partial?.finishedMs ?? null),
    tick: run?.tick ?? null,
    started: isoOrNull(run?.startedMs ?? null),
    finished: isoOrNull(run?.finishedMs ?? null),
  };
}

function newestStartMs(shards: readonly { readonly run: ShardRun | null }[]): number | null {
  const starts = shards.flatMap(({ run }) => run?.startedMs ?? []);
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

/** Whether the mirror works, and why not, or how it knows, in one line. */
export type Health = { readonly isHealthy: boolean; readonly reason: string };

/** Shards that health looks at. Their runs begin together and first, so a few stand for all, and anybody may ask. */
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
    store.readNewestFigures(first),
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
      reason: `${ago}; by the schedule the next one is due at ${isoOrNull(nextFireMs(newestMs)) ?? "never"}.`,
    };
  }
  if (usualMs === null) return { isHealthy: true, reason: "The first ticks: how often they come is not known yet." };
  const reason = `${ago}; they come every ${Math.round(usualMs / 1000)} s.`;
  return { isHealthy: nowMs - newestMs <= intervalsLateMax * usualMs, reason };
}

/**
 * Graph raises the brake, so it is no fault of the mirror. One that outlasts three ticks is unhealthy, as no mailbox is
 * read. Only ticks that came count: while none is due, no mailbox would be read without the brake either.
 */
function healthOfBrake({ kind, codes, sinceMs, untilMs }: Brake, startsMs: readonly number[]): Health {
  const [code = "unknown"] = codes;
  const does = kind === "refused" ? "refused nearly all mailboxes that were asked" : "throttles the whole application";
  const then = kind === "refused" ? "none is read, and one is tried again at" : "no mailbox is read until";
  const since = sinceMs === null ? "" : ` since ${isoOrNull(sinceMs)}`;
  const reason = `Graph ${does} (${code})${since}; ${then} ${isoOrNull(untilMs)}.`;
  const outlasted = startsMs.filter((startMs) => sinceMs !== null && startMs > sinceMs).length;
  return { isHealthy: outlasted < intervalsLateMax, reason };
}
