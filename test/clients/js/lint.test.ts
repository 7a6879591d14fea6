import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openapi30, openapiDocument } from "../../../shared/http/openapi/description.js";
import { clientsFolder, run } from "./programs.js";

/** Linters of others, by the rules that they recommend; what is left standing has its reason beside it. */
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "linted-"));
  const document = openapiDocument("https://mirror.example.org/api");
  writeFileSync(join(folder, "3.1.json"), JSON.stringify(document));
  writeFileSync(join(folder, "3.0.json"), JSON.stringify(openapi30(document)));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bin = (name: string) => join(clientsFolder, "node_modules", ".bin", name);

describe.each(["3.1", "3.0"])("the description as OpenAPI %s", (version) => {
  test("has no warning of Redocly", async () => {
    const flags = ["lint", "--config", "redocly.yaml", "--format", "json", join(folder, `${version}.json`)];
    const quiet = { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" };
    const { code, stdout } = await run(bin("redocly"), flags, quiet);
    const { totals } = JSON.parse(stdout);
    expect({ code, totals }).toEqual({ code: 0, totals: { errors: 0, warnings: 0, ignored: 0 } });
  });

  test("has no warning of Spectral", async () => {
    const flags = ["lint", "--ruleset", "spectral.yaml", "--fail-severity", "hint", join(folder, `${version}.json`)];
    const ended = await run(bin("spectral"), flags, process.env);
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/^No results/) });
  });
});
