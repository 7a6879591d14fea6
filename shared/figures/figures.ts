import type { Asked } from "../graph/client.js";
import type { ShardRun } from "../store/shardRow.js";
import { rowUnreadable, type Store } from "../store/store.js";
import type { Brake } from "../sync/brake.js";
import { isLeaving } from "../sync/due.js";
import { type MailboxState, stateOf } from "../sync/state.js";
import type { Checkpoint, Counters, JsonObject } from "../sync/types.js";
import { productVersion as version } from "../version.js";
import { addCounters, type Counts, noCounters, subtractCounters } from "./counters.js";
import {
  type Census,
  emptyCensus,
  type PartialFigures,
  type ShardFigures,
  shardFiguresOf,
  standingOf,
  storedFigures,
  type TickFigures,
} from "./shardFigures.js";

/** A day of five-minute ticks. */
export const ticksKept = 288;
/** Mailboxes named for each trouble, in each shard: a start for those who look into it. */
const examplesMax = 20;
/** Reasons told apart in a shard; more are counted as `other`. */
const reasonsMax = 40;

/** What a run has counted, for the table, the log and metrics. */
export type Figures = {
  /** What the shard's figures row keeps. */
  readonly stored: JsonObject;
  /** What the log says of this run. */
  readonly logged: Readonly<Record<string, number>>;
  /** What this run alone did: `logged` also counts what came before it in the tick. */
  readonly done: Counters;
  /** How the shard's mailboxes stand, where this run has completed a count of all. */
  readonly counted: { readonly census: Census; readonly atMs: number } | null;
};

/** Counts what a run over a shard sees and does; runs of one tick that follow each other add up. */
export class RunTally {
  counters: Counters;
  /** What the tick had counted before this run. */
  readonly countedBefore: Counters;
  readonly census: Census;
  readonly previous: ShardFigures;
  /** False when mailboxes are missing that this tick has handled before: then the last whole census stays. */
  readonly isWhole: boolean;
  newAsked: number;
  /** The last refusal of the application whose end this shard has followed. */
  overMs: number | null;
  /** A success since then counts as fresh: the start of the tick before. */
  readonly #freshSinceMs: number;

  constructor(
    stored: JsonObject,
    readonly run: ShardRun,
    readonly clock: { nowMs(): number },
  ) {
    const { partial, ...previous } = shardFiguresOf(stored);
    // A tick that never got round keeps what it did: a brake shows in the figures of the tick that it ended.
    const isOver = partial !== null && partial.tick !== run.tick;
    const ticks = (isOver ? withTick(previous.ticks, tickOf(partial)) : previous.ticks).slice(-ticksKept);
    this.previous = { ...previous, ticks, partial: null };
    const goesOn = partial !== null && partial.tick === run.tick && isSamePlace(partial, run);
    this.isWhole = goesOn ? partial.isWhole : !run.wrapped && run.cursor === run.from;
    this.countedBefore = goesOn ? addCounters(partial, noCounters) : noCounters;
    this.counters = this.countedBefore;
    this.census = goesOn ? partial.census : emptyCensus();
    this.newAsked = goesOn ? partial.newAsked : 0;
    this.overMs = previous.overMs;
    const before = ticks.findLast(({ tick }) => tick !== run.tick);
    this.#freshSinceMs = before?.startedMs ?? run.startedMs;
  }

  /**
   * Codes of an application's refusal that has ended and whose end the shard has not followed yet: mailboxes refused with
   * them are due. The end counts as followed once a run gets round the shard.
   */
  overIn(brake: Brake | null): readonly string[] {
    const ended = brake?.ended ?? null;
    if (ended === null || ended.atMs === this.previous.overMs) return [];
    this.overMs = ended.atMs;
    return ended.codes;
  }

  /** Counts what one call of the Graph client has cost. */
  asked({ requests, throttles }: Asked): void {
    this.counters = addCounters(this.counters, { ...noCounters, graphRequests: requests, throttles });
  }

  /** Counts what a commit of this run did, and what `applyPage` did since the last run, which the commit clears. */
  committed(counts: Counts, before: Checkpoint, after: Checkpoint): void {
    this.counters = addCounters(this.counters, { ...noCounters, ...counts });
    if (before.walked !== null && after.walked === null) this.counters = addCounters(this.counters, before.walked);
  }

  /** Counts a mailbox once, when the cursor moves over it: a run that continues this tick begins after it (I7). */
  passed(checkpoint: Checkpoint): void {
    const { census } = this;
    const state = stateOf(checkpoint);
    census.states[state] += 1;
    census.kinds[checkpoint.mailboxKind] += 1;
    const { lastSuccessMs, mailboxId, strategy, calendarCount, driftFound } = checkpoint;
    const trouble = troubleOf(state, checkpoint);
    if (trouble !== null) this.#trouble(state, trouble, mailboxId);
    if (isLeaving(checkpoint)) return;
    census.strategies[strategy] += 1;
    census.calendars += calendarCount;
    census.driftFound += driftFound;
    if (driftFound > 0) census.driftMailboxes += 1;
    if (lastSuccessMs === null) {
      census.neverSucceeded += 1;
      return;
    }
    if (lastSuccessMs >= this.#freshSinceMs) census.freshWithinTwoTicks += 1;
    if (lastSuccessMs >= this.run.startedMs) census.freshInTick += 1;
    if (lastSuccessMs < (census.oldestSuccess?.atMs ?? Number.POSITIVE_INFINITY)) {
      census.oldestSuccess = { atMs: lastSuccessMs, mailbox: mailboxId };
    }
  }

  /** Counts a mailbox whose checkpoint cannot be read as parked: nobody asks about it until somebody repairs it (I7). */
  unreadable(mailboxId: string): void {
    this.census.states.parked += 1;
    this.census.kinds.unknown += 1;
    this.#trouble("parked", rowUnreadable, mailboxId);
  }

  #trouble(state: MailboxState, reason: string, mailboxId: string): void {
    const known = this.census.troubles;
    const isRoom = known.length < reasonsMax;
    const same = known.find((one) => one.state === state && one.reason === reason);
    const entry = same ?? (isRoom ? null : known.find((one) => one.state === state && one.reason === "other"));
    if (entry === null || entry === undefined) {
      known.push({ state, reason: isRoom ? reason : "other", count: 1, examples: [mailboxId] });
      return;
    }
    entry.count += 1;
    if (entry.examples.length < examplesMax) entry.examples.push(mailboxId);
  }
}

/** The reason for a state that somebody may want to look into; null for all other states. */
function troubleOf(state: MailboxState, checkpoint: Checkpoint): string | null {
  switch (state) {
    case "parked":
      return checkpoint.parkedReason;
    case "waiting":
    case "suspended":
      return checkpoint.lastErrorCode ?? "unknown";
    case "held":
      return "massRemoval";
    default:
      return null;
  }
}

function isSamePlace(partial: PartialFigures, { cursor, wrapped }: ShardRun): boolean {
  return partial.cursor === cursor && partial.wrapped === wrapped;
}

/** The figures of a run for the shard's figures row and for the log. `position`: where the shard's row says it stopped. */
export function figuresOf(
  tally: RunTally,
  store: Store,
  kind: "done" | "unfinished" | "braked" | "refused",
  position: { readonly cursor: string | null; readonly wrapped: boolean },
): Figures {
  const { run, previous, census, clock, newAsked, isWhole } = tally;
  // One more: the transaction that writes these figures.
  const counters = addCounters(tally.counters, { ...noCounters, transactions: store.transactions() + 1 });
  const nowMs = clock.nowMs();
  const logged = { ...counters, ms: nowMs - run.startedMs };
  const done = subtractCounters(counters, tally.countedBefore);
  if (kind === "unfinished") {
    const { cursor, wrapped } = position;
    const spent = { tick: run.tick, startedMs: run.startedMs, finishedMs: nowMs, standing: null, version, ...counters };
    const partial: PartialFigures = { ...spent, cursor, wrapped, isWhole, newAsked, census };
    return { stored: storedFigures({ ...previous, partial }), logged, done, counted: null };
  }
  const standing = isWhole ? standingOf(census) : null;
  const tick: TickFigures = {
    tick: run.tick,
    startedMs: run.startedMs,
    finishedMs: nowMs,
    standing,
    version,
    ...counters,
  };
  const ticks = withTick(previous.ticks, tick).slice(-ticksKept);
  const counted = isWhole ? { census, atMs: nowMs } : null;
  const kept = counted ?? { census: previous.census, atMs: previous.atMs };
  const overMs = kind === "done" ? tally.overMs : previous.overMs;
  return { stored: storedFigures({ ...kept, ticks, overMs, partial: null }), logged, done, counted };
}

function tickOf({ tick, startedMs, finishedMs, version: by, ...more }: PartialFigures): TickFigures {
  return { tick, startedMs, finishedMs, standing: null, version: by, ...addCounters(more, noCounters) };
}

/** The ticks with one more. What a tick did before a crash and after it is added up in one entry. */
function withTick(ticks: readonly TickFigures[], tick: TickFigures): readonly TickFigures[] {
  const before = ticks.find((one) => one.tick === tick.tick);
  if (before === undefined) return [...ticks, tick];
  const standing = tick.standing ?? before.standing;
  const sum = { ...tick, ...addCounters(before, tick), startedMs: before.startedMs, standing };
  return ticks.map((one) => (one === before ? sum : one));
}
