/** One fault planted in the product. `from` must stand in the file just once. */
export type Mutant = {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** Where to look once storms and sweep have not found it. */
  readonly unit?: readonly string[];
};

const store = "shared/store";
const mirror = "shared/mirror";
const sync = "shared/sync";
const graph = "shared/graph";

/** Faults in what is kept: fences, torn units, lost answers. */
const inTheStore: readonly Mutant[] = [
  {
    name: "drop If-Match",
    file: `${store}/landing.ts`,
    from: `{ kind, rowKey, columns: withId(columns), etag },`,
    to: `{ kind, rowKey, columns: withId(columns), etag: "*" },`,
  },
  {
    name: "merge a checkpoint that has lost a column",
    file: `${store}/columns.ts`,
    from: `  if (Object.keys(before).some((name) => !Object.hasOwn(after, name))) return null;\n`,
    to: ``,
  },
  {
    name: "merge into a torn checkpoint what was to change in the one before",
    file: `${store}/units.ts`,
    from: `const changed = isTorn ? null : changedColumns(`,
    to: `const changed = changedColumns(`,
  },
  {
    name: "keep the link in a torn checkpoint",
    file: `${store}/torn.ts`,
    from: `    phase: "initial",\n    link: null,\n    roundId: null,`,
    to: `    roundId: null,`,
  },
  {
    name: "a torn unit goes on under its first ETag",
    file: `${store}/commit.ts`,
    from: `    etag = landing.etag;`,
    to: `    etag = unit.held.etag;`,
  },
  {
    name: "take an own success for a lost fence",
    file: `${store}/landing.ts`,
    from: `return typeof commitId === "string" && ownIds.has(commitId);`,
    to: `return typeof commitId !== "string" && ownIds.has(commitId ?? "");`,
    unit: ["test/store/store.test.ts"],
  },
  {
    name: "take a foreign success for our own",
    file: `${store}/landing.ts`,
    from: `return typeof commitId === "string" && ownIds.has(commitId);`,
    to: `return typeof commitId === "string" && ownIds.size > 0;`,
  },
  {
    name: "take a StorageError for a success",
    file: `${store}/landing.ts`,
    from: `if (wasUnclear) throw error;`,
    to: `if (wasUnclear) return takeIn(group, waiting, []);`,
    unit: ["test/store/store.test.ts"],
  },
  {
    name: "a refused unit takes its group along",
    file: `${store}/landing.ts`,
    from: `waiting = waiting.filter((piece) => piece !== faulty);`,
    to: `waiting = [];`,
    unit: ["test/store/store.test.ts"],
  },
  {
    name: "a purge forgets the rows",
    file: `${store}/purge.ts`,
    from: `rowKeys.push(...page.map(({ rowKey }) => rowKey));`,
    to: `void page;`,
  },
  {
    name: "a purge raises no fence",
    file: `${store}/purge.ts`,
    from: `    phase: "initial",\n    parkedReason: removingReason,`,
    to: ``,
  },
];

/** Faults in what pages mean. */
const inTheCore: readonly Mutant[] = [
  {
    name: "sweep before the round's end",
    file: `${sync}/decide.ts`,
    from: `return { kind: "apply", items: outcome.items, sweep: false, ends: false, next };`,
    to: `return { kind: "apply", items: outcome.items, sweep: isFull, ends: false, next };`,
  },
  {
    name: "skip the generation's bump",
    file: `${sync}/decide.ts`,
    from: `generation: opens && isFull ? checkpoint.generation + 1 : checkpoint.generation,`,
    to: `generation: Math.max(1, checkpoint.generation),`,
  },
  {
    name: "ignore the pace of resets",
    file: `${sync}/decide.ts`,
    from: `if (resetsInARow <= syncLimits.resetsUnpacedMax) return { kind: "restart", next };`,
    to: `if (resetsInARow > 0) return { kind: "restart", next };`,
    unit: ["test/sync"],
  },
  {
    name: "follow endless links",
    file: `${sync}/decide.ts`,
    from: `if (loop !== null) return abandon(checkpoint, loop, moment);`,
    to: `if (loop === "never") return abandon(checkpoint, loop, moment);`,
  },
  {
    name: "replace instead of merge",
    file: `${sync}/merge.ts`,
    from: `= { ...stored, ...item };`,
    to: `= { ...item };`,
  },
  {
    name: "count unchanged items as changes",
    file: `${sync}/settle.ts`,
    from: `const isChange = removed || !wasAlive || !sameCalendar(old.resource, resource);`,
    to: `const isChange = removed || !wasAlive || old.resource !== resource;`,
  },
  {
    name: "drop the hold of mass removals",
    file: `${sync}/settle.ts`,
    from: `return removals >= syncLimits.heldRemovalsMin && removals`,
    to: `return removals < 0 && removals`,
  },
  {
    name: "hold mass removals for ever",
    file: `${sync}/settle.ts`,
    from: `if (before.heldRemovals !== null) return false;`,
    to: `if (before.heldRemovals === -1) return false;`,
  },
  {
    name: "sweep what the last page has seen",
    file: `${sync}/settle.ts`,
    from: `isStale(row, step.next.generation) && !now.has(row.calendarId)`,
    to: `isStale(row, step.next.generation)`,
  },
  {
    name: "ignore the last tick",
    file: `${sync}/due.ts`,
    from: `checkpoint.lastTick === tick || `,
    to: ``,
  },
  {
    name: "ignore notBefore",
    file: `${sync}/due.ts`,
    from: `return checkpoint.notBeforeMs <= nowMs;`,
    to: `return checkpoint.notBeforeMs > 0 || nowMs > 0;`,
  },
  {
    name: "never try delta again",
    file: `${sync}/due.ts`,
    from: `if (!isProbeDue || checkpoint.phase === "full") return checkpoint;`,
    to: `if (!isProbeDue || checkpoint.phase !== "initial") return checkpoint;`,
  },
];

/** Faults in how Graph is asked and believed. */
const inTheGraphClient: readonly Mutant[] = [
  {
    name: "take a 404 for an empty list",
    file: `${graph}/client.ts`,
    from: `if (answer.status !== 200) return this.#refusalOf(ask, answer, clientRequestId);`,
    to: `if (answer.status === 404) return { kind: "lastPage", items: [], link: null, payloadHash: "" };\n    if (answer.status !== 200) return this.#refusalOf(ask, answer, clientRequestId);`,
  },
  {
    name: "drop the origin check",
    file: `${graph}/links.ts`,
    from: `if (withoutDefaultPort(home.scheme, lowerAscii(authority)) !== home.authority) return refused("host");`,
    to: ``,
  },
  {
    name: "drop the mailbox check of links",
    file: `${graph}/links.ts`,
    from: `if (afterMailbox === null) return refused("mailbox");\n  if (!isPagePath(afterMailbox, strategy)) return refused("path");`,
    to: ``,
  },
  {
    name: "believe a page with an error in it",
    file: `${graph}/page.ts`,
    from: `if (!isJsonObject(body) || Object.hasOwn(body, "error")) return malformedPage;`,
    to: `if (!isJsonObject(body)) return malformedPage;`,
  },
  {
    name: "take a removal for an update",
    file: `${graph}/page.ts`,
    from: `return { calendarId: id, removed: isRemoved, properties: value };`,
    to: `return { calendarId: id, removed: isRemoved && id === "", properties: value };`,
  },
  {
    name: "match batch answers by order",
    file: `${graph}/batch.ts`,
    from: `const index = Number(id) - 1;`,
    to: `const index = responses.indexOf(response);`,
  },
  {
    name: "shorten Retry-After",
    file: `${graph}/retryAfter.ts`,
    from: `return Math.ceil(Number(text) * 1000);`,
    to: `return Math.min(180_000, Math.ceil(Number(text) * 1000));`,
    unit: ["test/graph/retryAfter.test.ts"],
  },
];

/** Faults in the drivers and in retention. */
const inTheDrivers: readonly Mutant[] = [
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
    file: `${mirror}/runRounds.ts`,
    from: `if (brakeMs !== null && brakeMs > clock.nowMs()) return nothing("braked");`,
    to: `if (brakeMs !== null && brakeMs < 0) return nothing("braked");`,
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
];

/** Faults in what other programs are told, and in what operators and the roster do. */
const inTheFeedAndTheFleet: readonly Mutant[] = [
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
];

export const MUTANTS: readonly Mutant[] = [
  ...inTheStore,
  ...inTheCore,
  ...inTheGraphClient,
  ...inTheDrivers,
  ...inTheFeedAndTheFleet,
];
