import type { TokenCredential } from "@azure/core-auth";
import type { PipelinePolicy } from "@azure/core-rest-pipeline";
import { TableClient, type TableServiceClientOptions } from "@azure/data-tables";
import type { StorageSettings } from "../storageSettings.js";

/** Above the 30 s that the service itself gives a request at most. */
const requestMsMax = 35_000;

/**
 * A client for one table: by connection string (also `UseDevelopmentStorage=true`), or by the table service's URL and an
 * identity. Build it once per process: connections are kept alive and shared (by Node's own agents).
 * Few retries, seconds apart and with the pipeline's jitter: a queue message is retried anyway.
 * @throws Error for a URL without a credential.
 */
export function tableClientOf(
  storage: StorageSettings,
  tableName: string,
  credential: TokenCredential | null,
): TableClient {
  const options: TableServiceClientOptions = {
    retryOptions: { maxRetries: 3, retryDelayInMs: 500, maxRetryDelayInMs: 4_000 },
    additionalPolicies: [{ policy: limitRequestTime, position: "perCall" }],
  };
  if (storage.kind === "connectionString") {
    const { connectionString } = storage;
    const allowInsecureConnection = isPlainHttp(connectionString);
    return TableClient.fromConnectionString(connectionString, tableName, { ...options, allowInsecureConnection });
  }
  if (credential === null) throw new Error("An identity is needed for the storage table.");
  return new TableClient(storage.tableServiceUri, tableName, credential, options); // Https only, says the SDK.
}

/** Without a timeout, a connection that died silently would hold an invocation until the whole process is killed. */
const limitRequestTime: PipelinePolicy = {
  name: "limitRequestTimePolicy",
  sendRequest(request, next) {
    if (request.timeout === 0) request.timeout = requestMsMax;
    return next(request);
  },
};

/** Plain http is for Azurite; the account's key signs requests and is never sent. */
function isPlainHttp(connectionString: string): boolean {
  if (/(^|;)\s*UseDevelopmentStorage\s*=\s*true/i.test(connectionString)) return true;
  const endpoint = /(?:^|;)\s*TableEndpoint\s*=\s*(\w+):/i.exec(connectionString)?.[1];
  const scheme = endpoint ?? /(?:^|;)\s*DefaultEndpointsProtocol\s*=\s*(\w+)/i.exec(connectionString)?.[1];
  return scheme?.toLowerCase() === "http";
}
