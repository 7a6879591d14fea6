import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import type { Exporters } from "./openTelemetry.js";

/** Exporters for OTLP over HTTP, as JSON. They read address, headers and timeouts from the OTEL_EXPORTER_OTLP_* settings. */
export function otlpExporters(): Exporters {
  return { spans: new OTLPTraceExporter(), metrics: new OTLPMetricExporter() };
}
