import http from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { headersOf, parseBody } from "../../shared/graph/answer.js";
import { createGraphClient } from "../../shared/graph/client.js";
import type { Answer, Call, Sent, TokenSource, Transport } from "../../shared/graph/ports.js";
import { createTransport, type TransportOptions } from "../../shared/graph/transport.js";
import type { Log } from "../../shared/log.js";
import type { Ask } from "../../shared/sync/types.js";
import { countingIds, graphSettings } from "./parts.js";

/** A Graph that answers what a test has written down. Real: transport, or the client over one. Fake: Graph, behind loopback or none. */

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
  newId = countingIds(),
) {
  const calls: Call[] = [];
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

export const root = "https://graph.microsoft.com";
export const lastPage = (mailboxId: string) => ({
  value: [{ id: `${mailboxId}-calendar` }],
  "@odata.deltaLink": `${root}/beta/users/${mailboxId}/calendars/delta?$deltatoken=next`,
});
export const ask = (mailboxId: string, link: string | null = null): Ask => ({ mailboxId, strategy: "delta", link });
export const asksFor = (count: number): Ask[] => Array.from({ length: count }, (_, index) => ask(`m${index}`));
export const mailboxOf = (url: string): string => /users\/(m\d+)\//.exec(url)?.[1] ?? "";

type Line = { level: string; message: string; fields: Readonly<Record<string, unknown>> };

/** The real client over a transport, with a clock in hand and the lines of its log. */
export function openClient(
  transport: Transport,
  settings: Partial<Parameters<typeof createGraphClient>[0]["settings"]> = {},
) {
  const clock = { atMs: 0, nowMs: () => clock.atMs };
  const lines: Line[] = [];
  const log: Log = (level, message, fields = {}) => lines.push({ level, message, fields });
  const client = createGraphClient({
    settings: { ...graphSettings(root), ...settings },
    transport,
    clock,
    log,
  });
  return { client, clock, lines };
}

type BatchEntry = { id: string; url: string; method: string; headers: Record<string, string> };
export const entriesOf = (call: Call): BatchEntry[] => (call.body as unknown as { requests: BatchEntry[] }).requests;

/** Answers a batch item by item, in reverse order, and single calls as the same items would be. */
export function batchGraph(
  itemFor: (mailboxId: string) => { status: number; body?: unknown; headers?: Record<string, string> } | null,
) {
  return scriptedTransport((call) => {
    if (call.method === "GET") return answer(200, lastPage(mailboxOf(call.rawTarget)));
    const responses = entriesOf(call).flatMap(({ id, url }) => {
      const item = itemFor(mailboxOf(url));
      return item === null ? [] : [{ id, ...item }];
    });
    return answer(200, { responses: responses.reverse() });
  });
}
