import type { Mutant } from "./mutant.js";

const mirror = "shared/mirror";

/** Faults in the drivers and in retention. */
export const inTheDrivers: readonly Mutant[] = [
  {
    name: "nudge before the commit",
    file: `${mirror}/applyPage.ts`,
    from: `const { rows, changes, ...unit } = await unitOf(step, work.from, ports);`,
    to: `const { rows, changes, ...unit } = await unitOf(step, work.from, ports);\n  if (changes > 0) await ports.nudge?.({ mailbox: unit.next.mailboxId, sequence: unit.next.sequence });`,
  },
  {
    name: "note nudges that were not sent",
    file: `${mirror}/nudge.ts`,
    from: `ports.log("warn", "nudge not sent", { mailbox: mailboxId, error: String(error) });\n    return "notSent";`,
    to: `ports.log("warn", "nudge not sent", { mailbox: mailboxId, error: String(error) });\n    return "sent";`,
  },
  {
    name: "ignore the page number in page messages",
    file: `${mirror}/applyPage.ts`,
    from: `awaited.round === message.round && awaited.page === message.page;`,
    to: `awaited.round === message.round;`,
  },
  {
    name: "drop the ring",
    file: `${mirror}/shardRun.ts`,
    from: `const from = current === null || current.finishedMs !== null ? null : current.cursor;`,
    to: `const from = null;`,
    unit: ["test/mirror/shardRun.test.ts", "test/mirror/runRounds.test.ts"],
  },
  {
    name: "ignore the brake",
    file: `${mirror}/runRounds.ts`,
    from: `if (brakeMs !== null && brakeMs > clock.nowMs()) return nothing("braked");`,
    to: `if (brakeMs !== null && brakeMs < 0) return nothing("braked");`,
  },
  {
    name: "park a poisoned page of a mailbox that has moved on",
    file: `${mirror}/park.ts`,
    from: `if (held === null || !isFor(held.checkpoint, message)) return "movedOn";`,
    to: `if (held === null) return "movedOn";`,
    unit: ["test/mirror/park.test.ts"],
  },
  {
    name: "leave a purge that was cut short",
    file: `${mirror}/runRounds.ts`,
    from: `if (checkpoint.parkedReason === removingReason) this.#removing.push(checkpoint.mailboxId);`,
    to: ``,
    unit: ["test/fleet/care.test.ts"],
  },
  {
    name: "retire tombstones without a note",
    file: `${mirror}/retire.ts`,
    from: `forget, next: { ...checkpoint, retiredSequence } };`,
    to: `forget, next: { ...checkpoint, retiredSequence: Math.min(retiredSequence, checkpoint.retiredSequence) } };`,
    unit: ["test/feed", "test/mirror/retire.test.ts"],
  },
  {
    name: "slow: wait for a batch as long as for a single call",
    file: "shared/graph/client.ts",
    from: `if (hurry === null) return {};`,
    to: `if (hurry !== undefined) return {};`,
    unit: ["test/mirror/slow.test.ts"],
  },
  {
    name: "slow: store what waits only when a transaction is full",
    file: `${mirror}/committer.ts`,
    from: `      this.#isOverdue = true;`,
    to: `      this.#isOverdue = false;`,
    unit: ["test/mirror/slow.test.ts"],
  },
  {
    name: "slow: take the shard over with every tick",
    file: `${mirror}/shardRun.ts`,
    from: `return finishedMs === null && seenMs !== null && Math.abs(nowMs - seenMs) < youngMs;`,
    to: `return finishedMs !== null && seenMs !== null && Math.abs(nowMs - seenMs) < youngMs;`,
    unit: ["test/mirror/shardRun.test.ts"],
  },
  {
    name: "slow: leave the shard to a run that hangs",
    file: `${mirror}/runRounds.ts`,
    from: `if (this.#cameOnMs > this.#toldMs) this.committer.tell(() => this.#told());`,
    to: `this.#cameOnMs = clock.nowMs();\n      this.committer.tell(() => this.#told());`,
    unit: ["test/mirror/slow.test.ts"],
  },
  {
    name: "slow: ask a slow mailbox with the others each time",
    file: `${mirror}/runRounds.ts`,
    from: `held.checkpoint.aloneUntilMs !== null;`,
    to: `held.checkpoint.aloneUntilMs === 0;`,
    unit: ["test/mirror/slow.test.ts"],
  },
  {
    name: "slow: book no call that hung before time is up",
    file: `${mirror}/applyPage.ts`,
    from: `if (waitMs > 0 && waits < 3 && tookMs <= ports.limits.shortWaitMsMax) {`,
    to: `if (waitMs > 0 && waits < 3) {`,
    unit: ["test/mirror/slow.test.ts"],
  },
  {
    name: "slow: hand a slow mailbox over while a page message has it in hand",
    file: "shared/sync/due.ts",
    from: `isLeaving(checkpoint) || isInHandAlone(checkpoint, nowMs)) return false;`,
    to: `isLeaving(checkpoint)) return false;`,
    unit: ["test/mirror/slow.test.ts"],
  },
  {
    name: "slow: go on with a slow mailbox that somebody else has in hand",
    file: `${mirror}/applyPage.ts`,
    from: `if ("alone" in message) return checkpoint.aloneUntilMs === message.alone;`,
    to: `if ("alone" in message) return true;`,
    unit: ["test/mirror/slow.test.ts"],
  },
];
