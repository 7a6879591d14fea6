import type { FunctionHandler, InvocationContext } from "@azure/functions";
import { logOf } from "../log.js";
import type { Span, Telemetry } from "./telemetry.js";

/**
 * Gives each invocation of a handler its span, and sends what is waiting when it has ended. `telemetryFor` is asked at the
 * first: it loads what tells.
 */
export function withSpan<Handler extends FunctionHandler>(
  handler: Handler,
  telemetryFor: (tell: (trouble: string) => void) => Promise<Telemetry>,
): Handler {
  const told = async (input: unknown, context: InvocationContext): Promise<unknown> => {
    const tell = (trouble: string) => logOf(context)("warn", trouble);
    const telemetry = await telemetryFor(tell);
    const trigger = triggers[context.options.trigger.type] ?? "other";
    const traceParent = context.traceContext?.traceParent;
    const about = {
      kind: "internal", // The host tells of it as a request: a second one would count every invocation twice.
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
      const flushed = telemetry.flush(tell);
      if (trigger !== "http") await flushed; // A reader does not wait for it, and an instance that answers lives on.
    }
  };
  return told as Handler;
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
