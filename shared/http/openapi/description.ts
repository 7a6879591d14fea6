import type { JsonObject } from "../../sync/types.js";
import type { Route } from "../handler.js";
import { feedPaths } from "./feed.js";
import { fleetPaths, fleetSchemas } from "./fleet.js";
import { mailboxPaths } from "./mailboxes.js";
import { schemas } from "./schemas.js";

/** `GET /api/openapi.json`: what all our routes take and give, as OpenAPI 3.1. */
export const openapiRoute: Route = (request) => {
  const { origin, pathname } = new URL(request.url);
  const isSecure = request.headers.get("x-forwarded-proto")?.startsWith("https") === true;
  const server = `${isSecure ? origin.replace(/^http:/, "https:") : origin}${pathname.replace(/\/openapi\.json\/?$/i, "")}`;
  const headers = { "content-type": "application/json; charset=utf-8", "cache-control": "private, no-cache" };
  return Promise.resolve({ status: 200, headers, jsonBody: openapiDocument(server) });
};

/**
 * @param server Where the paths begin, such as `https://mirror.example/api`.
 * @internal For tests.
 */
export function openapiDocument(server: string): JsonObject {
  return {
    openapi: "3.1.1",
    info: {
      title: "calendar-mirror",
      version: "0.1.0",
      description:
        "The calendar lists of many mailboxes as Microsoft Graph gives them, from a mirror: the same format, and a delta " +
        "feed of its own. A Graph client needs only another base URL.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: server }],
    security: [{ functionKey: [] }, { functionKeyInQuery: [] }],
    paths: { ...feedPaths, ...mailboxPaths, ...fleetPaths, "/openapi.json": { get: thisDocument } },
    components: { schemas: { ...schemas, ...fleetSchemas }, securitySchemes },
  };
}

const thisDocument: JsonObject = {
  operationId: "getOpenapi",
  summary: "This description.",
  responses: {
    "200": { description: "OpenAPI 3.1.", content: { "application/json": { schema: { type: "object" } } } },
  },
};

const securitySchemes: JsonObject = {
  functionKey: { type: "apiKey", in: "header", name: "x-functions-key", description: "A key of the function app." },
  functionKeyInQuery: { type: "apiKey", in: "query", name: "code", description: "The same; it ends up in logs." },
  signedIn: {
    type: "http",
    scheme: "bearer",
    description: "A user of Microsoft Entra ID, whom App Service Authentication signs in. Refused while that is off.",
  },
};
