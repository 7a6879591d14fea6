import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { startAzurite } from "../local/azurite.js";

/**
 * What a cold start pays for our code: the time to load the app, and from there to its first answer, which loads the
 * table's client and talks to Azurite. The bundle of `dist/` beside the same sources as the compiler alone leaves them;
 * each load is a fresh Node process, the two in turn. Run it after `npm run build`: `npm run bench:load`. Exit code 1 when
 * the bar is missed.
 */
const runs = Number(process.env["BENCH_RUNS"] ?? 21);
const loadShareMax = 0.4;
const root = join(import.meta.dirname, "..");
const loader = join(root, "test", "deploy", "loadApp.mjs");
const exec = promisify(execFile);

type Times = { readonly loadMs: number; readonly statusMs: number };

/** The app as the compiler leaves it, with the repository's packages in reach. */
async function compile(into: string): Promise<readonly string[]> {
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  await exec(process.execPath, [tsc, "-p", join(root, "tsconfig.json"), "--outDir", into]);
  writeFileSync(join(into, "package.json"), '{"type":"module"}');
  symlinkSync(join(root, "node_modules"), join(into, "node_modules"));
  const triggers = readdirSync(join(into, "functions")).filter((name) => name.endsWith(".js"));
  return triggers.sort().map((name) => join(into, "functions", name));
}

async function timesOf(files: readonly string[], connectionString: string): Promise<Times> {
  const env = { ...process.env, AzureWebJobsStorage: connectionString, GRAPH_ACCESS_TOKEN: "bench" };
  const { stdout } = await exec(process.execPath, [loader, ...files], { env });
  return JSON.parse(stdout) as Times;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((one, other) => one - other);
  return sorted[sorted.length >>> 1] ?? Number.NaN;
}

const unbundledDir = mkdtempSync(join(tmpdir(), "calendar-mirror-load-"));
const azurite = await startAzurite();
try {
  const files = { bundled: [join(root, "dist", "main.js")], unbundled: await compile(unbundledDir) };
  const times = { bundled: [] as Times[], unbundled: [] as Times[] };
  for (let run = -1; run < runs; run++) {
    for (const way of ["bundled", "unbundled"] as const) {
      const measured = await timesOf(files[way], azurite.connectionString);
      if (run >= 0) times[way].push(measured); // The first of each fills the file cache and lays out the table.
    }
  }
  const compare = (what: keyof Times) => {
    const [bundled, unbundled] = [times.bundled, times.unbundled].map((all) => median(all.map((one) => one[what])));
    return { bundled: bundled ?? 0, unbundled: unbundled ?? 0, share: (bundled ?? 0) / (unbundled ?? 0) };
  };
  console.log(`${runs} processes of each, in turn; medians; Node ${process.version}`);
  for (const [what, name] of [
    ["loadMs", "load the app"],
    ["statusMs", "load it, and answer GET /api/status"],
  ] as const) {
    const { bundled, unbundled, share } = compare(what);
    const figures = `bundled ${bundled.toFixed(0)} ms, unbundled ${unbundled.toFixed(0)} ms, ratio ${share.toFixed(2)}`;
    console.log(`${name.padEnd(36)} ${figures}`);
  }
  if (compare("loadMs").share > loadShareMax) {
    console.log(`The bar is missed: loading may take ${loadShareMax} of the unbundled time.`);
    process.exitCode = 1;
  }
} finally {
  rmSync(unbundledDir, { recursive: true, force: true });
  await azurite.stop();
}
