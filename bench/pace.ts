import { parseArgs } from "node:util";
import { type PaceOptions, type PaceResult, paceTick } from "./paceWorld.js";

/** `npm run bench:pace`: one tick of large mirrors in virtual time, with Graph's limit for an application. */

const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });

type World = Pick<PaceOptions, "mailboxes" | "shards" | "instances"> & Partial<PaceOptions>;
/** What has to hold, with every mailbox; then what sizing is read from, where one mailbox stands for ten. */
const worlds: readonly World[] = [
  { mailboxes: 1_000_000, shards: 256, instances: 8, standsFor: 1 },
  { mailboxes: 1_000_000, shards: 256, instances: 16, standsFor: 1 },
  { mailboxes: 1_000_000, shards: 256, instances: 16, graphMsPerItem: 40 },
  { mailboxes: 1_600_000, shards: 256, instances: 16 },
  { mailboxes: 800_000, shards: 128, instances: 8 },
  { mailboxes: 400_000, shards: 64, instances: 4 },
  { mailboxes: 200_000, shards: 32, instances: 2 },
  { mailboxes: 100_000, shards: 16, instances: 1 },
  { mailboxes: 1_000_000, shards: 64, instances: 4 },
];

const heads = [
  "mailboxes",
  "shards",
  "instances",
  "ms an item",
  "begin",
  "most in 10 s",
  "throttled",
  "seconds",
  "paid for",
];
const widths = [9, 6, 9, 10, 8, 12, 9, 7, 8];

if (!values.json) console.log(line(heads));
for (const world of worlds) {
  for (const isPaced of world.shards > 16 ? [true, false] : [true]) {
    const options = { graphMsPerItem: 120, tickMs: 300_000, standsFor: 10, ...world, isPaced };
    const result = await paceTick(options);
    console.log(values.json ? JSON.stringify({ ...options, ...result }) : line(cellsOf(options, result)));
  }
}

function cellsOf(options: PaceOptions, result: PaceResult): readonly (string | number)[] {
  const { mailboxes, shards, instances, graphMsPerItem, isPaced } = options;
  const { throttledAfterSeconds, peakShare, seconds, instanceSeconds, runsDone } = result;
  const isDone = runsDone === shards;
  return [
    ...[mailboxes, shards, instances, graphMsPerItem],
    isPaced ? "spread" : "together",
    `${(100 * peakShare).toFixed(0)} %`,
    throttledAfterSeconds === null ? "never" : `${throttledAfterSeconds.toFixed(1)} s`,
    ...(isDone ? [seconds.toFixed(0), instanceSeconds.toFixed(0)] : ["", ""]),
  ];
}

function line(cells: readonly (string | number)[]): string {
  return cells.map((cell, index) => String(cell).padStart(widths[index] ?? 0)).join("  ");
}
