import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readByAzd, readByFunc } from "./ignoreReaders.js";

/** What goes up from a checkout in which much else lies. `dist/` is the build's, as `npm test` made it. */

const root = join(import.meta.dirname, "..", "..");
const exec = promisify(execFile);

/** Files that nobody meant to deploy. */
const strays = [
  ".env",
  ".env.production",
  ".hidden/key.pem",
  "notes.txt",
  "secrets/deploy.key",
  "secrets/dist/app.js",
  "secrets/host.json",
  "secrets/node_modules/a/index.js",
  "src/main.ts",
  "package-lock.json",
  "local.settings.json",
  "local.settings.json.bak",
  "node_modules/zod/index.js",
  "node_modules/zod/dist/index.js",
  "node_modules/zod/package.json",
  "node_modules/zod/node_modules/b/index.js",
  ".azure/prod/.env",
  ".git/config",
  ".package/dist/old.js",
  "crash.dmp",
  "backup.zip",
  "a name with spaces",
];
const straysInDist = ["dist/.env", "dist/notes.txt", "dist/.hidden/key.pem", "dist/chunks/app.js.bak"];

let folder: string;
let built: readonly string[];

const filesBelow = (path: string): string[] =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort();

const isOurs = (path: string) => basename(path) !== "node_modules";

function lay(name: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), "secret");
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "calendar-mirror-checkout-"));
  const left = new Set(["node_modules", ".git", ".data", ".package", ".azure"]);
  for (const name of readdirSync(root)) {
    if (!left.has(name)) cpSync(join(root, name), join(folder, name), { recursive: true, filter: isOurs });
  }
  const dist = filesBelow(join(folder, "dist")).map((name) => `dist/${name}`);
  built = [...dist, "host.json", "package.json"].sort();
  for (const name of strays) lay(name);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const patterns = () => readFileSync(join(folder, ".funcignore"), "utf8");

describe("only dist, host.json and package.json go up, whatever else lies in the checkout", () => {
  test("by azd deploy", () => {
    const azd = readByAzd(patterns());
    expect(azd.uploaded(folder)).toEqual(built);
    // azd refuses `remoteBuild: false` of azure.yaml where it reads that this folder is left out.
    expect(readFileSync(join(folder, "azure.yaml"), "utf8")).toContain("remoteBuild: false");
    expect(azd.leavesOut("node_modules", true)).toBe(false);
  });

  test("by func azure functionapp publish in the checkout", () => {
    expect(readByFunc(patterns()).uploaded(folder)).toEqual(built);
  });

  test("by npm run package, what lies in dist beside the build stays out too", async () => {
    for (const name of straysInDist) lay(name);
    // tsx comes from the packages of this checkout: the copy has none.
    await exec(process.execPath, ["--import", "tsx", join(folder, "local", "package.ts")], { cwd: root });
    const package_ = join(folder, ".package");
    expect(filesBelow(package_)).toEqual(built);
    // Published from there, as README says, func finds no .funcignore and takes what there is.
    expect(readByFunc(null).uploaded(package_)).toEqual(built);
    for (const name of straysInDist) rmSync(join(folder, name), { recursive: true });
  });

  test("func reads a name as the start of a path: such strays go up from the checkout, and never from the package", () => {
    const odd = ["host.json.bak", "package.json~", "package.json-old/a"];
    for (const name of odd) lay(name);
    expect(readByFunc(patterns()).uploaded(folder)).toEqual([...built, ...odd].sort());
    expect(readByAzd(patterns()).uploaded(folder)).toEqual(built);
    for (const name of odd) rmSync(join(folder, name), { recursive: true });
  });
});

describe("the readers of .funcignore differ as their sources do", () => {
  test.each([
    ["*.log", "a/b.log", true, false], // In func a line begins where the path begins.
    ["/docs", "docs/a.md", false, true], // azd leaves out the folder itself, and so never looks into it.
    ["*\n!keep", "keep/a", true, false],
    ["!a\na", "a", true, false], // In azd the last match decides, in func any "!".
    ["bin", "binary", false, false],
    ["bin", "bin-old", false, true],
    ["*", ".env", true, true],
  ])("%j on %s", (text, path, azd, func) => {
    expect([readByAzd(text).leavesOut(path, false), readByFunc(text).leavesOut(path)]).toEqual([azd, func]);
  });
});
