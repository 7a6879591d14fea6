import {
  createDefaultHttpClient,
  createHttpHeaders,
  createPipelineRequest,
  type HttpMethods,
  type PipelineResponse,
  RestError,
} from "@azure/core-rest-pipeline";
import type { TableClient } from "@azure/data-tables";

/** A request of ours to the table service. */
type TableRequest = {
  readonly method: HttpMethods;
  readonly url: string;
  readonly abortSignal: AbortSignal;
  readonly contentType?: string;
  readonly body?: string;
};

/** The table service as a client reaches it, for requests and answers that are ours. */
export type TableService = {
  readonly tableName: string;
  /** The address of the table, without a signature. */
  readonly tableUrl: string;
  /** The address of something in the account, with the signature where the client's address carries one. */
  url(resource: string, query?: string): string;
  /**
   * Any answer, also a refusal, once the client's pipeline has retried what it retries.
   * @throws RestError where there is none.
   */
  send(request: TableRequest): Promise<PipelineResponse>;
};

/** As the client sends them: the version of the service, and rows with those types alone that JSON does not tell. */
const serviceHeaders = {
  "x-ms-version": "2019-02-02",
  DataServiceVersion: "3.0",
  MaxDataServiceVersion: "3.0;NetFx",
  Accept: "application/json;odata=minimalmetadata",
};

/** Requests through the client's own pipeline: its identity, retries and spans stay. */
export function tableServiceOf(client: TableClient): TableService {
  const [address = "", signature = ""] = client.url.split("?");
  const account = address.replace(/\/$/, "");
  const pipeline = client.pipeline.clone();
  // Bodies are texts of ours, both ways.
  pipeline.removePolicy({ phase: "Serialize" });
  pipeline.removePolicy({ phase: "Deserialize" });
  const httpClient = createDefaultHttpClient();
  // Only a shared key, which is never sent, may go by plain http: the pipeline refuses to send a token there.
  const allowInsecureConnection = account.startsWith("http:");
  return {
    tableName: client.tableName,
    tableUrl: `${account}/${client.tableName}`,
    url: (resource, query = "") => {
      const parameters = [query, signature].filter((part) => part !== "").join("&");
      return `${account}/${resource}${parameters === "" ? "" : "?"}${parameters}`;
    },
    send: ({ method, url, abortSignal, contentType, body }) => {
      const headers = createHttpHeaders(serviceHeaders);
      if (contentType !== undefined) headers.set("Content-Type", contentType);
      const content = body === undefined ? {} : { body: Buffer.from(body) };
      const request = createPipelineRequest({ method, url, abortSignal, headers, allowInsecureConnection, ...content });
      return pipeline.sendRequest(httpClient, request);
    },
  };
}

/** Why the service refused something, or why there was no answer. */
export type Failure = {
  /** Null: there was no answer. */
  readonly status: number | null;
  readonly code: string;
  /** The position of the request at fault within a change set: the prefix `"<i>:"` of its message. */
  readonly index: number | null;
};

/**
 * What an answer that is an error says.
 * @see https://learn.microsoft.com/rest/api/storageservices/table-service-error-codes
 */
export function failureIn(status: number, body: string, headerCode?: string): Failure {
  const error = objectOf(objectOf(parsed(body))["odata.error"]);
  const message = objectOf(error["message"])["value"];
  const code = error["code"] ?? headerCode;
  const position = typeof message === "string" ? /^(\d{1,3}):/.exec(message)?.[1] : undefined;
  return {
    status,
    code: typeof code === "string" ? code : "unknown",
    index: position === undefined ? null : Number(position),
  };
}

/** What an error of a client of the SDK says, or of its pipeline. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof RestError)) {
    return { status: null, code: error instanceof Error ? error.name : "unknown", index: null };
  }
  const details = objectOf(error.details);
  const code = error.code ?? objectOf(details["odataError"])["code"] ?? details["errorCode"];
  return { status: error.statusCode ?? null, code: typeof code === "string" ? code : "unknown", index: null };
}

/** JSON, or null for what is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** An object as it is; anything else is an empty one. */
export function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
