import type { JsonObject } from "../../sync/types.js";
import { productVersion } from "../../version.js";
import { feedPaths } from "./feed.js";
import { operatorPaths } from "./operators.js";
import { schemasWithId } from "./parts.js";

const schemas = schemasWithId(); // After the imports above, which name all schemas.

/**
 * The description of all routes, as OpenAPI 3.1.
 * @param server Where the paths begin, such as `https://mirror.example/api`.
 * @see https://spec.openapis.org/oas/v3.1.1
 */
export function openapiDocument(server: string): JsonObject {
  return {
    openapi: "3.1.1",
    info: {
      title: "calendar-mirror",
      version: productVersion,
      description:
        "The calendar lists of many mailboxes as Microsoft Graph gives them, from a mirror: the same format, and a delta " +
        "feed of its own. A Graph client needs only another base URL.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: server }],
    security: [{ functionKey: [] }, { functionKeyInQuery: [] }],
    paths: { ...feedPaths, ...operatorPaths, "/openapi.json": { get: thisDocument } },
    components: { schemas, securitySchemes },
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
  functionKeyInQuery: { type: "apiKey", in: "query", name: "code", description: "The same; it may end up in logs." },
  signedIn: {
    type: "http",
    scheme: "bearer",
    description: "A user of Microsoft Entra ID, whom App Service Authentication signs in. Refused while that is off.",
  },
};
