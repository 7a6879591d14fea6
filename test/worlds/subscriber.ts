import { createHash } from "node:crypto";
import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { TlsOptions } from "node:tls";
import selfsigned from "selfsigned";
import { onTestFinished } from "vitest";
import type { Recipient } from "../../shared/push/notification.js";
import type { Sender } from "../../shared/push/requests.js";
import { createSender, type SenderOptions } from "../../shared/push/send.js";

/** A moment when everything of these tests happens. */
export const nowMs = Date.UTC(2026, 10, 28, 12);
export const tenantId = "7c3f0000-0000-4000-8000-000000000001";
export const mailboxId = "3f0c0000-0000-4000-8000-0000000000a1";
export const sender: Sender = { nowMs: () => nowMs, tenantId, origin: "mirror.contoso.com" };

/** A subscription of Graph's format, with what a test wants otherwise. */
export function recipient(other: Partial<Recipient> = {}): Recipient {
  return {
    subscriptionId: "5b5b0000-0000-4000-8000-0000000000c1",
    notificationUrl: "https://hooks.contoso.com/calendars",
    lifecycleNotificationUrl: "https://hooks.contoso.com/lifecycle",
    clientState: "a secret of the subscriber",
    expiresMs: nowMs + 86_400_000,
    format: "graph",
    secret: createHash("sha256").update("32 bytes").digest("base64"),
    ...other,
  };
}

/** What a subscriber's server was asked. `connection`: the first is 1. */
export type Asked = {
  readonly method: string;
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  readonly connection: number;
  /** The name by which TLS was begun. */
  readonly serverName: string | null;
};

/** Names that its certificate is for. */
const certifiedNames = ["hooks.contoso.com", "hooks.fabrikam.com", "localhost"] as const;

const certificate = selfsigned.generate([{ name: "commonName", value: "localhost" }], {
  keyType: "ec",
  algorithm: "sha256",
  extensions: [
    { name: "basicConstraints", cA: true, critical: true },
    { name: "subjectAltName", altNames: certifiedNames.map((value) => ({ type: 2 as const, value })) },
  ],
});

/** A subscriber's server on a free port of this machine, with a certificate of its own making; `tls` null: without TLS. */
export async function subscriber(
  answer: (response: ServerResponse, asked: Asked, request: IncomingMessage) => void,
  { tls = {}, host = "127.0.0.1", port = 0 }: { tls?: TlsOptions | null; host?: string; port?: number } = {},
) {
  const { cert, private: key } = await certificate;
  const asked: Asked[] = [];
  const sockets: Socket[] = [];
  const numbers = new Map<Socket, number>();
  const listener = async (request: IncomingMessage, response: ServerResponse) => {
    const { socket, method = "", url = "", headers } = request;
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    if (!numbers.has(socket)) numbers.set(socket, numbers.size + 1);
    const serverName = "servername" in socket && typeof socket.servername === "string" ? socket.servername : null;
    const connection = numbers.get(socket) ?? 0;
    const one = { method, path: url, headers, body: Buffer.concat(parts).toString(), connection, serverName };
    asked.push(one);
    answer(response, one, request);
  };
  const server = tls === null ? http.createServer(listener) : https.createServer({ cert, key, ...tls }, listener);
  server.on("connection", (socket: Socket) => sockets.push(socket.on("error", () => undefined)));
  server.listen(port, host);
  await once(server, "listening");
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    for (const socket of sockets) socket.destroy();
    await once(server, "close");
  });
  return { asked, sockets, port: (server.address() as AddressInfo).port, certificate: cert };
}

/** A sender that trusts that certificate, and finds all names on this machine unless a test says otherwise. */
export async function trialSender(other: Partial<SenderOptions> = {}) {
  const looked: string[] = [];
  const resolve: SenderOptions["resolve"] = async (name) => {
    looked.push(name);
    return ["127.0.0.1"];
  };
  const { cert: ca } = await certificate;
  const made = createSender({ hosts: null, allowsLoopback: true, resolve, nowMs: () => nowMs, ca, ...other });
  onTestFinished(() => made.close());
  return { send: made.send, looked };
}
