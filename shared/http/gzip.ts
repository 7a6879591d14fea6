import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { HttpRequest } from "@azure/functions";
import type { Answer, Route } from "./handler.js";

const gzipAsync = promisify(gzip);

/** Our choice: a shorter answer fits a packet or two as it is. */
const bytesMin = 2_048;

/** A route whose long answers are sent compressed to those who accept it. */
export function compressing(route: Route): Route {
  return async (request, ports, alone) => compressed(request, await route(request, ports, alone));
}

/**
 * An answer, compressed if it is long and the caller accepts it: nothing in front of the app does so by itself.
 * @see RFC 9110 §12.5.3
 */
export async function compressed(request: HttpRequest, given: Answer): Promise<Answer> {
  const vary = [given.headers["vary"] ?? [], "Accept-Encoding"].flat().join(", ");
  const headers = { ...given.headers, vary };
  const text = given.jsonBody === undefined ? given.body : JSON.stringify(given.jsonBody);
  if (given.status !== 200 || typeof text !== "string") return { ...given, headers };
  if (text.length < bytesMin || !acceptsGzip(request.headers.get("accept-encoding"))) return { ...given, headers };
  const { jsonBody, ...rest } = given;
  const type = jsonBody === undefined ? {} : { "content-type": "application/json" }; // As the host says of every `jsonBody`.
  return { ...rest, body: await gzipAsync(text), headers: { ...type, ...headers, "content-encoding": "gzip" } };
}

function acceptsGzip(accepted: string | null): boolean {
  const gzipQuality = /(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q\s*=\s*([\d.]+))?\s*(?=,|$)/i.exec(accepted ?? "");
  return gzipQuality !== null && Number(gzipQuality[1] ?? 1) > 0;
}
