import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

/**
 * `npm run package [-- DIR]`: what a deployment uploads, laid out in a folder (default `.package`): the built app and its
 * two manifests, and nothing else of the checkout.
 */

const root = join(import.meta.dirname, "..");
const given = process.argv[2];
const target = resolve(given ?? join(root, ".package"));

if (given === undefined) rmSync(target, { recursive: true, force: true });
else if (existsSync(target) && readdirSync(target).length > 0) {
  console.error(`${target} is not empty: name a new or empty folder.`);
  process.exit(2);
}
mkdirSync(target, { recursive: true });
for (const name of ["host.json", "package.json"]) cpSync(join(root, name), join(target, name));
cpSync(join(root, "dist"), join(target, "dist"), {
  recursive: true,
  // The build writes nothing else.
  filter: (path) => statSync(path).isDirectory() || /\.js(\.map)?$/.test(path),
});
