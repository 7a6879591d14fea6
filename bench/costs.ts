import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createHttpHeaders, type HttpClient } from "@azure/core-rest-pipeline";
import { azureMonitorExporters } from "../shared/telemetry/azureMonitor.js";
import { metrics } from "../shared/telemetry/metrics.js";
import { createOpenTelemetry } from "../shared/telemetry/openTelemetry.js";
import type { Point } from "../shared/telemetry/telemetry.js";
import { costLines, monthlyBill, surroundingsBill, type Told } from "./bill.js";
import { prices } from "./prices.js";
import { countedWorld } from "./quietTick.js";

/** `npm run bench:costs`: the whole bill of a month by size, as docs/deploy.md shows it, from counts, weights and the price list. */

/** Spans of a quiet tick for one mailbox: `npm run bench:telemetry` counts them. */
const spansPerMailbox = 0.061;
const shards = 16;
const rules =
  readFileSync(join(import.meta.dirname, "..", "infra", "alerts.bicep"), "utf8").match(/^ {4}name: '/gm) ?? [];

process.env["APPLICATION_INSIGHTS_NO_STATSBEAT"] = "true"; // As shared/telemetry/start.ts does: nothing leaves this machine.
process.env["APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED"] = "true";
const large = await (await countedWorld({ mailboxes: 10_000, calendars: 2, shards })).tick();
const small = await (await countedWorld({ mailboxes: 1_000, calendars: 25, shards })).tick();
const lines = costLines(small, large);
const told = await weigh();
const rows = [1_000, 10_000, 100_000].map((mailboxes) => {
  const { dollars, egressGb } = monthlyBill(mailboxes, lines, 0.05);
  const { logsGb, dollars: around } = surroundingsBill(mailboxes, lines, told, {
    shards,
    alerts: rules.length,
    spansPerMailbox,
  });
  const app = dollars.all - dollars.table - dollars.queue;
  const total = dollars.all + around.logs + around.alerts;
  const figures = [
    app,
    dollars.table + dollars.queue,
    around.logs,
    around.alerts,
    total,
    around.endpoints,
    dollars.egress,
  ];
  return { mailboxes, figures, logsGb, egressGb };
});

console.log(
  `US dollars a month, list prices as of ${prices.writtenDown} (bench/prices.ts), ${rules.length} alerts, ${shards} shards:`,
);
console.log(
  "| mailboxes | instances' time | table, queues | logs | alerts | together | private endpoints | egress, if billed |",
);
console.log("|---|---|---|---|---|---|---|---|");
for (const { mailboxes, figures } of rows)
  console.log(`| ${mailboxes.toLocaleString("en")} | ${figures.map((figure) => figure.toFixed(2)).join(" | ")} |`);
for (const { mailboxes, logsGb, egressGb } of rows)
  console.log(`${mailboxes}: ${logsGb.toFixed(1)} GB of logs as billed, ${egressGb.toFixed(0)} GB to Graph`);
console.log(
  `A span weighs ${told.spanBytes.toFixed(0)} bytes on its way to Application Insights, a figure ${told.metricBytes.toFixed(0)}; ` +
    `a mailbox's rows ${(large.tableBytes / large.mailboxes).toFixed(0)} bytes a tick.`,
);

/** What the exporter puts on the wire for a span of a call and for figures, each as one record. */
async function weigh(): Promise<Told> {
  const records: { readonly bytes: number; readonly isMetric: boolean }[] = [];
  const httpClient: HttpClient = {
    async sendRequest(request) {
      const items = JSON.parse(String(request.body)) as { readonly data: { readonly baseType: string } }[];
      for (const item of items)
        records.push({ bytes: JSON.stringify(item).length, isMetric: item.data.baseType === "MetricData" });
      const bodyAsText = JSON.stringify({ itemsReceived: items.length, itemsAccepted: items.length, errors: [] });
      return { request, status: 200, headers: createHttpHeaders({ "content-type": "application/json" }), bodyAsText };
    },
  };
  const connection =
    "InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint=https://ingest.example/";
  const resource = {
    "service.name": "calendar-mirror-abcdefghijklm",
    "service.instance.id": "00000000-0000-4000-8000-000000000001",
  };
  const exporters = [azureMonitorExporters(connection, null, httpClient)];
  const telemetry = createOpenTelemetry({ exporters, resource, isSampled: false, nowMs: () => 0 });
  const attributes = {
    "http.request.method": "POST",
    "calendar_mirror.batch_items": 20,
    "http.response.status_code": 200,
    "calendar_mirror.throttled_items": 0,
    "calendar_mirror.client_request_id": "00000000-0000-4000-8000-000000000002",
    "calendar_mirror.request_id": "00000000-0000-4000-8000-000000000003",
  };
  await telemetry.span("graph batch", { kind: "client", attributes }, async () => undefined);
  const points = Object.entries(metrics).map(([metric, { kind }]): Point => {
    const name = metric as Point["metric"];
    return kind === "gauge" ? { metric: name, value: 1, shard: "0a" } : { metric: name, value: 1 };
  });
  telemetry.record(points);
  await telemetry.flush((trouble) => console.error(trouble));
  const mean = (isMetric: boolean) => {
    const weights = records.filter((record) => record.isMetric === isMetric).map(({ bytes }) => bytes);
    return weights.reduce((sum, bytes) => sum + bytes, 0) / weights.length;
  };
  const counters = points.filter(({ shard }) => shard === undefined).length;
  return { spanBytes: mean(false), metricBytes: mean(true), counters, gaugesPerShard: points.length - counters };
}
