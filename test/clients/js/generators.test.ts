import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openapi30, openapiDocument } from "../../../shared/http/openapi/description.js";
import { type App, startApp } from "./app.js";

/**
 * Clients for TypeScript that are generated from the description. A program over each (`generators/`) is compiled with it by the
 * strictest flags that generated code stands, and then reads the app. Those for .NET are projects of `dotnet/`.
 */
const clients = join(import.meta.dirname, "..");
const root = join(clients, "..", "..");
let app: App;
let folder: string;

beforeAll(async () => {
  app = await startApp();
  folder = mkdtempSync(join(tmpdir(), "generated-"));
  cpSync(join(clients, "generators"), folder, { recursive: true });
  symlinkSync(join(clients, "node_modules"), join(folder, "node_modules"));
  const document = openapiDocument(app.origin);
  writeFileSync(join(folder, "openapi.json"), JSON.stringify(document));
  writeFileSync(join(folder, "openapi30.json"), JSON.stringify(openapi30(document)));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await app?.stop();
});

const bin = (name: string) => join(clients, "node_modules", ".bin", name);
const strict = ["--strict", "--noEmit", "--skipLibCheck", "--target", "es2022", "--module", "preserve"];
const types = ["--types", "node", "--typeRoots", join(root, "node_modules", "@types")];

describe.each([
  ["openapi-typescript", "openapiTypescript.ts", ["openapi-typescript", "openapi.json", "-o", "schema.ts"]],
  [
    "@hey-api/openapi-ts",
    "heyApi.ts",
    ["openapi-ts", "-i", "openapi.json", "-o", "client", "-c", "@hey-api/client-fetch"],
  ],
  ["openapi-typescript, from 3.0", "openapiTypescript.ts", ["openapi-typescript", "openapi30.json", "-o", "schema.ts"]],
] as const)("a client by %s", (_, program, [generator, ...args]) => {
  test("is generated without a warning, compiles, and reads all", async () => {
    const generated = await run(bin(generator), args, process.env);
    expect(generated).toMatchObject({ code: 0, output: expect.not.stringMatching(/warn|error/i) });
    expect(await run(bin("tsc"), [...strict, ...types, program], process.env)).toEqual({ code: 0, output: "" });
    const given = ["--import", "tsx", join(folder, program), app.base, app.mailbox, app.key];
    const { code, output } = await run(process.execPath, given, app.environment, root);
    process.stdout.write(output);
    const failed = output.split("\n").filter((line) => line.startsWith("FAIL"));
    expect({ code, failed, hasChecked: /^ok /m.test(output) }).toEqual({ code: 0, failed: [], hasChecked: true });
  });
});

async function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv, cwd = folder) {
  const child = spawn(command, args, { cwd, env: { ...env, NO_COLOR: "1" }, stdio: ["ignore", "pipe", "pipe"] });
  const pieces: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => pieces.push(text));
  const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  return { code, output: pieces.join("") };
}
