import { createHttpHeaders, type HttpClient } from "@azure/core-rest-pipeline";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { azureMonitorExporters } from "../../shared/telemetry/azureMonitor.js";
import { createOpenTelemetry } from "../../shared/telemetry/openTelemetry.js";
import { startTelemetry, switchedOff } from "../../shared/telemetry/start.js";

/** What Application Insights would be sent. */

type Envelope = {
  readonly tags: Readonly<Record<string, string>>;
  readonly data: {
    readonly baseType: string;
    readonly baseData: {
      readonly name?: string;
      readonly type?: string;
      readonly success?: boolean;
      readonly properties: Readonly<Record<string, string>>;
      readonly metrics?: readonly { readonly name: string; readonly value: number }[];
    };
  };
};

const envelopes: Envelope[] = [];
const authorizations = new Set<string | undefined>();
const httpClient: HttpClient = {
  async sendRequest(request) {
    const items = JSON.parse(String(request.body)) as Envelope[];
    envelopes.push(...items);
    authorizations.add(request.headers.get("authorization"));
    const bodyAsText = JSON.stringify({ itemsReceived: items.length, itemsAccepted: items.length, errors: [] });
    return { request, status: 200, headers: createHttpHeaders({ "content-type": "application/json" }), bodyAsText };
  },
};
const connectionString =
  "InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint=https://ingest.example/";

beforeAll(() => {
  for (const name of switchedOff) vi.stubEnv(name, "true");
});

afterAll(() => {
  vi.unstubAllEnvs();
});

test("an invocation is a dependency below the host's request, and no second request; figures keep name and shard", async () => {
  const resource = { "service.name": "mirror", "service.instance.id": "one" };
  const credential = { getToken: async () => ({ token: "of-the-identity", expiresOnTimestamp: 8e15 }) };
  const exporters = [azureMonitorExporters(connectionString, credential, httpClient)];
  const telemetry = createOpenTelemetry({ exporters, resource, isSampled: false, nowMs: () => 0 });
  const [traceId, parentId] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];
  const traceParent = `00-${traceId}-${parentId}-00`; // Not sampled, says the host: that is about its own telemetry.
  const about = { kind: "internal", attributes: { "faas.name": "runRounds" }, traceParent } as const;
  await telemetry.span("runRounds", about, async () => {
    const attributes = { "http.request.method": "POST" };
    await telemetry.span("graph batch", { kind: "client", attributes }, async (span) => span.fail("429"));
  });
  telemetry.record([{ metric: "calendar_mirror.lag", value: 12, shard: "0a" }]);
  telemetry.record([{ metric: "calendar_mirror.rounds", value: 3 }]);
  await telemetry.flush(() => undefined);

  expect([...authorizations]).toEqual(["Bearer of-the-identity"]);
  const dependencies = envelopes.filter(({ data }) => data.baseType === "RemoteDependencyData");
  expect(dependencies.map(({ data: { baseData } }) => [baseData.name, baseData.type, baseData.success])).toEqual([
    ["graph batch", "Http", false],
    ["runRounds", "InProc", true],
  ]);
  expect(dependencies[1]?.tags).toMatchObject({
    "ai.operation.id": traceId,
    "ai.operation.parentId": parentId,
    "ai.cloud.role": "mirror",
  });
  expect(envelopes.filter(({ data }) => data.baseType === "RequestData")).toEqual([]);
  const figures = envelopes.flatMap(({ data: { baseData } }) =>
    (baseData.metrics ?? []).map(({ name, value }) => [name, value, baseData.properties["shard"]]),
  );
  expect(figures).toEqual(
    expect.arrayContaining([
      ["calendar_mirror.lag", 12, "0a"],
      ["calendar_mirror.rounds", 3, undefined],
    ]),
  );
  expect(figures.map(([name]) => name)).not.toContain("_OTELRESOURCE_");
});

test("what the exporter would send of its own accord is switched off before it is loaded, unless somebody has decided", async () => {
  const [first = "", second = ""] = switchedOff;
  const environment: Record<string, string | undefined> = { [second]: "false" };
  const azureMonitor = { connectionString, identity: null };
  const settings = { isToOtlp: false, azureMonitor, isSampled: false, serviceName: "mirror" };
  const credentialOf = () => Promise.reject(new Error("No identity is asked for."));
  const troubles: string[] = [];
  const report = (trouble: string) => void troubles.push(trouble);
  await startTelemetry({ settings, credentialOf, newId: () => "one", nowMs: () => 0, report, environment });
  expect(troubles).toEqual([]);
  expect(environment).toEqual({ [first]: "true", [second]: "false" });
});
