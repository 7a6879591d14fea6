import type { CalendarRow } from "../sync/types.js";
import { type Condition, type Table, tableLimits } from "../table/table.js";
import { calendarOf } from "./calendarRow.js";
import { calendarsOf, calendarsOfShard } from "./keys.js";

const removedBefore = (earlierThanMs: number): { readonly where: readonly Condition[] } => ({
  where: [{ column: "removedAt", earlierThanMs }],
});

/** See `Store.readTombstones`. @throws RowError for one that cannot be read. */
export async function tombstonesOf(
  table: Table,
  shard: string,
  mailboxId: string,
  beforeMs: number,
): Promise<readonly CalendarRow[]> {
  const rows: CalendarRow[] = [];
  const filter = removedBefore(beforeMs);
  for await (const page of table.pages(shard, calendarsOf(mailboxId), tableLimits.entitiesPerPage, filter)) {
    rows.push(...page.map(calendarOf));
  }
  // What is deleted cannot be restored, so deleting does not rely on the service's filter alone.
  return rows.filter(({ removedMs }) => removedMs !== null && removedMs < beforeMs);
}

/** See `Store.mailboxesWithTombstones`. Rows without a readable mailbox id are left out. */
export async function* mailboxesWithTombstones(
  table: Table,
  shard: string,
  beforeMs: number,
): AsyncIterable<readonly string[]> {
  const filter = removedBefore(beforeMs);
  for await (const page of table.pages(shard, calendarsOfShard, tableLimits.entitiesPerPage, filter)) {
    const ids = page.map(({ columns }) => columns["mailboxId"]).filter((id) => typeof id === "string");
    yield [...new Set(ids)];
  }
}
