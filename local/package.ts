import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";

/**
 * `npm run package [-- DIR]`: what a deployment uploads, laid out in a folder (default `.package`): all that `.funcignore`
 * leaves, as `func` and `azd` read it.
 */

const root = join(import.meta.dirname, "..");
const given = process.argv[2];
const target = resolve(given ?? join(root, ".package"));

const ignored = readFileSync(join(root, ".funcignore"), "utf8")
  .split("\n")
  .map((line) => line.trim())
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((pattern) => {
    // Names and `*` mean the same to every reader of the file; of the rest each has its own idea.
    if (!/^[\w.*-]+$/.test(pattern)) throw new Error(`.funcignore: "${pattern}" is more than a name with "*".`);
    return new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", ".*")}$`);
  });

const isKept = (name: string) => !ignored.some((pattern) => pattern.test(name));

if (given === undefined) rmSync(target, { recursive: true, force: true });
else if (existsSync(target) && readdirSync(target).length > 0) {
  console.error(`${target} is not empty: name a new or empty folder.`);
  process.exit(2);
}
mkdirSync(target, { recursive: true });
for (const name of readdirSync(root).filter(isKept)) {
  cpSync(join(root, name), join(target, name), {
    recursive: true,
    filter: (path) => path.split(/[\\/]/).slice(root.split(/[\\/]/).length).every(isKept),
  });
}
