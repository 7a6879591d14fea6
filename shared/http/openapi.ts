import { originOf } from "./beta/paths.js";
import { type Route, refusal } from "./handler.js";
import { queryMistake } from "./requests.js";

/**
 * `GET /api/openapi.json?version=`: what all routes take and answer, as OpenAPI 3.1, or as 3.0 for generators that do not
 * read 3.1. It is loaded when somebody asks for it.
 */
export const openapiRoute: Route = async (request, { publicOrigin }) => {
  const mistake = queryMistake(request, ["version"]);
  if (mistake !== null) return refusal(400, "invalidRequest", mistake);
  const url = new URL(request.url);
  const version = url.searchParams.get("version") ?? "3.1";
  if (version !== "3.0" && version !== "3.1") return refusal(400, "invalidRequest", "version must be 3.0 or 3.1.");
  const origin = publicOrigin ?? originOf(url, request.headers.get("x-forwarded-proto"));
  const server = `${origin}${url.pathname.replace(/\/openapi\.json\/?$/i, "")}`;
  const headers = { "content-type": "application/json; charset=utf-8", "cache-control": "private, no-cache" };
  const { openapi30, openapiDocument } = await import("./openapi/description.js");
  const document = openapiDocument(server);
  return { status: 200, headers, jsonBody: version === "3.0" ? openapi30(document) : document };
};
