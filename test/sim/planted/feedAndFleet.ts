import type { Mutant } from "./mutant.js";

const mirror = "shared/mirror";
const sync = "shared/sync";

/** Faults in what other programs are told, and in what operators and the roster do. */
export const inTheFeedAndTheFleet: readonly Mutant[] = [
  {
    name: "feed rows that are newer than the checkpoint that was read",
    file: "shared/feed/position.ts",
    from: `row.sequence > from.position && row.sequence <= sequence)`,
    to: `row.sequence > from.position)`,
    unit: ["test/feed"],
  },
  {
    name: "feed on after retention has deleted what the token had not told",
    file: "shared/feed/feed.ts",
    from: `const isOvertaken = after.epoch !== epoch || isExpired(from, after);`,
    to: `const isOvertaken = after.epoch !== epoch;`,
    unit: ["test/feed"],
  },
  {
    name: "take a token of another life of the mailbox",
    file: "shared/feed/feed.ts",
    from: `if (opened !== null && (!opened.isOfEpoch(epoch) || isExpired(opened, checkpoint)))`,
    to: `if (opened !== null && isExpired(opened, checkpoint))`,
    unit: ["test/feed"],
  },
  {
    name: "serve a mailbox before its first round has ended",
    file: "shared/feed/feed.ts",
    from: `return held.checkpoint.lastFullRoundMs === null ? { kind: "notReady" } : held.checkpoint;`,
    to: `return held.checkpoint;`,
    unit: ["test/feed"],
  },
  {
    name: "seal tokens without their mailbox",
    file: "shared/feed/token.ts",
    from: `.update(JSON.stringify([mailboxId, payload]))`,
    to: `.update(JSON.stringify([mailboxId.length, payload]))`,
    unit: ["test/feed"],
  },
  {
    name: "resync without dropping the link",
    file: `${sync}/care.ts`,
    from: `return released(startOver(checkpoint, checkpoint.heldRemovals === null ? "reset" : "confirm"));`,
    to: `return released(checkpoint);`,
    unit: ["test/fleet"],
  },
  {
    name: "sync a mailbox that is on its way out",
    file: `${mirror}/applyPage.ts`,
    from: `if (held === null || isLeaving(held.checkpoint)) return ended("stale");`,
    to: `if (held === null) return ended("stale");`,
    unit: ["test/fleet"],
  },
  {
    name: "suspend in spite of a sudden shrink of the roster",
    file: `${sync}/directory.ts`,
    from: `return leaving >= rosterLimits.heldLeavingMin && leaving > of * rosterLimits.heldLeavingShare;`,
    to: `return leaving < 0 && leaving > of;`,
    unit: ["test/fleet"],
  },
  {
    name: "end a pass of the roster at its first page",
    file: `${sync}/directory.ts`,
    from: `if (!page.isLast) return walked;`,
    to: `if (!page.isLast && !state.isFull) return walked;`,
    unit: ["test/fleet"],
  },
  {
    name: "take a refusal of the application for each mailbox's own",
    file: `${sync}/brake.ts`,
    from: `return count >= brakeLimits.refusedShareMin * (refusals + this.#answeredSince) ? { code, count } : null;`,
    to: `return count < 0 * brakeLimits.refusedShareMin * refusals ? { code, count } : null;`,
    unit: ["test/fleet/application.test.ts"],
  },
  {
    name: "ask all of a refused application once a minute",
    file: `${sync}/brake.ts`,
    from: `    needsProbe: true,\n    suspected: null,`,
    to: `    needsProbe: false,\n    suspected: null,`,
    unit: ["test/fleet/application.test.ts"],
  },
  {
    name: "leave who was refused with the application parked after it",
    file: `${sync}/due.ts`,
    from: `if (checkpoint.notBeforeMs !== null && over.includes(checkpoint.lastErrorCode ?? "")) return true;`,
    to: ``,
    unit: ["test/fleet/application.test.ts"],
  },
  {
    name: "tell freshness as the last tick has counted it",
    file: `${mirror}/status.ts`,
    from: `freshWithinTwoTicks: nowMs < second + graceMs ? census.freshInTick : 0 };`,
    to: `freshWithinTwoTicks: census.freshWithinTwoTicks };`,
    unit: ["test/fleet/application.test.ts"],
  },
  {
    name: "count nobody under the brake",
    file: `${mirror}/runRounds.ts`,
    from: `if (kind === "braked" || kind === "refused") await this.#due.skipRest();`,
    to: ``,
    unit: ["test/fleet/application.test.ts"],
  },
  {
    name: "ask all at once after a wait of days that was cut",
    file: `${sync}/brake.ts`,
    from: `const needsProbe = askedMs > brakeLimits.throttleMsMax;`,
    to: `const needsProbe = askedMs < 0;`,
    unit: ["test/fleet/application.test.ts"],
  },
  {
    name: "believe the brake of a fast clock",
    file: `${sync}/brake.ts`,
    from: `return isTooFar ? { ...brake, untilMs: nowMs + waitMs } : brake;`,
    to: `return isTooFar && waitMs < 0 ? { ...brake, untilMs: nowMs + waitMs } : brake;`,
    unit: ["test/fleet/application.test.ts"],
  },
  {
    name: "leave a lifted brake a time of this clock",
    file: `${sync}/brake.ts`,
    from: `return { ...brake, untilMs: 0, waitMs: null,`,
    to: `return { ...brake, untilMs: nowMs, waitMs: null,`,
    unit: ["test/fleet/application.test.ts"],
  },
];
