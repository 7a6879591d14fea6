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
    unit: ["test/fleet/discoverFull.test.ts"],
  },
  {
    name: "believe a shrink of the roster that a pass of news tells",
    file: `${sync}/directory.ts`,
    from: `if (!needsRelease && !isTooMany(next)) return`,
    to: `if (!state.isFull || (!needsRelease && !isTooMany(next))) return`,
    unit: ["test/fleet/discoverShrink.test.ts"],
  },
  {
    name: "count a shrink of the roster that comes in pieces piece by piece",
    file: `${sync}/directory.ts`,
    from: `const [leaving, of] = [leavingNew + leftLately, counted + leftLately];`,
    to: `const [leaving, of] = [leavingNew, counted + 0 * leftLately];`,
    unit: ["test/fleet/discoverShrink.test.ts"],
  },
  {
    name: "let a reading of nobody confirm itself for the roster",
    file: `${sync}/directory.ts`,
    from: `const needsRelease = isNearlyNobodyLeft(next.leaving, next.counted) || (isEmpty && next.counted > 0);`,
    to: `const needsRelease = isEmpty && next.counted < 0;`,
    unit: ["test/fleet/discoverTold.test.ts"],
  },
  {
    name: "suspend of the roster whom only the second reading misses",
    file: `${sync}/directory.ts`,
    from: `return hold !== null && leavingNew > 0;`,
    to: `return hold !== null && leavingNew < 0;`,
    unit: ["test/fleet/discoverShrink.test.ts"],
  },
  {
    name: "take users of the roster without properties for users without mail",
    file: `${mirror}/told.ts`,
    from: `return item.removed !== null || item.userPrincipalName !== null;`,
    to: `return item.id !== "";`,
    unit: ["test/fleet/discoverTold.test.ts"],
  },
  {
    name: "take a mail that a page of the roster left out for lost",
    file: `${mirror}/told.ts`,
    from: `return isLeaving ? leaveReason === null : leaveReason === "noMail";`,
    to: `return isLeaving && leaveReason === null;`,
    unit: ["test/fleet/discoverTold.test.ts"],
  },
  {
    name: "ask a refused link of the roster for ever",
    file: "shared/graph/directory.ts",
    from: `if (hasLink && isOfLink) return`,
    to: `if (hasLink && isOfLink && failure.kind === "resetSync") return`,
    unit: ["test/fleet/discoverLink.test.ts"],
  },
  {
    name: "leave a pass over the roster that is asked for by hand waiting",
    file: `${sync}/directory.ts`,
    from: `if (!isWaiting || (state.retryAfterUntilMs ?? 0) > nowMs) return null;`,
    to: `if (!isWaiting || (state.notBeforeMs ?? 0) > nowMs) return null;`,
    unit: ["test/fleet/discoverLink.test.ts"],
  },
  {
    name: "end a pass of the roster at its first page",
    file: `${sync}/directory.ts`,
    from: `if (!page.isLast) return walked;`,
    to: `if (!page.isLast && !state.isFull) return walked;`,
    unit: ["test/fleet/discover.test.ts"],
  },
];
