import { type QueueClient, QueueServiceClient, type StoragePipelineOptions } from "@azure/storage-queue";
import { HostError } from "./hostError.js";
import { type Environment, readSetting } from "./settings.js";

// As the .NET client of the real host: three retries, from 0.8 s. The JavaScript default waits 4 s before the first.
const PIPELINE: StoragePipelineOptions = {
  retryOptions: { maxTries: 4, retryDelayInMs: 800, maxRetryDelayInMs: 10_000 },
};

/** Finds a queue by name and connection setting; clients are shared per connection. */
export type QueueFinder = { get(queueName: string, connection: unknown): Promise<QueueClient> };

/** A `connection` names a setting: `AzureWebJobs<name>` or `<name>`, a connection string or the identity form. */
export function createQueueFinder(environment: Environment): QueueFinder {
  const services = new Map<string, Promise<QueueServiceClient>>();
  return {
    async get(queueName, connection) {
      const name = typeof connection === "string" && connection !== "" ? connection : "AzureWebJobsStorage";
      const service = services.get(name) ?? createService(environment, name);
      services.set(name, service);
      return (await service).getQueueClient(queueName);
    },
  };
}

async function createService(environment: Environment, name: string): Promise<QueueServiceClient> {
  for (const setting of [`AzureWebJobs${name}`, name]) {
    const connectionString = readSetting(environment, setting);
    if (connectionString !== undefined && connectionString !== "") {
      return QueueServiceClient.fromConnectionString(connectionString, PIPELINE);
    }
    const account = readSetting(environment, `${setting}__accountName`);
    const uri =
      readSetting(environment, `${setting}__queueServiceUri`) ??
      (account === undefined ? undefined : `https://${account}.queue.core.windows.net`);
    if (uri === undefined) continue;
    const { DefaultAzureCredential } = await import("@azure/identity"); // Slow to load, and rarely wanted here.
    return new QueueServiceClient(uri, new DefaultAzureCredential(), PIPELINE);
  }
  throw new HostError(`storage connection '${name}' is not set (e.g. in local.settings.json, or the environment)`);
}

/** The name in lower case, as the host sends it. @throws HostError when Azure would refuse it. */
export function toQueueName(text: string): string {
  const name = text.toLowerCase();
  if (/^[a-z0-9](?:[a-z0-9]|-(?!-)){1,61}[a-z0-9]$/.test(name)) return name;
  throw new HostError(`'${text}' is not a valid queue name (3 to 63 of a-z, 0-9 and single dashes)`);
}

/** The HTTP status of a failed storage call; 0 when there was no answer. */
export function statusOf(error: unknown): number {
  const status = typeof error === "object" && error !== null && "statusCode" in error ? error.statusCode : 0;
  return typeof status === "number" ? status : 0;
}

/** Sends a message as it is; a missing queue is created first. */
export async function sendCreating(queue: QueueClient, text: string): Promise<void> {
  try {
    await queue.sendMessage(text);
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
    await queue.createIfNotExists();
    await queue.sendMessage(text);
  }
}
