import type { TokenCredential } from "@azure/core-auth";
import type { HttpClient } from "@azure/core-rest-pipeline";
import { AzureMonitorMetricExporter, AzureMonitorTraceExporter } from "@azure/monitor-opentelemetry-exporter";
import type { Exporters } from "./openTelemetry.js";

/**
 * Exporters for Application Insights. Nothing is kept on the instance's disk for later: what cannot be sent is lost.
 * @param credential Null: the connection string alone is enough.
 * @param httpClient For tests: what puts a request on the wire.
 * @throws Error when the connection string holds no instrumentation key.
 */
export function azureMonitorExporters(
  connectionString: string,
  credential: TokenCredential | null,
  httpClient?: HttpClient,
): Exporters {
  const options = {
    connectionString,
    disableOfflineStorage: true,
    ...(credential === null ? {} : { credential }),
    ...(httpClient === undefined ? {} : { httpClient }),
  };
  return { spans: new AzureMonitorTraceExporter(options), metrics: new AzureMonitorMetricExporter(options) };
}
