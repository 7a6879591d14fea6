import type { MetricName } from "./metrics.js";

/**
 * Where the mirror tells what it did, to whoever watches it from outside. Attributes never hold tokens, links, addresses,
 * names or ids of mailboxes: `mailboxHash` stands for the last.
 */
export type Telemetry = {
  /** Does the work within a span, of which all spans that the work opens are children. A throw marks it as failed. */
  span<T>(name: string, about: SpanAbout, work: (span: Span) => Promise<T>): Promise<T>;
  /** Adds to the span in which the caller runs. The attributes are made only where somebody listens. */
  note(attributes: () => Attributes): void;
  /** Adds to counters and sets gauges. */
  record(points: readonly Point[]): void;
  /**
   * Sends what is waiting, soon and not too often. Never fails, and never takes long. What went wrong before is told at
   * once, now and then.
   */
  flush(tell: (trouble: string) => void): Promise<void>;
};

export type Attributes = Readonly<Record<string, string | number | boolean>>;

type SpanAbout = {
  readonly kind: "internal" | "client";
  readonly attributes: Attributes;
  /** The W3C `traceparent` of whoever called us. Without it the span belongs to the one in which the caller runs. */
  readonly traceParent?: string;
};

export type Span = {
  set(attributes: Attributes): void;
  /** Marks the span as failed. `code` is one of few words, never a message. */
  fail(code: string): void;
};

/** One figure. `shard`: the only dimension that a figure may have. */
export type Point = { readonly metric: MetricName; readonly value: number; readonly shard?: string };

const unheard: Span = { set: () => undefined, fail: () => undefined };

/** Nobody listens. */
export const noTelemetry: Telemetry = {
  span: (_name, _about, work) => work(unheard),
  note: () => undefined,
  record: () => undefined,
  flush: () => Promise.resolve(),
};
