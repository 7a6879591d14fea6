import type { CalendarRow } from "../sync/types.js";
import { RowError } from "../table/errors.js";
import { type Entity, type Table, tableLimits } from "../table/table.js";
import { calendarCopies, calendarOf } from "./calendarRow.js";
import { checkpointTable, lifecycleOf } from "./checkpointRow.js";
import { calendarsOf, calendarsOfShard, isMailboxKey, mailboxesBetween } from "./keys.js";

/** What readers of all mailboxes need of one. */
type MailboxSummary = {
  readonly mailboxId: string;
  /** Whether its calendars are served: it is mirrored, and its first full round has ended. */
  readonly isServed: boolean;
};

/** A page of a shard's mailboxes in key order. `last`: the last of them, after which others follow; null: none do. */
export type SummaryPage = { readonly mailboxes: readonly MailboxSummary[]; readonly last: string | null };

/** A calendar or tombstone with its mailbox, and the key that the next page goes on after. */
type TenantRow = { readonly rowKey: string; readonly mailboxId: string; readonly row: CalendarRow };

/** Rows of a shard from just after a key. */
export type TenantRows = {
  readonly rows: readonly TenantRow[];
  /** The key that was read up to: the next page goes on after it. */
  readonly upTo: string;
  /** Whether rows of what was asked for may follow. */
  readonly isCut: boolean;
};

type OnUnreadable = ((error: RowError) => void) | undefined;

const summaryColumns = [checkpointTable.mailboxId, checkpointTable.parkedReason, checkpointTable.lastFullRoundMs].map(
  ({ name }) => name,
);

/** See `Store.readSummaries`. */
export async function readSummaries(
  table: Table,
  shard: string,
  after: string | null,
  onUnreadable: OnUnreadable,
): Promise<SummaryPage> {
  const range = mailboxesBetween(after, null);
  const mailboxes: MailboxSummary[] = [];
  let read = 0;
  for await (const page of table.pages(shard, range, tableLimits.entitiesPerPage, { columns: summaryColumns })) {
    read += page.length;
    const found = page.filter(({ rowKey }) => isMailboxKey(rowKey)); // Among them stand departures.
    mailboxes.push(...found.flatMap((entity) => readable(entity, summaryOf, onUnreadable)));
    const last = mailboxes.at(-1)?.mailboxId;
    if (read >= tableLimits.entitiesPerPage && last !== undefined) return { mailboxes, last };
  }
  return { mailboxes, last: null };
}

function summaryOf(entity: Entity): MailboxSummary {
  const mailboxId = checkpointTable.mailboxId.read(entity);
  const isActive = lifecycleOf(checkpointTable.parkedReason.read(entity)) === "active";
  return { mailboxId, isServed: isActive && checkpointTable.lastFullRoundMs.read(entity) !== null };
}

/** See `Store.readTenantRows`. */
export async function readTenantRows(
  table: Table,
  shard: string,
  ask: { readonly after: string | null; readonly upTo: string | null; readonly top: number },
  onUnreadable: OnUnreadable,
): Promise<TenantRows> {
  const range = {
    after: ask.after ?? calendarsOfShard.after,
    upTo: ask.upTo === null ? calendarsOfShard.upTo : calendarsOf(ask.upTo).upTo,
  };
  const rows: TenantRow[] = [];
  let read = 0;
  const size = Math.min(ask.top, tableLimits.entitiesPerPage);
  for await (const page of table.pages(shard, range, size)) {
    read += page.length;
    rows.push(...page.flatMap((entity) => readable(entity, tenantRowOf, onUnreadable)));
    const last = page.at(-1);
    if (last !== undefined && read >= ask.top) return { rows, upTo: last.rowKey, isCut: true };
  }
  return { rows, upTo: range.upTo, isCut: false };
}

function tenantRowOf(entity: Entity): TenantRow {
  const mailboxId = calendarCopies.mailboxId.read(entity);
  if (mailboxId === null)
    throw new RowError(`Row ${entity.rowKey} in partition ${entity.partitionKey} names no mailbox.`);
  return { rowKey: entity.rowKey, mailboxId, row: calendarOf(entity) };
}

/** Rows that cannot be read are reported and left out: the others are no worse for it (I10). */
function readable<Read>(entity: Entity, read: (entity: Entity) => Read, onUnreadable: OnUnreadable): readonly Read[] {
  try {
    return [read(entity)];
  } catch (error) {
    if (!(error instanceof RowError) || onUnreadable === undefined) throw error;
    onUnreadable(error);
    return [];
  }
}
