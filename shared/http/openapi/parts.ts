import * as z from "zod";
import type { JsonObject } from "../../sync/types.js";
import { text } from "../../views/schemaParts.js";

/** What several paths of the OpenAPI description share. */

const location = (id: string) => `#/components/schemas/${id}`;

/** Refers to a schema by its id; the description holds every schema that has one. */
export function ref(schema: z.ZodType): JsonObject {
  const { id } = schema.meta() ?? {};
  if (id === undefined) throw new Error("A schema that is referred to needs an id: give it one by .meta({ id }).");
  return { $ref: location(id) };
}

/** An answer with a body. */
export const json = (description: string, schema: z.ZodType, headers: JsonObject = {}): JsonObject => ({
  description,
  headers: { "request-id": header("Names this request, here and in the log."), ...headers },
  content: { "application/json": { schema: ref(schema) } },
});

/** An error answer in Graph's shape, which all routes share. */
const errorSchema = z
  .looseObject({
    error: z.looseObject({
      code: text,
      message: text,
      innerError: z.looseObject({ date: text, "request-id": text, "client-request-id": text }),
    }),
  })
  .meta({ id: "Error" });
export type ErrorBody = z.infer<typeof errorSchema>;

/** An error answer. */
export const refused = (description: string, headers: JsonObject = {}): JsonObject =>
  json(description, errorSchema, headers);

export const noKey: JsonObject = { description: "No function key. Answered by the host, without a body." };

/** @param type Of JSON Schema. */
export function header(description: string, type = "string"): JsonObject {
  return { description, schema: { type } };
}

/** A parameter of the path. */
export function inPath(name: string, description: string): JsonObject {
  return { name, in: "path", required: true, description, schema: { type: "string" } };
}

export const mailboxInPath = inPath(
  "id",
  "The user's object id; me in a trial. Where nobody is added or removed, also the userPrincipalName of one whom discovery follows.",
);

/** An optional parameter of the query. */
export function inQuery(name: string, description: string, schema: JsonObject = { type: "string" }): JsonObject {
  return { name, in: "query", description, schema };
}

/** An optional header of a request. */
export function inHeader(name: string, description: string): JsonObject {
  return { name, in: "header", description, schema: { type: "string" } };
}

/** All schemas that have an id, as JSON Schema, by that id. */
export function schemasWithId(): JsonObject {
  const { schemas } = z.toJSONSchema(z.globalRegistry, {
    uri: location,
    override: ({ jsonSchema }) => shorten(jsonSchema),
  });
  const entries = Object.entries(schemas).map(([id, { $schema, $id, ...schema }]) => [id, schema]);
  return Object.fromEntries(entries) as JsonObject;
}

/** Removes limits that every JavaScript integer has and names that may be any text; writes "or null" as a list of types. */
function shorten(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (JSON.stringify(schema.propertyNames) === '{"type":"string"}') delete schema.propertyNames;
  const [one, none, ...others] = schema.anyOf ?? [];
  if (one?.type === undefined || none?.type !== "null" || others.length > 0) return;
  if ("enum" in one || "const" in one || "properties" in one) return;
  delete schema.anyOf;
  Object.assign(schema, { ...one, ...schema, type: [one.type, "null"] });
}
