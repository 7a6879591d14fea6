import { Ajv2020 } from "ajv/dist/2020.js";
import type { JsonObject } from "../../shared/sync/types.js";

type Operation = { readonly responses: Record<string, { readonly content?: Record<string, { schema: object }> }> };

/**
 * Checks answers against an OpenAPI description: what does not fit, in words; nothing when all does. A path or status
 * that is not described does not fit either. HEAD is answered as GET is, without the body.
 */
export function validatorOf(document: JsonObject) {
  const misfit = schemaValidatorOf(document);
  const paths = document["paths"] as unknown as Record<string, Record<string, Operation>>;
  return (method: string, path: string, status: number, body: unknown): readonly string[] => {
    const item = operationFor(paths, path);
    const operation = item?.[method.toLowerCase()] ?? (method === "HEAD" ? item?.["get"] : undefined);
    const response = operation?.responses[String(status)];
    if (response === undefined) return [`${method} ${path} with ${status} is not described`];
    const schema = response.content?.["application/json"]?.schema;
    if (schema === undefined || method === "HEAD") return body === undefined ? [] : ["a body that is not described"];
    return [...misfit(schema, body), ...(JSON.stringify(schema).includes("DeltaPage") ? linkMistake(body) : [])];
  };
}

/**
 * Checks bodies against a schema of a description. In 3.1 schemas are JSON Schema 2020-12; what 3.0 has otherwise,
 * `nullable`, Ajv knows as well.
 * @see https://spec.openapis.org/oas/v3.1.1
 */
export function schemaValidatorOf(document: JsonObject) {
  // As definitions of one schema, so that the strict mode sees every misspelt keyword.
  const moved = (schema: unknown) => JSON.parse(JSON.stringify(schema).replaceAll("#/components/schemas/", "#/$defs/"));
  const { schemas } = document["components"] as unknown as { schemas: object };
  const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false, allErrors: true });
  ajv.addFormat("date-time", (text) => !Number.isNaN(Date.parse(text)));
  ajv.addKeyword("x-ms-primary-error-message");
  const $defs = moved(schemas);
  const compiled = new Map<string, ReturnType<typeof ajv.compile>>();
  return (schema: object, body: unknown): readonly string[] => {
    const key = JSON.stringify(schema);
    const validate = compiled.get(key) ?? ajv.compile({ ...moved(schema), $defs });
    compiled.set(key, validate);
    return validate(body) ? [] : [ajv.errorsText(validate.errors)];
  };
}

/** What the description says of a page of changes in words: generators misread a choice between schemas. */
function linkMistake(body: unknown): readonly string[] {
  const links = Object.keys(body as object).filter((name) => /^@odata\.(next|delta)Link$/.test(name));
  return links.length === 1 ? [] : [`${links.length} links instead of one`];
}

/** The path that fits, the one with fewer parameters before others. @see the specification's "Path Templating Matching" */
function operationFor(paths: Record<string, Record<string, Operation>>, path: string) {
  const [plain = ""] = path.split("?");
  const fitting = Object.keys(paths).filter((template) => {
    const source = template.replace(/[.()$]/g, "\\$&").replace(/\{\w+\}/g, "[^/]+");
    return new RegExp(`^${source}$`).test(`/${plain}`);
  });
  const parameters = (template: string) => template.split("{").length;
  const [best] = fitting.sort((one, other) => parameters(one) - parameters(other));
  return best === undefined ? undefined : paths[best];
}
