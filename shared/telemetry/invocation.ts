import type { FunctionHandler, InvocationContext } from "@azure/functions";
import { logOf } from "../log.js";
import type { Span, Telemetry } from "./telemetry.js";

/**
 * Gives each invocation of a handler a span, and sends what is waiting at its end. `telemetryFor` is called by each
 * invocation, and loads the exporters at the first. `report` logs what went wrong with them.
 */
export function withSpan<Handler extends FunctionHandler>(
  handler: Handler,
  telemetryFor: (report: (trouble: string) => void) => Promise<Telemetry>,
): Handler {
  const traced = async (input: unknown, context: InvocationContext): Promise<unknown> => {
    const report = (trouble: string) => logOf(context)("warn", trouble);
    const telemetry = await telemetryFor(report);
    const trigger = triggers[context.options.trigger.type] ?? "other";
    const traceParent = context.traceContext?.traceParent;
    const about = {
      kind: "internal", // The host reports it as a request: a second one would count each invocation twice.
      attributes: {
        "faas.name": context.functionName,
        "faas.trigger": trigger,
        "faas.invocation_id": context.invocationId,
      },
      ...(typeof traceParent === "string" ? { traceParent } : {}),
    } as const;
    try {
      return await telemetry.span(context.functionName, about, async (span) => {
        const result = await handler(input, context);
        noteAnswer(result, span);
        return result;
      });
    } finally {
      const flushed = telemetry.flush(report);
      if (trigger !== "http") await flushed; // Readers do not wait for it: an instance that answers them goes on running.
    }
  };
  return traced as Handler;
}

const triggers: Readonly<Record<string, string>> = {
  httpTrigger: "http",
  queueTrigger: "pubsub",
  timerTrigger: "timer",
};

function noteAnswer(result: unknown, span: Span): void {
  if (typeof result !== "object" || result === null || !("status" in result) || typeof result.status !== "number")
    return;
  span.set({ "http.response.status_code": result.status });
  if (result.status >= 500) span.fail(String(result.status));
}
