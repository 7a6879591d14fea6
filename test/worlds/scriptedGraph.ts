import http from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { headersOf, parseBody } from "../../shared/graph/answer.js";
import type { Answer, Call, Sent, TokenSource, Transport } from "../../shared/graph/ports.js";
import { createTransport, type TransportOptions } from "../../shared/graph/transport.js";

/** An answer as the transport would hand it on. `body`: text as it is, anything else as JSON. */
export function answer(status: number, body?: unknown, headers: Record<string, string> = {}): Answer {
  const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
  return { status, headers: headersOf(Object.entries(headers)), body: parseBody(text) };
}

/** Graph's error body. Further codes nest, each inside the one before. */
export function errorBody(code: string, message = "", ...inner: string[]): unknown {
  const nested = inner.reduceRight<unknown>(
    (rest, each) => ({ code: each, ...(rest === null ? {} : { innererror: rest }) }),
    null,
  );
  return { error: { code, message, ...(nested === null ? {} : { innerError: nested }) } };
}

export type Received = {
  method: string;
  target: string;
  headers: http.IncomingHttpHeaders;
  body: string;
  port: number;
};
export type Reply = { status: number; headers?: Record<string, string>; body?: unknown } | "hangUp" | "silence";

/** A real HTTP server on loopback that writes down what it receives and closes with the test. */
export async function graphServer(reply: (received: Received, count: number) => Reply) {
  const received: Received[] = [];
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const seen: Received = {
      method: request.method ?? "",
      target: request.url ?? "",
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
      port: request.socket.remotePort ?? 0,
    };
    received.push(seen);
    const answered = reply(seen, received.length);
    if (answered === "hangUp") request.socket.destroy();
    if (typeof answered === "string") return;
    const { status, headers = {}, body } = answered;
    response.writeHead(status, headers);
    response.end(Buffer.isBuffer(body) || typeof body === "string" || body === undefined ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { root: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

export const fixedToken: TokenSource = { getToken: async () => "secret-token" };

/** GUIDs that count up. */
export function countingIds(): () => string {
  let count = 0;
  return () => {
    count += 1;
    return `00000000-0000-4000-8000-${String(count).padStart(12, "0")}`;
  };
}

/** The real transport, closed with the test. */
export function openTransport(root: string, options: Partial<TransportOptions> = {}): Transport {
  const transport = createTransport({ root, token: fixedToken, newId: countingIds(), ...options });
  onTestFinished(() => transport.close());
  return transport;
}

export function get(rawTarget: string): Call {
  return { method: "GET", rawTarget, headers: {}, body: null };
}

/** A transport that answers from a script and writes down the calls. */
export function scriptedTransport(
  script: (
    call: Call,
    count: number,
  ) => Answer | Omit<Extract<Sent, { kind: "fault" }>, "requests" | "clientRequestId">,
) {
  const calls: Call[] = [];
  const newId = countingIds();
  const transport: Transport = {
    async send(call) {
      calls.push(call);
      const scripted = script(call, calls.length);
      const record = { requests: 1, clientRequestId: newId() };
      return "kind" in scripted ? { ...scripted, ...record } : { kind: "answer", answer: scripted, ...record };
    },
    hasOtherToken: async () => true,
    nextRequestId: newId,
    batchHealth: { refusalsInARow: 0, pausedUntilMs: 0, patienceMs: null, cutInARow: 0 },
    close: () => undefined,
  };
  return { transport, calls };
}
