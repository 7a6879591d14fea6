import type { PipelinePolicy } from "@azure/core-rest-pipeline";
import { RestError, type TableClient, type TableEntity, type TransactionAction } from "@azure/data-tables";
import { within } from "../within.js";
import { StorageError } from "./errors.js";
import {
  type Action,
  type Columns,
  type ColumnValue,
  type Condition,
  type Entity,
  type KeyRange,
  type QueryOptions,
  type Table,
  type Transacted,
  tableLimits,
} from "./table.js";

const escapePolicyName = "escapeLineSeparatorsPolicy";

/**
 * Our choice, for one call with the client's own retries and the token that it waits for: the service takes 30 s at most,
 * and a run whose table is silent three times in a row must still end within the function's time.
 */
const callMsMax = 90_000;

/** Azure Table Storage, or Azurite, as a Table. The client is given so that one connection pool serves all. */
export function azureTable(client: TableClient): Table {
  escapeLineSeparators(client);
  return {
    createIfMissing: () => bounded("createTable", "", (abortSignal) => client.createTable({ abortSignal })),
    get: (partitionKey, rowKey, columns) =>
      bounded("get", partitionKey, (abortSignal) => getEntity(client, partitionKey, rowKey, columns, abortSignal)),
    pages: (partitionKey, range, pageSize, options) => listPages(client, partitionKey, range, pageSize, options),
    transact: (partitionKey, actions) =>
      bounded("transaction", partitionKey, (abortSignal) => transact(client, partitionKey, actions, abortSignal)),
  };
}

/**
 * Sends U+2028 and U+2029 as `\u2028` and `\u2029`: equal JSON. Sent as they are, they break Azurite's transactions
 * (3.35 and 3.37 cut the body there), and all later ones with them.
 */
function escapeLineSeparators(client: TableClient): void {
  if (client.pipeline.getOrderedPolicies().some((policy) => policy.name === escapePolicyName)) return;
  const policy: PipelinePolicy = {
    name: escapePolicyName,
    sendRequest(request, next) {
      const { body } = request;
      if (typeof body === "string" && /[\u2028\u2029]/.test(body)) {
        request.body = body.replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
        request.headers.set("Content-Length", String(Buffer.byteLength(request.body)));
      }
      return next(request);
    },
  };
  client.pipeline.addPolicy(policy, { afterPhase: "Serialize" });
}

async function getEntity(
  client: TableClient,
  partitionKey: string,
  rowKey: string,
  columns: readonly string[] | undefined,
  abortSignal: AbortSignal,
): Promise<Entity | null> {
  const narrow = columns === undefined ? {} : { queryOptions: selecting(columns) };
  try {
    return entityOf(await client.getEntity<Record<string, unknown>>(partitionKey, rowKey, { ...narrow, abortSignal }));
  } catch (error) {
    const { code } = failureOf(error);
    if (code === "ResourceNotFound" || code === "EntityNotFound") return null;
    throw error;
  }
}

async function* listPages(
  client: TableClient,
  partitionKey: string,
  { after, upTo }: KeyRange,
  pageSize: number,
  { where = [], columns }: QueryOptions = {},
): AsyncIterable<readonly Entity[]> {
  const range = `PartitionKey eq ${quoted(partitionKey)} and RowKey gt ${quoted(after)} and RowKey le ${quoted(upTo)}`;
  const filter = [range, ...where.map(conditionText)].join(" and ");
  const select = columns === undefined ? {} : selecting(columns);
  const maxPageSize = Math.min(pageSize, tableLimits.entitiesPerPage);
  const stop = new AbortController(); // The SDK takes one signal for all pages; the bound is of each.
  const abortSignal = stop.signal;
  const pages = client
    .listEntities<Record<string, unknown>>({ queryOptions: { filter, ...select }, abortSignal })
    .byPage({ maxPageSize });
  for (;;) {
    const step = await bounded("query", partitionKey, (late) => {
      late.addEventListener("abort", () => stop.abort());
      return pages.next();
    });
    if (step.done === true) return;
    yield step.value.map(entityOf);
  }
}

/** Keys come only where they are named. */
function selecting(columns: readonly string[]) {
  return { select: ["PartitionKey", "RowKey", ...columns] };
}

function conditionText(condition: Condition): string {
  const { column } = condition;
  if ("earlierThanMs" in condition) return `${column} lt datetime'${new Date(condition.earlierThanMs).toISOString()}'`;
  return `${column} eq ${typeof condition.equals === "string" ? quoted(condition.equals) : condition.equals}`;
}

async function transact(
  client: TableClient,
  partitionKey: string,
  actions: readonly Action[],
  abortSignal: AbortSignal,
): Promise<Transacted> {
  try {
    const [only] = actions;
    if (actions.length === 1 && only?.kind === "delete") {
      await client.deleteEntity(partitionKey, only.rowKey, { etag: only.etag, abortSignal });
      return { kind: "done", etags: [""] };
    }
    const operations = actions.map((action) => sdkAction(partitionKey, action));
    const response = await client.submitTransaction(operations, { abortSignal });
    const etags = response.subResponses.map(({ etag }) => etag ?? "");
    // Without its ETag a row could not be written again: better to have the caller look what is stored.
    if (actions.some(({ kind }, index) => etags[index] === undefined || (kind !== "delete" && etags[index] === ""))) {
      throw new StorageError("transaction", partitionKey, response.status, "AnswerIncomplete");
    }
    return { kind: "done", etags };
  } catch (error) {
    return refusalOf(error, actions.length) ?? raise("transaction", partitionKey, error);
  }
}

function sdkAction(partitionKey: string, action: Action): TransactionAction {
  const { rowKey } = action;
  if (action.kind === "delete") {
    if (action.etag !== "*") throw new RangeError("A delete with an ETag goes alone: the SDK's transactions drop it.");
    return ["delete", { partitionKey, rowKey }];
  }
  const entity: TableEntity = { ...action.columns, partitionKey, rowKey };
  if (action.kind === "create") return ["create", entity];
  if (action.kind === "upsert") return ["upsert", entity, "Replace"];
  return ["update", entity, action.kind === "merge" ? "Merge" : "Replace", { etag: action.etag }];
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

/** The definite refusal that an error stands for; null when it leaves open whether the transaction was applied. */
function refusalOf(error: unknown, actions: number): Transacted | null {
  const { status, code, index } = failureOf(error);
  const refused = (reason: "conflict" | "tooLarge" | "invalid"): Transacted => {
    return { kind: "refused", index: actions === 1 ? 0 : index, reason, code };
  };
  if (status === 412 || conflictCodes.has(code)) return refused("conflict");
  if (status === 413 || tooLargeCodes.has(code)) return refused("tooLarge");
  return status === 400 ? refused("invalid") : null;
}

type Failure = { readonly status: number | null; readonly code: string; readonly index: number | null };

/**
 * Single calls carry the code in the parsed body, transactions in `code`, and the position of the failing action only as
 * the message's prefix `"<i>:"`.
 */
function failureOf(error: unknown): Failure {
  if (!(error instanceof RestError)) {
    return { status: null, code: error instanceof Error ? error.name : "unknown", index: null };
  }
  const details = objectOf(error.details);
  const code = error.code ?? objectOf(details["odataError"])["code"] ?? details["errorCode"];
  const position = /^(\d{1,3}):/.exec(error.message)?.[1];
  return {
    status: error.statusCode ?? null,
    code: typeof code === "string" ? code : "unknown",
    index: position === undefined ? null : Number(position),
  };
}

/** One call of the table, bounded. A write that was given up may still take effect: that is no clear answer. */
async function bounded<T>(
  operation: string,
  partitionKey: string,
  call: (abortSignal: AbortSignal) => Promise<T>,
): Promise<T> {
  try {
    return await within(callMsMax, () => new StorageError(operation, partitionKey, null, "timeout"), call);
  } catch (error) {
    return raise(operation, partitionKey, error);
  }
}

/** Throws a StorageError without the SDK's error as its cause: that one holds the request. Our own errors pass as they are. */
function raise(operation: string, partitionKey: string, error: unknown): never {
  if (error instanceof StorageError || error instanceof RangeError || error instanceof TypeError) throw error;
  const { status, code } = failureOf(error);
  throw new StorageError(operation, partitionKey, status, code);
}

const systemProperties = new Set(["partitionKey", "rowKey", "etag", "timestamp", "odata.metadata", "odata.type"]);

function entityOf(raw: Readonly<Record<string, unknown>>): Entity {
  const columns: Columns = Object.fromEntries(
    Object.entries(raw).filter((entry): entry is [string, ColumnValue] => {
      return !systemProperties.has(entry[0]) && isColumnValue(entry[1]);
    }),
  );
  const text = (name: string) => (typeof raw[name] === "string" ? raw[name] : "");
  return { partitionKey: text("partitionKey"), rowKey: text("rowKey"), etag: text("etag"), columns };
}

/** The types that we write. A column that somebody else added may hold another one, and is ignored. */
function isColumnValue(value: unknown): value is ColumnValue {
  const type = typeof value;
  return type === "string" || type === "number" || type === "boolean" || type === "bigint" || value instanceof Date;
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
