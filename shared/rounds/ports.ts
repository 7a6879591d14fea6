import type { GraphClient } from "../graph/client.js";
import type { Log } from "../log.js";
import type { Nudge } from "../messages.js";
import type { Store } from "../store/store.js";
import { minuteMs } from "../sync/time.js";
import type { Moment } from "../sync/types.js";
import type { After } from "../timer.js";

/** How much one invocation does before it hands on. All are our own choice. */
export const runLimits = {
  /** Far below the function timeout of 10 minutes, which would kill the whole process. */
  runMsMax: 4 * minuteMs,
  pagesPerRunMax: 50,
  /** Graph calls in flight of one shard's run. */
  batchesInFlightMax: 8,
  /** Mailboxes asked but not yet committed: beyond it the run waits for the table. */
  uncommittedMax: 400,
  /**
   * Never-asked mailboxes that get their first round in one tick of a shard: full rounds of a large onboarding must not
   * starve the others. 600 brings 100,000 in within 11 ticks of 16 shards, which is an hour of five-minute ticks.
   */
  newMailboxesPerTickMax: 600,
  /**
   * Marks of a full round in hand that its checkpoint carries, in characters. Calendars that came together take one range of
   * sequences, so nearly all mailboxes fit many times over.
   */
  marksCharsMax: 4_000,
  /** How often a mailbox starts over within one run: a lost sync state, then a full mailbox, then enough. */
  restartsMax: 3,
  /** The longest wait inside an invocation. Longer ones are left to a later tick. */
  shortWaitMsMax: 3_000,
  sendsInFlightMax: 16,
  /** When Graph throttles the whole application without saying for how long. */
  brakeMsDefault: 10_000,
  /** How long an answer waits for others to fill its transaction. */
  lingerMsMax: 1_000,
  /** How often a run that has made progress meanwhile reports that it is alive, and its figures. */
  heartbeatMs: 10_000,
  /** A run that has made progress within this time is not taken over by the next tick. Longer than any answer is waited for. */
  runYoungMs: 30_000,
  /** How often a tick looks at such a run within that time, before it takes over. */
  busyLooksMax: 30,
  /** Mailboxes that one run finds to be slow and hands over. More are no coincidence: they wait like after a failure. */
  newlySlowMax: 16,
  /** Mailboxes that are refused alike before it can be the application's state. Our choice: fewer are a coincidence. */
  refusedMin: 5,
} as const;

/** Passed in like the clock: a simulation makes them tiny. */
export type RunLimits = Readonly<Record<keyof typeof runLimits, number>>;

/** All that `runRounds` and `applyPage` need from outside. */
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
