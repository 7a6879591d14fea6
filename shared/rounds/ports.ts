import type { GraphClient } from "../graph/client.js";
import type { Log } from "../log.js";
import type { Nudge } from "../messages.js";
import type { Store } from "../store/store.js";
import { minuteMs } from "../sync/time.js";
import type { Moment } from "../sync/types.js";
import type { After } from "../timer.js";

/** How much one invocation does before it hands on. Passed in like the clock: a simulation makes them tiny. */
export type RunLimits = {
  /** Far below the function timeout of 10 minutes, which would kill the whole process. */
  readonly runMsMax: number;
  readonly pagesPerRunMax: number;
  /** Graph calls in flight of one shard's run. */
  readonly batchesInFlightMax: number;
  /** Mailboxes asked but not yet committed: beyond it the run waits for the table. */
  readonly uncommittedMax: number;
  /**
   * Never-asked mailboxes that get their first round in one tick of a shard: full rounds of a large onboarding must not
   * starve the others. 600 brings 100,000 in within 11 ticks of 16 shards, which is an hour of five-minute ticks.
   */
  readonly newMailboxesPerTickMax: number;
  /** How often a mailbox starts over within one run: a lost sync state, then a full mailbox, then enough. */
  readonly restartsMax: number;
  /** The longest wait inside an invocation. Longer ones are left to a later tick. */
  readonly shortWaitMsMax: number;
  readonly sendsInFlightMax: number;
  /** When Graph throttles the whole application without saying for how long. */
  readonly brakeMsDefault: number;
  /** How long an answer waits for others to fill its transaction. */
  readonly lingerMsMax: number;
  /** How often a run that lasts, and has come on meanwhile, tells that it is alive, and its figures. */
  readonly heartbeatMs: number;
  /** A run that has come on no longer ago is not taken over by the next tick. Longer than any answer is waited for. */
  readonly runYoungMs: number;
  /** How often a tick looks at such a run within that time, before it takes over. */
  readonly busyLooksMax: number;
  /** Mailboxes that one run finds to be slow and hands over: more are no coincidence, and wait like after a failure. */
  readonly newlySlowMax: number;
  /** Mailboxes that are refused alike before it can be the application's state. Our choice: fewer are a coincidence. */
  readonly refusedMin: number;
};

export const runLimits: RunLimits = {
  runMsMax: 4 * minuteMs,
  pagesPerRunMax: 50,
  batchesInFlightMax: 8,
  uncommittedMax: 400,
  newMailboxesPerTickMax: 600,
  restartsMax: 3,
  shortWaitMsMax: 3_000,
  sendsInFlightMax: 16,
  brakeMsDefault: 10_000,
  lingerMsMax: 1_000,
  heartbeatMs: 10_000,
  runYoungMs: 30_000,
  busyLooksMax: 30,
  newlySlowMax: 16,
  refusedMin: 5,
};

/** All that a driver needs from outside. */
export type Ports = {
  readonly clock: { nowMs(): number; sleep(ms: number): Promise<void>; readonly after: After };
  readonly random: { next(): number };
  readonly newId: () => string;
  readonly graph: GraphClient;
  readonly store: Store;
  /** Null when nudges are switched off. Resolves once all are queued. */
  readonly nudge: ((nudge: Nudge) => Promise<void>) | null;
  readonly log: Log;
  readonly limits: RunLimits;
  readonly batchSize: number;
  readonly auditMs: number;
};

/** What a decision needs from outside, drawn now. */
export function momentOf(ports: Ports, tick: string | null): Moment {
  return { nowMs: ports.clock.nowMs(), jitter: ports.random.next(), roundId: ports.newId(), tick };
}
