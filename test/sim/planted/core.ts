import type { Mutant } from "./mutant.js";

/** Faults in what pages mean. */
export const inTheCore: readonly Mutant[] = [
  {
    name: "sweep before the round's end",
    file: "shared/sync/decide.ts",
    from: `return { kind: "apply", items: outcome.items, sweep: false, ends: false, next };`,
    to: `return { kind: "apply", items: outcome.items, sweep: isFull, ends: false, next };`,
  },
  {
    name: "skip the generation's bump",
    file: "shared/sync/decide.ts",
    from: `generation: opens && isFull ? checkpoint.generation + 1 : checkpoint.generation,`,
    to: `generation: Math.max(1, checkpoint.generation),`,
  },
  {
    name: "never give lost links up for the list",
    file: "shared/sync/decide.ts",
    from: `if (resetsInARow >= syncLimits.resetsBeforeList) {`,
    to: `if (resetsInARow >= 1_000) {`,
    unit: ["test/rounds/refusedLinks.test.ts"],
  },
  {
    name: "park a mailbox whose link alone is denied",
    file: "shared/sync/decide.ts",
    from: `if (areLinksInDoubt(seen) || isDeniedAgain(seen)) return dropLink(seen, outcome.code, moment);`,
    to: ``,
  },
  {
    name: "wait for ever for pages of delta that cannot be read",
    file: "shared/sync/decide.ts",
    from: `if (checkpoint.strategy === "delta") return giveWayToList(checkpoint, code, moment);`,
    to: ``,
    unit: ["test/rounds/refusedLinks.test.ts"],
  },
  {
    name: "hold a mailbox that was never served",
    file: "shared/sync/settle.ts",
    from: `if (!isServed(before)) return false;`,
    to: ``,
  },
  {
    name: "follow endless links",
    file: "shared/sync/decide.ts",
    from: `if (loop !== null) return abandon(checkpoint, loop, moment);`,
    to: `if (loop === "never") return abandon(checkpoint, loop, moment);`,
  },
  {
    name: "replace instead of merge",
    file: "shared/sync/merge.ts",
    from: `= { ...stored, ...item };`,
    to: `= { ...item };`,
  },
  {
    name: "count unchanged items as changes",
    file: "shared/sync/settle.ts",
    from: `const isChange = removed || !wasAlive || !sameCalendar(old.resource, resource);`,
    to: `const isChange = removed || !wasAlive || old.resource !== resource;`,
  },
  {
    name: "drop the hold of mass removals",
    file: "shared/sync/settle.ts",
    from: `return removals >= syncLimits.heldRemovalsMin && removals`,
    to: `return removals < 0 && removals`,
  },
  {
    name: "hold mass removals for ever",
    file: "shared/sync/settle.ts",
    from: `if (before.heldRemovals !== null) return false;`,
    to: `if (before.heldRemovals === -1) return false;`,
  },
  {
    name: "sweep what the last page has seen",
    file: "shared/sync/settle.ts",
    from: `isStale(row, step.next.generation) && !now.has(row.calendarId)`,
    to: `isStale(row, step.next.generation)`,
  },
  {
    name: "ignore the last tick",
    file: "shared/sync/due.ts",
    from: `checkpoint.lastTick === tick || `,
    to: ``,
  },
  {
    name: "ignore notBefore",
    file: "shared/sync/due.ts",
    from: `return checkpoint.notBeforeMs <= nowMs;`,
    to: `return checkpoint.notBeforeMs > 0 || nowMs > 0;`,
  },
  {
    name: "never try delta again",
    file: "shared/sync/due.ts",
    from: `if (!isProbeDue || checkpoint.phase === "full") return checkpoint;`,
    to: `if (!isProbeDue || checkpoint.phase !== "initial") return checkpoint;`,
  },
  {
    name: "hold calendars that Exchange has moved as a mass removal",
    file: "shared/sync/settle.ts",
    from: `stale.length - successors.size`,
    to: `stale.length`,
    unit: ["test/sync/settle.test.ts"],
  },
  {
    name: "let one calendar that came replace all that went by its name",
    file: "shared/sync/changes.ts",
    from: `waiting.get(key)?.shift()`,
    to: `waiting.get(key)?.[0]`,
    unit: ["test/sync/settle.test.ts"],
  },
];
