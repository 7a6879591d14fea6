import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { type App, startApp } from "./app.js";
import { expectAllChecks, isInstalled, notRun, run } from "./programs.js";

/**
 * Clients for .NET: each folder of `dotnet/` is a program that takes base URL, mailbox id and function key, prints one line for
 * each check, and ends with another code than 0 when one has failed.
 */
const folder = join(import.meta.dirname, "..", "dotnet");
const projects = readdirSync(folder).filter((name) => existsSync(join(folder, name, "Program.cs")));

if (!isInstalled("dotnet")) {
  notRun(`the clients for .NET (${projects.join(", ")})`, "dotnet");
} else {
  let app: App;
  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app?.stop());

  describe("a client for .NET", () => {
    test.for(projects)("%s: everything is as it should be", { timeout: 300_000 }, async (name) => {
      const flags = ["run", "--project", join(folder, name), "--verbosity", "quiet"];
      expectAllChecks(await run("dotnet", [...flags, "--", app.base, app.mailbox, app.key], app.environment));
    });
  });
}
