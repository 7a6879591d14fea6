import type { CalendarRow, Checkpoint } from "../sync/types.js";

/**
 * How far a reader has come. It has received every row whose sequence is at most `position`.
 * `start`: in a walk that began with nothing, the mailbox's sequence at its first page; 0 in all later walks.
 */
export type Position = { readonly position: number; readonly start: number };

/** How far a list has come: up to the calendar that its last page ended with, as the mailbox was at `sequence`. */
export type ListPlace = { readonly after: string; readonly sequence: number };

/** One page of the feed, in the order of the changes. `isLast`: its reader holds the mirror as it was when it was read. */
export type FeedPage = { readonly rows: readonly CalendarRow[]; readonly next: Position; readonly isLast: boolean };

/** The mailbox's sequence by checkpoints that were read just before and just after its rows. */
export type SequencesAround = { readonly before: number; readonly after: number };

/** Where a reader that holds nothing begins. @param sequence The mailbox's present one. */
export function beginning(sequence: number): Position {
  return { position: 0, start: sequence };
}

/**
 * The next page for a reader.
 *
 * Why this is complete (I6). Every real change gives its row a sequence of its own, above all that its mailbox had, and
 * the checkpoint that commits with the row says at least that number. So once a checkpoint says S, each row of sequence S
 * or less is in the table, where it stays under its key until it changes again.
 * - `before` is S of a checkpoint that was read **before** the rows. A query is no snapshot, but a row that holds still
 *   meanwhile is found, whatever else moves. One that moves gets a sequence above S, and S is the highest position that a
 *   token takes: the reader meets it again. Rows above S are left out here, for others below them may have been missed.
 * - A page ends at the sequence of its last row, so every row that is still to come is above it.
 * - Tombstones of sequence `start` or less are left out: the reader never had what was gone before its walk began.
 *
 * Why a walk that has ended is the mirror at one moment. What the reader holds of a row that has moved on to above S is
 * old, or nothing if the row was never returned: both are wrong to end with. So a page is the last one only when the
 * sequence did not move while the rows were read: then no row is above S, and the reader has received all up to S. Else
 * the page has a nextLink, even when it is empty, and the walk goes on from there.
 *
 * @param rows All rows of the mailbox, tombstones included, in any order.
 */
export function pageAfter(
  from: Position,
  { before, after }: SequencesAround,
  rows: readonly CalendarRow[],
  pageSize: number,
): FeedPage {
  const owed = rows
    .filter((row) => row.sequence > from.position && row.sequence <= before)
    .filter((row) => row.removedMs === null || row.sequence > from.start)
    .sort((one, other) => one.sequence - other.sequence);
  const page = owed.slice(0, pageSize);
  const last = page.at(-1);
  if (last !== undefined && page.length < owed.length) {
    return { rows: page, next: { position: last.sequence, start: from.start }, isLast: false };
  }
  const isLast = after === before;
  return { rows: page, next: { position: before, start: isLast ? 0 : from.start }, isLast };
}

/**
 * Whether a reader must start over, because a tombstone that it needs may have been deleted.
 *
 * Retention deletes a tombstone of sequence R and notes R in the checkpoint, in one transaction. Who needs that tombstone?
 * Only a reader that has received the calendar and not its removal: one whose position is below R, and whose walk
 * began before R (a walk that begins at R or later finds the calendar gone). So a reader is safe when its position **or**
 * its start is R or more, and for the highest R of all, that is what is asked here. A walk that begins now has the present
 * sequence as its start, which no R passes: it can expire only by retention that overtakes it later.
 *
 * A position above the sequence is from a future that the table has lost, as after a restore from a backup.
 */
export function isExpired(
  { position, start }: Position,
  { sequence, retiredSequence }: Pick<Checkpoint, "sequence" | "retiredSequence">,
): boolean {
  return Math.max(position, start) < retiredSequence || Math.max(position, start) > sequence;
}

/**
 * Whether a list must start over: a calendar within its earlier pages has changed since, was added or removed. Calendars
 * after `place` may change, since later pages return them as they are then. So a list that ends is the mirror as its last
 * page found it, although a list cannot report removals.
 *
 * That holds where a filter leaves calendars out, too. One that changes may match from then on, or no more: where its id is
 * not above the place, earlier pages are wrong, whatever it was before; where it is above, later pages look at it anew.
 *
 * @param rows All rows of the mailbox as they stood at `sequence`, tombstones included.
 * @param order `byKeys`: the list has an order of its own. There a change moves a calendar to any place, also from a page that is
 *   still to come to one that is past, and nothing shows where it was: any change ends the walk.
 */
export function isListOvertaken(
  place: ListPlace,
  { sequence, retiredSequence }: Pick<Checkpoint, "sequence" | "retiredSequence">,
  rows: readonly CalendarRow[],
  order: "byId" | "byKeys" = "byId",
): boolean {
  // A tombstone from that time may have been deleted; or the table has lost what the list returned, as after a restore.
  if (retiredSequence > place.sequence || place.sequence > sequence) return true;
  if (order === "byKeys") return sequence > place.sequence;
  return rows.some((row) => row.calendarId <= place.after && row.sequence > place.sequence);
}
