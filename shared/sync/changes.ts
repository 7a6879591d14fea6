import type { CalendarRow, Json } from "./types.js";

/** What happened to a calendar, as people are told of it. Rows and the feed know removals and additions only. */
export type CalendarChange =
  | { readonly kind: "created" | "updated" | "removed"; readonly row: CalendarRow }
  /** One calendar stands in the place of another: same name, same owner, another id. */
  | { readonly kind: "replaced"; readonly old: CalendarRow; readonly row: CalendarRow };

/**
 * What changed between two readings of one mailbox, in the order of its sequence.
 * @param before Rows of the earlier reading by calendar id. @param rows All rows of the later one, tombstones too.
 */
export function changesBetween(
  before: ReadonlyMap<string, CalendarRow>,
  rows: readonly CalendarRow[],
): readonly CalendarChange[] {
  const changed = rows
    .filter((row) => row.sequence !== before.get(row.calendarId)?.sequence)
    .sort((one, other) => one.sequence - other.sequence);
  const wasAlive = ({ calendarId }: CalendarRow) => before.get(calendarId)?.removedMs === null;
  const removed = changed.filter((row) => row.removedMs !== null && wasAlive(row));
  const created = changed.filter((row) => row.removedMs === null && !wasAlive(row));
  const successors = replacements(removed, created);
  const replaced = new Map([...successors].map(([old, row]) => [row, old]));
  return changed.flatMap((row): readonly CalendarChange[] => {
    const old = replaced.get(row);
    if (old !== undefined) return [{ kind: "replaced", old, row }];
    if (successors.has(row)) return []; // Reported with its successor.
    if (row.removedMs === null) return [{ kind: wasAlive(row) ? "updated" : "created", row }];
    return wasAlive(row) ? [{ kind: "removed", row }] : []; // It came and went between the two readings.
  });
}

/**
 * Pairs calendars that went with calendars that came, by name and owner's address, each once. Exchange gives a shared
 * calendar a new folder, hence a new id, when it moves it from one sharing model to another: up to six of a mailbox at
 * once, name and owner kept (message center MC1287370).
 */
export function replacements(
  removed: readonly CalendarRow[],
  created: readonly CalendarRow[],
): ReadonlyMap<CalendarRow, CalendarRow> {
  const waiting = new Map<string, CalendarRow[]>();
  for (const row of created) {
    const key = identityOf(row);
    if (key !== null) waiting.set(key, [...(waiting.get(key) ?? []), row]);
  }
  const pairs = new Map<CalendarRow, CalendarRow>();
  for (const row of removed) {
    const key = identityOf(row);
    const successor = key === null ? undefined : waiting.get(key)?.shift();
    if (successor !== undefined) pairs.set(row, successor);
  }
  return pairs;
}

/** What people know a calendar by; null where it has no name or no owner. Addresses do not tell cases apart. */
function identityOf({ resource }: CalendarRow): string | null {
  const { name, owner } = resource as { readonly name?: Json; readonly owner?: Json };
  const address = typeof owner === "object" && owner !== null && "address" in owner ? owner["address"] : null;
  if (typeof name !== "string" || name === "" || typeof address !== "string" || address === "") return null;
  return JSON.stringify([name, address.toLowerCase()]);
}
