import type { Mutant } from "./mutant.js";

/** Faults in what a process keeps of the shards between two answers of the status. */
export const inTheStatus: readonly Mutant[] = [
  {
    name: "take a run that still works for one that has ended, and read none of its figures again",
    file: "shared/views/snapshot.ts",
    from: `return hasEnded(before) && hasEnded(now) && before.finishedMs === now.finishedMs;`,
    to: `return true;`,
    unit: ["test/views/snapshot.test.ts"],
  },
  {
    name: "count what a tick did before a brake once more with what it did after it",
    file: "shared/views/snapshot.ts",
    from: `old === null ? tick : subtractCounters(tick, old)`,
    to: `tick`,
    unit: ["test/views/snapshot.test.ts"],
  },
  {
    name: "take the newest ticks for all that came since the last look",
    file: "shared/views/snapshot.ts",
    from: `if (goesOn(newest)) return newest;`,
    to: `if (newest.ticks.length > 0) return newest;`,
    unit: ["test/views/snapshot.test.ts"],
  },
  {
    name: "go on with the ticks of a table that is gone",
    file: "shared/views/snapshot.ts",
    from: `return goesOn(whole) ? whole : null;`,
    to: `return whole;`,
    unit: ["test/views/snapshot.test.ts"],
  },
  {
    name: "look at a shard only when something is expected of it, however few there are",
    file: "shared/views/snapshot.ts",
    from: `isOld || index < looksMin`,
    to: `isOld`,
    unit: ["test/views/snapshot.test.ts"],
  },
  {
    name: "tell those who ask seldom what was seen long ago",
    file: "shared/views/snapshot.ts",
    from: `isOld || index < looksMin`,
    to: `index < looksMin || (isOld && index < 0)`,
    unit: ["test/views/snapshot.test.ts"],
  },
  {
    name: "take a shard whose next run is due for one at rest",
    file: "shared/views/snapshot.ts",
    from: `return nextMs === null || nowMs < nextMs;`,
    to: `return nextMs !== nowMs;`,
    unit: ["test/views/snapshot.test.ts"],
  },
  {
    name: "give everybody the first look at the shards for good",
    file: "shared/views/status.ts",
    from: `(ageMs >= 0 && ageMs < snapshotKeptMs)`,
    to: `ageMs >= 0`,
    unit: ["test/views/snapshot.test.ts"],
  },
  {
    name: "take the version of a tick from whichever shard was seen last",
    file: "shared/views/snapshot.ts",
    from: `version: laterOf(known, tick).version`,
    to: `version: tick.version`,
    unit: ["test/http/statusPart.test.ts"],
  },
  {
    name: "forget which version did a tick that a brake or a crash ended",
    file: "shared/figures/shardFigures.ts",
    from: `version: textOf(partial["version"])`,
    to: `version: null`,
    unit: ["test/http/statusPart.test.ts"],
  },
  {
    name: "keep the oldest ticks apart instead of the newest",
    file: "shared/store/figuresRow.ts",
    from: `ticks.slice(-newestTicks)`,
    to: `ticks.slice(0, newestTicks)`,
    unit: ["test/views/snapshot.test.ts"],
  },
  {
    name: "call the status new because time has gone on",
    file: "shared/http/status.ts",
    from: `JSON.stringify(lasting)`,
    to: `JSON.stringify([lasting, _])`,
    unit: ["test/http/status.test.ts"],
  },
];
