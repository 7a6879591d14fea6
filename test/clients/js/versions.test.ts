import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../../../local/root.js";
import { clientsFolder } from "./programs.js";

/** The table of docs/clients.md names the versions that are run. */
type Json = Readonly<Record<string, unknown>>;
const read = (...path: string[]) => readFileSync(join(clientsFolder, ...path), "utf8");
const json = (...path: string[]) => JSON.parse(read(...path)) as Json;

/** Each package and version: a package may stand in several projects. */
function pinned(): ReadonlySet<string> {
  const found = new Set<string>();
  for (const folder of [".config", "powershell"].filter((name) => existsSync(join(clientsFolder, name)))) {
    const { tools } = json(folder, "dotnet-tools.json") as { tools: Record<string, { version: string }> };
    for (const [name, { version }] of Object.entries(tools)) found.add(`${name} ${version}`);
  }
  const { devDependencies } = json("package.json") as { devDependencies: Record<string, string> };
  for (const [name, given] of Object.entries(devDependencies)) found.add(`${name} ${given}`);
  const locks = readdirSync(join(clientsFolder, "dotnet"), { recursive: true, encoding: "utf8" });
  for (const path of locks.filter((name) => name.endsWith("packages.lock.json"))) {
    const { dependencies } = json("dotnet", path) as {
      dependencies: Record<string, Record<string, { resolved: string }>>;
    };
    for (const packages of Object.values(dependencies)) {
      for (const [name, { resolved }] of Object.entries(packages)) found.add(`${name} ${resolved}`);
    }
  }
  return found;
}

test("docs/clients.md names the versions that are pinned here", () => {
  const [, table = ""] = readFileSync(join(root, "docs", "clients.md"), "utf8").split("\n## What was tried\n");
  const named = [...table.matchAll(/`([^`]+)` (\d+\.\d[\w.-]*)/g)].map(([, name = "", version = ""]) => ({
    name,
    version,
  }));
  expect(named.length).toBeGreaterThan(8);
  const versions = pinned();
  expect(named.filter(({ name, version }) => !versions.has(`${name} ${version}`))).toEqual([]);
});
