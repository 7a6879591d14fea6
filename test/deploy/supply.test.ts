import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

/** What others wrote and we run: exactly these versions, and exactly these bytes. */

type Locked = {
  readonly version?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly link?: boolean;
};
type Lists = Readonly<Record<"dependencies" | "devDependencies", Readonly<Record<string, string>>>>;
const json = (name: string): unknown => JSON.parse(readFileSync(join(import.meta.dirname, "..", "..", name), "utf8"));
const manifest = json("package.json") as Lists & { readonly allowScripts: Readonly<Record<string, boolean>> };
const { packages } = json("package-lock.json") as { readonly packages: Readonly<Record<string, Locked>> };
const locked = Object.entries(packages).filter(([path]) => path !== "");

test("every dependency is pinned to one version, and the lockfile has that one", () => {
  for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
    expect(version).toMatch(/^\d+\.\d+\.\d+(-beta\.\d+)?$/);
    expect(packages[`node_modules/${name}`]?.version).toBe(version);
  }
});

test("the clients that are tried are as pinned and as known, and run no script", () => {
  const { devDependencies, allowScripts = {} } = json("test/clients/package.json") as typeof manifest;
  const tried = (json("test/clients/package-lock.json") as { readonly packages: typeof packages }).packages;
  for (const [name, version] of Object.entries(devDependencies)) {
    expect(version).toMatch(/^\d+\.\d+\.\d+(-(beta|preview)\.\d+)?$/);
    expect(tried[`node_modules/${name}`]?.version).toBe(version);
  }
  const below = Object.entries(tried).filter(([path]) => path !== "");
  expect(below.filter(([, { integrity = "" }]) => !integrity.startsWith("sha512-"))).toEqual([]);
  expect(below.filter(([, { link }]) => link === true)).toEqual([]);
  const running = below.filter(([, { hasInstallScript, optional }]) => hasInstallScript && optional !== true);
  const refused = Object.keys(allowScripts).filter((name) => allowScripts[name] === false);
  expect(running.map(([path]) => path).sort()).toEqual(refused.map((name) => `node_modules/${name}`).sort());
});

test("the bytes of every package are known by their hash", () => {
  expect(locked.filter(([, { integrity = "" }]) => !integrity.startsWith("sha512-")).map(([path]) => path)).toEqual([]);
});

test("only Node itself runs a script when it is installed, and nothing is taken from elsewhere than a registry", () => {
  const allowed = Object.entries(manifest.allowScripts).filter(([, isAllowed]) => isAllowed);
  expect(allowed.map(([name]) => name)).toEqual(["node"]);
  const running = locked.filter(([, { hasInstallScript, optional }]) => hasInstallScript && optional !== true);
  const decided = Object.keys(manifest.allowScripts).map((name) => `node_modules/${name}`);
  expect(running.map(([path]) => path).sort()).toEqual(decided.sort());
  expect(locked.filter(([, { version, link }]) => link === true || !/^\d/.test(version ?? ""))).toEqual([]);
});

test("the app brings few packages of its own choice, beside those that only telemetry loads", () => {
  const isTelemetry = (name: string) => /opentelemetry/.test(name);
  const chosen = Object.keys(manifest.dependencies);
  expect(chosen.filter((name) => !isTelemetry(name)).length).toBeLessThanOrEqual(8);
  expect(chosen.filter(isTelemetry).length).toBeLessThanOrEqual(8);
  const brought = locked.filter(([, { dev, optional }]) => dev !== true && optional !== true);
  expect(brought.length).toBeLessThan(90);
});
