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
    name: "take a discovered mailbox over by hand unasked, so that its user's leaving is never seen",
    file: `${mirror}/roster.ts`,
    from: `const discovered = roster?.row.source === manualSource || wish.source === manualSource ? undefined : roster?.row;`,
    to: `const discovered = undefined as RosterRow | undefined;`,
    unit: ["test/fleet"],
  },
  {
    name: "put an id on the roster that is nobody's",
    file: `${mirror}/roster.ts`,
    from: `if ("mistake" in named || named.id === "me" || guid.test(named.id)) return named;`,
    to: `if ("mistake" in named || named.id !== "") return named;`,
    unit: ["test/fleet"],
  },
  {
    name: "drop a body that cannot be read",
    file: "shared/http/requests.ts",
    from: `return undefined; // Its caller says so.`,
    to: `return {}; // Its caller says so.`,
    unit: ["test/fleet"],
  },
];
