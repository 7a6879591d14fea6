import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openapi30, openapiDocument } from "../../../shared/http/openapi/description.js";
import { type App, startApp } from "./app.js";
import { clientsFolder, expectAllChecks, run } from "./programs.js";

/**
 * Clients for TypeScript that are generated from the description. A program over each (`generators/`) is compiled with it by the
 * strictest flags that generated code stands, and then reads the app. Those for .NET are projects of `dotnet/`.
 */
let app: App;
let folder: string;

beforeAll(async () => {
  app = await startApp();
  folder = mkdtempSync(join(tmpdir(), "generated-"));
  cpSync(join(clientsFolder, "generators"), folder, { recursive: true });
  symlinkSync(join(clientsFolder, "node_modules"), join(folder, "node_modules"));
  const document = openapiDocument(app.origin);
  writeFileSync(join(folder, "openapi.json"), JSON.stringify(document));
  writeFileSync(join(folder, "openapi30.json"), JSON.stringify(openapi30(document)));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await app?.stop();
});

const bin = (name: string) => join(clientsFolder, "node_modules", ".bin", name);
const at = (name: string) => join(folder, name);
const types = ["--types", "node", "--typeRoots", join(clientsFolder, "..", "..", "node_modules", "@types")];
const strict = ["--strict", "--noEmit", "--skipLibCheck", "--target", "es2022", "--module", "preserve", ...types];

describe.each([
  ["openapi-typescript", "openapiTypescript.ts", (of: string) => [of, "-o", at("schema.ts")], "openapi.json"],
  ["openapi-typescript", "openapiTypescript.ts", (of: string) => [of, "-o", at("schema.ts")], "openapi30.json"],
  [
    "openapi-ts",
    "heyApi.ts",
    (of: string) => ["-i", of, "-o", at("client"), "-c", "@hey-api/client-fetch"],
    "openapi.json",
  ],
] as const)("a client by %s", (generator, program, args, description) => {
  test(`is generated from ${description} without a warning, compiles, and reads all`, async () => {
    const generated = await run(bin(generator), args(at(description)), process.env);
    expect(generated).toMatchObject({ code: 0, output: expect.not.stringMatching(/warn|error/i) });
    expect(await run(bin("tsc"), [...strict, at(program)], process.env)).toMatchObject({ code: 0, output: "" });
    const given = ["--import", "tsx", at(program), app.base, app.mailbox, app.key];
    expectAllChecks(await run(process.execPath, given, app.environment));
  });
});
