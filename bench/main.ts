import { parseArgs } from "node:util";
import { type Contender, contenders } from "./contenders.js";
import { phases, runPhases, type Sample } from "./phases.js";
import { printReport, type Result, reportOf } from "./report.js";
import { latencies } from "./surroundings.js";

/**
 * `npm run bench`: this product beside its peers and beside the floor. Every contender gets its own storage, its own
 * simulated Graph with the same mailboxes, and its own process; they take turns, round after round.
 */
const usage = `usage: npm run bench -- [options]
  --mailboxes N     simulated mailboxes (default 200)
  --calendars N     calendars in each (default 25)
  --rounds N        how often each contender runs (default 2)
  --latency NAME    zero, azure or both (default both)
  --phases A,B      of first, quiet, churn, throttled and reset (default all; first always)
  --only A,B        contenders by the start of their names, such as calendar-mirror,pnp
  --other DIR       another built app to run beside this one, such as that of another commit
  --profile DIR     a processor profile of the app's process for each run
  --json            one JSON object at the end instead of tables`;

const options = optionsOrExit();
const results: Result[] = [];
for (let round = 1; round <= options.rounds; round++) {
  for (const latency of options.latencies) {
    for (const contender of turned(options.contenders, round)) {
      const samples: Sample[] = [];
      const world = { mailboxes: options.mailboxes, calendars: options.calendars, latency };
      process.stderr.write(`round ${round}/${options.rounds}  ${latency.name.padEnd(5)}  ${contender.name.padEnd(20)}`);
      await runPhases(contender, world, options.phases, (sample) => {
        samples.push(sample);
        process.stderr.write(`  ${sample.phase} ${(sample.ms / 1000).toFixed(2)} s`);
      });
      process.stderr.write("\n");
      results.push({ contender, latency: latency.name, samples });
    }
  }
}
const report = reportOf(results, options);
if (options.json) console.log(JSON.stringify(report));
else printReport(report);

/** Another one begins in each round, so that none is always first. */
function turned(all: readonly Contender[], round: number): readonly Contender[] {
  const first = (round - 1) % all.length;
  return [...all.slice(first), ...all.slice(0, first)];
}

function optionsOrExit() {
  try {
    return optionsOf(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${usage}\n`);
    process.exit(2);
  }
}

function optionsOf(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      mailboxes: { type: "string", default: "200" },
      calendars: { type: "string", default: "25" },
      rounds: { type: "string", default: "2" },
      latency: { type: "string", default: "both" },
      phases: { type: "string", default: phases.join() },
      only: { type: "string", default: "" },
      profile: { type: "string" },
      other: { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  const { latency, only } = values;
  const unknown = values.phases.split(",").find((name) => !phases.some((phase) => phase === name));
  if (unknown !== undefined) throw new Error(`--phases: there is no "${unknown}".`);
  const chosen = latencies.filter(({ name }) => latency === "both" || name === latency);
  if (chosen.length === 0) throw new Error(`--latency is zero, azure or both, not "${latency}".`);
  const all = contenders({ profileDir: values.profile ?? null, otherDir: values.other ?? null });
  const starts = only.split(",");
  const wanted = all.filter(({ name }) => starts.some((start) => name.startsWith(start)));
  if (wanted.length === 0) throw new Error(`--only names no contender: "${only}".`);
  return {
    mailboxes: wholeNumber("mailboxes", values.mailboxes),
    calendars: wholeNumber("calendars", values.calendars, 3),
    rounds: wholeNumber("rounds", values.rounds),
    latencies: chosen,
    phases: phases.filter((phase) => phase === "first" || values.phases.split(",").includes(phase)),
    contenders: wanted,
    json: values.json,
  };
}

function wholeNumber(name: string, text: string, min = 1): number {
  const value = /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min) return value;
  throw new Error(`--${name} must be a whole number from ${min}, not "${text}".`);
}
