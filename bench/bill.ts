import { assumed, prices } from "./prices.js";
import type { TickCounts } from "./quietTick.js";

/** Counts as a straight line: what a tick costs however few mailboxes there are, and what each mailbox adds. */
type Line = { readonly perTick: number; readonly perMailbox: number };
type Counted =
  | "graphRequests"
  | "graphBytesSent"
  | "graphLinksSent"
  | "tableRequests"
  | "tableBytes"
  | "executions"
  | "queueOperations";
export type CostLines = Readonly<Record<Counted, Line>>;

/** The line through two counted worlds. */
export function costLines(small: TickCounts, large: TickCounts): CostLines {
  const lineOf = (name: Counted): Line => {
    const perMailbox = (large[name] - small[name]) / (large.mailboxes - small.mailboxes);
    return { perTick: small[name] - perMailbox * small.mailboxes, perMailbox };
  };
  return {
    graphRequests: lineOf("graphRequests"),
    graphBytesSent: lineOf("graphBytesSent"),
    graphLinksSent: lineOf("graphLinksSent"),
    tableRequests: lineOf("tableRequests"),
    tableBytes: lineOf("tableBytes"),
    executions: lineOf("executions"),
    queueOperations: lineOf("queueOperations"),
  };
}

export type Bill = {
  readonly mailboxes: number;
  readonly graphRequests: number;
  readonly gbSeconds: number;
  /** Instances that must work at once to be done within a tick. More than 1 needs more than 32 shards. */
  readonly instances: number;
  /** Sent to Graph: requests with their links and tokens. */
  readonly egressGb: number;
  /** `all` is without `egress`, which is what that would cost if Azure bills what goes to Graph as internet traffic. */
  readonly dollars: Readonly<Record<"executions" | "gbSeconds" | "table" | "queue" | "all" | "egress", number>>;
};

const billed = (count: number, free: number) => Math.max(0, count - free);

/**
 * One month of five-minute ticks over quiet mailboxes, audits included.
 * @param auditTableRequests Table requests that the audit of one mailbox adds.
 */
export function monthlyBill(mailboxes: number, lines: CostLines, auditTableRequests: number): Bill {
  const { ticksPerMonth, auditsPerMonth } = assumed;
  const monthly = ({ perTick, perMailbox }: Line) => ticksPerMonth * (perTick + perMailbox * mailboxes);
  const audits = mailboxes * auditsPerMonth;
  const graphRequests = monthly(lines.graphRequests) + audits / assumed.itemsPerBatch;
  const tableRequests = monthly(lines.tableRequests) + audits * auditTableRequests;
  const batchSeconds = (assumed.itemsPerBatch / assumed.itemsAtOnce) * (assumed.graphMsPerItem / 1000);
  const waiting = ((lines.graphRequests.perMailbox * mailboxes) / assumed.callsInFlight) * batchSeconds;
  const working = (mailboxes * assumed.cpuMsPerMailbox) / 1000;
  const { secondsAtLeast, timersPerTick } = assumed;
  const secondsPerTick = timersPerTick * secondsAtLeast + Math.max(secondsAtLeast, waiting + working);
  const gbSeconds = ticksPerMonth * secondsPerTick * assumed.instanceGb;
  const { functions, table, queue } = prices;
  const executions =
    (billed(monthly(lines.executions) + assumed.idleExecutionsPerMonth, functions.freeExecutions) / 1e6) *
    functions.perMillionExecutions;
  const time = billed(gbSeconds, functions.freeGbSeconds) * functions.perGbSecond;
  const tableDollars = (tableRequests / 10_000) * table.per10000Transactions;
  const queueOperations = monthly(lines.queueOperations) + assumed.idleQueueOperationsPerMonth;
  const queueDollars = (queueOperations / 10_000) * queue.per10000Operations;
  const all = executions + time + tableDollars + queueDollars;
  const egressGb = egressOf(lines, mailboxes);
  const egress = billed(egressGb, prices.egress.freeGb) * prices.egress.perGb;
  const dollars = { executions, gbSeconds: time, table: tableDollars, queue: queueDollars, all, egress };
  const tickSeconds = (30 * 86_400) / ticksPerMonth;
  const instances = Math.ceil((waiting + working) / (tickSeconds * assumed.busyShareMax));
  return { mailboxes, graphRequests, gbSeconds, instances, egressGb, dollars };
}

/** A month of requests to Graph in GB of 1,000³ bytes; that of an audit is about as long as any. */
function egressOf(lines: CostLines, mailboxes: number): number {
  const { linkTokenBytes, accessTokenBytes, wireShare, ticksPerMonth, auditsPerMonth } = assumed;
  const each = ({ perTick, perMailbox }: Line) => perTick + perMailbox * mailboxes;
  const tokens = each(lines.graphLinksSent) * linkTokenBytes + each(lines.graphRequests) * accessTokenBytes;
  const bytesPerTick = each(lines.graphBytesSent) + tokens;
  const audits = mailboxes * auditsPerMonth * (bytesPerTick / Math.max(1, mailboxes));
  return ((ticksPerMonth * bytesPerTick + audits) * wireShare) / 1e9;
}

/** What one tick of a shard tells Application Insights, weighed on its way there. */
export type Told = {
  readonly spanBytes: number;
  readonly gaugesPerShard: number;
  readonly counters: number;
  readonly metricBytes: number;
};

export type Surroundings = {
  /** Sent to Log Analytics as it is billed. */
  readonly logsGb: number;
  readonly dollars: Readonly<Record<"logs" | "alerts" | "endpoints", number>>;
};

/**
 * What stands around the app in a month: its telemetry, the alerts of `infra/`, and, with VNET_ENABLED, private endpoints and zones.
 * @param spansPerMailbox Spans of a quiet tick, before sampling.
 */
export function surroundingsBill(
  mailboxes: number,
  lines: CostLines,
  told: Told,
  {
    shards,
    alerts,
    spansPerMailbox,
  }: { readonly shards: number; readonly alerts: number; readonly spansPerMailbox: number },
): Surroundings {
  const { ticksPerMonth, linesPerExecution, bytesPerLine, bytesPerRequest } = assumed;
  const each = ({ perTick, perMailbox }: Line) => perTick + perMailbox * mailboxes;
  const executions = ticksPerMonth * each(lines.executions) + assumed.idleExecutionsPerMonth;
  const spans = ticksPerMonth * mailboxes * spansPerMailbox * assumed.sampledShareOfSpans * told.spanBytes;
  const points = shards * told.gaugesPerShard + assumed.metricsSentPerTick * told.counters;
  const metrics = ticksPerMonth * points * told.metricBytes;
  const host = executions * (bytesPerRequest + linesPerExecution * bytesPerLine);
  const logsGb = ((spans + metrics + host) * assumed.billedShareOfTelemetry) / 1e9;
  const { monitor, network } = prices;
  const tableGb = (ticksPerMonth * each(lines.tableBytes)) / 1e9;
  const endpointHours = assumed.privateServices * assumed.hoursPerMonth * network.perEndpointHour;
  return {
    logsGb,
    dollars: {
      logs: billed(logsGb, monitor.freeGb) * monitor.perGb,
      alerts: alerts * monitor.perAlert,
      endpoints: endpointHours + assumed.privateServices * network.perZone + tableGb * network.perGb,
    },
  };
}
