import { readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { type Registry, runHooks } from "./coreApi.js";
import { HostError, messageOf, stackOf } from "./hostError.js";
import { readJson } from "./settings.js";
import type { ProgrammingModel } from "./types.js";

const DEFAULT_CAPABILITIES = [
  "RawHttpBodyBytes",
  "RpcHttpBodyOnly",
  "UseNullableValueDictionaryForHttp",
  "TypedDataCollection",
  "RpcHttpTriggerMetadataRemoved",
  "IgnoreEmptyValuedRpcHttpHeaders",
  "WorkerStatus",
  "HandlesWorkerTerminateMessage",
];

/**
 * Loads the app as the Node worker does: the files that package.json `main` matches, in order, then the appStart hooks;
 * after that nothing more can be registered.
 * @throws HostError in one line. The real worker reports an app that fails before its first registration as an app
 *   without functions, with the reason on stderr only; here both are errors.
 */
export async function loadApp(appDir: string, registry: Registry): Promise<ProgrammingModel> {
  const packageJson = readJson(path.join(appDir, "package.json"));
  if (packageJson === null) throw new HostError(`package.json is missing in ${appDir}`);
  const main = packageJson["main"];
  if (typeof main !== "string" || main === "") throw new HostError(`package.json of ${appDir} has no "main"`);
  const files = expandGlob(appDir, main);
  if (files.length === 0) throw new HostError(`no file matches "main" of package.json: ${main} (is the app built?)`);
  for (const file of files) {
    try {
      await loadFile(file, packageJson["type"] === "module");
    } catch (error) {
      throw new HostError(`${path.relative(appDir, file)} cannot be loaded: ${describeLoadError(error)}`);
    }
  }
  if (registry.model === null || registry.functions.size === 0) {
    throw new HostError(`the app registers no functions: ${files.length} file(s) of ${main} were loaded`);
  }
  try {
    await runHooks(registry, "appStart", { hookData: {} });
    const capabilities = await registry.model.getCapabilities(
      Object.fromEntries(DEFAULT_CAPABILITIES.map((name) => [name, "true"])),
    );
    if (capabilities["HttpUri"] !== undefined) {
      throw new HostError("app.setup({ enableHttpStream: true }) is not supported by this local host");
    }
  } catch (error) {
    if (error instanceof HostError) throw error;
    throw new HostError(`an appStart hook failed: ${messageOf(error)}`);
  }
  registry.isLocked = true;
  return registry.model;
}

async function loadFile(file: string, isModulePackage: boolean): Promise<void> {
  const isEsm = file.endsWith(".mjs") || (isModulePackage && !file.endsWith(".cjs"));
  if (isEsm) await import(/* @vite-ignore */ pathToFileURL(file).href);
  else createRequire(file)(file);
}

/** Message and place in one line: "why (file:line:column)". All lines of a message are shown, as the worker shows them. */
function describeLoadError(error: unknown): string {
  const place = /\n\s+at .*?((?:file:\/\/|\/|[A-Za-z]:\\)[^\s()]+:\d+:\d+)/.exec(stackOf(error))?.[1];
  const message = messageOf(error).replaceAll(/\s*\n\s*/g, " ");
  return place === undefined ? message : `${message} (${place})`;
}

/** Files below `root` that match a pattern of `*`, `?`, `**` and `{a,b}`, sorted; `./` in front is allowed. */
function expandGlob(root: string, pattern: string): string[] {
  const normal = pattern.replace(/^\.\//, "");
  const fixed = normal.split("/").slice(0, -1); // Walk only below the part without wildcards.
  const wild = fixed.findIndex((part) => /[*?{[]/.test(part));
  const start = path.join(root, ...(wild === -1 ? fixed : fixed.slice(0, wild)));
  const matcher = globToRegExp(normal);
  return walk(start)
    .filter((file) => matcher.test(path.relative(root, file).split(path.sep).join("/")))
    .sort();
}

function globToRegExp(pattern: string): RegExp {
  let depth = 0;
  const source = pattern.replaceAll(/\*\*\/|\*\*|[*?{},]|[.+^$()|[\]\\]/g, (token) => {
    if (token === "**/") return "(?:[^/]+/)*";
    if (token === "**") return ".*";
    if (token === "*") return "[^/]*";
    if (token === "?") return "[^/]";
    if (token === "{") depth += 1;
    if (token === "}") depth -= 1;
    if (token === "{") return "(?:";
    if (token === "}") return ")";
    if (token === ",") return depth > 0 ? "|" : ",";
    return `\\${token}`;
  });
  return new RegExp(`^${source}$`);
}

function walk(folder: string): string[] {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : walk(full);
    return [full];
  });
}
