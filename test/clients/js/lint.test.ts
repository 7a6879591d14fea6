import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openapi30, openapiDocument } from "../../../shared/http/openapi/description.js";

/** Linters of others, by the rules that they recommend; what is left standing has its reason beside it. */
const clients = join(import.meta.dirname, "..");
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "linted-"));
  const document = openapiDocument("https://mirror.example.org/api");
  writeFileSync(join(folder, "3.1.json"), JSON.stringify(document));
  writeFileSync(join(folder, "3.0.json"), JSON.stringify(openapi30(document)));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(["3.1", "3.0"])("the description as OpenAPI %s", (version) => {
  test("has no warning of Redocly", async () => {
    const flags = ["lint", "--config", join(clients, "redocly.yaml"), "--format", "json", `${version}.json`];
    const { code, output } = await run("redocly", flags);
    const { totals } = JSON.parse(output);
    expect({ code, totals }).toEqual({ code: 0, totals: { errors: 0, warnings: 0, ignored: 0 } });
  });

  test("has no warning of Spectral", async () => {
    const flags = ["lint", "--ruleset", join(clients, "spectral.yaml"), "--fail-severity", "hint", `${version}.json`];
    expect(await run("spectral", flags)).toMatchObject({ code: 0, output: expect.stringMatching(/^No results/) });
  });
});

async function run(name: string, args: readonly string[]) {
  const env = { ...process.env, NO_COLOR: "1", REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" };
  const child = spawn(join(clients, "node_modules", ".bin", name), args, { cwd: folder, env });
  const pieces: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text) => pieces.push(text));
  const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  return { code, output: pieces.join("") };
}
