import { originOf } from "./beta/paths.js";
import type { Route } from "./handler.js";

/** `GET /api/openapi.json`: what all routes take and answer, as OpenAPI 3.1. It is loaded when somebody asks for it. */
export const openapiRoute: Route = async (request, { publicOrigin }) => {
  const url = new URL(request.url);
  const origin = publicOrigin ?? originOf(url, request.headers.get("x-forwarded-proto"));
  const server = `${origin}${url.pathname.replace(/\/openapi\.json\/?$/i, "")}`;
  const headers = { "content-type": "application/json; charset=utf-8", "cache-control": "private, no-cache" };
  const { openapiDocument } = await import("./openapi/description.js");
  return { status: 200, headers, jsonBody: openapiDocument(server) };
};
