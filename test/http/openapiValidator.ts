import { Ajv2020 } from "ajv/dist/2020.js";
import type { JsonObject } from "../../shared/sync/types.js";

type Operation = { readonly responses: Record<string, { readonly content?: Record<string, { schema: object }> }> };

/**
 * Checks answers against an OpenAPI 3.1 description: what does not fit, in words; nothing when all does. A path or status
 * that is not described does not fit either.
 * @see https://spec.openapis.org/oas/v3.1.1: schemas are JSON Schema 2020-12.
 */
export function validatorOf(document: JsonObject) {
  // As definitions of one schema, so that the strict mode sees every misspelt keyword.
  const { components, paths } = JSON.parse(
    JSON.stringify(document).replaceAll("#/components/schemas/", "#/$defs/"),
  ) as { components: { schemas: object }; paths: Record<string, Record<string, Operation>> };
  const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false, allErrors: true });
  ajv.addKeyword("x-ms-primary-error-message");
  ajv.addFormat("date-time", (text) => !Number.isNaN(Date.parse(text)));
  return (method: string, path: string, status: number, body: unknown): readonly string[] => {
    const operation = operationFor(paths, path)?.[method.toLowerCase()];
    const response = operation?.responses[String(status)];
    if (response === undefined) return [`${method} ${path} with ${status} is not described`];
    const schema = response.content?.["application/json"]?.schema;
    if (schema === undefined) return body === undefined ? [] : ["a body that is not described"];
    const validate = ajv.compile({ ...schema, $defs: components.schemas });
    return validate(body) ? [] : [ajv.errorsText(validate.errors)];
  };
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
