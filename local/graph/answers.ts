import type { Answer, GraphError } from "./types.js";

/** An answer with Graph's error body. */
export function refuse(status: number, code: string, message: string, headers?: Record<string, string>): Answer {
  return headers === undefined ? { status, body: { code, message } } : { status, body: { code, message }, headers };
}

/** An answer with a JSON body. */
export function answerJson(value: unknown, status = 200): Answer {
  return { status, body: JSON.stringify(value) };
}

/** @param nowMs Epoch milliseconds; Graph writes the time without fraction and zone. */
export function errorBody(error: GraphError, nowMs: number, requestId: string, clientRequestId: string): string {
  const date = new Date(nowMs).toISOString().slice(0, 19);
  const innerError = { date, "request-id": requestId, "client-request-id": clientRequestId };
  return JSON.stringify({ error: { code: error.code, message: error.message, innerError } });
}

/** 400: the path leads nowhere, or not in this version or cloud. */
export const unknownSegment = (segment: string): Answer =>
  refuse(400, "RequestBroker--ParseUri", `Resource not found for the segment '${segment}'.`);

/** 405. */
export const methodNotAllowed = (): Answer =>
  refuse(405, "Request_BadRequest", "The OData request is not supported for this method.");

/** 400: a skip or delta token that is damaged or foreign. */
export const badToken = (): Answer => refuse(400, "BadRequest", "Badly formed token.");

/** 404: there is a mailbox, but no such calendar. */
export const noSuchItem = (): Answer =>
  refuse(404, "ErrorItemNotFound", "The specified object was not found in the store.");

/** 403: missing rights. */
export const accessDenied = (): Answer =>
  refuse(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.");

/** 403 of calendar delta alone, which stores its sync state in the mailbox. */
export const mailboxFull = (): Answer =>
  refuse(403, "ErrorQuotaExceeded", "The mailbox has exceeded maximum mailbox size.");

const GONE_MESSAGES: Readonly<Record<string, string>> = {
  MailboxNotEnabledForRESTAPI: "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
  MailboxNotSupportedForRESTAPI: "REST API is not supported for this mailbox.",
  ResourceNotFound: "Resource could not be discovered.",
  ErrorInvalidUser: "The requested user is invalid.",
  ErrorNonExistentMailbox: "The SMTP address has no mailbox associated with it.",
  Request_ResourceNotFound: "Resource does not exist or one of its queried reference-property objects are not present.",
};

/** 404 with one of the codes for "no usable mailbox here". */
export const noMailbox = (code: string): Answer => refuse(404, code, GONE_MESSAGES[code] ?? "Not found.");

/** The page size of `Prefer: odata.maxpagesize`, from 1 to 1,000, or `fallback`. */
export function preferredPageSize(prefer: string | undefined, fallback: number): number {
  const found = prefer === undefined ? null : /odata\.maxpagesize\s*=\s*(\d{1,4})/i.exec(prefer);
  return found === null ? fallback : Math.min(Math.max(Number(found[1]), 1), 1000);
}

/** Names decoded and in lower case, values raw: tokens must be compared as they came. */
export function queryOf(query: string): Map<string, string> {
  const found = new Map<string, string>();
  if (query === "") return found;
  for (const part of query.split("&")) {
    const equals = part.indexOf("=");
    const name = equals < 0 ? part : part.slice(0, equals);
    const plain = name.startsWith("%24") ? `$${name.slice(3)}` : name;
    found.set(plain.toLowerCase(), equals < 0 ? "" : part.slice(equals + 1));
  }
  return found;
}

/** Undoes percent escapes; null when they are broken. */
export function decodeSegment(raw: string): string | null {
  if (!raw.includes("%")) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    return null; // Broken escapes are the caller's mistake, answered as an unknown segment.
  }
}
