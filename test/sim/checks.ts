import type { Reference, References, Seen } from "./references.js";
import type { CheckpointView, RowView } from "./views.js";
import type { Report } from "./violation.js";

/** One mailbox as it stands in the table. */
export type MailboxView = {
  readonly checkpoint: CheckpointView | null;
  readonly rows: ReadonlyMap<string, RowView>;
  /** When the checkpoint was last written, and by which process. */
  readonly step: number;
  readonly writer: string;
  /** Calendars that readers were served when no full round was under way. */
  readonly served: number;
};

/** One committed transaction from the point of view of one mailbox. */
export type Change = {
  readonly mailboxId: string;
  readonly before: MailboxView;
  readonly after: MailboxView;
  /** Ids of the calendars that the transaction names. */
  readonly named: ReadonlySet<string>;
};

/** Whether this may be the next piece of a unit that takes several transactions. */
function goesOn({ before, after }: Change): boolean {
  return before.checkpoint?.phase === "initial" && before.writer === after.writer;
}

const isAlive = (row: RowView | undefined): boolean => row !== undefined && !row.isRemoved;

export function aliveCount(rows: ReadonlyMap<string, RowView>): number {
  let count = 0;
  for (const row of rows.values()) if (!row.isRemoved) count += 1;
  return count;
}

/** I1, I2, I3, I4, I11: what the rows say is what the checkpoint's link stands for. */
export function checkTruth(change: Change, references: References, report: Report): void {
  const { after, before, mailboxId } = change;
  const { checkpoint } = after;
  if (checkpoint === null) {
    if (after.rows.size > 0) report("I1", `${mailboxId}: rows without a checkpoint`, "none", `${after.rows.size}`);
    return;
  }
  if (checkpoint.parkedReason === "removing") return;
  const reference = referenceOf(change, references, report);
  if (reference === "unknown") return;
  if (reference !== null && hasMoved(change) && before.step > reference.step && !goesOn(change)) {
    report(
      "I2",
      `${mailboxId}: a page was applied that is older than the checkpoint it replaced`,
      `a page handed out after step ${before.step}`,
      `step ${reference.step}`,
    );
  }
  if (checkpoint.phase === "initial") checkStartOver(change, references, report);
  else if (reference !== null) checkAgainst(change, reference, report);
  checkRemovals(change, reference, references, report);
  checkGenerations(change, reference, report);
}

/** What the stored link stands for; null where there is no link and nothing ended. */
function referenceOf(change: Change, references: References, report: Report): Reference | null | "unknown" {
  const { checkpoint } = change.after;
  if (checkpoint === null || checkpoint.phase === "initial") {
    if (checkpoint?.link != null) report("I1", `${change.mailboxId}: phase initial with a link`, "no link", "a link");
    return null;
  }
  if (checkpoint.link === null)
    return checkpoint.strategy === "list" ? endedList(change, references, report) : missing(change, report);
  const reference = references.ofLink(checkpoint.link);
  if (reference?.mailboxId === change.mailboxId) return reference;
  if (isPoisonedLink(checkpoint.link, references)) return "unknown"; // Stored, but never asked: that is checked at the wire.
  report("I1", `${change.mailboxId}: the stored link was never handed out`, "a link of Graph's", checkpoint.phase);
  return "unknown";
}

function isPoisonedLink(link: string, references: References): boolean {
  return references.isPoisoned(/^[a-z]+:\/\/[^/]*(\/.*)$/i.exec(link)?.[1] ?? link);
}

function missing({ mailboxId }: Change, report: Report): "unknown" {
  report("I1", `${mailboxId}: idle by delta without a link`, "a link", "none");
  return "unknown";
}

/** A list has no link at its end: the rows must be those of one list that was read to its end. */
function endedList(change: Change, references: References, report: Report): Reference | null | "unknown" {
  const { before, after, mailboxId } = change;
  if (!hasMoved(change)) {
    const changed = [...change.named].filter((id) => !sameRow(before.rows.get(id), after.rows.get(id)));
    if (changed.length > 0)
      report("I1", `${mailboxId}: rows changed without a page`, "no row", changed.map(shortId).join());
    return null;
  }
  const isFresh = (step: number) => step >= before.step || goesOn(change);
  const ends = references.fullEnds(mailboxId).filter(({ strategy, step }) => strategy === "list" && isFresh(step));
  const match = ends.findLast(({ state }) => differenceOf(after.rows, state) === null);
  if (match !== undefined) return match;
  const nearest = ends.at(-1);
  const seen = nearest === undefined ? "no list was read to its end" : (differenceOf(after.rows, nearest.state) ?? "");
  report("I1", `${mailboxId}: rows are those of no list that was read to its end`, "one of them", seen);
  return "unknown";
}

/** Whether the transaction brought the mailbox to another page. */
export function hasMoved({ before, after }: Change): boolean {
  const one = before.checkpoint;
  const two = after.checkpoint;
  return one?.link !== two?.link || one?.roundId !== two?.roundId || one?.pageNumber !== two?.pageNumber;
}

function checkAgainst({ mailboxId, before, after, named }: Change, reference: Reference, report: Report): void {
  if (reference.kind !== "seen") {
    const difference = differenceOf(after.rows, reference.state);
    if (difference !== null)
      report("I1", `${mailboxId}: rows are not what the saved link stands for`, "equal", difference);
    return;
  }
  for (const [id, seen] of reference.state) {
    const difference = differenceOfRow(id, after.rows.get(id), seen);
    if (difference !== null)
      report("I1", `${mailboxId}: an item that was seen is not served`, "as handed out", difference);
  }
  for (const id of named) {
    if (!reference.state.has(id) && isAlive(before.rows.get(id)) && !sameRow(before.rows.get(id), after.rows.get(id)))
      report("I4", `${mailboxId}: a full round changed what it has not seen`, "served on", shortId(id));
  }
}

/** Without a link rows stand still, but for those of a unit that is half written or held: these were handed out. */
function checkStartOver({ mailboxId, after, before, named }: Change, references: References, report: Report): void {
  const changed = [...named].filter((id) => !sameRow(before.rows.get(id), after.rows.get(id)));
  if (changed.length === 0) return;
  const fits = references.recent(mailboxId).some(({ state, kind, step }) => {
    if (step < before.step && before.checkpoint?.phase !== "initial") return false;
    return changed.every((id) => {
      const seen = state.get(id);
      if (seen === undefined) return kind === "complete" && !isAlive(after.rows.get(id));
      return differenceOfRow(id, after.rows.get(id), seen) === null;
    });
  });
  if (!fits)
    report(
      "I1",
      `${mailboxId}: rows were written that no page holds`,
      "items of one page",
      changed.map(shortId).join(),
    );
}

/** Null when the living rows are just what a perfect client holds. */
export function differenceOf(rows: ReadonlyMap<string, RowView>, state: ReadonlyMap<string, Seen>): string | null {
  for (const [id, seen] of state) {
    const difference = differenceOfRow(id, rows.get(id), seen);
    if (difference !== null) return difference;
  }
  for (const [id, row] of rows) {
    if (!row.isRemoved && state.get(id) === undefined) return `${shortId(id)} is left over`;
  }
  return null;
}

function differenceOfRow(id: string, row: RowView | undefined, seen: Seen): string | null {
  if (seen.isRemoved) return isAlive(row) ? `${shortId(id)} was removed and is alive` : null;
  if (row === undefined || row.isRemoved) return `${shortId(id)} is missing`;
  if (seen.isWhole) return row.text === seen.text ? null : `${shortId(id)} holds ${row.text} and not ${seen.text}`;
  const names = Object.keys(seen.resource).filter((name) => !name.startsWith("@"));
  const stale = names.find((name) => JSON.stringify(row.resource[name]) !== JSON.stringify(seen.resource[name]));
  return stale === undefined ? null : `${shortId(id)}.${stale} is stale`;
}

function sameRow(one: RowView | undefined, other: RowView | undefined): boolean {
  if (!isAlive(one) || !isAlive(other)) return isAlive(one) === isAlive(other);
  return one?.text === other?.text;
}

/** I7, I11: who was never served has nobody to be protected from a removal, and would only wait longer. */
export function checkHeld({ mailboxId, before, after }: Change, report: Report): void {
  if (before.checkpoint?.heldRemovals != null || after.checkpoint?.heldRemovals == null) return;
  if (after.checkpoint.hasHadFullRound) return;
  report("I11", `${mailboxId}: held before it was ever served`, "its first round ends", "held");
}

/** I3: a reason for each removal. I11: a sudden mass of them, of a mailbox that is served, only after a second full round. */
function checkRemovals(change: Change, reference: Reference | null, references: References, report: Report): void {
  const { before, after, named, mailboxId } = change;
  const gone = [...named].filter((id) => isAlive(before.rows.get(id)) && !isAlive(after.rows.get(id)));
  if (gone.length === 0) return;
  const absent = gone.filter((id) => !references.wasRemoved(mailboxId, id));
  if (absent.length === 0) return;
  const ends = reference === null ? references.fullEnds(mailboxId) : [reference];
  const proof = ends.filter(({ kind, isFull, state }) => {
    return kind === "complete" && isFull && absent.every((id) => state.get(id) === undefined);
  });
  if (proof.length === 0)
    report(
      "I3",
      `${mailboxId}: calendars disappeared`,
      "an @removed, or a full round to its end",
      absent.map(shortId).join(),
    );
  const served = Math.max(before.served, before.checkpoint?.calendarCount ?? 0);
  const lost = absent.length - replacedOf(absent, change);
  if (lost < 3 || lost * 2 <= served || before.checkpoint?.hasHadFullRound !== true) return;
  const isConfirmed = before.checkpoint?.heldRemovals != null || goesOn(change);
  const earlier = proof.some(({ openedStep }) => references.fullEnds(mailboxId).some(({ step }) => step < openedStep));
  if (!isConfirmed || !earlier) {
    report("I11", `${mailboxId}: a mass removal was applied at once`, "a second full round", `${lost} of ${served}`);
  }
}

/** How many of those that went have a calendar of their name and owner in their place, each its own. */
function replacedOf(gone: readonly string[], { before, after }: Change): number {
  const known = ({ resource }: RowView) =>
    JSON.stringify([resource["name"], (resource["owner"] as { address?: string } | undefined)?.address?.toLowerCase()]);
  const places = [...after.rows.values()]
    .filter((row) => isAlive(row) && row.generation === after.checkpoint?.generation)
    .map(known);
  return gone.filter((id) => {
    const row = before.rows.get(id);
    const place = row === undefined ? -1 : places.indexOf(known(row));
    if (place !== -1) places.splice(place, 1);
    return place !== -1;
  }).length;
}

/**
 * I3, I4: no row is of a later round than its checkpoint, and in mid-round the table itself says which calendars the round has
 * seen, by their generation or by a mark: those that were handed out, and no other.
 */
function checkGenerations({ mailboxId, after }: Change, reference: Reference | null, report: Report): void {
  const { checkpoint, rows } = after;
  if (checkpoint === null) return;
  const marked = markedIn(checkpoint.marks);
  for (const row of rows.values()) {
    const id = shortId(row.calendarId);
    if (row.generation > checkpoint.generation) {
      report("I4", `${mailboxId}: ${id} is of a later full round`, `${checkpoint.generation}`, `${row.generation}`);
    }
    if (row.isRemoved || reference?.kind !== "seen") continue;
    const isSeen = row.generation === checkpoint.generation || marked(row.sequence);
    if (isSeen !== reference.state.has(row.calendarId)) {
      report(
        "I4",
        `${mailboxId}: ${id} in a full round in hand`,
        isSeen ? "not seen" : "seen",
        isSeen ? "seen" : "not",
      );
    }
  }
}

function markedIn(marks: string | null): (sequence: number) => boolean {
  const ranges = (marks ?? "").split(",").map((range) => range.split("-").map(Number));
  return (sequence) =>
    marks !== null && ranges.some(([first = 0, last = first]) => first <= sequence && sequence <= last);
}

/** I4, I5: what has not changed is not written. Only a full round in hand may, where it has no room for a mark; a part of such a page says `initial`. */
function isWrittenInVain(one: RowView | undefined, two: RowView, { phase, generation }: CheckpointView): boolean {
  if (one === undefined) return false;
  return (phase !== "full" && phase !== "initial") || two.generation !== generation || one.generation === generation;
}

/** I5: sequences move with real changes, one by one, and with nothing else. */
export function checkSequences({ mailboxId, before, after, named }: Change, report: Report): void {
  const from = before.checkpoint;
  const to = after.checkpoint;
  if (from === null || to === null || from.epoch !== to.epoch) return;
  if (to.parkedReason === "removing") return;
  const taken: number[] = [];
  for (const id of named) {
    const one = before.rows.get(id);
    const two = after.rows.get(id);
    if (two === undefined) continue; // A tombstone that was retired.
    const isChange = !(one === undefined && two.isRemoved) && !sameContent(one, two);
    if (isChange) taken.push(two.sequence);
    else if (isWrittenInVain(one, two, to)) {
      report(
        "I5",
        `${mailboxId}: ${shortId(id)} was written and did not change`,
        "no row",
        `generation ${two.generation}`,
      );
    } else if (two.sequence !== (one?.sequence ?? two.sequence)) {
      report(
        "I5",
        `${mailboxId}: ${shortId(id)} did not change and took a sequence`,
        `${one?.sequence}`,
        `${two.sequence}`,
      );
    }
  }
  const expected = taken.map((_, index) => from.sequence + 1 + index);
  if (taken.sort((a, b) => a - b).join() !== expected.join() || to.sequence !== from.sequence + taken.length) {
    report(
      "I5",
      `${mailboxId}: sequences of the changes`,
      `${expected.join() || "none"} after ${from.sequence}`,
      `${taken.join() || "none"} up to ${to.sequence}`,
    );
  }
  if (to.loggedSequence > to.sequence || to.loggedSequence < from.loggedSequence) {
    report("I12", `${mailboxId}: logged`, `from ${from.loggedSequence} up to ${to.sequence}`, `${to.loggedSequence}`);
  }
}

function sameContent(one: RowView | undefined, two: RowView): boolean {
  if (one === undefined) return false;
  if (one.isRemoved && two.isRemoved) return true;
  return one.isRemoved === two.isRemoved && one.text === two.text;
}

function shortId(id: string): string {
  return id.length > 16 ? `…${id.slice(-12)}` : id;
}
