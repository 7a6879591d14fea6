// `npm start`: answers what needs no build, such as help and mistakes, and then builds and starts. Every Node can read this file.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

function end(code, text) {
  (code === 0 ? process.stdout : process.stderr).write(`${text}\n`);
  process.exit(code);
}

if (!existsSync(join(root, "node_modules", "esbuild"))) {
  end(2, "The packages are missing: run npm ci first. It brings the Node 24 that everything here runs on, too.");
}
if (!process.features.typescript) {
  end(
    2,
    `Node ${process.versions.node} is too old for this: run it by npm start, on the Node 24 that npm ci has installed.`,
  );
}
const { isHelpAsked, lostOptions, startOptions, usage } = await import("./start/options.ts");
const args = process.argv.slice(2);
if (isHelpAsked(args)) end(0, usage);
if (process.env.npm_config_json === "true" && !args.includes("--json")) args.push("--json"); // npm start --json: npm has such an option too.
const lost = lostOptions(process.env);
if (lost.length > 0) {
  end(2, `npm takes what stands before -- for itself. Write: npm start -- ${[...lost, ...args].join(" ")}`);
}
try {
  startOptions(args, process.env);
} catch (error) {
  end(2, error.message);
}
const { status, signal } = spawnSync(process.execPath, [join(root, "local", "build.ts"), "--local"], {
  stdio: ["ignore", 2, 2],
});
if (signal !== null) process.exit(130);
if (status !== 0) end(1, "It cannot be built.");
process.argv.splice(2, Number.POSITIVE_INFINITY, "--build", ...args);
await import(new URL("../.build/start.js", import.meta.url).href);
