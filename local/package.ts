import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";

/**
 * `npm run package [-- DIR]`: what a deployment uploads, laid out in a folder (default `.package`): the built app and its
 * two manifests, and nothing else of the checkout. With --build, which npm gives, it is built first, once the folder is seen to do.
 */

const root = join(import.meta.dirname, "..");
const manifests = ["host.json", "package.json"];

/** @throws Error in one line unless the folder is new or empty, and can be written. */
function prepare(target: string, isOurs: boolean): void {
  const refuse = (why: string): never => {
    throw new Error(`${target} ${why}: name a new or empty folder.`);
  };
  if (isOurs) rmSync(target, { recursive: true, force: true });
  if (existsSync(target) && !statSync(target).isDirectory()) refuse("is a file");
  if (existsSync(target) && readdirSync(target).length > 0) refuse("is not empty");
  const missing: string[] = [];
  for (let there = target; !existsSync(there); there = join(there, "..")) missing.unshift(there);
  try {
    for (const folder of missing) mkdirSync(folder); // One by one: of some file systems Node never ends to make all at once.
  } catch (error) {
    refuse(`cannot be made (${(error as NodeJS.ErrnoException).code})`);
  }
}

function layOut(target: string): void {
  for (const name of manifests) cpSync(join(root, name), join(target, name));
  cpSync(join(root, "dist"), join(target, "dist"), {
    recursive: true,
    // The build writes nothing else.
    filter: (path) => statSync(path).isDirectory() || /\.js(\.map)?$/.test(path),
  });
}

function summaryOf(target: string): string {
  const files = readdirSync(target, { recursive: true, encoding: "utf8" }).map((name) => statSync(join(target, name)));
  const bytes = files.reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
  const count = files.filter((file) => file.isFile()).length;
  const fromHere = relative(process.cwd(), target) || ".";
  const shown = fromHere.startsWith("..") ? target : fromHere;
  return [
    `Laid out in ${shown}: dist/, ${manifests.join(", ")}; ${count} files, ${(bytes / 1024 / 1024).toFixed(1)} MiB.`,
    `  Try it:     npm start -- --once --app ${shown}`,
    `  Upload it:  cd ${shown} && func azure functionapp publish <app>`,
  ].join("\n");
}

try {
  const { values, positionals } = parseArgs({ options: { build: { type: "boolean" } }, allowPositionals: true });
  const [given, ...others] = positionals;
  if (others.length > 0) throw new Error(`One folder, not ${positionals.length}: npm run package -- DIR`);
  const target = resolve(given ?? join(root, ".package"));
  prepare(target, given === undefined);
  if (values.build) {
    const { status } = spawnSync(process.execPath, [join(root, "local", "build.ts")], { stdio: ["ignore", 2, 2] });
    if (status !== 0) throw new Error("The app cannot be built.");
  }
  layOut(target);
  console.log(summaryOf(target));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}
