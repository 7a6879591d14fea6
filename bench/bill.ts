import { assumed, prices } from "./prices.js";
import type { TickCounts } from "./quietTick.js";

/** Counts as a straight line: what a tick costs however few mailboxes there are, and what each mailbox adds. */
type Line = { readonly perTick: number; readonly perMailbox: number };
type Counted =
  | "graphRequests"
  | "graphBytesSent"
  | "graphLinksSent"
  | "tableRequests"
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
  const secondsPerTick = assumed.secondsAtLeast + Math.max(assumed.secondsAtLeast, waiting + working);
  const gbSeconds = ticksPerMonth * secondsPerTick * assumed.instanceGb;
  const { functions, table, queue } = prices;
  const billed = (count: number, free: number) => Math.max(0, count - free);
  const executions =
    (billed(monthly(lines.executions), functions.freeExecutions) / 1e6) * functions.perMillionExecutions;
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
