import { isUtf8 } from "node:buffer";
import type { PipelinePolicy, PipelineRequest, PipelineResponse } from "@azure/core-rest-pipeline";
import type { After } from "../timer.js";
import { within } from "../within.js";
import { headersOf, parseBody } from "./answer.js";
import { classify } from "./classify.js";
import type { GraphLimits } from "./limits.js";
import { parseRoot } from "./links.js";
import type { Pool } from "./pool.js";
import type { Answer, TokenSource } from "./ports.js";

/** Ends a call before Graph has answered it. `code` names the reason; the message never holds a link or a token. */
export class CallFault extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = "CallFault";
    this.code = code;
  }
}

/** What the policies record about one call. */
export type CallRecord = { requests: number; clientRequestId: string | null };

/** A call's record, and after how many milliseconds it is cut off; null: at the bound of any call. */
export type CallNote = { readonly record: CallRecord; readonly patienceMs: number | null };

/** The code of a call that was cut off so that others need not wait. */
export const answersSlowly = "answersSlowly";

/** The answer of a response whose body was read by `attemptPolicy`. */
export function answerOf(response: PipelineResponse): Answer {
  return { status: response.status, headers: headersOf(response.headers), body: parseBody(response.bodyAsText ?? "") };
}

/**
 * Signs each request. When the token is refused, sends it once more with the claims that a challenge asks for or with a
 * fresh token, but not with the refused one, which is all that a managed identity has until it renews it. (The bearer
 * policy of Azure's core packages refuses a simulator on http, and knows nothing of Graph's codes.)
 * @see https://learn.microsoft.com/entra/identity-platform/claims-challenge
 */
export function bearerPolicy(token: TokenSource): PipelinePolicy {
  const tokenFor = async (options: Parameters<TokenSource["getToken"]>[0]): Promise<string> => {
    try {
      return await token.getToken(options);
    } catch (error) {
      throw new CallFault("tokenUnavailable", error instanceof Error ? error.message : "The identity gave no reason.");
    }
  };
  return {
    name: "bearer",
    async sendRequest(request, next) {
      const first = await tokenFor(undefined);
      request.headers.set("Authorization", `Bearer ${first}`);
      const response = await next(request);
      const retry = response.status === 401 || response.status === 403 ? retryOptions(answerOf(response)) : null;
      if (retry === null) return response;
      const second = await tokenFor(retry);
      if (second === first) return response; // The answer would be the same.
      request.headers.set("Authorization", `Bearer ${second}`);
      return next(request);
    },
  };
}

/** What to ask the identity for after a refusal; null when no token helps. */
export function retryOptions(answer: Answer): Parameters<TokenSource["getToken"]>[0] | null {
  const claims = claimsOf(answer.headers.get("www-authenticate") ?? "");
  if (claims !== null) return { claims };
  if (answer.status !== 401) return null;
  // A 401 can also be about the mailbox: then no token helps.
  return classify(answer, false, 0).kind === "authConfig" ? { fresh: true } : null;
}

/**
 * The claims of a challenge as JSON text; null when it has none, or none that can be read.
 * @internal For tests.
 */
export function claimsOf(challenge: string): string | null {
  const [, encoded] = /\bclaims="([A-Za-z0-9+/_=-]{1,16000})"/i.exec(challenge) ?? [];
  if (encoded === undefined) return null;
  const claims = Buffer.from(encoded, "base64").toString("utf8"); // Reads both alphabets of base64.
  return parseBody(claims).shape === "json" ? claims : null;
}

/**
 * One immediate retry on a new connection when a kept one turns out to be dead: the server closed it while it was idle,
 * so nothing was asked yet. No other failure is retried here; the round decides about them.
 */
export function staleSocketPolicy(pool: Pool): PipelinePolicy {
  return {
    name: "staleSocket",
    async sendRequest(request, next) {
      try {
        return await next(request);
      } catch (error) {
        const code = codeOf(error);
        const isStale = pool.takeReused(request.headers.get("client-request-id") ?? "");
        if (!isStale || (code !== "ECONNRESET" && code !== "EPIPE")) throw error;
        request.requestOverrides = { ...request.requestOverrides, agent: false };
        return await next(request);
      }
    },
  };
}

/** One attempt: counted, with its own id, a limit on its time, and its whole body read within a limit on its size. */
export function attemptPolicy(
  { pool, newId, limits, after }: { pool: Pool; newId: () => string; limits: GraphLimits; after: After },
  notes: WeakMap<PipelineRequest, CallNote>,
): PipelinePolicy {
  return {
    name: "attempt",
    async sendRequest(request, next) {
      const clientRequestId = newId();
      const { record, patienceMs = null } = notes.get(request) ?? {};
      if (record !== undefined) Object.assign(record, { requests: record.requests + 1, clientRequestId });
      request.headers.set("client-request-id", clientRequestId);
      const late = () => new CallFault(patienceMs === null ? "timeout" : answersSlowly, "Graph took too long.");
      const attempt = async (signal: AbortSignal) => {
        request.abortSignal = signal;
        const response = await next(request);
        // Graph's advice for a 503: use another connection, which may end at a healthier server.
        if (response.status === 503) pool.retire(response.readableStreamBody);
        response.bodyAsText = await readText(response.readableStreamBody, limits.bodyBytesMax);
        pool.takeReused(clientRequestId);
        return response;
      };
      return within(Math.min(patienceMs ?? limits.callMaxMs, limits.callMaxMs), late, attempt, after);
    },
  };
}

/**
 * The innermost policy: nothing that carries a token goes to another origin, whatever a stored link says (I8).
 * @throws CallFault `foreignOrigin`, before a connection is opened.
 */
export function guardPolicy(root: string): PipelinePolicy {
  const { origin, hostname } = parseRoot(root);
  return {
    name: "guard",
    sendRequest(request, next) {
      // Overrides win over the URL: those that could lead elsewhere are checked, and unknown ones are refused.
      const overrides: Record<string, unknown> = { hostname, ...request.requestOverrides };
      const isKnown = Object.keys(overrides).every((name) => ["path", "hostname", "agent"].includes(name));
      const isHome = URL.canParse(request.url) && new URL(request.url).origin === origin;
      if (isKnown && isHome && overrides["hostname"] === hostname && isPlainPath(overrides["path"]))
        return next(request);
      request.headers.delete("Authorization");
      return Promise.reject(new CallFault("foreignOrigin", "A request for another origin than the configured one."));
    },
  };
}

function isPlainPath(path: unknown): boolean {
  return typeof path === "string" && /^\/(?!\/)[\x21-\x7e]*$/.test(path) && !/[\\#]/.test(path);
}

/** Reads a stream to its end. Text that is not UTF-8 comes back as something that is not JSON either. */
async function readText(stream: NodeJS.ReadableStream | undefined, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream ?? []) {
    const buffer = Buffer.from(chunk);
    bytes += buffer.length;
    if (bytes > bytesMax) throw new CallFault("bodyTooLarge", "Graph's answer is larger than any calendar list.");
    chunks.push(buffer);
  }
  const whole = Buffer.concat(chunks);
  return isUtf8(whole) ? whole.toString("utf8").replace(/^\uFEFF/, "") : "(not UTF-8)";
}

/** The code of an error, by Node.js or by us; `networkFault` without one. */
export function codeOf(error: unknown): string {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : null;
  return typeof code === "string" && /^[A-Za-z][A-Za-z0-9_]{1,60}$/.test(code) ? code : "networkFault";
}
