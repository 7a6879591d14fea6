import {
  createDefaultHttpClient,
  createEmptyPipeline,
  createHttpHeaders,
  createPipelineRequest,
  type HttpClient,
  type PipelineRequest,
} from "@azure/core-rest-pipeline";
import { type After, after as realAfter } from "../timer.js";
import { productVersion } from "../version.js";
import { type GraphLimits, graphLimits } from "./limits.js";
import { parseRoot } from "./links.js";
import {
  answerOf,
  attemptPolicy,
  bearerPolicy,
  CallFault,
  type CallNote,
  type CallRecord,
  codeOf,
  guardPolicy,
  retryOptions,
  staleSocketPolicy,
} from "./policies.js";
import { createPool } from "./pool.js";
import type { Call, Failure, Sent, TokenSource, Transport } from "./ports.js";

/** What the transport is made of. */
export type TransportOptions = {
  readonly root: string;
  readonly token: TokenSource;
  /** Draws a GUID. */
  readonly newId: () => string;
  readonly limits?: Partial<GraphLimits>;
  /** The timer that bounds calls. Default: that of Node.js. */
  readonly after?: After;
  /** For tests: what puts a request on the wire. */
  readonly httpClient?: HttpClient;
};

/**
 * The way to Graph: one pipeline, one pool of connections, one origin. It follows no redirect and ignores proxy settings,
 * so that a token goes to the configured origin and nowhere else (I8).
 * @throws Error when the root is not an origin that may see a token.
 */
export function createTransport({ root, token, newId, ...options }: TransportOptions): Transport {
  const limits = { ...graphLimits, ...options.limits };
  const home = parseRoot(root);
  const pool = createPool(home, limits);
  const records = new WeakMap<PipelineRequest, CallNote>();
  const signatures = new WeakMap<Sent, string>(); // Not in `Sent`: nobody else should see a token.
  const httpClient = options.httpClient ?? createDefaultHttpClient();
  const pipeline = createEmptyPipeline();
  // From the outermost to the innermost.
  pipeline.addPolicy(bearerPolicy(token));
  pipeline.addPolicy(staleSocketPolicy(pool));
  pipeline.addPolicy(attemptPolicy({ pool, newId, limits, after: options.after ?? realAfter }, records));
  pipeline.addPolicy(guardPolicy(root));

  const requestOf = ({ method, rawTarget, headers, body }: Call): PipelineRequest =>
    createPipelineRequest({
      url: home.origin,
      method,
      headers: createHttpHeaders({
        ...headers,
        Accept: "application/json",
        "User-Agent": `calendar-mirror/${productVersion}`,
        ...(body === null ? {} : { "Content-Type": "application/json" }),
      }),
      ...(body === null ? {} : { body: JSON.stringify(body) }),
      allowInsecureConnection: home.scheme === "http", // Loopback only: parseRoot saw to it.
      streamResponseStatusCodes: new Set([Number.POSITIVE_INFINITY]), // We read bodies ourselves, within a limit.
      // The path byte for byte: a URL object would normalise it. The agent too: createPipelineRequest drops its own option.
      requestOverrides: { path: rawTarget, hostname: home.hostname, agent: pool.agent },
    });

  return {
    async send(call): Promise<Sent> {
      const record: CallRecord = { requests: 0, clientRequestId: null };
      try {
        const request = requestOf(call);
        records.set(request, { record, patienceMs: call.patienceMs ?? null });
        const response = await pipeline.sendRequest(httpClient, request);
        const sent: Sent = { kind: "answer", answer: answerOf(response), ...record };
        signatures.set(sent, request.headers.get("Authorization") ?? "");
        return sent;
      } catch (error) {
        // Messages of network errors are dropped: they may hold a URL, and so a link.
        const detail = error instanceof CallFault && error.code === "tokenUnavailable" ? error.message : null;
        return { kind: "fault", failure: failureOf(codeOf(error)), detail: detail?.slice(0, 500) ?? null, ...record };
      }
    },
    async hasOtherToken(sent, refusal) {
      const options = retryOptions(refusal);
      if (options === null) return false;
      try {
        return signatures.get(sent) !== `Bearer ${await token.getToken(options)}`;
      } catch {
        return false; // The refusal stands, and is logged.
      }
    },
    nextRequestId: newId,
    batchHealth: { refusalsInARow: 0, pausedUntilMs: 0, patienceMs: null, cutInARow: 0 },
    close: () => pool.agent.destroy(),
  };
}

function failureOf(code: string): Failure {
  if (code === "tokenUnavailable") return { kind: "authConfig", code };
  if (code === "foreignOrigin") return { kind: "linkRefused", code: "linkRefused:host" };
  return { kind: "transient", code, retryAfterMs: null };
}
