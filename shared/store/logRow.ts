import type { LogEntry, LoggedChange, LogRow, MailboxEvent } from "../sync/changeLog.js";
import type { Json } from "../sync/types.js";
import { type Columns, type Entity, type Table, tableLimits } from "../table/table.js";
import { columnsOf, kindOf, type RowTable, rowOf, text, time, unreadable } from "./columns.js";
import { logBetween, logNumberOf } from "./keys.js";

/** An entry without what it tells of calendars. */
type Head = readonly [mailboxId: string, epoch: string, from: number, to: number, event: MailboxEvent | null];
/** What it tells of them. */
type Detail = { readonly changes: readonly LoggedChange[]; readonly leftOut: number };

function list<Value>() {
  return kindOf<readonly Value[]>({
    ...text,
    read: (entity, name) => {
      const given = text.read(entity, name);
      return given === null
        ? null
        : ((listIn(given) as readonly Value[] | null) ?? unreadable(entity, name, "holds no list"));
    },
    write: (columns, name, value) => text.write(columns, name, JSON.stringify(value)),
  });
}

/**
 * The columns of a row of the change log. What readers follow stands apart from what people read, which is larger.
 * @internal For tests.
 */
export const logTable: RowTable<{
  readonly atMs: number;
  readonly entries: readonly Head[];
  readonly changes: readonly Detail[];
}> = {
  atMs: time.needed("at", "when it was written"),
  entries: list<Head>().needed("entries", "JSON: mailbox, epoch, sequence before and after, event, of each entry"),
  changes: list<Detail>().defaulted("changes", [], "JSON: what changed of calendars, of each entry"),
};

/** The columns that readers follow: mailboxes with the longest ids fill a few. */
const headColumns = ["at", "entries", "entries_2", "entries_3", "entries_4"];

/** A row of the change log as columns. The commit id is added by the transaction. */
export function logColumns(atMs: number, entries: readonly LogEntry[]): Columns {
  return columnsOf(logTable, {
    atMs,
    entries: entries.map(({ mailboxId, epoch, from, to, event }) => [mailboxId, epoch, from, to, event] as const),
    changes: entries.map(({ changes, leftOut }) => ({ changes, leftOut })),
  });
}

/** The row that an entity holds. @throws RowError */
export function logRowOf(entity: Entity): LogRow {
  const number = logNumberOf(entity.rowKey) ?? unreadable(entity, "RowKey", "is no number of the log");
  const { atMs, entries, changes } = rowOf(logTable, entity);
  return {
    number,
    atMs,
    entries: entries.map(([mailboxId, epoch, from, to, event], index) => {
      const { changes: told, leftOut } = changes[index] ?? { changes: [], leftOut: 0 };
      return { mailboxId, epoch, from, to, event, changes: told, leftOut };
    }),
  };
}

/** What to read of a shard's change log. */
export type LogAsk = {
  /** Rows with a higher number. */
  readonly after: number;
  /** And none with a higher one than this; null for all. */
  readonly upTo: number | null;
  /** At most so many, 1 to 1,000. */
  readonly top: number;
  /** Without what entries tell of calendars, which is most of a row. */
  readonly headsOnly?: boolean;
};

/** See `Store.readLog`. */
export async function readLog(table: Table, shard: string, ask: LogAsk): Promise<readonly LogRow[]> {
  const top = Math.min(ask.top, tableLimits.entitiesPerPage);
  const rows: LogRow[] = [];
  const columns = ask.headsOnly === true ? { columns: headColumns } : {};
  for await (const page of table.pages(shard, logBetween(ask.after, ask.upTo), top, columns)) {
    rows.push(...page.map(logRowOf));
    if (rows.length >= top) break;
  }
  return rows.slice(0, top);
}

function listIn(given: string): readonly unknown[] | null {
  try {
    const value: Json = JSON.parse(given);
    return Array.isArray(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null; // The caller says which row.
    throw error;
  }
}
