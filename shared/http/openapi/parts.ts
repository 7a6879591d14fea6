import type { JsonObject } from "../../sync/types.js";

/** Pieces that several paths of the OpenAPI description share. */

export const ref = (name: string): JsonObject => ({ $ref: `#/components/schemas/${name}` });

export const json = (description: string, schema: string, headers: JsonObject = {}): JsonObject => ({
  description,
  headers: { "request-id": header("Names this request, here and in the log."), ...headers },
  content: { "application/json": { schema: ref(schema) } },
});

export const refused = (description: string, headers: JsonObject = {}): JsonObject =>
  json(description, "Error", headers);

export function header(description: string, type = "string"): JsonObject {
  return { description, schema: { type } };
}

export function inPath(name: string, description: string): JsonObject {
  return { name, in: "path", required: true, description, schema: { type: "string" } };
}

export function inQuery(name: string, description: string, schema: JsonObject = { type: "string" }): JsonObject {
  return { name, in: "query", description, schema };
}

export function inHeader(name: string, description: string): JsonObject {
  return { name, in: "header", description, schema: { type: "string" } };
}
