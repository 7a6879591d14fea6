import type { Api, HistoryPage, MailboxCalendarsView } from "./api.js";

/** Calendars of a mailbox that are gone: removed, or replaced by the same calendar with another id. Rows do not tell these apart, the history does. */

type Calendar = MailboxCalendarsView["value"][number];

/** Our choice: so much of the history is read for one look. What it does not reach stays told as removed. */
const pagesMax = 4;
/** The clocks of two instances of the mirror differ by less. */
const clocksDifferMs = 300_000;

/** Those that were replaced, and those that were removed, in the order in which they came. */
export function splitGone(gone: readonly Calendar[], replacedIds: ReadonlySet<string>) {
  return {
    replaced: gone.filter(({ id }) => replacedIds.has(id)),
    removed: gone.filter(({ id }) => !replacedIds.has(id)),
  };
}

/**
 * Since when the history is to be read, for calendars that were not looked up before; null where there are none.
 * @internal For tests.
 */
export function lookBackTo(gone: readonly Calendar[], lookedUp: ReadonlySet<string>): string | null {
  const times = gone
    .filter((calendar) => !lookedUp.has(keyOf(calendar)))
    .map(({ removed }) => Date.parse(removed ?? ""));
  const known = times.filter((ms) => !Number.isNaN(ms));
  return known.length === 0 ? null : new Date(Math.min(...known) - clocksDifferMs).toISOString();
}

/** An id may come back, and go once more. */
const keyOf = ({ id, removed }: Calendar) => `${removed} ${id}`;

/**
 * Makes what tells the ids of a mailbox's calendars that were replaced. It reads only where a calendar has gone since the last look.
 * @param pathOf The path of a page of the mailbox's history. Throws ApiError.
 */
export function replacedReader(
  api: Pick<Api, "get">,
  pathOf: (filter: Readonly<Record<string, string>>, cursor: string | null) => string,
): (gone: readonly Calendar[]) => Promise<ReadonlySet<string>> {
  const lookedUp = new Set<string>();
  const replacedIds = new Set<string>();
  return async (gone) => {
    const since = lookBackTo(gone, lookedUp);
    if (since === null) return replacedIds;
    let cursor: string | null = null;
    for (let page = 0; page < pagesMax; page++) {
      const read: HistoryPage = await api.get<HistoryPage>(pathOf({ kind: "replaced", since, top: "500" }, cursor));
      for (const { replacedId } of read.value) if (replacedId !== null) replacedIds.add(replacedId);
      cursor = read.cursor;
      if (cursor === null) break;
    }
    for (const calendar of gone) lookedUp.add(keyOf(calendar));
    return replacedIds;
  };
}
