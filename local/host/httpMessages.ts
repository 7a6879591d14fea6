import type { IncomingMessage, ServerResponse } from "node:http";
import type { RpcCookie, RpcHttp, RpcTypedData } from "./types.js";

const BODY_BYTES_MAX = 104_857_600; // The host's default, FUNCTIONS_REQUEST_BODY_SIZE_LIMIT.

/**
 * The body of a request, or undefined. Like the host, only one with a Content-Length over 0 is passed on: a chunked body
 * is read to its end and dropped. "tooLarge" is over the host's limit.
 */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined | "tooLarge"> {
  const length = Number(request.headers["content-length"] ?? 0);
  if (length > BODY_BYTES_MAX) return "tooLarge";
  const chunks: Buffer[] = [];
  for await (const chunk of request) if (length > 0) chunks.push(chunk as Buffer);
  return length > 0 ? Buffer.concat(chunks) : undefined;
}

/** The request as the host hands it to the worker. */
export function toRpcHttpRequest(
  request: IncomingMessage,
  url: URL,
  params: Record<string, string>,
  body: Buffer | undefined,
): RpcTypedData {
  const headers = Object.entries(request.headers)
    .map(([name, value]) => [name, Array.isArray(value) ? value.join(",") : (value ?? "")] as const)
    .filter(([, value]) => value !== ""); // Capability IgnoreEmptyValuedRpcHttpHeaders.
  const query: Record<string, string> = {};
  for (const [name, value] of url.searchParams) query[name] = name in query ? `${query[name]},${value}` : value;
  const http: RpcHttp = {
    method: request.method ?? "GET",
    url: url.href,
    nullableHeaders: valued(Object.fromEntries(headers)),
    nullableQuery: valued(query),
    nullableParams: valued(params),
    body: body === undefined ? undefined : { bytes: body },
  };
  return { http };
}

function valued(record: Record<string, string>): Record<string, { value: string }> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, { value }]));
}

/** Writes what a function answered. No answer at all is 204. */
export function sendRpcHttpResponse(response: ServerResponse, http: RpcHttp | undefined): void {
  if (http === undefined) {
    sendStatus(response, 204);
    return;
  }
  const statusCode = Number(http.statusCode ?? 200);
  for (const [name, value] of Object.entries(http.headers ?? {})) {
    if (!/^(?:content-length|transfer-encoding|connection)$/i.test(name)) response.setHeader(name, value);
  }
  const cookies = (http.cookies ?? []).map(serializeCookie);
  if (cookies.length > 0) response.setHeader("set-cookie", cookies);
  const body = Buffer.from(http.body?.bytes ?? []);
  response.statusCode = statusCode;
  if (statusCode === 204 || statusCode === 205 || statusCode === 304) {
    response.removeHeader("content-type");
    response.end();
  } else {
    response.setHeader("content-length", body.byteLength);
    response.end(body);
  }
}

/** An answer of the host's own, without a body. */
export function sendStatus(response: ServerResponse, statusCode: number): void {
  response.statusCode = statusCode;
  if (statusCode !== 204) response.setHeader("content-length", 0);
  response.end();
}

function serializeCookie(cookie: RpcCookie): string {
  const parts = [`${cookie.name}=${encodeURIComponent(cookie.value)}`];
  if (cookie.maxAge?.value !== undefined) parts.push(`Max-Age=${cookie.maxAge.value}`);
  if (cookie.domain?.value) parts.push(`Domain=${cookie.domain.value}`);
  if (cookie.path?.value) parts.push(`Path=${cookie.path.value}`);
  if (cookie.expires?.value) parts.push(`Expires=${new Date(cookie.expires.value.seconds * 1000).toUTCString()}`);
  if (cookie.httpOnly?.value) parts.push("HttpOnly");
  if (cookie.secure?.value) parts.push("Secure");
  if (cookie.sameSite === "lax") parts.push("SameSite=Lax");
  if (cookie.sameSite === "strict") parts.push("SameSite=Strict");
  if (cookie.sameSite === "explicitNone") parts.push("SameSite=None");
  return parts.join("; ");
}
