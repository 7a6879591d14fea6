import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import type { Exporters } from "./openTelemetry.js";

/** OTLP over HTTP, as JSON. The exporters read address, headers and times from the OTEL_EXPORTER_OTLP_* settings themselves. */
export function otlpExporters(): Exporters {
  return { spans: new OTLPTraceExporter(), metrics: new OTLPMetricExporter() };
}
