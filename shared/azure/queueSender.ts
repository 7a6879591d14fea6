import type { TokenCredential } from "@azure/core-auth";
import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createEmptyPipeline,
  createHttpHeaders,
  createPipelineRequest,
  defaultRetryPolicy,
} from "@azure/core-rest-pipeline";
import { QueueClient, QueueSASPermissions, RestError } from "@azure/storage-queue";
import type { Log } from "../log.js";
import type { StorageSettings } from "../storageSettings.js";
import { within } from "../within.js";

/** Our choice, for one call with the client's own retries and the token that it waits for. */
const callMsMax = 30_000;

/** Sends one message as JSON, to be seen after so many whole seconds, or at once: resolves when the queue has it. */
export type SendMessage = (message: object, delaySeconds?: number) => Promise<void>;

/**
 * Sends messages where an output binding will not do: a binding knows no delay, and sends after the handler has ended, while
 * the checkpoint may record a nudge as sent only once the queue has it.
 * Base64, as the queue extension of the Functions host expects by default.
 *
 * A missing queue is created whenever a send finds it missing. One that is being deleted cannot be created for half a
 * minute or more: the message fails. A nudge is sent when its mailbox is next handled.
 * @returns Makes one sender for each invocation: after one timeout it sends nothing more, or a run with many changes would
 *   wait for each of them.
 */
export function queueSenderOf(
  storage: StorageSettings,
  name: string,
  credential: TokenCredential | null,
  nowMs: () => number,
): (log: Log) => SendMessage {
  const client = clientOf(storage, name, credential);
  const put = putsOf(client, credential, nowMs);
  let making: Promise<unknown> | null = null; // Shared by concurrent callers, and kept no longer.
  const make = async (log: Log): Promise<void> => {
    const made = await calling("create", (abortSignal) => client.createIfNotExists({ abortSignal }));
    if (made.succeeded) log("warn", "queue made: there was none", { queue: name });
  };
  return (log) => {
    let isSilent = false;
    return async (message, delaySeconds = 0) => {
      if (isSilent) throw new QueueError("send", "timeout", "not asked again in this invocation");
      const text = Buffer.from(JSON.stringify(message)).toString("base64");
      const send = () => calling("send", (abortSignal) => put(text, delaySeconds, abortSignal));
      try {
        await send().catch(async (error: unknown) => {
          if (!(error instanceof QueueError) || error.code !== "QueueNotFound") throw error;
          making ??= make(log).finally(() => {
            making = null;
          });
          await making;
          await send();
        });
      } catch (error) {
        isSilent ||= error instanceof QueueError && error.code === "timeout";
        throw error;
      }
    };
  };
}

/** The queue did not take a message. One line, without the SDK's error as its cause: that one holds the request. */
class QueueError extends Error {
  override readonly name = "QueueError";
  readonly code: string;
  constructor(operation: string, code: string, why: string) {
    super(`Queue storage: ${operation} failed, ${why}, code ${code}.`);
    this.code = code;
  }
}

async function calling<T>(operation: string, call: (abortSignal: AbortSignal) => Promise<T>): Promise<T> {
  try {
    return await within(callMsMax, () => new QueueError(operation, "timeout", "no answer"), call);
  } catch (error) {
    if (error instanceof QueueError) throw error;
    const isAnswer = error instanceof RestError && error.statusCode !== undefined;
    const code =
      error instanceof RestError ? (error.code ?? "unknown") : error instanceof Error ? error.name : "unknown";
    throw new QueueError(operation, code, isAnswer ? `status ${error.statusCode}` : "no answer");
  }
}

/** Our choice: how long a signature of a shared key is good, and how long it is used. */
const signatureMs = { validFor: 60 * 60_000, usedFor: 30 * 60_000 };
const storageScope = "https://storage.azure.com/.default";

/**
 * Puts one message by a request of our own: the client takes two and a half times the processor time, for spans and for XML that nobody
 * reads (@azure/storage-queue 12.32.0). A shared key signs the address from time to time, instead of each request.
 * @see https://learn.microsoft.com/rest/api/storageservices/put-message
 */
function putsOf(client: QueueClient, credential: TokenCredential | null, nowMs: () => number) {
  const pipeline = createEmptyPipeline();
  pipeline.addPolicy(defaultRetryPolicy({ maxRetries: 2, ...retryDelays }), { phase: "Retry" });
  if (credential !== null) {
    pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes: storageScope }), { phase: "Sign" });
  }
  const httpClient = createDefaultHttpClient();
  const allowInsecureConnection = client.url.startsWith("http:"); // For Azurite. No token is sent there.
  const addressNow = addressOf(client, credential === null, nowMs);
  return async (text: string, delaySeconds: number, abortSignal: AbortSignal): Promise<void> => {
    const [path = "", signature] = (await addressNow()).split("?");
    const delay = delaySeconds === 0 ? [] : [`visibilitytimeout=${delaySeconds}`];
    const query = [...delay, ...(signature === undefined ? [] : [signature])].join("&");
    const url = `${path}/messages${query === "" ? "" : `?${query}`}`;
    const headers = createHttpHeaders({ "x-ms-version": "2021-12-02", "Content-Type": "application/xml" });
    const body = `<QueueMessage><MessageText>${text}</MessageText></QueueMessage>`;
    const request = createPipelineRequest({ method: "POST", url, headers, body, abortSignal, allowInsecureConnection });
    const { status, headers: answered } = await pipeline.sendRequest(httpClient, request);
    if (status !== 201) throw new QueueError("send", answered.get("x-ms-error-code") ?? "unknown", `status ${status}`);
  };
}

/** The queue's address: signed, where a shared key is what we have. A connection string may hold a signature of its own. */
function addressOf(client: QueueClient, hasNoIdentity: boolean, nowMs: () => number): () => string | Promise<string> {
  if (!hasNoIdentity || client.url.includes("?")) return () => client.url;
  const permissions = QueueSASPermissions.parse("a");
  let signedMs = Number.NEGATIVE_INFINITY;
  let signed: string | Promise<string> = client.url;
  return () => {
    const now = nowMs();
    if (Math.abs(now - signedMs) > signatureMs.usedFor) {
      signedMs = now;
      signed = client.generateSasUrl({ permissions, expiresOn: new Date(now + signatureMs.validFor) });
    }
    return signed;
  };
}

const retryDelays = { retryDelayInMs: 500, maxRetryDelayInMs: 4_000 };

function clientOf(storage: StorageSettings, name: string, credential: TokenCredential | null): QueueClient {
  const options = { retryOptions: { maxTries: 3, ...retryDelays } };
  if (storage.kind === "connectionString") return new QueueClient(storage.connectionString, name, options);
  if (credential === null) throw new Error("An identity is needed for the storage queues.");
  return new QueueClient(`${storage.queueServiceUri}/${name}`, credential, options);
}
