/** Who is told what the mirror does. Secrets in it: none; an instrumentation key names a resource and opens nothing. */
export type TelemetrySettings = {
  /** The exporters read where from the environment themselves. */
  readonly isToOtlp: boolean;
  readonly azureMonitor: {
    readonly connectionString: string;
    /** The identity that signs in; null: none does. Without `clientId` it is the system-assigned one. */
    readonly identity: { readonly clientId: string | null } | null;
  } | null;
  /** Whether OTEL_TRACES_SAMPLER chooses which invocations are told. */
  readonly isSampled: boolean;
  readonly serviceName: string;
};

/** Reads the settings that OpenTelemetry and Azure have names for. Settings that are wrong are told, with how to mend them. */
export function readTelemetry(given: Readonly<Record<string, string>>): {
  readonly settings: TelemetrySettings | null;
  readonly mistakes: readonly string[];
} {
  const endpoint = given["OTEL_EXPORTER_OTLP_ENDPOINT"];
  const connectionString = given["APPLICATIONINSIGHTS_CONNECTION_STRING"];
  const isOff = given["OTEL_SDK_DISABLED"]?.toLowerCase() === "true";
  if (isOff || (endpoint === undefined && connectionString === undefined)) return { settings: null, mistakes: [] };
  const mistakes: string[] = [];
  if (endpoint !== undefined && !/^https?:\/\//i.test(URL.canParse(endpoint) ? endpoint : "")) {
    mistakes.push("OTEL_EXPORTER_OTLP_ENDPOINT must be a URL such as http://127.0.0.1:4318 (OTLP over HTTP).");
  }
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
    isToOtlp: endpoint !== undefined,
    azureMonitor: connectionString === undefined ? null : { connectionString, identity },
    isSampled: given["OTEL_TRACES_SAMPLER"] !== undefined,
    serviceName: given["WEBSITE_SITE_NAME"] ?? "calendar-mirror",
  };
  return { settings, mistakes };
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
