import { isJsonObject, type Json, type JsonObject } from "../../sync/types.js";

/**
 * A description in OpenAPI 3.1 as one in 3.0 that says the same. It knows what ours has of 3.1: a list of one type and `null`,
 * `const`, and the identifier of a licence. Of an object with properties it leaves out that it may have others: so it may
 * without that, and generators of that time make a map without properties of it.
 * @throws Error for another list of types, which 3.0 has no word for.
 * @see https://spec.openapis.org/oas/v3.0.4
 */
export function openapi30(document: JsonObject): JsonObject {
  const { info, components, ...rest } = document;
  const { license, ...about } = info as JsonObject;
  const { identifier, ...named } = license as JsonObject;
  const { schemas, ...others } = components as JsonObject;
  return {
    ...(outside(rest) as JsonObject),
    openapi: "3.0.4",
    info: { ...about, license: { ...named, url: `https://spdx.org/licenses/${identifier}` } },
    components: { ...others, schemas: schemasByName(schemas) },
  };
}

/** What is no schema, with the schemas in it converted. Examples are data. */
function outside(value: Json): Json {
  if (Array.isArray(value)) return value.map(outside);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).map(([name, each]) => {
    if (name === "example") return [name, each];
    return [name, name === "schema" ? schema30(each) : outside(each)];
  });
  return Object.fromEntries(entries);
}

function schema30(schema: Json | undefined): Json {
  if (!isJsonObject(schema)) return schema ?? null; // `additionalProperties: false`
  const { type, const: only, properties, items, allOf, additionalProperties, ...rest } = schema;
  const isOpen = additionalProperties === undefined || (properties !== undefined && isEmpty(additionalProperties));
  return {
    ...typed(type),
    ...rest,
    ...(only === undefined ? {} : { enum: [only] }),
    ...(properties === undefined ? {} : { properties: schemasByName(properties) }),
    ...(items === undefined ? {} : { items: schema30(items) }),
    ...(Array.isArray(allOf) ? { allOf: allOf.map(schema30) } : {}),
    ...(isOpen ? {} : { additionalProperties: schema30(additionalProperties) }),
  };
}

function schemasByName(schemas: Json | undefined): JsonObject {
  return Object.fromEntries(Object.entries(schemas as JsonObject).map(([name, schema]) => [name, schema30(schema)]));
}

function typed(type: Json | undefined): JsonObject {
  if (type === undefined) return {};
  if (!Array.isArray(type)) return { type };
  const [one, ...others] = type.filter((each) => each !== "null");
  if (one === undefined || others.length > 0) throw new Error(`OpenAPI 3.0 has no word for these types: ${type}.`);
  return { type: one, nullable: type.includes("null") };
}

function isEmpty(schema: Json): boolean {
  return isJsonObject(schema) && Object.keys(schema).length === 0;
}
