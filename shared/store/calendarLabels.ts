import { RowError } from "../table/errors.js";
import { type Condition, type Entity, type Table, tableLimits } from "../table/table.js";
import { calendarCopies, calendarTable } from "./calendarRow.js";
import { mayGoOn, rowOf, unreadable } from "./columns.js";
import { calendarsAfter } from "./keys.js";

const labelsTable = {
  removedMs: calendarTable.removedMs,
  mailboxId: calendarCopies.mailboxId,
  name: calendarCopies.name,
  ownerAddress: calendarCopies.ownerAddress,
  isShared: calendarCopies.isShared,
  removed: calendarCopies.removed,
};
const columns = Object.values(labelsTable).map(({ name }) => name);

/** What a calendar or tombstone is found by: copies, for `resource` is the truth. */
export type CalendarLabels = {
  readonly mailboxId: string;
  readonly removed: boolean;
  /** Null: Graph gave no text. Undefined: it is too long for one column. */
  readonly name: string | null | undefined;
  readonly ownerAddress: string | null | undefined;
  /** Null: Graph did not say. Undefined: the row is of a release that did not have this column. */
  readonly isShared: boolean | null | undefined;
};

/** Which calendars of a shard are read. */
export type LabelsAsk = {
  /** Only those that stand after the calendars of this mailbox; null for all. */
  readonly afterMailbox: string | null;
  /** Only those with these values of Booleans that every release has written, where Graph gave them. */
  readonly canEdit: boolean | null;
  readonly isDefaultCalendar: boolean | null;
};

/** See `Store.readLabels`. Reads a fifth of what the rows hold. */
export async function* readLabels(
  table: Table,
  shard: string,
  ask: LabelsAsk,
  onUnreadable: ((error: RowError) => void) | undefined,
): AsyncIterable<readonly CalendarLabels[]> {
  const read = (entity: Entity): readonly CalendarLabels[] => {
    try {
      return [labelsOf(entity)];
    } catch (error) {
      if (!(error instanceof RowError) || onUnreadable === undefined) throw error;
      onUnreadable(error);
      return [];
    }
  };
  const { canEdit, isDefaultCalendar } = calendarCopies;
  const where = [...equal(canEdit.name, ask.canEdit), ...equal(isDefaultCalendar.name, ask.isDefaultCalendar)];
  const pages = table.pages(shard, calendarsAfter(ask.afterMailbox), tableLimits.entitiesPerPage, { where, columns });
  for await (const page of pages) yield page.flatMap(read);
}

function equal(column: string, equals: boolean | null): readonly Condition[] {
  return equals === null ? [] : [{ column, equals }];
}

/** @throws RowError */
function labelsOf(entity: Entity): CalendarLabels {
  const row = rowOf(labelsTable, entity);
  return {
    mailboxId: row.mailboxId ?? unreadable(entity, "mailboxId", "is missing"),
    removed: row.removedMs !== null,
    name: whole(row.name),
    ownerAddress: whole(row.ownerAddress),
    isShared: row.removed === null ? undefined : row.isShared,
  };
}

function whole(label: string | null): string | null | undefined {
  return mayGoOn(label) ? undefined : label;
}
