import type { Mutant } from "./mutant.js";

const mirror = "shared/mirror";
const sync = "shared/sync";

/** Faults in what other programs are told, and in what operators and the roster do. */
export const inTheFeedAndTheFleet: readonly Mutant[] = [
  {
    name: "feed rows that are newer than the checkpoint that was read",
    file: "shared/feed/position.ts",
    from: `row.sequence > from.position && row.sequence <= before)`,
    to: `row.sequence > from.position)`,
    unit: ["test/feed"],
  },
  {
    name: "end a walk of the feed although the mailbox changed while its rows were read",
    file: "shared/feed/position.ts",
    from: `const isLast = after === before;`,
    to: `const isLast = after >= before;`,
    unit: ["test/feed"],
  },
  {
    name: "go on with a list of which told calendars have changed",
    file: "shared/feed/position.ts",
    from: `return rows.some((row) => row.calendarId <= place.after && row.sequence > place.sequence);`,
    to: `return rows.some((row) => row.calendarId <= place.after && row.sequence > sequence);`,
    unit: ["test/feed"],
  },
  {
    name: "go on with a list after the tombstone of a told calendar was deleted",
    file: "shared/feed/position.ts",
    from: `if (retiredSequence > place.sequence || place.sequence > sequence) return true;`,
    to: `if (retiredSequence > sequence || place.sequence > sequence) return true;`,
    unit: ["test/feed"],
  },
  {
    name: "answer a list of rows that were read while the mailbox changed",
    file: "shared/feed/feed.ts",
    from: `if (after.sequence === before.sequence) return { rows, checkpoint: after };`,
    to: `if (after.sequence >= before.sequence) return { rows, checkpoint: after };`,
    unit: ["test/feed"],
  },
  {
    name: "take a list's token of another life of the mailbox",
    file: "shared/feed/feed.ts",
    from: `if (opened !== null && !opened.isOfEpoch(first.epoch))`,
    to: `if (opened !== null && opened.after === "")`,
    unit: ["test/feed"],
  },
  {
    name: "say that a calendar is not there, by a row of a mailbox that went meanwhile",
    file: "shared/feed/feed.ts",
    from: `if (row === null) return missing(store, checkpoint);`,
    to: `if (row === null) return { kind: "unknownCalendar", checkpoint };`,
    unit: ["test/feed"],
  },
  {
    name: "say soon of a mailbox that Graph does not have",
    file: "shared/http/feedRefusals.ts",
    from: `/^(noMailbox|denied):(.*)$/`,
    to: `/^(denied):(.*)$/`,
    unit: ["test/http/refusals.test.ts"],
  },
  {
    name: "say that a mailbox which waits is read soon",
    file: "shared/http/feedRefusals.ts",
    from: `return Math.min(Math.ceil((notBeforeMs - nowMs) / 1_000), retrySecondsMax);`,
    to: `return firstRoundRetrySeconds;`,
    unit: ["test/http/refusals.test.ts"],
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
    from: `return checkpoint.lastFullRoundMs === null ? { kind: "notReady", checkpoint } : checkpoint;`,
    to: `return checkpoint;`,
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
];
