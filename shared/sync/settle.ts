import { changesBetween, replacements } from "./changes.js";
import { isServed, startOver } from "./checkpoint.js";
import { syncLimits } from "./limits.js";
import { loggedChange, noted } from "./logged.js";
import { isMarkedBy, withMarks } from "./marks.js";
import { merge, sameCalendar } from "./merge.js";
import type { CalendarRow, Checkpoint, Item, JsonObject, Step, Unit } from "./types.js";

type Apply = Extract<Step, { kind: "apply" }>;
type Now = { readonly removed: boolean; readonly resource: JsonObject };

/** Whether the rows must be read before the step can be settled. A mailbox's very first page meets none. */
export function needsStoredRows(step: Apply, before: Checkpoint): boolean {
  return before.generation > 0 && (step.items.length > 0 || step.sweep);
}

/**
 * The unit that a page makes of the stored rows: only rows that differ are written, only real changes take a sequence
 * (I5), and what a full round did not see falls when it has ended (I3, I4), unless that would be a sudden mass removal,
 * which a second full round must confirm (I11). A full round has seen what its pages wrote, what they marked, and what
 * stands on its last one.
 * @param before The checkpoint that the page was asked from. @param stored All rows of the mailbox, tombstones too.
 */
export function settle(
  step: Apply,
  before: Checkpoint,
  stored: readonly CalendarRow[],
  { nowMs, marksCharsMax }: { readonly nowMs: number; readonly marksCharsMax: number },
): Unit {
  const known = new Map(stored.map((row) => [row.calendarId, row]));
  const now = folded(step.items, known);
  const stale = step.sweep ? unseenBy(step.next, before, stored).filter((row) => !now.has(row.calendarId)) : [];
  const changed = rowsOf(now, known, step.next, nowMs);
  const goesOn = step.next.phase === "full";
  const found = goesOn ? withUnchanged(changed, now.keys(), known, marksCharsMax) : changed;
  if (stale.length === 0) return logUnit({ ...found, next: counted(step, found, known) }, before, known, noSuccessors);
  const successors = replacements(stale, newOf(found.rows, known, step.next));
  const lost = stale.length - successors.size;
  if (isMassRemoval(lost, before)) {
    return logUnit({ ...found, next: heldBack(found.next, before, lost) }, before, known, noSuccessors);
  }
  for (const row of stale) now.set(row.calendarId, { removed: true, resource: row.resource });
  const unit = rowsOf(now, known, step.next, nowMs);
  return logUnit({ ...unit, next: counted(step, unit, known) }, before, known, successors);
}

const noSuccessors: ReadonlyMap<CalendarRow, CalendarRow> = new Map();

/** The unit with what the change log is to tell of it. Before its first full round has ended a mailbox is not told of. */
function logUnit(
  unit: Unit,
  before: Checkpoint,
  known: ReadonlyMap<string, CalendarRow>,
  /** By stored rows, those that came in their place with earlier pages among them. */
  successors: ReadonlyMap<CalendarRow, CalendarRow>,
): Unit {
  if (unit.changes === 0 || !isServed(before)) return unit;
  const changes = changesBetween(known, unit.rows).map((change) => {
    const old = known.get(change.row.calendarId);
    const row = change.kind !== "removed" || old === undefined ? undefined : successors.get(old);
    const { sequence } = change.row;
    if (row === undefined || old === undefined) return loggedChange(change, old);
    return loggedChange({ kind: "replaced", old: { ...old, sequence }, row: { ...row, sequence } }, old);
  });
  changes.sort((one, other) => one.sequence - other.sequence);
  return { ...unit, next: { ...unit.next, unlogged: noted(unit.next.unlogged, changes) } };
}

/** The state that each named calendar has after the page; the last word wins. */
function folded(items: readonly Item[], before: ReadonlyMap<string, CalendarRow>): Map<string, Now> {
  const now = new Map<string, Now>();
  for (const item of items) {
    const known = now.get(item.calendarId)?.resource ?? before.get(item.calendarId)?.resource ?? {};
    const resource = item.removed ? known : merge(known, item.properties);
    now.set(item.calendarId, { removed: item.removed, resource });
  }
  return now;
}

function rowsOf(
  now: ReadonlyMap<string, Now>,
  before: ReadonlyMap<string, CalendarRow>,
  next: Checkpoint,
  nowMs: number,
): Unit {
  const rows: CalendarRow[] = [];
  let sequence = next.sequence;
  for (const [calendarId, { removed, resource }] of now) {
    const old = before.get(calendarId);
    const wasAlive = old !== undefined && old.removedMs === null;
    if (removed && !wasAlive) continue; // A removal of what we never had, or know as removed, says nothing.
    const isChange = removed || !wasAlive || !sameCalendar(old.resource, resource);
    if (!isChange) continue;
    sequence += 1;
    const removedMs = removed ? nowMs : null;
    rows.push({ calendarId, resource, generation: next.generation, sequence, changedMs: nowMs, removedMs });
  }
  const changes = rows.length;
  return { rows, changes, next: { ...next, sequence, lastChangeMs: changes > 0 ? nowMs : next.lastChangeMs } };
}

/**
 * A page of a full round that goes on, with what keeps its unchanged calendars from falling at the round's end: marks or,
 * where the checkpoint has no room for more, their rows anew, under the round's generation.
 */
function withUnchanged(
  unit: Unit,
  seen: Iterable<string>,
  known: ReadonlyMap<string, CalendarRow>,
  marksCharsMax: number,
): Unit {
  const { generation, marks } = unit.next;
  const written = new Set(unit.rows.map(({ calendarId }) => calendarId));
  const unchanged = [...seen].flatMap((calendarId) => {
    const row = written.has(calendarId) ? undefined : known.get(calendarId);
    return row?.removedMs === null && row.generation !== generation ? [row] : [];
  });
  if (unchanged.length === 0) return unit;
  const sequences = unchanged.map(({ sequence }) => sequence);
  const more = withMarks(marks, sequences, marksCharsMax);
  if (more !== null) return { ...unit, next: { ...unit.next, marks: more } };
  return { ...unit, rows: [...unit.rows, ...unchanged.map((row) => ({ ...row, generation }))] };
}

/**
 * Calendars that this round has brought: on this page, or stored by its earlier pages. Of those, one that the round only
 * changed cannot be told from one that it added.
 */
function newOf(
  found: readonly CalendarRow[],
  known: ReadonlyMap<string, CalendarRow>,
  { generation, roundStartedMs }: Checkpoint,
): readonly CalendarRow[] {
  const isNew = ({ calendarId }: CalendarRow) => known.get(calendarId)?.removedMs !== null;
  const isOfRound = (row: CalendarRow | undefined) =>
    row?.removedMs === null &&
    row.generation === generation &&
    row.changedMs >= (roundStartedMs ?? Number.POSITIVE_INFINITY);
  // A calendar that this page tells of again is as the page says.
  const now = new Map([...known].filter(([, row]) => isOfRound(row)));
  for (const row of found) if (isNew(row) || now.has(row.calendarId)) now.set(row.calendarId, row);
  return [...now.values()].filter(({ removedMs }) => removedMs === null);
}

/** Calendars that are alive, and that no earlier page of the full round has written or marked. */
function unseenBy(
  { generation }: Checkpoint,
  before: Checkpoint,
  stored: readonly CalendarRow[],
): readonly CalendarRow[] {
  const isMarked = isMarkedBy(before.marks);
  return stored.filter((row) => row.removedMs === null && row.generation < generation && !isMarked(row.sequence));
}

function isMassRemoval(removals: number, before: Checkpoint): boolean {
  // Nobody was served yet: what rounds that came to no end have left behind is no reader's loss.
  if (!isServed(before)) return false;
  if (before.heldRemovals !== null) return false; // This is the second full round: what it says is confirmed.
  return removals >= syncLimits.heldRemovalsMin && removals > Math.max(before.calendarCount, removals) / 2;
}

/** The round is not believed yet: the mailbox waits for a second one, and readers keep all that they had. */
function heldBack(next: Checkpoint, before: Checkpoint, removals: number): Checkpoint {
  const { lastSuccessMs, lastFullRoundMs } = before;
  return { ...startOver(next, "confirm"), lastSuccessMs, lastFullRoundMs, heldRemovals: removals };
}

function counted(step: Apply, { next, rows, changes }: Unit, known: ReadonlyMap<string, CalendarRow>): Checkpoint {
  const driftFound = next.roundReason === "audit" ? next.driftFound + changes : next.driftFound;
  if (next.phase === "full") return { ...next, driftFound }; // The count is of what is served: the old calendars, still.
  const heldRemovals = step.sweep ? null : next.heldRemovals;
  if (rows.length === 0 && !step.sweep) return { ...next, heldRemovals };
  const after = new Map(known);
  for (const row of rows) after.set(row.calendarId, row);
  const calendarCount = [...after.values()].filter((row) => row.removedMs === null).length;
  return { ...next, driftFound, heldRemovals, calendarCount };
}
