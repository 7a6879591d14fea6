import { describe, expect, test } from "vitest";
import { readSettings, SettingsError } from "../../shared/settings.js";
import { readTelemetry } from "../../shared/telemetry/settings.js";

const connectionString = "InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint=https://x.example/";
const azure = (auth: string) => ({
  APPLICATIONINSIGHTS_CONNECTION_STRING: connectionString,
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: auth,
});

describe("where telemetry goes", () => {
  test("nobody, unless an address is set, nor where the SDK is disabled", () => {
    expect(readTelemetry({}).settings).toBeNull();
    expect(readTelemetry({ OTEL_SERVICE_NAME: "mirror" }).settings).toBeNull();
    const disabled = { ...azure("Authorization=AAD"), OTEL_SDK_DISABLED: "TRUE" };
    expect(readTelemetry(disabled).settings).toBeNull();
  });

  test("a collector by OTLP", () => {
    const { settings } = readTelemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" });
    expect(settings).toEqual({
      isToOtlp: true,
      azureMonitor: null,
      isSampled: false,
      serviceName: "calendar-mirror",
    });
  });

  test.each([
    ["Authorization=AAD", { clientId: null }],
    ["ClientId=an-id;Authorization=AAD", { clientId: "an-id" }],
    [" authorization=aad ; CLIENTID = an-id ;", { clientId: "an-id" }],
  ])("Application Insights, signed in by %j", (text, identity) => {
    expect(readTelemetry(azure(text)).settings).toMatchObject({
      isToOtlp: false,
      azureMonitor: { connectionString, identity },
    });
  });

  test("the service is named as the app is, and sampled where a sampler is named", () => {
    const given = {
      ...azure("Authorization=AAD"),
      WEBSITE_SITE_NAME: "contoso-mirror",
      OTEL_TRACES_SAMPLER: "always_on",
    };
    expect(readTelemetry(given).settings).toMatchObject({ serviceName: "contoso-mirror", isSampled: true });
  });
});

test("mistakes are reported with all others at once", () => {
  const environment = {
    SHARDS: "3",
    OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4317",
    APPLICATIONINSIGHTS_CONNECTION_STRING: "nonsense",
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: "ClientId=an-id",
  };
  let mistakes: readonly string[] = [];
  try {
    readSettings({ AzureWebJobsStorage: "UseDevelopmentStorage=true", ...environment });
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    mistakes = error.mistakes;
  }
  expect(mistakes.map((mistake) => mistake.split(" ")[0]).sort()).toEqual(Object.keys(environment).sort());
});

describe("what the exporters would take otherwise than it is written is refused", () => {
  const otlp = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" };

  test.each([
    { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
    { OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf" },
    { OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "grpc" },
    { OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: "grpc" },
    { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "collector:4317" },
    { OTEL_TRACES_SAMPLER: "always" },
  ])("%j", (given) => {
    const [name] = Object.keys(given);
    const { mistakes } = readTelemetry({ ...otlp, ...given } as Record<string, string>);
    expect(mistakes).toEqual([expect.stringContaining(`${name} must be`)]);
  });

  test("an address for one half alone: the other half would go elsewhere", () => {
    const { mistakes } = readTelemetry({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://127.0.0.1:4318/v1/traces" });
    expect(mistakes).toEqual([expect.stringContaining("OTEL_EXPORTER_OTLP_ENDPOINT must be set too")]);
  });

  test("a protocol that is spoken, or that nothing is sent by, is taken", () => {
    expect(readTelemetry({ ...otlp, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" }).mistakes).toEqual([]);
    expect(readTelemetry({ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" })).toEqual({ settings: null, mistakes: [] });
  });
});
