#!/usr/bin/env bash
# forceFlush of OpenTelemetry for JavaScript (@opentelemetry/sdk-trace-base, BatchSpanProcessor) does not wait for spans that are being
# exported already: it sends what still waits, or nothing, and resolves. One would guess that all spans that ended before the call have left
# the process when it resolves, so that a function or a command may end then. Spans that the timer took a moment earlier are lost with it, and
# they are the ones of the work just done. The reader of metrics of the same release waits, and so does shutdown. The exporter's own
# forceFlush, which would wait, is not called.
# Needs Node.js 22 or later with npm. Ends with 0 while this is so.
set -euo pipefail
export LC_ALL=C

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

echo '{ "private": true, "type": "module" }' > package.json
cat > finding.js <<'PROGRAM'
import { once } from "node:events";
import { createServer } from "node:http";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

// A receiver that says when a request has come, and answers half a second later.
let came;
let answered = 0;
const receiver = createServer((request, response) => {
  request.resume().on("end", () => {
    came();
    setTimeout(() => {
      answered += 1;
      response.setHeader("content-type", "application/json").end("{}");
    }, 500);
  });
});
await once(receiver.listen(0, "127.0.0.1"), "listening");
const url = `http://127.0.0.1:${receiver.address().port}`;

// Something is recorded, the timer begins to export it, and only then it is flushed.
async function show(what, provider, record, end) {
  const begun = new Promise((resolve) => { came = resolve; });
  answered = 0;
  record();
  await begun;
  await end();
  console.log(`${what} | ${answered === 0 ? "under way" : "received"}`);
  await provider.shutdown();
}
function spans(what, end) {
  const processor = new BatchSpanProcessor(new OTLPTraceExporter({ url }), { scheduledDelayMillis: 50 });
  const provider = new BasicTracerProvider({ spanProcessors: [processor] });
  return show(what, provider, () => provider.getTracer("finding").startSpan("work").end(), () => end(provider));
}
await spans("spans, forceFlush", (provider) => provider.forceFlush());
await spans("spans, shutdown", (provider) => provider.shutdown());
const reader = new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter({ url }), exportIntervalMillis: 1000, exportTimeoutMillis: 900 });
const meters = new MeterProvider({ readers: [reader] });
await show("metrics, forceFlush", meters, () => meters.getMeter("finding").createCounter("work").add(1), () => meters.forceFlush());
receiver.close();
receiver.closeAllConnections();
PROGRAM
cat > expected <<'EXPECTED'
spans, forceFlush | under way
spans, shutdown | received
metrics, forceFlush | received
EXPECTED

npm install --loglevel=error --no-audit --no-fund --ignore-scripts --save-exact @opentelemetry/api@1.9.1 @opentelemetry/sdk-trace-base@2.12.0 @opentelemetry/sdk-metrics@2.12.0 @opentelemetry/exporter-trace-otlp-http@0.223.0 @opentelemetry/exporter-metrics-otlp-http@0.223.0 > install.log 2>&1 || { cat install.log; exit 1; }
NO_PROXY=127.0.0.1 node finding.js > seen
echo "@opentelemetry/sdk-trace-base 2.12.0 with Node.js $(node --version): what was being exported, and the call | state of the export when it resolved"
cat seen
diff expected seen && echo "As found: forceFlush does not wait for spans that are under way."
