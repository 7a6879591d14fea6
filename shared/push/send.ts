import { NOTFOUND } from "node:dns";
import http from "node:http";
import https from "node:https";
import { isIP } from "node:net";
import { parseRetryAfter } from "../sync/retryAfter.js";
import { type After, after as byTimer } from "../timer.js";
import { within } from "../within.js";
import type { Send, SendOutcome } from "./ports.js";
import type { Resolve } from "./resolve.js";
import { chosenAddress, literalAddresses, type TargetRules, targetOf } from "./target.js";

/** Bounds of one exchange. */
const sendLimits = {
  /** From the look-up of the name to the answer's last byte. As Graph waits: https://learn.microsoft.com/graph/change-notifications-delivery-webhooks */
  exchangeMsMax: 10_000,
  /** Our choice. A receiver has nothing to tell but the token of a handshake. */
  answerBytesMax: 16 * 1024,
  /** Our choice, and Node's own: the headers of an answer. */
  headerBytesMax: 16 * 1024,
  /** Our choice: how long a connection is kept for the next request, and how many to one address. */
  idleSocketMsMax: 15_000,
  idleSocketsMax: 4,
} as const;

export type SenderOptions = TargetRules & {
  readonly resolve: Resolve;
  readonly nowMs: () => number;
  /** The timer that bounds exchanges. Default: that of Node.js. */
  readonly after?: After;
  readonly limits?: Partial<Record<keyof typeof sendLimits, number>>;
  /** For tests: certificates to trust beside those of Node.js, in PEM. */
  readonly ca?: string;
};

type Request = Parameters<Send>[0];
type Result = Awaited<ReturnType<Send>>;
type Head = { readonly status: number; readonly headers: Readonly<Record<string, string>> };
type Heard = { head: Head | null };

class LateError extends Error {
  readonly code = "timeout";
}

/**
 * What sends to addresses that strangers have given, so that nobody reaches by us what they could not reach themselves.
 *
 * The host's name is looked up once, all that it leads to is checked, and the connection is made to an address that was checked: Node
 * is given that address and never the name, so nothing looks it up again. The certificate is checked against the name. A kept
 * connection is used again only for the same name, address and port. No redirect is followed, no proxy asked.
 */
export function createSender(options: SenderOptions): { readonly send: Send; close(): void } {
  const limits = { ...sendLimits, ...options.limits };
  const keep = { keepAlive: true, maxFreeSockets: limits.idleSocketsMax, timeout: limits.idleSocketMsMax };
  const agents = { "https:": new https.Agent(keep), "http:": new http.Agent(keep) };

  async function exchange(request: Request, url: URL, heard: Heard, signal: AbortSignal): Promise<Result> {
    const [first, ...others] = literalAddresses(url) ?? (await options.resolve(url.hostname, signal));
    if (first === undefined) return { kind: "unreachable", code: NOTFOUND };
    const chosen = chosenAddress(url, [first, ...others], options);
    if (chosen.kind === "forbidden") return chosen;
    const connection = { url, address: chosen.address, ca: options.ca, headerBytesMax: limits.headerBytesMax, signal };
    const agent = url.protocol === "https:" ? agents["https:"] : agents["http:"];
    const response = await answerOf(request, { ...connection, agent }).catch((error: unknown) => {
      // Closed by its other end between two requests. Notifications may come twice, so it is safe to ask once more.
      if (!(error instanceof StaleError)) throw error;
      return answerOf(request, { ...connection, agent: false });
    });
    heard.head = { status: response.statusCode ?? 0, headers: headersOf(response) };
    const text = await textOf(response, limits.answerBytesMax);
    return { ...outcomeOf(heard.head, options.nowMs()), ...(text === null ? {} : { text }) };
  }

  return {
    async send(request) {
      const target = targetOf(request.url, options);
      if (target.kind === "forbidden") return target;
      const heard: Heard = { head: null };
      const late = () => new LateError("The subscriber has not answered in time.");
      try {
        const work = (signal: AbortSignal) => exchange(request, target.url, heard, signal);
        return await within(limits.exchangeMsMax, late, work, options.after ?? byTimer);
      } catch (error) {
        // Its status says whether it has taken the notifications; the rest of its answer is no matter.
        if (heard.head !== null) return outcomeOf(heard.head, options.nowMs());
        return { kind: "unreachable", code: codeOf(error) };
      }
    },
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

type Connection = {
  readonly url: URL;
  readonly address: string;
  readonly agent: http.Agent | false;
  readonly ca: string | undefined;
  readonly headerBytesMax: number;
  readonly signal: AbortSignal;
};

/** A kept connection that was closed before anything of an answer came. */
class StaleError extends Error {
  readonly code = "ECONNRESET";
}

/** Sends a request to one address; the answer up to its headers. */
function answerOf({ method = "POST", headers, body }: Request, connection: Connection): Promise<http.IncomingMessage> {
  const { url, address, agent, ca, headerBytesMax, signal } = connection;
  return new Promise((resolve, reject) => {
    const request = (url.protocol === "https:" ? https : http).request({
      host: address,
      port: url.port === "" ? undefined : url.port,
      path: url.pathname + url.search,
      method,
      headers: { ...headers, host: url.host },
      agent,
      signal,
      maxHeaderSize: headerBytesMax,
      // What the certificate must be for. Of a literal address Node checks the address: a name may not be one.
      servername: isIP(url.hostname.replace(/^\[|\]$/g, "")) === 0 ? url.hostname : "",
      minVersion: "TLSv1.2",
      rejectUnauthorized: true, // Said here, so that no environment says otherwise.
      ...(ca === undefined ? {} : { ca }),
    });
    request.on("response", resolve);
    request.on("error", (error) => {
      const isStale = request.reusedSocket && ["ECONNRESET", "EPIPE"].includes(codeOf(error)) && !signal.aborted;
      reject(isStale ? new StaleError(error.message) : error);
    });
    request.end(body);
  });
}

/** An answer's whole text; null where it is longer than that, or breaks off: its connection is then closed. */
function textOf(response: http.IncomingMessage, bytesMax: number): Promise<string | null> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bytesMax) response.destroy();
      else chunks.push(chunk);
    });
    response.on("error", () => resolve(null));
    response.on("close", () =>
      resolve(response.complete && bytes <= bytesMax ? Buffer.concat(chunks).toString() : null),
    );
  });
}

function headersOf({ headers }: http.IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value ? [[name, String(value)]] : [])));
}

function outcomeOf({ status, headers }: Head, nowMs: number): SendOutcome & Pick<Head, "headers"> {
  if (status >= 200 && status < 300) return { kind: "accepted", status, headers };
  return { kind: "refused", status, retryAfterMs: parseRetryAfter(headers["retry-after"] ?? null, nowMs), headers };
}

/** The network's code. An error without one, or of how we have called Node, is none of the subscriber's. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : null;
  if (typeof code !== "string" || error instanceof TypeError) throw error;
  return code;
}
