import { spawn, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type App, startApp } from "./app.js";

/**
 * Clients for .NET: each folder of `dotnet/` is a program that takes base URL, mailbox id and function key, prints one line for
 * each check, and ends with another code than 0 when one has failed.
 */
const folder = join(import.meta.dirname, "..", "dotnet");
const projects = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const hasDotnet = spawnSync("dotnet", ["--version"]).status === 0;

if (!hasDotnet) {
  const names = projects.map(({ name }) => name).join(", ");
  test("NOT RUN: clients for .NET, because there is no dotnet here", () => {
    process.stderr.write(`*** NOT RUN: the clients for .NET (${names}), because there is no dotnet on this machine.\n`);
  });
} else {
  let app: App;
  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app?.stop());

  describe("a client for .NET", () => {
    test.for(projects)("$name finds everything as it should be", { timeout: 300_000 }, async ({ name }) => {
      // Locked: exactly the packages of its packages.lock.json, where it has one.
      const flags = ["run", "--project", join(folder, name), "--verbosity", "quiet"];
      const { code, output } = await run("dotnet", [...flags, "--", app.base, app.mailbox, app.key], app.environment);
      process.stdout.write(output);
      const failed = output.split("\n").filter((line) => line.startsWith("FAIL"));
      expect({ code, failed, hasChecked: /^ok /m.test(output) }).toEqual({ code: 0, failed: [], hasChecked: true });
    });
  });
}

async function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  const settings = { DOTNET_CLI_TELEMETRY_OPTOUT: "1", DOTNET_NOLOGO: "1", RestoreLockedMode: "true" };
  const child = spawn(command, args, { env: { ...env, ...settings }, stdio: ["ignore", "pipe", "pipe"] });
  const pieces: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => pieces.push(text));
  const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  return { code, output: pieces.join("") };
}
