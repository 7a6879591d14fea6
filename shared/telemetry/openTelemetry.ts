import { AsyncLocalStorage } from "node:async_hooks";
import {
  type Context,
  type Counter,
  type Gauge,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { parseTraceParent } from "@opentelemetry/core";
import { detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader, type PushMetricExporter } from "@opentelemetry/sdk-metrics";
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  type SpanExporter,
} from "@opentelemetry/sdk-trace-base";
import { productVersion } from "../version.js";
import { exportsUnderWay, gaugesOnce, type OnTrouble, reportingFailures } from "./exporters.js";
import { createFlush } from "./flush.js";
import { type MetricName, metrics } from "./metrics.js";
import type { Dimensions, Span, Telemetry } from "./telemetry.js";

/** Where spans and metrics go. */
export type Exporters = { readonly spans: SpanExporter; readonly metrics: PushMetricExporter };

/** Where telemetry goes, and as what. */
export type OpenTelemetryOptions = {
  readonly exporters: readonly Exporters[];
  /** OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win over it. */
  readonly resource: Readonly<Record<"service.name" | "service.instance.id", string>>;
  /** False: every invocation is recorded, whatever the host samples of its own telemetry. */
  readonly isSampled: boolean;
  readonly nowMs: () => number;
};

const scope = "calendar-mirror";
const kinds = { internal: SpanKind.INTERNAL, client: SpanKind.CLIENT };

/** Telemetry by OpenTelemetry, without its globals, so that no other package of the process starts to use it. */
export function createOpenTelemetry({ exporters, resource, isSampled, nowMs }: OpenTelemetryOptions): Telemetry {
  const troubles = new Set<string>();
  const onTrouble: OnTrouble = (code) => troubles.add(code);
  const named = resourceFromAttributes({ ...resource, "service.version": productVersion }).merge(
    detectResources({ detectors: [envDetector] }),
  );
  const spansUnderWay = exporters.map((each) => exportsUnderWay(each.spans));
  const spans = new BasicTracerProvider({
    resource: named,
    // Without one of ours, the SDK takes the sampler that OTEL_TRACES_SAMPLER names.
    ...(isSampled ? {} : { sampler: new AlwaysOnSampler() }),
    spanProcessors: exporters.map((each) => new BatchSpanProcessor(reportingFailures(each.spans, onTrouble))),
  });
  const meters = new MeterProvider({
    resource: named,
    readers: exporters.map(
      (each) => new PeriodicExportingMetricReader({ exporter: gaugesOnce(reportingFailures(each.metrics, onTrouble)) }),
    ),
  });
  const send = async () => {
    await Promise.all([spans.forceFlush(), meters.forceFlush(), ...spansUnderWay.map((end) => end())]);
  };
  return {
    ...tracing(spans.getTracer(scope)),
    record: recording(meters.getMeter(scope)),
    flush: createFlush({ send, troubles, nowMs }),
  };
}

function tracing(tracer: ReturnType<BasicTracerProvider["getTracer"]>): Pick<Telemetry, "span" | "note"> {
  const here = new AsyncLocalStorage<Context>();
  return {
    span(name, { kind, attributes, traceParent }, work) {
      const parent = traceParent === undefined ? (here.getStore() ?? ROOT_CONTEXT) : calledBy(traceParent);
      const span = tracer.startSpan(name, { kind: kinds[kind], attributes }, parent);
      const handle: Span = {
        set: (more) => void span.setAttributes(more),
        fail: (code) => void span.setAttribute("error.type", code).setStatus({ code: SpanStatusCode.ERROR }),
      };
      return here.run(trace.setSpan(parent, span), async () => {
        try {
          return await work(handle);
        } catch (error) {
          handle.fail(error instanceof Error ? error.name : "thrown"); // Its message may hold anything.
          throw error;
        } finally {
          span.end();
        }
      });
    },
    note(attributes) {
      const context = here.getStore();
      if (context !== undefined) trace.getSpan(context)?.setAttributes(attributes());
    },
  };
}

function calledBy(traceParent: string): Context {
  const caller = parseTraceParent(traceParent);
  return caller === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...caller, isRemote: true });
}

function recording(meter: ReturnType<MeterProvider["getMeter"]>): Telemetry["record"] {
  const instruments = new Map<MetricName, (value: number, dimensions: Dimensions) => void>();
  for (const [name, { kind, unit, about }] of Object.entries(metrics)) {
    const options = { unit, description: about };
    const counter: Counter | null = kind === "counter" ? meter.createCounter(name, options) : null;
    const gauge: Gauge | null = kind === "gauge" ? meter.createGauge(name, options) : null;
    instruments.set(name as MetricName, (value, dimensions) => {
      counter?.add(value, dimensions);
      gauge?.record(value, dimensions);
    });
  }
  return (points) => {
    for (const { metric, value, ...dimensions } of points) instruments.get(metric)?.(value, dimensions);
  };
}
