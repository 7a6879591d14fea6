import type { Mutant } from "./mutant.js";

const pace = "shared/sync/pace.ts";
const unit = ["test/sync/pace.test.ts", "test/rounds/startRounds.test.ts"];

/** Faults in when the runs of a tick begin. */
export const inThePace: readonly Mutant[] = [
  {
    name: "begin all runs of a tick together",
    file: pace,
    from: `Math.floor((group * intervalMs) / 1000);`,
    to: `Math.floor((Math.min(group, 0) * intervalMs) / 1000);`,
    unit,
  },
  {
    name: "begin runs one by one, also those of a small mirror",
    file: pace,
    from: `Math.floor(index / shardsTogether);`,
    to: `index / shardsTogether;`,
    unit,
  },
  {
    name: "measure the pace from now on, so that a late tick meets the brake",
    file: pace,
    from: `Math.max(next - nowMs, second - next);`,
    to: `next - nowMs;`,
    unit,
  },
  {
    name: "spread a tick by hand over a part of the year",
    file: pace,
    from: `Math.min(paceLimits.startMsMax, paceLimits.startShare * tickMs);`,
    to: `paceLimits.startShare * tickMs;`,
    unit,
  },
  {
    name: "let messages be seen at once that are to be seen later",
    file: "shared/rounds/startRounds.ts",
    from: `send(message, delay));`,
    to: `send(message, Math.min(delay, 0)));`,
    unit,
  },
  {
    name: "lose the delay of a message on the way to the queue",
    file: "shared/azure/queueSender.ts",
    from: `delaySeconds === 0 ? []`,
    to: `delaySeconds >= 0 ? []`,
    unit: ["test/azure/queueSender.test.ts"],
  },
  {
    name: "take a shard that begins late in each tick for one that ticks have passed over",
    file: "shared/views/status.ts",
    from: `Math.max((second - first) / 2, placeMs + (second - first) / 4)`,
    to: `(second - first) / 2`,
    unit: ["test/views/status.test.ts"],
  },
];
