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
  /**
   * https://azure.microsoft.com/pricing/details/monitor/ (Analytics Logs; the grant is per billing account; a log search alert that looks
   * every five minutes). As the Retail Prices API gave them on 3 October 2026:
   * https://github.com/agenticcodingops/azure-wordpress (its cost guide)
   */
  monitor: { perGb: 2.3, freeGb: 5, perAlert: 1.5 },
  /**
   * https://azure.microsoft.com/pricing/details/private-link/ and https://azure.microsoft.com/pricing/details/dns/ (a zone of the first
   * 25). As the Retail Prices API gave them on 17 September and 3 October 2026:
   * https://github.com/api-evangelist/microsoft-azure-private-link and the guide above
   */
  network: { perEndpointHour: 0.01, perGb: 0.01, perZone: 0.5 },
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
  /** Flex bills at least one second for each time that an instance works: one for each timer of a tick's length, one for the runs. */
  secondsAtLeast: 1,
  timersPerTick: 2,
  /** Looks at empty queues, by the host and by whatever scales it: three queues and their poison queues, every 10 s. */
  idleQueueOperationsPerMonth: 6 * 6 * 60 * 24 * 30,
  /** Functions that start though nothing has changed: startDeliveries every five minutes, discovery every hour, retention each day. */
  idleExecutionsPerMonth: (12 + 1) * 24 * 30 + 30,
  /**
   * What the host itself sends of an invocation: a request, and lines of the log, its own two and one of ours. Nobody has weighed them
   * in Azure: look at `Usage` after the first days.
   */
  bytesPerRequest: 1_000,
  linesPerExecution: 3,
  bytesPerLine: 800,
  /** Metrics are sent at the end of invocations, ten seconds apart at least, and counters each time. */
  metricsSentPerTick: 3,
  /** What Application Insights bills of a record that is sent: learn.microsoft.com/azure/azure-monitor/logs/cost-logs. */
  billedShareOfTelemetry: 0.75,
  /** As infra/app.bicep sets it. */
  sampledShareOfSpans: 0.05,
  hoursPerMonth: 730,
  privateServices: 3,
} as const;
