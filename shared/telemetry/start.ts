import type { TokenCredential } from "@azure/core-auth";
import type { TelemetrySettings } from "./settings.js";
import type { Telemetry } from "./telemetry.js";

/** What telemetry is started with. */
export type StartOptions = {
  readonly settings: TelemetrySettings;
  /** The identity that signs in to Application Insights. */
  readonly credentialOf: (clientId: string | null) => Promise<TokenCredential>;
  readonly newId: () => string;
  readonly nowMs: () => number;
  readonly report: (trouble: string) => void;
  /** That of this process: the exporter for Application Insights takes some options only from there. */
  readonly environment: Record<string, string | undefined>;
};

/**
 * Switches for what the exporter would send of its own accord: a metric `_OTELRESOURCE_` beside each batch of spans, and figures about
 * itself, to Microsoft instead of the resource. Only the word `true` switches them off.
 * @internal For tests.
 */
export const switchedOff: readonly string[] = [
  "APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED",
  "APPLICATION_INSIGHTS_NO_STATSBEAT",
];

/** Loads and starts only what the settings need. Null when it cannot start, which is reported: the mirror runs without it. */
export async function startTelemetry(options: StartOptions): Promise<Telemetry | null> {
  const { settings, credentialOf, newId, nowMs, report, environment } = options;
  const { isToOtlp, azureMonitor, isSampled, serviceName } = settings;
  for (const name of switchedOff) environment[name] ??= "true";
  try {
    const [{ createOpenTelemetry }, ...exporters] = await Promise.all([
      import("./openTelemetry.js"),
      ...(isToOtlp ? [otlp()] : []),
      ...(azureMonitor === null ? [] : [applicationInsights(azureMonitor, credentialOf)]),
    ]);
    const resource = {
      "service.name": serviceName,
      "service.instance.id": newId(), // Each process counts for itself.
    };
    return createOpenTelemetry({ exporters, resource, isSampled, nowMs });
  } catch (error) {
    report(
      `Telemetry could not be started, and is off until the next start: ${error instanceof Error ? error.name : ""}`,
    );
    return null;
  }
}

async function otlp() {
  const { otlpExporters } = await import("./otlp.js");
  return otlpExporters();
}

async function applicationInsights(
  { connectionString, identity }: NonNullable<TelemetrySettings["azureMonitor"]>,
  credentialOf: StartOptions["credentialOf"],
) {
  const { azureMonitorExporters } = await import("./azureMonitor.js");
  return azureMonitorExporters(connectionString, identity === null ? null : await credentialOf(identity.clientId));
}
