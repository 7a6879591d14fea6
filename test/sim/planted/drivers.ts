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
    from: `return awaited.round === message.round && awaited.page === message.page;`,
    to: `return awaited.round === message.round;`,
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
    file: `${mirror}/brake.ts`,
    from: `if (stored === null || !isBraked(stored, clock.nowMs()))`,
    to: `if (stored === null || stored.untilMs >= 0)`,
    unit: ["test/mirror/runRounds.test.ts"],
  },
  {
    name: "park a poisoned page of a mailbox that has moved on",
    file: `${mirror}/park.ts`,
    from: `if (held === null || awaited?.round !== message.round || awaited.page !== message.page) return "movedOn";`,
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
    name: "read only what the host has parsed, so that messages of an earlier release are poison",
    file: `${mirror}/messages.ts`,
    from: `if (typeof message !== "string") return message;`,
    to: `if (message !== null) return message;`,
    unit: ["test/mirror/messages.test.ts"],
  },
  {
    name: "let the host move aside, unseen, what is no base64",
    file: "host.json",
    from: `"messageEncoding": "none"`,
    to: `"messageEncoding": "base64"`,
    unit: ["test/mirror/messages.test.ts"],
  },
];
