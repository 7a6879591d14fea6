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

const requestId = { "request-id": header("Names this request, here and in the log.") };

/** An answer with a body. @param example What the body may be. */
export const json = (
  description: string,
  schema: z.ZodType,
  example: object,
  headers: JsonObject = {},
): JsonObject => ({
  description,
  headers: { ...requestId, ...headers },
  content: { "application/json": { schema: ref(schema), example: example as JsonObject } },
});

/** An answer that has no body. */
export const empty = (description: string, headers: JsonObject = {}): JsonObject => ({
  description,
  headers: { ...requestId, ...headers },
});

const innerErrorSchema = z
  .looseObject({
    date: text.describe("When, in UTC."),
    "request-id": text.describe("Names the request in the log."),
    "client-request-id": text.describe("The caller's own name for it, where that is a GUID."),
  })
  .meta({ id: "InnerError", description: "Which request it was." });

const mainErrorSchema = z
  .looseObject({
    code: text.describe("For programs: a code of Graph's, or one like them."),
    // Generators of Microsoft make it the message of the exception.
    message: text.meta({ description: "For people: what was wrong.", "x-ms-primary-error-message": true }),
    innerError: innerErrorSchema,
  })
  .meta({ id: "MainError", description: "What was wrong." });

/** An error answer in Graph's shape, which all routes share. */
const errorSchema = z
  .looseObject({ error: mainErrorSchema })
  .meta({ id: "ODataError", description: "An error, in the format of OData and Graph." });
export type ErrorBody = z.infer<typeof errorSchema>;

/** An error answer. @param code For the example, as is `message`. */
export function refused(
  description: string,
  [code, message]: readonly [code: string, message: string],
  headers: JsonObject = {},
): JsonObject {
  const name = "8f3bbf63-6a3c-4d8e-9a44-6b0a1c1d2e3f";
  const innerError = { date: "2026-11-28T09:30:00", "request-id": name, "client-request-id": name };
  return json(description, errorSchema, { error: { code, message, innerError } }, headers);
}

/**
 * The host refuses a request without a key before the app sees it, and sends no body: an empty text. Clients that expect an
 * ODataError would report its absence and not the missing key. Where no content is described, some take every error of the
 * operation for one of an unknown type.
 */
export const noKey: JsonObject = {
  description:
    "No function key, or a wrong one: send one in the header x-functions-key. The Functions host answers this before the app, without a body.",
  content: { "text/plain": { schema: { type: "string", maxLength: 0 }, example: "" } },
};

/** @param type Of JSON Schema. */
export function header(description: string, type = "string"): JsonObject {
  return { description, schema: { type } };
}

/** A parameter of the path. */
export function inPath(name: string, description: string, example: string): JsonObject {
  return { name, in: "path", required: true, description, schema: { type: "string" }, example };
}

export const mailboxInPath = inPath(
  "id",
  "The user's object id; me in a trial. Where nobody is added or removed, also the userPrincipalName of one whom discovery follows.",
  "6e7b768e-07e2-4810-8459-485f84f8f204",
);

/** An optional parameter of the query. */
export function inQuery(
  name: string,
  description: string,
  { example, ...schema }: JsonObject = { type: "string" },
): JsonObject {
  return { name, in: "query", description, schema, ...(example === undefined ? {} : { example }) };
}

/** An optional header of a request. */
export function inHeader(name: string, description: string, example: string): JsonObject {
  return { name, in: "header", description, schema: { type: "string" }, example };
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

/**
 * Removes limits that every JavaScript integer has and names that may be any text. Writes "or null" as a list of types:
 * generators make a class of a choice, and read nothing into it.
 */
function shorten(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  const [one, none, ...others] = schema.anyOf ?? [];
  const isNullable = typeof one?.type === "string" && none?.type === "null" && others.length === 0;
  if (isNullable && !("enum" in one || "const" in one)) {
    // Their lists of values would lack null.
    delete schema.anyOf;
    Object.assign(schema, { ...one, ...schema, type: [one.type, "null"] });
  }
  if (JSON.stringify(schema.propertyNames) === '{"type":"string"}') delete schema.propertyNames;
}
