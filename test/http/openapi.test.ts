import { readFileSync } from "node:fs";
import { HttpRequest } from "@azure/functions";
import { describe, expect, test } from "vitest";
import type { HttpPorts } from "../../shared/http/handler.js";
import { openapi30, openapiDocument } from "../../shared/http/openapi/description.js";
import { openapiRoute } from "../../shared/http/openapi.js";
import type { JsonObject } from "../../shared/sync/types.js";
import { type Reply, replyOf } from "../worlds/http.js";
import { schemaValidatorOf } from "./openapiValidator.js";

type Media = { readonly schema: object; readonly example?: unknown };
type Content = { readonly content?: Record<string, Media> };
type Operation = {
  readonly operationId: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: Content;
  readonly responses: Record<string, Content & { readonly description: string }>;
  /** By name, then by the address, then by method. */
  readonly callbacks?: Record<string, Record<string, Record<string, Operation>>>;
};
type Parameters = NonNullable<Operation["parameters"]>;
type PathItem = Readonly<Record<string, Operation>> | { readonly parameters: Parameters };

const document = openapiDocument("https://mirror.example/api");
const text = JSON.stringify(document);
const paths = Object.entries(document["paths"] as unknown as Record<string, PathItem>);
const operations = paths.flatMap(([path, { parameters: shared = [], ...methods }]) =>
  Object.values(methods as Record<string, Operation>).map((operation) => {
    return { path, operation, shared: shared as Parameters };
  }),
);
/** What others are asked, at addresses that they have given. */
const callbacks = operations.flatMap(({ operation }) =>
  Object.values(operation.callbacks ?? {}).flatMap((items) =>
    Object.values(items).flatMap((methods) => Object.values(methods).map((called) => ({ operation: called }))),
  ),
);
/** Every media type of every body, by where it stands. */
const bodies = [...operations, ...callbacks].flatMap(({ operation: { operationId, requestBody, responses } }) =>
  [["request", requestBody] as const, ...Object.entries(responses)].flatMap(([of, described]) =>
    Object.entries(described?.content ?? {}).map(([type, media]) => ({ of: `${operationId} ${of} ${type}`, media })),
  ),
);

describe("the OpenAPI description", () => {
  test("is of this release and of the server that it is asked from", () => {
    const { version } = JSON.parse(readFileSync(`${import.meta.dirname}/../../package.json`, "utf8"));
    expect(document["info"]).toMatchObject({ version });
    const description = expect.stringContaining("PUBLIC_ORIGIN");
    expect(document["servers"]).toEqual([{ url: "https://mirror.example/api", description }]);
  });

  test("refers only to what it defines, and defines only what it refers to", () => {
    const { schemas } = document["components"] as unknown as { schemas: object };
    const used = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
    expect([...new Set(used)].sort()).toEqual(Object.keys(schemas).sort());
  });

  test("names every operation once, and every parameter of its path", () => {
    const names = [...operations, ...callbacks].map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const { path, operation, shared } of operations) {
      const declared = [...shared, ...(operation.parameters ?? [])].filter((each) => each.in === "path");
      expect(declared.map(({ name }) => `{${name}}`).sort()).toEqual((path.match(/\{\w+\}/g) ?? []).sort());
    }
  });

  test("says of every operation what it does, in short and at length, and where it belongs", () => {
    const tags = (document["tags"] as unknown as readonly { name: string }[]).map(({ name }) => name);
    for (const { operation } of [...operations, ...callbacks]) {
      expect(operation, operation.operationId).toMatchObject({
        summary: expect.stringMatching(/^[A-Z][^.]+$/),
        description: expect.stringMatching(/^[A-Z].*\.$/),
        tags: [expect.toBeOneOf(tags)],
      });
      for (const response of Object.values(operation.responses)) expect(response.description).not.toBe("");
    }
  });

  test("has no choice between schemas, no schema that is a Boolean, and no list of types but with null", () => {
    for (const schema of schemasIn(document)) {
      expect(Object.keys(schema).filter((name) => /^(anyOf|oneOf|not|if)$/.test(name))).toEqual([]);
      expect(schema["additionalProperties"]).not.toBe(true);
      for (const each of Object.values((schema["properties"] ?? {}) as JsonObject)) expect(typeof each).toBe("object");
      if (Array.isArray(schema["type"])) expect(schema["type"]).toEqual([expect.any(String), "null"]);
    }
  });

  test("gives an example of every body, and each fits its schema", () => {
    const misfit = schemaValidatorOf(document);
    for (const { of, media } of bodies) {
      expect({ of, example: media.example }).toEqual({ of, example: expect.anything() });
      expect({ of, misfit: misfit(media.schema, media.example) }).toEqual({ of, misfit: [] });
    }
  });

  test("offers the key by its header alone: generators write one for the query into URLs", () => {
    const { securitySchemes } = document["components"] as unknown as { securitySchemes: JsonObject };
    const keys = Object.values(securitySchemes).filter((scheme) => (scheme as JsonObject)["type"] === "apiKey");
    expect(keys).toEqual([expect.objectContaining({ in: "header", name: "x-functions-key" })]);
    expect(document["security"]).toEqual([{ functionKey: [] }]);
  });

  test("describes an ODataError for each refusal of the app, and an empty text for the host's 401", () => {
    const error = { "application/json": { schema: { $ref: "#/components/schemas/ODataError" } } };
    const nothing = { "text/plain": { schema: { type: "string", maxLength: 0 } } };
    for (const { path, operation } of operations) {
      const isOfHost = (status: string) => status === "401" && !path.startsWith("/beta/me/");
      const refusals = Object.entries(operation.responses).filter(([status]) => Number(status) >= 400);
      if (path === "/health") continue; // 503 is what it tells, and no refusal.
      expect(refusals.length, operation.operationId).toBeGreaterThan(0);
      for (const [status, { content }] of refusals) expect(content).toMatchObject(isOfHost(status) ? nothing : error);
    }
  });
});

describe("the same as OpenAPI 3.0", () => {
  const old = openapi30(document);
  const neverAlone = () => Promise.reject(new Error("It carries no other request."));
  const asked = async (query: string): Promise<Reply<unknown>> => {
    const request = new HttpRequest({ method: "GET", url: `https://mirror.example/api/openapi.json${query}` });
    return replyOf(await openapiRoute(request, { publicOrigin: null } as HttpPorts, neverAlone));
  };

  test("is given to who asks for it; another version is refused, and so is a misspelt option", async () => {
    expect((await asked("")).body).toEqual(document);
    expect((await asked("?version=3.1")).body).toEqual(document);
    expect((await asked("?version=3.0")).body).toEqual(old);
    for (const query of ["?version=2.0", "?version=", "?versoin=3.0"]) {
      expect(await asked(query)).toMatchObject({ status: 400, body: { error: { code: "invalidRequest" } } });
    }
  });

  test("has nothing that 3.0 lacks", () => {
    expect(old).toMatchObject({ openapi: "3.0.4", info: { license: { name: "MIT", url: expect.any(String) } } });
    for (const schema of schemasIn(old)) {
      expect(schema["type"] ?? "").toBeTypeOf("string");
      expect(Object.keys(schema)).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/^(const|examples|prefixItems)$/)]),
      );
    }
    const three = { type: ["string", "number"] };
    expect(() => openapi30({ ...document, components: { schemas: { three } } })).toThrow("no word for these types");
  });

  test("takes and refuses the same bodies, whatever is changed in them", () => {
    const [inNew, inOld] = [schemaValidatorOf(document), schemaValidatorOf(old)];
    const seen = { fit: 0, misfit: 0 };
    for (const { of, media } of bodies.filter((body) => body.of.endsWith("application/json"))) {
      for (const body of changed(media.example)) {
        const verdict = inNew(media.schema, body).length === 0;
        // A reference, or a mere type: the same in both.
        if ((inOld(media.schema, body).length === 0) !== verdict) expect({ of, body, is30: !verdict }).toBeUndefined();
        seen[verdict ? "fit" : "misfit"]++;
      }
    }
    expect(Math.min(seen.fit, seen.misfit)).toBeGreaterThan(1_000);
  });
});

/** A body with each of its values, and of those within, replaced by each of some, or taken out. */
function changed(body: unknown): unknown[] {
  if (typeof body !== "object" || body === null) return [];
  return Object.entries(body).flatMap(([name, value]) => {
    const others = [null, "another", "", 1, 1.5, -1, true, {}, [], [null], ...changed(value)];
    const withOthers = others.map((other) => {
      if (Array.isArray(body)) return body.map((each, index) => (String(index) === name ? other : each));
      return { ...body, [name]: other };
    });
    if (Array.isArray(body)) return withOthers;
    const { [name]: _, ...without } = body as Record<string, unknown>;
    return [...withOthers, without, { ...body, unheardOf: 1 }];
  });
}

/** Every schema of the description, those within others too. */
function schemasIn(value: unknown, isSchema = false): JsonObject[] {
  if (Array.isArray(value)) return value.flatMap((each) => schemasIn(each, isSchema));
  if (typeof value !== "object" || value === null) return [];
  const entries = Object.entries(value as JsonObject);
  const within = entries.flatMap(([name, each]) => {
    if (name === "example") return [];
    const isMap = name === "properties" || name === "schemas";
    if (isMap) return Object.values(each as JsonObject).flatMap((one) => schemasIn(one, true));
    return schemasIn(each, isSchema || name === "schema");
  });
  return isSchema ? [value as JsonObject, ...within] : within;
}
