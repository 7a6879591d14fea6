import type { CalendarRow } from "../sync/types.js";
import { RowError } from "../table/errors.js";
import { type Entity, type KeyRange, type QueryOptions, type Table, tableLimits } from "../table/table.js";
import { calendarOf, calendarTable } from "./calendarRow.js";
import { mayGoOn } from "./columns.js";
import { calendarPrefixOf, calendarsOf } from "./keys.js";

/** Without the copies for people: they are most of a row's columns, and most of the work of reading it. */
const ownColumns = Object.values(calendarTable).map(({ name }) => name);

/** See `Store.readCalendars`. */
export async function readCalendars(table: Table, shard: string, mailboxId: string): Promise<readonly CalendarRow[]> {
  const range = calendarsOf(mailboxId);
  return rowsOf(await entitiesIn(table, shard, range, { columns: ownColumns }), table, shard, range);
}

/** See `Store.readCalendarsOf`. */
export async function readCalendarsOf(
  table: Table,
  shard: string,
  mailboxIds: readonly string[],
): Promise<ReadonlyMap<string, readonly CalendarRow[] | RowError>> {
  const ranges = mailboxIds.map((mailboxId) => ({ mailboxId, ...calendarsOf(mailboxId) }));
  const entities = new Map<string, Entity[]>(ranges.map(({ after }) => [after, []]));
  for (const entity of await entitiesIn(table, shard, spanOf(ranges), { columns: ownColumns })) {
    entities.get(calendarPrefixOf(entity.rowKey))?.push(entity);
  }
  const found = new Map<string, readonly CalendarRow[] | RowError>();
  for (const { mailboxId, ...range } of ranges) {
    try {
      found.set(mailboxId, await rowsOf(entities.get(range.after) ?? [], table, shard, range));
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      found.set(mailboxId, error);
    }
  }
  return found;
}

/** From the first of the ranges to the last. Keys are in the order of their UTF-16 units, in the table as here. */
function spanOf(ranges: readonly KeyRange[]): KeyRange {
  const after = ranges.map((range) => range.after).sort();
  const upTo = ranges.map((range) => range.upTo).sort();
  return { after: after[0] ?? "", upTo: upTo.at(-1) ?? "" };
}

/** A mailbox's rows. A text that is too long for one column goes on in others, of any number: then they are read again, whole. */
async function rowsOf(
  entities: readonly Entity[],
  table: Table,
  shard: string,
  range: KeyRange,
): Promise<readonly CalendarRow[]> {
  const isCut = entities.some(({ columns }) => Object.values(columns).some(mayGoOn));
  return (isCut ? await entitiesIn(table, shard, range, {}) : entities).map(calendarOf);
}

async function entitiesIn(table: Table, shard: string, range: KeyRange, options: QueryOptions): Promise<Entity[]> {
  const entities: Entity[] = [];
  for await (const page of table.pages(shard, range, tableLimits.entitiesPerPage, options)) entities.push(...page);
  return entities;
}
