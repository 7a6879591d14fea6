import type { MetricName } from "./metrics.js";

/**
 * Spans and metrics of the mirror, for monitoring from outside. Attributes never hold tokens, links, addresses, names or ids
 * of mailboxes: `mailboxHash` stands for the last.
 */
export type Telemetry = {
  /** Does the work within a span, of which all spans that the work opens are children. A throw marks it as failed. */
  span<T>(name: string, about: SpanAbout, work: (span: Span) => Promise<T>): Promise<T>;
  /** Adds to the span in which the caller runs. `attributes` is called only when telemetry is on. */
  note(attributes: () => Attributes): void;
  /** Adds to counters and sets gauges. */
  record(points: readonly Point[]): void;
  /**
   * Sends what is waiting, soon but not too often. Never fails, and never takes long. Reports first what went wrong before,
   * at most once in ten minutes.
   */
  flush(report: (trouble: string) => void): Promise<void>;
};

/** What spans carry beside their name. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** What a span is about. */
type SpanAbout = {
  readonly kind: "internal" | "client";
  readonly attributes: Attributes;
  /** The W3C `traceparent` of whoever called us. Without it the span belongs to the one in which the caller runs. */
  readonly traceParent?: string;
};

/** A span that is open. */
export type Span = {
  set(attributes: Attributes): void;
  /** Marks the span as failed. `code` is one of few words, never a message. */
  fail(code: string): void;
};

/** The only dimensions that a figure may have: each has few values. */
export type Dimensions = {
  readonly shard?: string;
  /** Of subscribers. */
  readonly state?: string;
  /** Of a request to one. */
  readonly outcome?: string;
};

/** One figure. */
export type Point = Dimensions & { readonly metric: MetricName; readonly value: number };

const noSpan: Span = { set: () => undefined, fail: () => undefined };

/** Telemetry that is off. */
export const noTelemetry: Telemetry = {
  span: (_name, _about, work) => work(noSpan),
  note: () => undefined,
  record: () => undefined,
  flush: () => Promise.resolve(),
};
