import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BuildOptions, build } from "esbuild";
import { buildDashboardPage, type DashboardPage } from "./dashboardPage.ts";

/**
 * `npm run build`: the app as the Functions host loads it, in `dist/`, and the programs of `local/`, in `.build/`.
 * `dist/main.js` is all that package.json names; it loads `app.js`, in which every trigger of `functions/` registers itself.
 * What the app imports on demand stays on demand, in `chunks/`, and costs nothing until then.
 */

const root = join(import.meta.dirname, "..");
const outDir = join(root, "dist");
const localDir = join(root, ".build");

const common = {
  absWorkingDir: root,
  chunkNames: "chunks/[name]-[hash]",
  bundle: true,
  // ES modules, as the sources are: esbuild splits off what is imported on demand only in this format.
  format: "esm",
  splitting: true,
  platform: "node",
  // Packages without `exports` name their ES modules here: from those esbuild leaves out what is not used.
  mainFields: ["module", "main"],
  target: "node22",
  // Not minified: Node prints the line that threw, and a line of a megabyte helps nobody. It would save a tenth.
  sourcemap: true,
  // The map leads to file and line; the text of all packages would make it three times as large, and Node reads it at start.
  sourcesContent: false,
  logLevel: "warning",
} satisfies BuildOptions;

const triggers = readdirSync(join(root, "functions"))
  .filter((name) => name.endsWith(".ts"))
  .sort();

const app = ({ html, policy }: DashboardPage): BuildOptions => ({
  ...common,
  outdir: outDir,
  stdin: {
    contents: [
      ...triggers.map((name) => `import "./functions/${name}";`),
      'import { finishStart } from "./shared/live.js";',
      "finishStart();", // Runs after all that is imported.
    ].join("\n"),
    loader: "ts",
    resolveDir: root,
    sourcefile: "app.ts",
  },
  entryNames: "app",
  // CommonJS packages load Node's own modules by `require`, which ES modules lack. Imported under a name that no package has.
  banner: {
    js: 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);',
  },
  // The worker provides this module itself, by Module.prototype.require.
  external: ["@azure/functions-core"],
  // The MCP package picks a validator of JSON Schema, for answers of people that we never ask for: this one is the smallest.
  alias: {
    "@modelcontextprotocol/server/_shims": join(
      root,
      "node_modules/@modelcontextprotocol/server/dist/shimsBrowser.mjs",
    ),
  },
  define: { DASHBOARD_HTML: JSON.stringify(html), DASHBOARD_POLICY: JSON.stringify(policy) },
});
const local: BuildOptions = {
  ...common,
  outdir: localDir,
  packages: "external", // They are beside it.
  entryPoints: { start: "local/start.ts", host: "local/host/main.ts", graph: "local/graph/main.ts" },
};
/** `--local` or `--app` builds one part: `npm start` builds the app while storage and Graph start. */
const [part] = process.argv.slice(2);

async function buildApp() {
  rmSync(outDir, { recursive: true, force: true });
  const { warnings } = await build(app(await buildDashboardPage(root)));
  // Not by NODE_OPTIONS: Azure uses a Node process that is running already. Before the app: Node looks for the map of a
  // file when it loads the file.
  writeFileSync(join(outDir, "main.js"), 'process.setSourceMapsEnabled(true);\nawait import("./app.js");\n');
  return warnings;
}

async function buildLocal() {
  rmSync(localDir, { recursive: true, force: true });
  return (await build(local)).warnings;
}

const warnings = await Promise.all([
  ...(part === "--local" ? [] : [buildApp()]),
  ...(part === "--app" ? [] : [buildLocal()]),
]);
if (warnings.flat().length > 0) process.exit(1);
