import type { Mutant } from "./mutant.js";

/** Faults in what describes answers to other programs: the OpenAPI description and the metadata document. */
export const described: readonly Mutant[] = [
  {
    name: "say in OpenAPI 3.0 that nothing is ever null",
    file: "shared/http/openapi/version30.ts",
    from: `nullable: type.includes("null")`,
    to: `nullable: false`,
    unit: ["test/http/openapi.test.ts"],
  },
  {
    name: "take in OpenAPI 3.0 any text where there is one",
    file: "shared/http/openapi/version30.ts",
    from: `{ enum: [only] }`,
    to: `{}`,
    unit: ["test/http/openapi.test.ts"],
  },
  {
    name: "describe an object that may be null as a choice, of which generators fill nothing",
    file: "shared/http/openapi/parts.ts",
    from: `"enum" in one || "const" in one`,
    to: `"enum" in one || "const" in one || "properties" in one`,
    unit: ["test/http/openapi.test.ts"],
  },
  {
    name: "offer the key for the query",
    file: "shared/http/openapi/description.ts",
    from: `in: "header",`,
    to: `in: "query",`,
    unit: ["test/http/openapi.test.ts"],
  },
  {
    name: "expect a reason in the body of the host's 401",
    file: "shared/http/openapi/parts.ts",
    from: `{ type: "string", maxLength: 0 }, example: ""`,
    to: `{ type: "object" }, example: {}`,
    unit: ["test/http/openapi.test.ts"],
  },
  {
    name: "name a type without its namespace, which no reader of OData finds",
    file: "shared/http/beta/odata.ts",
    from: `Collection(microsoft.graph.`,
    to: `Collection(`,
    unit: ["test/http/metadata.test.ts"],
  },
  {
    name: "call removed users calendars",
    file: "shared/http/beta/allCalendars.ts",
    from: `collectionOf("entity")`,
    to: `collectionOf("calendar")`,
    unit: ["test/http/metadata.test.ts"],
  },
];
