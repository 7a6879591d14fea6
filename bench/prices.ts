import { graphLimits } from "../shared/graph/limits.js";

/**
 * The price list that `npm run bench:counts` works with: US dollars, pay as you go, East US. Written down in November
 * 2026 from published guides, for the price pages fill in their figures by script: check them there before you plan with
 * them, and change them here only.
 */
export const prices = {
  writtenDown: "2026-11",
  /**
   * https://azure.microsoft.com/pricing/details/functions/ (Flex Consumption, on demand; grants per subscription); the
   * price of time also in https://modal.com/blog/azure-function-pricing-guide
   */
  functions: { perGbSecond: 0.000026, freeGbSeconds: 100_000, perMillionExecutions: 0.4, freeExecutions: 250_000 },
  /** https://azure.microsoft.com/pricing/details/storage/tables/ (a transaction of 100 operations bills as one) */
  table: { per10000Transactions: 0.00036 },
  /** https://azure.microsoft.com/pricing/details/storage/queues/ (general purpose v2, the dearer operation class) */
  queue: { per10000Operations: 0.004 },
  /** https://azure.microsoft.com/pricing/details/bandwidth/ (internet egress, zone 1, up to 10 TB; the grant is per subscription) */
  egress: { perGb: 0.087, freeGb: 100 },
} as const;

/** What the counts do not tell. Each is an assumption, and each can be replaced by what you see. */
export const assumed = {
  ticksPerMonth: (30 * 24 * 60) / 5,
  /** An audit for each mailbox every `AUDIT_DAYS`, which come at three quarters to one of that. */
  auditsPerMonth: 30 / (7 * 0.875),
  /** Graph's time for one item, and how many items of a batch it works on at a time. */
  graphMsPerItem: 120,
  itemsAtOnce: 4,
  itemsPerBatch: 20,
  /**
   * A link's token and the access token, which goes with each request: Graph's links had 150 to 500 characters where we saw
   * any. TCP and TLS add a little to what is sent.
   */
  linkTokenBytes: 350,
  accessTokenBytes: 2_000,
  wireShare: 1.05,
  /** The part of a tick that an instance may work before there must be a second one. */
  busyShareMax: 0.8,
  /** Graph calls in flight of one instance. */
  callsInFlight: graphLimits.socketsMax,
  /** Of the instance that runs `runRounds`: its memory as provisioned, and its own work. */
  instanceGb: 2,
  cpuMsPerMailbox: 0.5,
  /** Flex bills at least one second for each time that an instance works: one for the timer, one for the runs. */
  secondsAtLeast: 1,
  /** Looks at empty queues, by the host and by whatever scales it: four queues, every 10 s. */
  idleQueueOperationsPerMonth: 4 * 6 * 60 * 24 * 30,
} as const;
