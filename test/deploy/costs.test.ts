import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type CostLines, monthlyBill, surroundingsBill } from "../../bench/bill.js";
import { prices } from "../../bench/prices.js";

/** The bill that docs/deploy.md shows. `npm run bench:costs` counts anew; here is what can be said without counting. */

const root = join(import.meta.dirname, "..", "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const alerts = read("infra/alerts.bicep").match(/^ {4}name: '/gm)?.length ?? 0;
const rows = [...read("docs/deploy.md").matchAll(/^\| ([\d,]+)((?: \| [\d.]+){7}) \|$/gm)].map(
  ([, mailboxes = "", rest = ""]) => ({
    mailboxes: Number(mailboxes.replaceAll(",", "")),
    dollars: rest.split(" | ").slice(1).map(Number),
  }),
);

test("the table has three sizes, every alert of infra/, and sums that are right to the cent", () => {
  expect(rows.map(({ mailboxes }) => mailboxes)).toEqual([1_000, 10_000, 100_000]);
  for (const { dollars } of rows) {
    const [time = 0, storage = 0, logs = 0, told, together] = dollars;
    expect(told).toBeCloseTo(alerts * prices.monitor.perAlert, 2);
    expect(together).toBeCloseTo(time + storage + logs + (told ?? 0), 1);
  }
});

const line = (perTick: number, perMailbox: number) => ({ perTick, perMailbox });
const lines: CostLines = {
  graphRequests: line(1, 0.05),
  graphBytesSent: line(0, 220),
  graphLinksSent: line(0, 1),
  tableRequests: line(80, 0.014),
  tableBytes: line(0, 1_500),
  executions: line(17, 0),
  queueOperations: line(34, 0),
};
const told = { spanBytes: 900, metricBytes: 500, gaugesPerShard: 6, counters: 5 };

test("what stands around the app grows with mailboxes, and is free below what Azure gives away", () => {
  const around = (mailboxes: number) =>
    surroundingsBill(mailboxes, lines, told, { shards: 16, alerts: 6, spansPerMailbox: 0.061 });
  expect(around(1_000).dollars.logs).toBe(0);
  const large = around(1_000_000);
  expect(large.logsGb).toBeGreaterThan(prices.monitor.freeGb);
  expect(large.dollars.logs).toBeCloseTo((large.logsGb - prices.monitor.freeGb) * prices.monitor.perGb, 6);
  expect(large.dollars.endpoints).toBeGreaterThan(around(1_000).dollars.endpoints);
  expect(around(1_000).dollars.alerts).toBe(9);
});

test("both timers of a tick are paid for, however few mailboxes there are", () => {
  const none = monthlyBill(0, lines, 0);
  expect(none.gbSeconds).toBe(8_640 * 3 * 2); // Two timers and the runs, a second each at least, of an instance of 2 GB.
});
