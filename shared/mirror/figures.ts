import type { Asked } from "../graph/client.js";
import type { Store } from "../store/store.js";
import { type MailboxState, mailboxStates, stateOf } from "../sync/state.js";
import type { Checkpoint, Json, JsonObject } from "../sync/types.js";
import type { ShardRun } from "./shardRun.js";

/** A day of five-minute ticks would be 288; an hour is what "over the last ticks" needs. */
const ticksKept = 12;

export type Figures = {
  /** What the shard's row keeps. */
  readonly stored: JsonObject;
  /** What the log says of this run. */
  readonly told: Readonly<Record<string, number>>;
};

const counters = ["rounds", "pages", "changes", "graphRequests", "throttles", "transactions"] as const;
type Counters = Record<(typeof counters)[number], number>;
/** What one commit adds. */
export type Counts = Pick<Counters, "rounds" | "pages" | "changes">;

/** Counts what a run over a shard sees and does; runs of one tick that follow each other add up. */
export class RunTally {
  readonly states: Record<MailboxState, number>;
  readonly counters: Counters;
  readonly parkedReasons: Record<string, number>;
  oldestSuccessMs: number | null;
  readonly previous: JsonObject;

  constructor(
    stored: JsonObject,
    readonly run: ShardRun,
    readonly clock: { nowMs(): number },
  ) {
    this.previous = stored;
    const partial = objectAt(stored, "partial");
    const soFar = partial["tick"] === run.tick ? partial : {};
    this.states = numbersAt(soFar, "states", mailboxStates);
    this.counters = numbersAt(soFar, "counters", counters);
    this.parkedReasons = { ...(objectAt(soFar, "parkedReasons") as Record<string, number>) };
    this.oldestSuccessMs = typeof soFar["oldestSuccessMs"] === "number" ? soFar["oldestSuccessMs"] : null;
  }

  asked({ requests, throttles }: Asked): void {
    this.counters.graphRequests += requests;
    this.counters.throttles += throttles;
  }

  committed({ rounds, pages, changes }: Counts): void {
    this.counters.rounds += rounds;
    this.counters.pages += pages;
    this.counters.changes += changes;
  }

  /** A mailbox counts once, when the run leaves it behind: what goes on with this tick begins after it (I7). */
  passed(checkpoint: Checkpoint): void {
    this.states[stateOf(checkpoint)] += 1;
    if (checkpoint.parkedReason !== null) {
      this.parkedReasons[checkpoint.parkedReason] = (this.parkedReasons[checkpoint.parkedReason] ?? 0) + 1;
    }
    const { lastSuccessMs } = checkpoint;
    if (lastSuccessMs !== null) this.oldestSuccessMs = Math.min(this.oldestSuccessMs ?? lastSuccessMs, lastSuccessMs);
  }
}

/** The figures of a run for the shard's row and for the log. */
export function figuresOf(tally: RunTally, store: Store, isDone: boolean): Figures {
  const { states, parkedReasons, oldestSuccessMs, run, previous } = tally;
  // The row itself is written once more after this count.
  const total = { ...tally.counters, transactions: tally.counters.transactions + store.transactions() + 1 };
  const ticks = Array.isArray(previous["ticks"]) ? (previous["ticks"] as readonly Json[]) : [];
  const told = { ...total, ms: tally.clock.nowMs() - run.startedMs };
  if (!isDone) {
    const partial = { tick: run.tick, states, counters: total, parkedReasons, oldestSuccessMs };
    return { stored: { ...previous, partial }, told };
  }
  const tick = { tick: run.tick, startedMs: run.startedMs, finishedMs: tally.clock.nowMs(), ...total };
  return {
    stored: { states, parkedReasons, oldestSuccessMs, ticks: [...ticks, tick].slice(-ticksKept) },
    told,
  };
}

function objectAt(object: JsonObject, name: string): JsonObject {
  const value = object[name];
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function numbersAt<const Names extends readonly string[]>(
  object: JsonObject,
  name: string,
  names: Names,
): Record<Names[number], number> {
  const stored = objectAt(object, name);
  const entries = names.map((key) => [key, typeof stored[key] === "number" ? stored[key] : 0]);
  return Object.fromEntries(entries) as Record<Names[number], number>;
}
