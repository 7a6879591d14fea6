import { findPackageJSON } from "node:module";
import { dirname, join } from "node:path";

/** Folder of the repository, wherever the code that asks was bundled to. */
export const root = dirname(findPackageJSON(import.meta.url) ?? ".");

/** A program of `local/` as `npm run build` bundles it: it starts without a TypeScript loader. */
export const programPath = (name: "start" | "host" | "graph"): string => join(root, ".build", `${name}.js`);
