import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { openapiDocument } from "../../shared/http/openapi/description.js";

type Operation = {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Record<string, { readonly description: string }>;
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

describe("the OpenAPI description", () => {
  test("is of this release and of the server that it is asked from", () => {
    const { version } = JSON.parse(readFileSync(`${import.meta.dirname}/../../package.json`, "utf8"));
    expect(document["info"]).toMatchObject({ version });
    expect(document["servers"]).toEqual([{ url: "https://mirror.example/api" }]);
  });

  test("refers only to what it defines, and defines only what it refers to", () => {
    const { schemas } = document["components"] as unknown as { schemas: object };
    const used = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
    expect([...new Set(used)].sort()).toEqual(Object.keys(schemas).sort());
  });

  test("names every operation once, and every parameter of its path", () => {
    const names = operations.map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const { path, operation, shared } of operations) {
      const declared = [...shared, ...(operation.parameters ?? [])].filter((each) => each.in === "path");
      expect(declared.map(({ name }) => `{${name}}`).sort()).toEqual((path.match(/\{\w+\}/g) ?? []).sort());
    }
  });

  test("describes every answer in words", () => {
    for (const { operation } of operations) {
      for (const response of Object.values(operation.responses)) expect(response.description).not.toBe("");
    }
  });
});
