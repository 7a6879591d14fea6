import type { PipelineResponse } from "@azure/core-rest-pipeline";
import type { TableClient } from "@azure/data-tables";
import { within } from "../within.js";
import { changeAnswersOf, changesetOf, entityPath } from "./changeset.js";
import { entityOf } from "./entityText.js";
import { StorageError } from "./errors.js";
import {
  type Action,
  type Condition,
  type Entity,
  type KeyRange,
  type QueryOptions,
  type Table,
  type Transacted,
  tableLimits,
} from "./table.js";
import {
  type Failure,
  failureIn,
  failureOf,
  objectOf,
  parsed,
  type TableService,
  tableServiceOf,
} from "./tableService.js";

/**
 * Our choice, for one call with the client's own retries and the token that it waits for: the service takes 30 s at most,
 * and a run whose table is silent three times in a row must still end within the function's time.
 */
const callMsMax = 90_000;

/**
 * Azure Table Storage, or Azurite, as a Table. What is sent and what is read of the answers is ours: the SDK's client makes a
 * transaction of a hundred rows by a hundred pipelines, and drops the ETags of its deletes (@azure/data-tables 13.3.2).
 * @param client Given so that one connection pool serves all; requests go through its pipeline.
 */
export function azureTable(client: TableClient): Table {
  const service = tableServiceOf(client);
  return {
    createIfMissing: () => bounded("createTable", "", (abortSignal) => client.createTable({ abortSignal })),
    get: (partitionKey, rowKey, columns) =>
      bounded("get", partitionKey, (abortSignal) => getEntity(service, partitionKey, rowKey, columns, abortSignal)),
    pages: (partitionKey, range, pageSize, options) => listPages(service, partitionKey, range, pageSize, options),
    transact: (partitionKey, actions) =>
      bounded("transaction", partitionKey, (abortSignal) => transact(service, partitionKey, actions, abortSignal)),
  };
}

async function getEntity(
  service: TableService,
  partitionKey: string,
  rowKey: string,
  columns: readonly string[] | undefined,
  abortSignal: AbortSignal,
): Promise<Entity | null> {
  const query = columns === undefined ? "" : String(new URLSearchParams({ $select: selectionOf(columns) }));
  const url = service.url(entityPath(service.tableName, partitionKey, rowKey), query);
  const answer = await service.send({ method: "GET", url, abortSignal });
  if (answer.status === 200) return entityOf(objectOf(contentOf(answer, "get", partitionKey)));
  const failure = refusalIn(answer);
  if (failure.code === "ResourceNotFound" || failure.code === "EntityNotFound") return null;
  throw errorOf("get", partitionKey, failure);
}

async function* listPages(
  service: TableService,
  partitionKey: string,
  { after, upTo }: KeyRange,
  pageSize: number,
  { where = [], columns }: QueryOptions = {},
): AsyncIterable<readonly Entity[]> {
  const range = `PartitionKey eq ${quoted(partitionKey)} and RowKey gt ${quoted(after)} and RowKey le ${quoted(upTo)}`;
  const query = new URLSearchParams({ $filter: [range, ...where.map(conditionText)].join(" and ") });
  query.set("$top", String(Math.min(pageSize, tableLimits.entitiesPerPage)));
  if (columns !== undefined) query.set("$select", selectionOf(columns));
  for (let isMore = true; isMore; ) {
    const url = service.url(`${service.tableName}()`, query.toString().replaceAll("+", "%20"));
    const answer = await bounded("query", partitionKey, (abortSignal) =>
      service.send({ method: "GET", url, abortSignal }),
    );
    if (answer.status !== 200) throw errorOf("query", partitionKey, refusalIn(answer));
    const { value } = objectOf(contentOf(answer, "query", partitionKey));
    if (!Array.isArray(value)) throw new StorageError("query", partitionKey, 200, "AnswerIncomplete");
    isMore = false;
    for (const name of ["NextPartitionKey", "NextRowKey"]) {
      const next = answer.headers.get(`x-ms-continuation-${name}`);
      if (next === undefined) query.delete(name);
      else query.set(name, next);
      isMore ||= next !== undefined;
    }
    yield value.map(entityOf);
  }
}

/** Keys come only where they are named. */
function selectionOf(columns: readonly string[]): string {
  return ["PartitionKey", "RowKey", ...columns].join(",");
}

function conditionText(condition: Condition): string {
  if ("anyOf" in condition) return `(${condition.anyOf.map(conditionText).join(" or ")})`;
  const { column } = condition;
  if ("earlierThanMs" in condition) return `${column} lt datetime'${new Date(condition.earlierThanMs).toISOString()}'`;
  return `${column} eq ${typeof condition.equals === "string" ? quoted(condition.equals) : condition.equals}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

async function transact(
  service: TableService,
  partitionKey: string,
  actions: readonly Action[],
  abortSignal: AbortSignal,
): Promise<Transacted> {
  const { contentType, body } = changesetOf(service.tableUrl, partitionKey, actions);
  const answer = await service.send({ method: "POST", url: service.url("$batch"), abortSignal, contentType, body });
  const { status, bodyAsText } = answer;
  if (status >= 300) return refused(refusalIn(answer), partitionKey, actions.length);
  const answers = (status === 202 ? changeAnswersOf(bodyAsText ?? "") : null) ?? [];
  const failed = answers.find((part) => part.status >= 300);
  if (failed !== undefined) return refused(failureIn(failed.status, failed.body), partitionKey, actions.length);
  // Without its ETag a row could not be written again: better to have the caller look what is stored.
  const isWhole =
    answers.length === actions.length && actions.every(({ kind }, i) => kind === "delete" || answers[i]?.etag !== "");
  if (!isWhole) throw new StorageError("transaction", partitionKey, status, "AnswerIncomplete");
  return { kind: "done", etags: answers.map(({ etag }) => etag) };
}

/** @see https://learn.microsoft.com/rest/api/storageservices/table-service-error-codes */
const tooLargeCodes = new Set([
  "EntityTooLarge",
  "PropertyValueTooLarge",
  "RequestBodyTooLarge",
  "TooManyProperties",
  "ContentLengthExceeded",
]);
/** 404 and 409 about an entity. With any other code they are about the table or the account, and that is no answer. */
const conflictCodes = new Set(["EntityAlreadyExists", "ResourceNotFound", "EntityNotFound"]);

/** The definite refusal that a failure stands for. @throws StorageError where it leaves open whether it was applied. */
function refused(failure: Failure, partitionKey: string, actions: number): Transacted {
  const { status, code } = failure;
  const index = actions === 1 ? 0 : failure.index;
  if (status === 412 || conflictCodes.has(code)) return { kind: "refused", index, reason: "conflict", code };
  if (status === 413 || tooLargeCodes.has(code)) return { kind: "refused", index, reason: "tooLarge", code };
  if (status === 400) return { kind: "refused", index, reason: "invalid", code };
  throw errorOf("transaction", partitionKey, failure);
}

function refusalIn({ status, bodyAsText, headers }: PipelineResponse): Failure {
  return failureIn(status, bodyAsText ?? "", headers.get("x-ms-error-code"));
}

/** The JSON of a success. One that was cut off is no answer. */
function contentOf({ status, bodyAsText }: PipelineResponse, operation: string, partitionKey: string): unknown {
  const content = parsed(bodyAsText ?? "");
  if (content === null) throw new StorageError(operation, partitionKey, status, "AnswerIncomplete");
  return content;
}

function errorOf(operation: string, partitionKey: string, { status, code }: Failure): StorageError {
  return new StorageError(operation, partitionKey, status, code);
}

/**
 * One call of the table, bounded. A write that was given up may still take effect: that is no clear answer.
 * @throws StorageError without the SDK's error as its cause: that one holds the request. Our own errors pass as they are.
 */
async function bounded<T>(
  operation: string,
  partitionKey: string,
  call: (abortSignal: AbortSignal) => Promise<T>,
): Promise<T> {
  try {
    return await within(callMsMax, () => new StorageError(operation, partitionKey, null, "timeout"), call);
  } catch (error) {
    if (error instanceof StorageError || error instanceof RangeError || error instanceof TypeError) throw error;
    throw errorOf(operation, partitionKey, failureOf(error));
  }
}
