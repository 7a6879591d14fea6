import type { JsonObject } from "../../sync/types.js";
import { productVersion } from "../../version.js";
import { feedPaths } from "./feed.js";
import { operatorPaths } from "./operators.js";
import { inQuery, noKey, refused, schemasWithId } from "./parts.js";
import { subscribersTag } from "./subscribers.js";

export { openapi30 } from "./version30.js";

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
        "feed of its own. A Graph client needs only another base URL: all below `/beta` is Graph's, and read-only but for subscriptions. Every " +
        "refusal of the app has a body, an ODataError. Another method than those that are described here gets one with 405 " +
        "below `/beta`, and `Allow`; an unknown path there gets one with 404. HEAD is answered wherever GET is, without a body. " +
        "`POST /mcp` is not described here: it is an MCP server for assistants, and describes its tools itself.",
      contact: { name: "Who runs this mirror" },
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [
      { url: server, description: "PUBLIC_ORIGIN of the app's settings; else as this request has reached it." },
    ],
    tags,
    security: [{ functionKey: [] }],
    paths: { ...feedPaths, ...operatorPaths, "/openapi.json": { get: thisDocument } },
    components: { schemas, securitySchemes },
  };
}

const tags: readonly JsonObject[] = [
  { name: "Calendars of all mailboxes", description: "What programs read of the whole tenant, in Graph's format." },
  { name: "Calendars of a mailbox", description: "What programs read of one mailbox, in Graph's format." },
  {
    name: "My calendars",
    description: "The same of the mailbox of the user who is signed in, where App Service Authentication is on.",
  },
  {
    name: "Subscriptions",
    description: "Who is told of changes by requests to an address of its own, as Graph does it.",
  },
  { name: "OData", description: "The metadata document, and batches." },
  { name: "Mailboxes", description: "The roster and its mailboxes, for operators." },
  { name: "Search and history", description: "Calendars and changes over all mailboxes, for operators." },
  subscribersTag,
  { name: "The mirror", description: "Its state, its roster as a whole, and this description." },
];

const thisDocument: JsonObject = {
  operationId: "getOpenapi",
  summary: "Get this description",
  description: "What all routes take and answer.",
  tags: ["The mirror"],
  parameters: [
    inQuery("version", "Of OpenAPI. 3.0 is for generators that do not read 3.1.", {
      type: "string",
      enum: ["3.0", "3.1"],
      default: "3.1",
    }),
  ],
  responses: {
    "200": {
      description: "OpenAPI.",
      content: { "application/json": { schema: { type: "object" }, example: { openapi: "3.1.1" } } },
    },
    "400": refused("A query parameter is not what is expected.", ["invalidRequest", "version must be 3.0 or 3.1."]),
    "401": noKey,
  },
};

const securitySchemes: JsonObject = {
  functionKey: {
    type: "apiKey",
    in: "header",
    name: "x-functions-key",
    description:
      "A key of the function app. The host takes it in the query, as `code`, too; there it ends up in logs and histories.",
  },
  signedIn: {
    type: "http",
    scheme: "bearer",
    description: "A user of Microsoft Entra ID, whom App Service Authentication signs in. Refused while that is off.",
  },
};
