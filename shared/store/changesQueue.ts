import type { TokenCredential } from "@azure/core-auth";
import { QueueClient, RestError } from "@azure/storage-queue";
import type { StorageSettings } from "../settings.js";

/**
 * Sends nudges to the changes queue. Not by an output binding: the checkpoint may note a nudge as sent only once the
 * queue has it, and a binding sends after the handler is done.
 * Base64, as the queue extension of the Functions host expects by default.
 */
export function changesQueueOf(storage: StorageSettings, name: string, credential: TokenCredential | null) {
  const client = clientOf(storage, name, credential);
  let exists: Promise<unknown> | null = null;
  return async (nudge: { readonly mailbox: string; readonly sequence: number }): Promise<void> => {
    const text = Buffer.from(JSON.stringify(nudge)).toString("base64");
    try {
      await client.sendMessage(text);
    } catch (error) {
      if (!(error instanceof RestError) || error.code !== "QueueNotFound") throw error;
      exists ??= client.createIfNotExists();
      await exists;
      await client.sendMessage(text);
    }
  };
}

function clientOf(storage: StorageSettings, name: string, credential: TokenCredential | null): QueueClient {
  const options = { retryOptions: { maxTries: 3, retryDelayInMs: 500, maxRetryDelayInMs: 4_000 } };
  if (storage.kind === "connectionString") return new QueueClient(storage.connectionString, name, options);
  if (credential === null) throw new Error("An identity is needed for the storage queues.");
  return new QueueClient(`${storage.queueServiceUri}/${name}`, credential, options);
}
