import { asShownIn, type CalendarMaker } from "./calendars.js";
import { firstRowTextOf, rowTextOf } from "./calendarText.js";
import type { Position } from "./deltaLinks.js";
import { type Change, calendarAt, handedOutBefore, type Mailbox, makerFor, valuesChangedAfter } from "./mailbox.js";
import type { ResourceRequest, Version } from "./types.js";
import type { World } from "./world.js";

/** The changes of one page, the position that asked for them, and the one that its link will stand for. */
export type RowPlan = { readonly from: Position; readonly changes: readonly Change[]; readonly next: Position };

const TYPE = { "@odata.type": "#microsoft.graph.calendar" };

/** JSON texts of a page's rows, with what injected faults add or remove. */
export function deltaRows(world: World, request: ResourceRequest, mailbox: Mailbox, plan: RowPlan): string[] {
  const { faults } = world;
  if (faults.isCalm() && plan.changes.length === 0) return [];
  const maker = makerFor(mailbox);
  const { version } = request;
  const isIncremental = plan.from.roundStart === null;
  const hasUpdates = plan.changes.some((change) => !change.removed);
  const isPartial =
    isIncremental && hasUpdates && !faults.isCalm() && faults.inject("partialItems", "delta", mailbox.id) !== null;
  const rows = plan.changes.map((change) =>
    rowText(version, mailbox, maker, change, isPartial ? plan.from.knownAt : null),
  );
  if (faults.isCalm()) return rows;
  const again = repeatsNow(world, mailbox, plan).map((change) => rowText(version, mailbox, maker, change, null));
  return isIncremental ? [...rows, ...again] : [...again, ...rows];
}

/** Rows that are returned although the caller has them already. */
function repeatsNow(world: World, mailbox: Mailbox, { from, changes }: RowPlan): readonly Change[] {
  const { faults } = world;
  const repeats: Change[] = [];
  const [first] = changes;
  const handedOut = from.cursor.at < 0 ? [] : handedOutBefore(mailbox, from.cursor, mailbox.slots);
  if (first !== undefined || handedOut.length > 0) {
    const rule = faults.inject("repeatedItems", "delta", mailbox.id);
    const repeated = rule?.form === "round" ? (handedOut[0] ?? first) : (first ?? handedOut[0]);
    if (rule !== null && repeated !== undefined) repeats.push(repeated);
  }
  if (from.roundStart === null && handedOut.length > 0) {
    const rule = faults.inject("replays", "delta", mailbox.id);
    if (rule !== null) repeats.push(...handedOut.slice(0, rule.items ?? 3));
  }
  return repeats;
}

/** @param partialAfter Return only what changed after this change; null returns all properties. */
function rowText(
  version: Version,
  mailbox: Mailbox,
  maker: CalendarMaker,
  change: Change,
  partialAfter: number | null,
): string {
  const { slot } = change;
  if (change.removed) return JSON.stringify({ ...TYPE, id: maker.idOf(slot), "@removed": { reason: "deleted" } });
  const whole = calendarAt(mailbox, maker, slot);
  if (change.at === 0 && version === "beta") return firstRowTextOf(whole);
  const calendar = asShownIn(version, whole);
  const changed = partialAfter === null ? null : valuesChangedAfter(mailbox, slot, partialAfter);
  if (changed === null) return rowTextOf(calendar);
  return JSON.stringify({ ...TYPE, id: calendar.id, ...changed, changeKey: calendar.changeKey });
}
