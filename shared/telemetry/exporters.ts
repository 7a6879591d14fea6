import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { AggregationTemporality, InstrumentType, type PushMetricExporter } from "@opentelemetry/sdk-metrics";

/** `code`: one of few words; an exporter's own message may hold an address or a server's answer. */
export type OnTrouble = (code: string) => void;

type Exporter<Items> = { export(items: Items, done: (result: ExportResult) => void): void };

/** Reports each failure of an exporter, which the SDK itself would only pass to its own diagnostics. */
export function reportingFailures<Items, Kind extends Exporter<Items>>(
  exporter: Kind & Exporter<Items>,
  onTrouble: OnTrouble,
): Kind {
  const send = exporter.export.bind(exporter);
  exporter.export = (items, done) =>
    send(items, (result) => {
      if (result.code !== ExportResultCode.SUCCESS) onTrouble(codeOf(result.error));
      done(result);
    });
  return exporter;
}

/**
 * Keeps the exports that are under way, and gives back how to wait for them. forceFlush of a BatchSpanProcessor leaves out
 * what its timer took a moment before (findings/spans-flushed-too-early.sh).
 */
export function exportsUnderWay<Items>(exporter: Exporter<Items>): () => Promise<void> {
  const underWay = new Set<Promise<void>>();
  const send = exporter.export.bind(exporter);
  exporter.export = (items, done) => {
    let resolve: () => void = () => undefined;
    const over = new Promise<void>((resolved) => (resolve = resolved));
    const end = () => {
      underWay.delete(over);
      resolve();
    };
    underWay.add(over);
    try {
      send(items, (result) => {
        end();
        done(result);
      });
    } catch (error) {
      end();
      throw error;
    }
  };
  return async () => void (await Promise.all(underWay));
}

function codeOf(error: Error | undefined): string {
  if (error === undefined) return "exportFailed";
  const code = "code" in error ? error.code : null;
  const isPlain = typeof code === "number" || (typeof code === "string" && /^\w{1,40}$/.test(code));
  return isPlain ? `${error.name}:${code}` : error.name;
}

/**
 * Exports a gauge once for each time that it was set. The SDK's default repeats it with every export: this process would
 * for ever report a shard as it last saw it, beside the process that runs it now.
 */
export function gaugesOnce(exporter: PushMetricExporter): PushMetricExporter {
  const given = exporter.selectAggregationTemporality?.bind(exporter);
  exporter.selectAggregationTemporality = (type) => {
    if (type === InstrumentType.GAUGE) return AggregationTemporality.DELTA;
    return given?.(type) ?? AggregationTemporality.CUMULATIVE;
  };
  return exporter;
}
