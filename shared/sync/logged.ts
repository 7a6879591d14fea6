import type { LogEntry, LoggedChange, LoggedState, MailboxEvent, Unlogged } from "./changeLog.js";
import type { CalendarChange } from "./changes.js";
import { isServed } from "./checkpoint.js";
import { sameJson } from "./merge.js";
import { type CalendarRow, type Checkpoint, isJsonObject, type JsonObject } from "./types.js";

/**
 * Our choice, in UTF-16 units of JSON: what the log tells of one mailbox in one entry, or keeps for its next one.
 * @internal For tests.
 */
export const detailUnitsMax = 16_000;

/** What is to be told of a mailbox with more changes. Where that is too much, values go first, then the latest changes. */
export function noted(before: Unlogged | null, changes: readonly LoggedChange[]): Unlogged | null {
  if (changes.length === 0) return before;
  const all = [...(before?.changes ?? []), ...changes];
  const leftOut = before?.leftOut ?? 0;
  if (unitsOf(all) <= detailUnitsMax) return { changes: all, leftOut };
  const bare = all.map(({ before: _before, after: _after, ...change }) => change);
  let kept = bare;
  while (unitsOf(kept) > detailUnitsMax) kept = kept.slice(0, kept.length >>> 1);
  return { changes: kept, leftOut: leftOut + bare.length - kept.length };
}

function unitsOf(changes: readonly LoggedChange[]): number {
  return JSON.stringify(changes).length;
}

/**
 * The entry that the log owes for a mailbox, and the checkpoint that is committed with it (I12). Null: it owes nothing.
 * Before its first full round has ended a mailbox cannot be read, and is not told of.
 */
export function logged(checkpoint: Checkpoint): { readonly next: Checkpoint; readonly entry: LogEntry | null } {
  const { mailboxId, epoch, sequence, loggedSequence, unlogged } = checkpoint;
  const state = stateNow(checkpoint);
  const event = eventOf(checkpoint.loggedState, state);
  const isKnown = checkpoint.loggedState === state;
  if (state === "unserved" || (isKnown && sequence === loggedSequence)) return { next: checkpoint, entry: null };
  const told = unlogged ?? { changes: [], leftOut: 0 };
  const next = { ...checkpoint, loggedState: state, loggedSequence: sequence, unlogged: null };
  return { next, entry: { mailboxId, epoch, from: loggedSequence, to: sequence, event, ...told } };
}

/** Whether the log owes an entry for a mailbox. Of one that is being removed its departure is told instead. */
export function isUnlogged(checkpoint: Checkpoint): boolean {
  return checkpoint.lifecycle !== "removing" && logged(checkpoint).entry !== null;
}

/**
 * What the log tells of a mailbox as it stands. One that was never served in its epoch stays untold. One that was served for
 * a moment is told of also when it is suspended by now: a reader may have copied it in between.
 */
function stateNow(checkpoint: Checkpoint): LoggedState {
  if (!isServed(checkpoint)) return "unserved";
  return checkpoint.lifecycle === "active" ? "served" : "suspended";
}

/** A mailbox of a release without a log was there before: nothing has become of it. */
function eventOf(before: LoggedState | null, now: LoggedState): MailboxEvent | null {
  if (before === null || before === now) return null;
  if (now === "suspended") return "suspended";
  return before === "suspended" ? "resumed" : "joined";
}

/** A change as the log tells it. */
export function loggedChange(change: CalendarChange, before: CalendarRow | undefined): LoggedChange {
  const { row } = change;
  const base = { sequence: row.sequence, calendarId: row.calendarId, ...namesOf(row) };
  if (change.kind === "replaced") {
    // Where a unit is torn between the two, it is told with the first, and the other one follows by itself.
    const sequence = Math.min(row.sequence, change.old.sequence);
    return { kind: "replaced", ...base, sequence, replacedId: change.old.calendarId };
  }
  if (change.kind !== "updated") return { kind: change.kind, ...base };
  return { kind: "updated", ...base, ...differencesOf(before?.resource ?? {}, row.resource) };
}

function namesOf({ resource }: CalendarRow): { readonly name: string | null; readonly owner: string | null } {
  const { name, owner } = resource;
  const address = isJsonObject(owner) ? owner["address"] : null;
  return { name: typeof name === "string" ? name : null, owner: typeof address === "string" ? address : null };
}

/** What differs between two states of a calendar, without what no reader asks for: annotations, and the change key. */
function differencesOf(
  before: JsonObject,
  after: JsonObject,
): { readonly before: JsonObject; readonly after: JsonObject } {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => !name.startsWith("@") && name !== "changeKey" && !isSame(before, after, name),
  );
  const chosen = (from: JsonObject) =>
    Object.fromEntries(names.filter((name) => Object.hasOwn(from, name)).map((name) => [name, from[name] ?? null]));
  return { before: chosen(before), after: chosen(after) };
}

function isSame(before: JsonObject, after: JsonObject, name: string): boolean {
  if (Object.hasOwn(before, name) !== Object.hasOwn(after, name)) return false;
  return sameJson(before[name] ?? null, after[name] ?? null);
}
