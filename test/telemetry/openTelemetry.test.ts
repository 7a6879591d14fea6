import { ExportResultCode } from "@opentelemetry/core";
import { AggregationTemporality, InMemoryMetricExporter } from "@opentelemetry/sdk-metrics";
import { InMemorySpanExporter } from "@opentelemetry/sdk-trace-base";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createOpenTelemetry } from "../../shared/telemetry/openTelemetry.js";

const resource = { "service.name": "mirror", "service.instance.id": "one" };

function trial({ isSampled = false, spans = new InMemorySpanExporter() } = {}) {
  const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  let nowMs = 0;
  const nextMs = () => {
    nowMs += 3_600_000; // No flush is put off, and no trouble kept back.
    return nowMs;
  };
  const telemetry = createOpenTelemetry({ exporters: [{ spans, metrics }], resource, isSampled, nowMs: nextMs });
  const reported: string[] = [];
  const flush = () => telemetry.flush((trouble) => reported.push(trouble));
  /** The points of a metric, in each export in turn. */
  const exported = (name: string) =>
    metrics.getMetrics().map(({ scopeMetrics }) =>
      scopeMetrics
        .flatMap((scope) => scope.metrics)
        .filter(({ descriptor }) => descriptor.name === name)
        .flatMap(({ dataPoints }) => dataPoints.map(({ value }) => value)),
    );
  return { telemetry, spans, metrics, reported, flush, exported };
}

const internal = { kind: "internal", attributes: {} } as const;
const traceId = "0af7651916cd43dd8448eb211c80319c";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

describe("metrics", () => {
  test("a gauge is exported once for each time it was set; a counter goes on counting", async () => {
    const { telemetry, flush, exported } = trial();
    telemetry.record([
      { metric: "calendar_mirror.lag", value: 12, shard: "00" },
      { metric: "calendar_mirror.rounds", value: 2 },
    ]);
    await flush();
    telemetry.record([{ metric: "calendar_mirror.rounds", value: 3 }]);
    await flush();
    expect(exported("calendar_mirror.lag").flat()).toEqual([12]);
    expect(exported("calendar_mirror.rounds")).toEqual([[2], [5]]);
  });
});

describe("spans", () => {
  test("belong to the span in which they were opened, also among many at once", async () => {
    const { telemetry, spans, flush } = trial();
    await Promise.all(
      ["one", "two", "three"].map((name) =>
        telemetry.span(name, internal, async () => {
          await Promise.resolve();
          await telemetry.span(`in ${name}`, internal, async () => telemetry.note(() => ({ noted: name })));
        }),
      ),
    );
    await flush();
    const finished = spans.getFinishedSpans();
    const inner = finished.filter(({ name }) => name.startsWith("in "));
    expect(inner).toHaveLength(3);
    for (const { name, attributes, parentSpanContext } of inner) {
      const parent = finished.find((span) => span.spanContext().spanId === parentSpanContext?.spanId);
      expect(`in ${parent?.name}`).toBe(name);
      expect(`in ${String(attributes["noted"])}`).toBe(name);
    }
  });

  test("are recorded whether or not the host keeps its own, unless a sampler is named", async () => {
    const about = { ...internal, traceParent: `00-${traceId}-b7ad6b7169203331-00` };
    const all = trial();
    await all.telemetry.span("recorded", about, async () => undefined);
    await all.flush();
    const [span] = all.spans.getFinishedSpans();
    expect(span?.spanContext().traceId).toBe(traceId);
    vi.stubEnv("OTEL_TRACES_SAMPLER", "always_off");
    const none = trial({ isSampled: true });
    await none.telemetry.span("not recorded", about, async () => undefined);
    await none.flush();
    expect(none.spans.getFinishedSpans()).toEqual([]);
  });

  test("begin a trace of their own when the host names none that can be read", async () => {
    const { telemetry, spans, flush } = trial();
    await telemetry.span("root", { ...internal, traceParent: "nonsense" }, async () => undefined);
    await flush();
    expect(spans.getFinishedSpans()[0]?.parentSpanContext).toBeUndefined();
  });

  test("nothing is noted outside of a span, nor made for it", () => {
    const attributes = vi.fn(() => ({}));
    trial().telemetry.note(attributes);
    expect(attributes).not.toHaveBeenCalled();
  });
});

test("a flush waits for spans that the timer began to export before it", async () => {
  vi.useFakeTimers();
  const spans = new InMemorySpanExporter();
  const dones: (() => void)[] = [];
  spans.export = (_spans, done) => void dones.push(() => done({ code: ExportResultCode.SUCCESS }));
  const { telemetry, flush } = trial({ spans });
  await telemetry.span("work", internal, async () => undefined);
  await vi.advanceTimersToNextTimerAsync();
  expect(dones).toHaveLength(1);
  let isFlushed = false;
  const flushed = flush().then(() => {
    isFlushed = true;
  });
  await vi.advanceTimersByTimeAsync(1);
  expect(isFlushed).toBe(false);
  dones[0]?.();
  await flushed;
  expect(dones).toHaveLength(1);
});

test("an exporter that fails is reported by its code, and fails nobody", async () => {
  const message = "https://collector.example/?key=secret";
  const error = Object.assign(new Error(message), { name: "OTLPExporterError", code: 503 });
  const spans = new InMemorySpanExporter();
  spans.export = (_spans, done) => done({ code: ExportResultCode.FAILED, error });
  const { telemetry, reported, flush } = trial({ spans });
  await expect(telemetry.span("work", internal, async () => "done")).resolves.toBe("done");
  await flush();
  await flush();
  expect(reported).toEqual([expect.stringMatching(/^Telemetry could not be sent: .*OTLPExporterError:503/)]);
  expect(reported[0]).not.toMatch(/secret|collector/);
});
