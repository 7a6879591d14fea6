/** Where telemetry goes. No secrets: an instrumentation key names a resource and grants nothing. */
export type TelemetrySettings = {
  /** The exporters read its address from the environment themselves. */
  readonly isToOtlp: boolean;
  readonly azureMonitor: {
    readonly connectionString: string;
    /** The identity that signs in; null: none. Without `clientId` it is the system-assigned one. */
    readonly identity: { readonly clientId: string | null } | null;
  } | null;
  /** Whether OTEL_TRACES_SAMPLER chooses which invocations are recorded. */
  readonly isSampled: boolean;
  readonly serviceName: string;
};

const endpoints = [
  "OTEL_EXPORTER_OTLP_ENDPOINT",
  "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
  "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
];
const protocols = [
  "OTEL_EXPORTER_OTLP_PROTOCOL",
  "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
  "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
];
const samplers = ["always_on", "always_off", "traceidratio"].flatMap((name) => [name, `parentbased_${name}`]);

/** The settings that are read here. OpenTelemetry reads others itself. */
export const telemetryNames: readonly string[] = [
  ...endpoints,
  ...protocols,
  "OTEL_SDK_DISABLED",
  "OTEL_TRACES_SAMPLER",
  "APPLICATIONINSIGHTS_CONNECTION_STRING",
  "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
];

/**
 * Reads settings that OpenTelemetry and Azure have defined.
 * @returns `settings`: null when telemetry is off. `mistakes`: one line for each wrong setting, which says what is expected.
 */
export function readTelemetry(given: Readonly<Record<string, string>>): {
  readonly settings: TelemetrySettings | null;
  readonly mistakes: readonly string[];
} {
  const connectionString = given["APPLICATIONINSIGHTS_CONNECTION_STRING"];
  const isOff = given["OTEL_SDK_DISABLED"]?.toLowerCase() === "true";
  const isToOtlp = endpoints.some((name) => given[name] !== undefined);
  if (isOff || (!isToOtlp && connectionString === undefined)) return { settings: null, mistakes: [] };
  const mistakes: string[] = [...(isToOtlp ? otlpMistakes(given) : []), ...samplerMistakes(given)];
  if (connectionString !== undefined && !/(^|;)\s*InstrumentationKey=/i.test(connectionString)) {
    mistakes.push("APPLICATIONINSIGHTS_CONNECTION_STRING must hold InstrumentationKey=, as the portal shows it.");
  }
  const identity = identityOf(given["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"]);
  if (identity === "wrong") {
    mistakes.push(
      "APPLICATIONINSIGHTS_AUTHENTICATION_STRING must be Authorization=AAD, or ClientId=<client id>;Authorization=AAD.",
    );
    return { settings: null, mistakes };
  }
  const settings = {
    isToOtlp,
    azureMonitor: connectionString === undefined ? null : { connectionString, identity },
    isSampled: given["OTEL_TRACES_SAMPLER"] !== undefined,
    serviceName: given["WEBSITE_SITE_NAME"] ?? "calendar-mirror",
  };
  return { settings, mistakes };
}

/** @see https://opentelemetry.io/docs/specs/otel/protocol/exporter/ */
function otlpMistakes(given: Readonly<Record<string, string>>): string[] {
  const [whole = ""] = endpoints;
  const missing =
    given[whole] === undefined
      ? [`${whole} must be set too: without it the other half of the telemetry would go to this machine.`]
      : [];
  const notUrls = endpoints
    .filter((name) => given[name] !== undefined && !/^https?:\/\//i.test(URL.canParse(given[name]) ? given[name] : ""))
    .map((name) => `${name} must be a URL such as http://127.0.0.1:4318 (OTLP over HTTP).`);
  const spoken = protocols
    .filter((name) => given[name] !== undefined && given[name].toLowerCase() !== "http/json")
    .map(
      (name) =>
        `${name} must be http/json, which is all that the mirror speaks, or not set; a collector takes it on its port for HTTP, ` +
        `mostly 4318. It is ${JSON.stringify(given[name]?.slice(0, 80))}.`,
    );
  return [...missing, ...notUrls, ...spoken];
}

/** For any other name the SDK would silently take its own default. */
function samplerMistakes(given: Readonly<Record<string, string>>): string[] {
  const sampler = given["OTEL_TRACES_SAMPLER"];
  if (sampler === undefined || samplers.includes(sampler)) return [];
  return [`OTEL_TRACES_SAMPLER must be one of ${samplers.join(", ")}. It is ${JSON.stringify(sampler.slice(0, 80))}.`];
}

/** @see https://learn.microsoft.com/azure/azure-functions/functions-app-settings#applicationinsights_authentication_string */
function identityOf(text: string | undefined): { readonly clientId: string | null } | "wrong" | null {
  if (text === undefined) return null;
  const parts = new Map(
    text.split(";").map((part) => {
      const [name = "", ...value] = part.split("=");
      return [name.trim().toLowerCase(), value.join("=").trim()];
    }),
  );
  if (parts.get("authorization")?.toUpperCase() !== "AAD") return "wrong";
  return { clientId: parts.get("clientid") || null };
}
