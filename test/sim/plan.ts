import { below, type Random, randomFrom } from "../../local/graph/random.js";
import { type RunLimits, runLimits } from "../../shared/rounds/ports.js";
import { FAULT_NAMES, FAULTS, type Fault } from "./kinds.js";

/** All that a seed decides before anything happens. */
export type Plan = {
  readonly seed: number;
  readonly mailboxes: number;
  readonly calendars: { readonly min: number; readonly max: number };
  /** Calendars of one more mailbox, whose pages may take more than one transaction; 0 for none. */
  readonly largeMailbox: number;
  readonly shards: number;
  readonly processes: number;
  readonly pageSize: number;
  readonly batchSize: number;
  /** Operations per transaction: small, so that units are torn. */
  readonly operationsMax: number;
  readonly tablePageSize: number;
  readonly hasEmptyTablePages: boolean;
  readonly limits: RunLimits;
  readonly auditMs: number;
  readonly hasNudges: boolean;
  readonly tokenStyle: "plain" | "escaped";
  readonly linkStyle: "asSent" | "keyed";
  readonly generationsKept: number;
  /** How long the storm lasts, in ticks. */
  readonly stormTicks: number;
  /** What may hurt, and how often. */
  readonly rates: Readonly<Partial<Record<Fault, number>>>;
  /** Whether one mailbox stays broken in the calm: it must harm no other. */
  readonly permanentFault: PermanentFault | null;
};

const PERMANENT_FAULTS = [
  "serverError",
  "slow",
  "endlessLinks",
  "poisonedLink",
  "longerLinks",
  "linkRefused",
  "malformedDelta",
  "resetSync",
  "refusedByTable",
  "gone",
  "denied",
  "full",
] as const;
export type PermanentFault = (typeof PERMANENT_FAULTS)[number];

/** Narrows a plan: for the shrinker, and for whoever replays a seed. */
export type Narrowing = { readonly faults?: readonly Fault[]; readonly stormTicks?: number };

const dayMs = 86_400_000;

/** Longer than a run waits; longer than a batch may; longer than any call may. */
const slownessesMs = [5 * 1_000, 50 * 1_000, 90 * 1_000, dayMs] as const;

/** How long Graph takes to answer for a slow mailbox. Milliseconds. */
export function slowness(random: Random): number {
  return slownessesMs[below(random, slownessesMs.length)] ?? 0;
}

/** Swarm testing: each seed breaks a part of everything only, so that no fault hides what another would show. */
export function planOf(seed: number, narrowing: Narrowing = {}): Plan {
  const random = randomFrom(seed * 2 + 1);
  const oneOf = <const T>(values: readonly T[]): T => values[below(random, values.length)] as T;
  const chance = (share: number) => random.next() < share;
  const plan: Plan = {
    seed,
    mailboxes: 1 + below(random, 5),
    calendars: { min: 1, max: oneOf([2, 4, 12]) },
    largeMailbox: chance(0.02) ? 110 + below(random, 60) : 0,
    shards: oneOf([1, 1, 2]),
    processes: 1 + below(random, 3),
    pageSize: 1 + below(random, 5),
    batchSize: oneOf([1, 2, 3, 20, 20]),
    operationsMax: oneOf([3, 5, 8, 100, 100]),
    tablePageSize: oneOf([1, 2, 1000]),
    hasEmptyTablePages: chance(0.2),
    limits: limitsOf(random),
    auditMs: oneOf([dayMs, 2 * dayMs]),
    hasNudges: chance(0.9),
    tokenStyle: oneOf(["plain", "escaped"]),
    linkStyle: oneOf(["asSent", "keyed"]),
    generationsKept: oneOf([1, 2, 3, 3, 50]),
    stormTicks: 2 + below(random, 10),
    rates: ratesOf(random),
    permanentFault: chance(0.25) ? oneOf(PERMANENT_FAULTS) : null,
  };
  const marksCharsMax = oneOf([0, 5, 10, runLimits.marksCharsMax, runLimits.marksCharsMax]);
  return narrowed({ ...plan, limits: { ...plan.limits, marksCharsMax } }, narrowing);
}

function narrowed(plan: Plan, { faults, stormTicks }: Narrowing): Plan {
  const kept = Object.entries(plan.rates).filter(([name]) => faults === undefined || faults.includes(name as Fault));
  return { ...plan, rates: Object.fromEntries(kept), stormTicks: Math.min(stormTicks ?? Infinity, plan.stormTicks) };
}

function limitsOf(random: Random): RunLimits {
  const oneOf = <const T>(values: readonly T[]): T => values[below(random, values.length)] as T;
  return {
    runMsMax: oneOf([200, 2_000, 240_000, 240_000]),
    pagesPerRunMax: oneOf([1, 2, 50]),
    marksCharsMax: 0,
    batchesInFlightMax: oneOf([1, 2, 3]),
    uncommittedMax: oneOf([1, 400]),
    restartsMax: oneOf([1, 3]),
    shortWaitMsMax: 3_000,
    sendsInFlightMax: 16,
    newMailboxesPerTickMax: 1_000,
    brakeMsDefault: 30_000,
    lingerMsMax: oneOf([200, 1_000]),
    heartbeatMs: oneOf([500, 10_000]),
    runYoungMs: 30_000,
    busyLooksMax: oneOf([3, 30]),
    newlySlowMax: oneOf([1, 16]),
    refusedMin: oneOf([1, 2, 3, 8]),
  };
}

function ratesOf(random: Random): Plan["rates"] {
  const share = [0, 0.05, 0.15, 0.3, 0.5][below(random, 5)] ?? 0.15;
  const rates: Partial<Record<Fault, number>> = {};
  for (const name of FAULT_NAMES) {
    const isIn = random.next() < share;
    const [min, max] = FAULTS[name];
    // Even over orders of magnitude: rare faults find other things than frequent ones.
    const rate = min * (max / min) ** random.next();
    if (isIn) rates[name] = rate;
  }
  return rates;
}
