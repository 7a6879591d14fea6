import { isJsonObject } from "../sync/types.js";
import { codeCharsMax, codesPerChainMax, diagnosticCharsMax } from "./limits.js";
import type { Answer, Body } from "./ports.js";

/** Reads a body. Never throws. */
export function parseBody(text: string): Body {
  if (text.trim() === "") return { shape: "empty" };
  try {
    return { shape: "json", value: JSON.parse(text) };
  } catch {
    return { shape: "notJson" }; // HTML of a gateway, or half a body.
  }
}

/** Headers by names in lower case. Values that are neither text nor number are left out. */
export function headersOf(pairs: Iterable<readonly [string, unknown]>): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const [name, value] of pairs) {
    if (typeof value === "string" || typeof value === "number") headers.set(name.toLowerCase(), String(value));
  }
  return headers;
}

type ErrorLevel = { readonly code: string | null; readonly message: string; readonly requestId: string | null };

/** What Graph says about a failure, from the outermost error to the innermost. */
function errorLevels(body: Body): readonly ErrorLevel[] {
  const levels: ErrorLevel[] = [];
  let error = body.shape === "json" && isJsonObject(body.value) ? body.value["error"] : null;
  while (isJsonObject(error) && levels.length < codesPerChainMax) {
    const { code, message } = error;
    levels.push({
      code: typeof code === "string" && code !== "" ? printable(code, codeCharsMax) : null,
      message: typeof message === "string" ? message : "",
      requestId:
        typeof error["request-id"] === "string" && error["request-id"] !== ""
          ? printable(error["request-id"], codeCharsMax)
          : null,
    });
    const inner = Object.keys(error).find((key) => key.toLowerCase() === "innererror"); // Both spellings occur.
    error = inner === undefined ? null : error[inner];
  }
  return levels;
}

/**
 * The error codes of an answer, from the outermost to the innermost, in Graph's own spelling.
 * @see https://learn.microsoft.com/graph/errors: the innermost code that is understood is the most specific.
 */
export function codeChain(answer: Answer): readonly string[] {
  const codes = errorLevels(answer.body).flatMap(({ code }) => (code === null ? [] : [code]));
  const challenge = answer.headers.get("www-authenticate") ?? "";
  // A claims challenge names its error in the header, and the body may be silent about it.
  return /\berror="?insufficient_claims\b/i.test(challenge) ? [...codes, "insufficient_claims"] : codes;
}

/** All messages of the chain, for the few failures that have no code of their own. Never logged: they may hold names. */
export function messagesOf(answer: Answer): string {
  return errorLevels(answer.body)
    .map(({ message }) => message)
    .join("\n");
}

/** The ids that Microsoft's support asks for; nothing secret. */
export function traceOf(answer: Answer): { requestId: string | null; diagnostic: string | null } {
  const inBody = errorLevels(answer.body).find(({ requestId }) => requestId !== null)?.requestId ?? null;
  const inHeader = answer.headers.get("request-id");
  const diagnostic = answer.headers.get("x-ms-ags-diagnostic");
  return {
    requestId: inHeader === undefined || inHeader === "" ? inBody : printable(inHeader, codeCharsMax),
    diagnostic: diagnostic === undefined ? null : printable(diagnostic, diagnosticCharsMax),
  };
}

/** Graph's request id as a failure carries it; nothing where the answer names none. */
export function requestOf(answer: Answer): { requestId?: string } {
  const { requestId } = traceOf(answer);
  return requestId === null ? {} : { requestId };
}

/** Keeps a foreign text from breaking a log line or a table column. */
function printable(text: string, charsMax: number): string {
  return text.slice(0, charsMax).replace(/[^\x20-\x7e]/g, "?");
}
