import { type LogTimes, laggardsOf } from "../push/behind.js";
import { subscriberStateOf, subscriberStates } from "../push/decide.js";
import type { SeenSubscribers } from "../push/due.js";
import type { Send } from "../push/ports.js";
import type { DeliveryEnd } from "../push/pushMessages.js";
import type { Store } from "../store/store.js";
import { mailboxHash } from "./mailboxHash.js";
import type { Attributes, Point, Span, Telemetry } from "./telemetry.js";

/** Attributes of the span of a message's deliveries: whose it was where it was one, and what all came to. */
export function deliveryAttributes(ends: readonly DeliveryEnd[]): Attributes {
  const [first] = ends;
  const one = ends.length !== 1 || first === undefined ? null : first;
  return {
    ...(one === null ? {} : { "calendar_mirror.subscription": mailboxHash(one.subscriptionId) }),
    ...(one === null ? {} : { "calendar_mirror.outcome": one.kind }),
    "calendar_mirror.subscriptions": ends.length,
    "calendar_mirror.requests": sumOf(ends, ({ requests }) => requests),
    "calendar_mirror.notifications": sumOf(ends, ({ notifications }) => notifications),
  };
}

/** What a subscriber has said yes to. */
export function acceptedPoints(notifications: number): readonly Point[] {
  return [{ metric: "calendar_mirror.notifications", value: notifications }];
}

function sumOf(ends: readonly DeliveryEnd[], figureOf: (end: DeliveryEnd) => number): number {
  return ends.reduce((sum, end) => sum + figureOf(end), 0);
}

/**
 * The gauges of all subscribers, none where there are none. Whoever is paused lags behind nobody: an operator has said so, or its
 * lag was seen for a day before it was taken for gone.
 */
export async function subscriberPoints(
  { living, numbers }: SeenSubscribers,
  store: Pick<Store, "readLog">,
  times: LogTimes,
  nowMs: number,
): Promise<readonly Point[]> {
  if (living.length === 0) return [];
  const states = living.map((one) => subscriberStateOf(one, nowMs));
  const { most } = await laggardsOf(
    living.filter(({ pausedReason }) => pausedReason === null),
    numbers,
    store,
    times,
  );
  const lag = most === null ? 0 : Math.max(0, nowMs - most.sinceMs) / 1000;
  return [
    { metric: "calendar_mirror.subscriber_lag", value: lag },
    ...subscriberStates.map((state): Point => {
      return { metric: "calendar_mirror.subscribers", value: states.filter((one) => one === state).length, state };
    }),
  ];
}

/** The way to subscribers, with a span and a count for each request. Addresses and bodies are never recorded. */
export function tracedSend(send: Send, telemetry: Telemetry): Send {
  return (request) => {
    const attributes = { "http.request.method": request.method ?? "POST" };
    return telemetry.span("subscriber request", { kind: "client", attributes }, async (span) => {
      const outcome = await send(request);
      noteOutcome(outcome, span);
      telemetry.record([{ metric: "calendar_mirror.subscriber_requests", value: 1, outcome: outcome.kind }]);
      return outcome;
    });
  };
}

function noteOutcome(outcome: Awaited<ReturnType<Send>>, span: Span): void {
  span.set({ "calendar_mirror.outcome": outcome.kind });
  if ("status" in outcome) span.set({ "http.response.status_code": outcome.status });
  switch (outcome.kind) {
    case "accepted":
      break;
    case "refused":
      span.fail(String(outcome.status));
      break;
    case "unreachable":
      span.fail(outcome.code);
      break;
    case "forbidden":
      span.fail("forbidden"); // Why may name the host.
      break;
  }
}
