import { tableText } from "./entityText.js";
import type { Action } from "./table.js";

/** A boundary needs no chance: a line break within a row or a key is escaped, so none of them begins a line with it. */
const batch = "batch_calendarmirror";
const changeset = "changeset_calendarmirror";

/** A transaction as the table service takes it: a change set of requests within a batch. */
export type Changeset = { readonly contentType: string; readonly body: string };

/** What the service answered to one request of a change set. */
export type ChangeAnswer = {
  readonly status: number;
  /** Empty where it sent none, as for a delete. */
  readonly etag: string;
  /** JSON of an error; empty for a success. */
  readonly body: string;
};

const requestHeaders =
  "Content-Type: application/json\r\nAccept: application/json;odata=minimalmetadata\r\nDataServiceVersion: 3.0\r\n";

/**
 * The text of a transaction. Keys stand in the requests' paths percent-encoded, rows and their keys as JSON, both without
 * line separators.
 * @param tableUrl The table's address, without a signature.
 * @throws RangeError for an ETag that would break out of its header, and for an empty transaction.
 * @see https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions
 */
export function changesetOf(tableUrl: string, partitionKey: string, actions: readonly Action[]): Changeset {
  if (actions.length === 0) throw new RangeError("A transaction holds at least one action.");
  const part = `--${changeset}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n`;
  let body = `--${batch}\r\nContent-Type: multipart/mixed; boundary=${changeset}\r\n\r\n`;
  for (const action of actions) body += `${part}${requestOf(tableUrl, partitionKey, action)}\r\n`;
  return {
    contentType: `multipart/mixed; boundary=${batch}`,
    body: `${body}--${changeset}--\r\n--${batch}--\r\n`,
  };
}

function requestOf(tableUrl: string, partitionKey: string, action: Action): string {
  const { kind, rowKey } = action;
  const method = methods[kind];
  const url = kind === "create" ? tableUrl : entityPath(tableUrl, partitionKey, rowKey);
  const condition = "etag" in action ? `If-Match: ${headerText(action.etag)}\r\n` : "";
  // A created row would be sent back otherwise.
  const preference = kind === "create" ? "Prefer: return-no-content\r\n" : "";
  const row = kind === "delete" ? "" : tableText(partitionKey, rowKey, action.columns);
  return `${method} ${url} HTTP/1.1\r\n${requestHeaders}${condition}${preference}\r\n${row}`;
}

/** An update without a condition is an upsert. */
const methods = { create: "POST", upsert: "PUT", update: "PUT", merge: "PATCH", delete: "DELETE" } as const;

/** The path, or address, of one entity: quotes within keys are doubled, as OData wants them. */
export function entityPath(table: string, partitionKey: string, rowKey: string): string {
  return `${table}(PartitionKey='${keyText(partitionKey)}',RowKey='${keyText(rowKey)}')`;
}

function keyText(key: string): string {
  return encodeURIComponent(key.replaceAll("'", "''"));
}

function headerText(etag: string): string {
  if (!/^[\x20-\x7e]+$/.test(etag)) throw new RangeError("An ETag must be visible ASCII.");
  return etag;
}

/**
 * Answers to the requests of a change set, in their order; a refusal comes alone. Null: this is no answer to a change set.
 * @param body Of an answer with status 202.
 */
export function changeAnswersOf(body: string): readonly ChangeAnswer[] | null {
  const boundary = /^Content-Type: *multipart\/mixed; *boundary="?([\w'()+,./:=?-]{1,70})"?\r?$/im.exec(body)?.[1];
  if (boundary === undefined) return null;
  const [, ...parts] = body.split(`\n--${boundary}`);
  if (parts.pop()?.startsWith("--") !== true) return null; // Cut off: what was to follow is not known.
  const answers = parts.map(changeAnswerOf);
  return answers.every((answer) => answer !== null) ? answers : null;
}

const answerPattern = /^HTTP\/1\.1 (\d{3})[^\n]*\n((?:[^\r\n]+\r?\n)*)\r?\n([\s\S]*)$/m;

function changeAnswerOf(part: string): ChangeAnswer | null {
  const [, status, headers = "", rest = ""] = answerPattern.exec(part) ?? [];
  if (status === undefined) return null;
  const etag = /^ETag: *(.*?)\r?$/im.exec(headers)?.[1] ?? "";
  return { status: Number(status), etag, body: rest.trim() };
}
