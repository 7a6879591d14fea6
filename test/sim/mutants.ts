import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MUTANTS } from "./mutantList.js";
import type { Mutant } from "./planted/mutant.js";

/**
 * Plants faults in a copy of the product, one at a time, and shows that the suite finds each: by storms, by the sweep of
 * n-th failures, or by the tests of the part. A fault that lives on is a hole in the suite.
 */

const root = join(import.meta.dirname, "..", "..");
const copied = [
  "shared",
  "dashboard",
  "local",
  "functions",
  "test",
  "examples",
  "host.json",
  "package.json",
  "tsconfig.json",
  "vitest.config.ts",
];

const { values } = parseArgs({
  options: {
    /** Storms that each mutant is run through at most. */
    runs: { type: "string", default: "800" },
    /** Only mutants whose name holds this. */
    only: { type: "string", default: "" },
  },
});

type Verdict = {
  readonly mutant: Mutant;
  readonly killer: string | null;
  readonly seconds: number;
  readonly why: string;
};

/** Our choice: fifty times what the slowest takes. */
const runMinutesMax = 15;

/**
 * Runs a program in the copy; its output is only looked at. @throws Error when it has not ended in time: a fault is to be
 * found by what looks for it, and a suite that hangs has found nothing.
 */
function run(dir: string, args: readonly string[]): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: dir,
      env: { ...process.env, NO_COLOR: "1" },
      signal: AbortSignal.timeout(runMinutesMax * 60_000),
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? 1, output }));
  });
}

const vitest = (files: readonly string[]) => ["node_modules/vitest/vitest.mjs", "run", "--bail", "1", ...files];

/** The first part of the suite that fails: the tests that should, where the mutant names them; else storms and sweep. */
async function killerOf(
  dir: string,
  { unit }: Mutant,
): Promise<{ readonly killer: string | null; readonly why: string }> {
  if (unit !== undefined) {
    const parts = await run(dir, vitest(unit));
    if (parts.code !== 0) return { killer: unit.join(" "), why: "" };
  }
  const storms = await run(dir, ["--import", "tsx", "test/sim/main.ts", "--runs", values.runs, "--stop", "--json"]);
  const found = brokenIn(storms.output);
  if (found !== null) return { killer: "storms", why: found };
  if (storms.code !== 0) throw new Error(`The simulator failed, instead of finding a fault.\n${storms.output}`);
  const sweep = await run(dir, vitest(["test/sim/nthFailure.test.ts"]));
  return { killer: sweep.code === 0 ? null : "n-th failure", why: "" };
}

function brokenIn(output: string): string | null {
  const line = output.split("\n").find((text) => text.startsWith('{"runs"'));
  if (line === undefined) return null;
  const { broken } = JSON.parse(line) as { broken: { seed: number; violation: { invariant: string; what: string } }[] };
  const [first] = broken;
  if (first === undefined) return null;
  return `seed ${first.seed}: ${first.violation.invariant} ${first.violation.what.replace(/^[0-9a-f-]{36}: /, "")}`;
}

async function judge(dir: string, mutant: Mutant): Promise<Verdict> {
  const startMs = performance.now();
  const path = join(dir, mutant.file);
  const original = await readFile(path, "utf8");
  const places = original.split(mutant.from).length - 1;
  if (places !== 1)
    throw new Error(`Mutant no longer applies: "${mutant.name}" fits ${places} places in ${mutant.file}.`);
  await writeFile(
    path,
    original.replace(mutant.from, () => mutant.to),
  );
  try {
    return { mutant, ...(await killerOf(dir, mutant)), seconds: (performance.now() - startMs) / 1000 };
  } catch (cause) {
    throw new Error(`Mutant "${mutant.name}" could not be judged.`, { cause });
  } finally {
    await writeFile(path, original);
  }
}

/** A copy of the product, with the packages of the original. */
async function copyTo(dir: string): Promise<void> {
  for (const name of copied) await cp(join(root, name), join(dir, name), { recursive: true });
  await symlink(join(root, "node_modules"), join(dir, "node_modules"));
}

/**
 * What is to find the mutants must pass without them, in the copy: a test that fails anyhow would seem to find them all.
 * @throws Error that says what failed.
 */
async function requireSound(dir: string, chosen: readonly Mutant[]): Promise<void> {
  const parts = [...new Set(chosen.flatMap(({ unit = [] }) => unit))].sort();
  if (parts.length === 0) return;
  const { code, output } = await run(dir, vitest(parts));
  if (code !== 0) throw new Error(`Without any mutant the tests fail already.\n${output}`);
}

async function judgeAll(chosen: readonly Mutant[], dirs: readonly string[]): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  const waiting = [...chosen];
  const work = async (dir: string) => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const verdict = await judge(dir, mutant);
      verdicts.push(verdict);
      const { killer, seconds } = verdict;
      const place = `${verdicts.length} of ${chosen.length}`;
      process.stderr.write(`${place}: ${mutant.name} … ${killer ?? "LIVES"} (${seconds.toFixed(0)} s)\n`);
    }
  };
  await Promise.all(dirs.map(work));
  return verdicts;
}

async function main(): Promise<void> {
  const chosen = MUTANTS.filter(({ name }) => name.includes(values.only));
  const dirs = await Promise.all(
    Array.from({ length: Math.min(availableParallelism(), chosen.length) }, () =>
      mkdtemp(join(tmpdir(), "calendar-mirror-mutants-")),
    ),
  );
  try {
    await Promise.all(dirs.map(copyTo));
    await requireSound(dirs[0] ?? "", chosen);
    const verdicts = await judgeAll(chosen, dirs);
    for (const { mutant, killer, why } of verdicts) {
      console.log(`| ${mutant.name} | ${killer ?? "**lives**"} | ${why.slice(0, 110)} |`);
    }
    const living = verdicts.filter(({ killer }) => killer === null).length;
    console.log(`${verdicts.length} mutants, ${verdicts.length - living} killed, ${living} alive`);
    if (verdicts.length === 0) console.error(`No mutant's name holds "${values.only}".`);
    process.exitCode = living === 0 && verdicts.length > 0 ? 0 : 1;
  } finally {
    await Promise.all(dirs.map((dir) => rm(dir, { recursive: true, force: true })));
  }
}

await main();
