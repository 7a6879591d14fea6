import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { FAULT_NAMES, type Fault, isFault } from "./kinds.js";
import { type Narrowing, planOf } from "./plan.js";
import { addTo, failureText, newTally, progressText, summaryText, type Tally } from "./report.js";
import { shrink } from "./shrink.js";
import { simulate } from "./simulate.js";

const USAGE = `usage: npm run sim -- [options]
  --runs N       seeds to run (default 1000)
  --from N       the first of them (default 1)
  --seed N       this seed alone
  --faults A,B   only these faults, or none; the same seed decides how often
  --ticks N      a storm of at most so many ticks
  --trace        print all that happens (with --seed)
  --workers N    processes (default: one for each core)
  --stop         stop at the first broken promise
  --json         figures as JSON on stdout
  --help         this text
faults: ${FAULT_NAMES.join(" ")}`;

type Arguments = {
  readonly from: number;
  readonly runs: number;
  readonly narrowing: Narrowing;
  readonly isTraced: boolean;
  readonly workers: number;
  readonly stopsAtOnce: boolean;
  readonly isJson: boolean;
  readonly isHelp: boolean;
  readonly isWorker: boolean;
};

/** What Node.js itself ends with when a top-level await never settles. */
const unsettledCode = 13;
/** Seeds that a worker takes at a time, and failures that are explained in full. */
const chunkSize = 25;
const failuresShown = 3;

function argumentsOf(): Arguments {
  const { values } = parseArgs({
    options: {
      runs: { type: "string", default: "1000" },
      from: { type: "string", default: "1" },
      seed: { type: "string" },
      faults: { type: "string" },
      ticks: { type: "string" },
      trace: { type: "boolean", default: false },
      workers: { type: "string", default: String(availableParallelism()) },
      stop: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
      worker: { type: "boolean", default: false },
    },
  });
  const faults = values.faults?.split(",").filter((name) => name !== "none" && name !== "");
  const unknown = faults?.find((name) => !isFault(name));
  if (unknown !== undefined) throw new Error(`--faults: there is no fault ${unknown}`);
  return {
    from: wholeNumber("seed", values.seed ?? values.from),
    runs: values.seed === undefined ? wholeNumber("runs", values.runs) : 1,
    narrowing: {
      ...(faults === undefined ? {} : { faults: faults as Fault[] }),
      ...(values.ticks === undefined ? {} : { stormTicks: wholeNumber("ticks", values.ticks) }),
    },
    isTraced: values.trace,
    workers: Math.max(1, wholeNumber("workers", values.workers)),
    stopsAtOnce: values.stop,
    isJson: values.json,
    isHelp: values.help,
    isWorker: values.worker,
  };
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name} must be a whole number, not "${text}"`);
  return Number(text);
}

async function runSeeds(from: number, to: number, { narrowing, isTraced, stopsAtOnce }: Arguments): Promise<Tally> {
  const tally = newTally();
  for (let seed = from; seed < to; seed++) {
    const trace = isTraced ? (line: string) => process.stdout.write(`${line}\n`) : undefined;
    const run = await simulate(planOf(seed, narrowing), trace);
    const broken = run.violation === null ? [] : [{ seed, violation: run.violation }];
    addTo(tally, {
      runs: 1,
      steps: run.steps,
      transactions: run.transactions,
      injected: run.injected as Record<string, number>,
      broken,
    });
    if (stopsAtOnce && broken.length > 0) break;
  }
  return tally;
}

/**
 * A worker: takes chunks of seeds from its parent until that hangs up. While it has one in hand, the parent does not keep
 * it alive: a simulation that waits for what never comes ends it with this code, instead of hanging for ever.
 */
function work(given: Arguments): void {
  process.on("message", (chunk: { from: number; to: number }) => {
    process.channel?.unref();
    process.exitCode = unsettledCode;
    runSeeds(chunk.from, chunk.to, given).then(
      (tally) => {
        process.channel?.ref();
        process.exitCode = 0;
        process.send?.(tally);
      },
      (error: unknown) => {
        throw error;
      },
    );
  });
}

/**
 * Spreads seeds over workers. Seeds in which a worker ends without an answer are not looked at again, and the others are: so whether
 * a broken promise is found does not hang on which worker is faster.
 * @throws Error that says which seeds those were, where no promise was found broken.
 */
async function spread(given: Arguments, onProgress: (tally: Tally) => void): Promise<Tally> {
  const total = newTally();
  const end = given.from + given.runs;
  let next = given.from;
  const failed: string[] = [];
  const isOver = () => next >= end || (given.stopsAtOnce && total.broken.length > 0);
  const worker = () => {
    const child = fork(import.meta.filename, [...process.argv.slice(2), "--worker"]);
    let seeds = "";
    const give = () => {
      const to = Math.min(end, next + chunkSize);
      seeds = `${next} to ${to - 1}`;
      child.send({ from: next, to });
      next = to;
    };
    return new Promise<void>((resolve, reject) => {
      child.on("message", (tally: Tally) => {
        addTo(total, tally);
        onProgress(total);
        if (isOver()) child.disconnect();
        else give();
      });
      child.once("error", reject);
      child.once("exit", (code, signal) => {
        if (code !== 0) failed.push(`A worker ended with ${code ?? signal} in seeds ${seeds}.`);
        resolve();
      });
      give();
    });
  };
  const workers = Array.from({ length: Math.min(given.workers, Math.ceil(given.runs / chunkSize)) }, async () => {
    while (!isOver()) await worker();
  });
  await Promise.all(workers);
  if (failed.length > 0 && total.broken.length === 0) throw new Error(failed.join("\n"));
  if (failed.length > 0) console.error(failed.join("\n"));
  return total;
}

async function main(given: Arguments): Promise<void> {
  const startMs = performance.now();
  const seconds = () => (performance.now() - startMs) / 1000;
  let saidMs = 0;
  const onProgress = (tally: Tally) => {
    if (given.isJson || performance.now() - saidMs < 1000) return;
    saidMs = performance.now();
    const end = process.stderr.isTTY ? "\r" : "\n";
    process.stderr.write(`${progressText(tally, given.runs, seconds())}${end}`);
  };
  const isAlone = given.workers === 1 || given.runs <= chunkSize || given.isTraced;
  const tally = isAlone ? await runSeeds(given.from, given.from + given.runs, given) : await spread(given, onProgress);
  tally.broken.sort((one, other) => one.seed - other.seed);
  const took = seconds();
  if (given.isJson) console.log(JSON.stringify({ ...tally, seconds: took }));
  else console.log(summaryText(tally, took));
  process.exitCode = tally.broken.length === 0 ? 0 : 1;
  if (given.isJson) return;
  for (const { seed, violation } of tally.broken.slice(0, failuresShown)) {
    console.log(`\n${failureText(seed, violation, await shrink(planOf(seed, given.narrowing), violation.invariant))}`);
  }
}

let given: Arguments | null = null;
try {
  given = argumentsOf();
} catch (error) {
  console.error(`${(error as Error).message}\n${USAGE}`);
  process.exitCode = 2;
}
if (given?.isHelp) console.log(USAGE);
else if (given?.isWorker) work(given);
else if (given !== null) await main(given);
