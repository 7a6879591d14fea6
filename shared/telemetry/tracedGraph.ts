import { traceOf } from "../graph/answer.js";
import type { Answer, Call, Sent, Transport } from "../graph/ports.js";
import { isGuid } from "../sync/mailboxId.js";
import { isJsonObject } from "../sync/types.js";
import { mailboxHash } from "./mailboxHash.js";
import type { Attributes, Span, Telemetry } from "./telemetry.js";

/** The way to Graph, with a span for each call. Addresses are never recorded: they may be links. */
export function tracedTransport(transport: Transport, telemetry: Telemetry): Transport {
  return {
    ...transport,
    send: (call) => {
      const { name, attributes } = aboutOf(call);
      const about = { kind: "client", attributes: { "http.request.method": call.method, ...attributes } } as const;
      return telemetry.span(name, about, async (span) => {
        const sent = await transport.send(call);
        noteEnd(sent, span);
        return sent;
      });
    },
  };
}

function aboutOf({ body, mailboxId }: Call): { readonly name: string; readonly attributes: Attributes } {
  const items = body?.["requests"];
  if (Array.isArray(items)) return { name: "graph batch", attributes: { "calendar_mirror.batch_items": items.length } };
  if (mailboxId === undefined) return { name: "graph directory", attributes: {} };
  return { name: "graph page", attributes: { "calendar_mirror.mailbox": mailboxHash(mailboxId) } };
}

function noteEnd(sent: Sent, span: Span): void {
  const { requests, clientRequestId } = sent;
  if (clientRequestId !== null) span.set({ "calendar_mirror.client_request_id": clientRequestId });
  if (requests > 1) span.set({ "http.request.resend_count": requests - 1 });
  if (sent.kind === "fault") {
    span.fail(sent.failure.code);
    return;
  }
  const { answer } = sent;
  const { requestId } = traceOf(answer);
  span.set({
    "http.response.status_code": answer.status,
    "calendar_mirror.throttled_items": throttledIn(answer),
    // It comes from outside: recorded only when it is a GUID.
    ...(isGuid(requestId ?? "") ? { "calendar_mirror.request_id": requestId ?? "" } : {}),
  });
  if (answer.status >= 400) span.fail(String(answer.status));
}

/** Throttled items of a batch; of another answer 1 when it is throttled, else 0. */
function throttledIn({ status, body }: Answer): number {
  if (status === 429) return 1;
  const items = body.shape === "json" && isJsonObject(body.value) ? body.value["responses"] : null;
  return Array.isArray(items) ? items.filter((item) => isJsonObject(item) && item["status"] === 429).length : 0;
}
