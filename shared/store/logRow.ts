import {
  changeKinds,
  type LogEntry,
  type LoggedChange,
  type LogRow,
  type MailboxEvent,
  mailboxEvents,
} from "../sync/changeLog.js";
import { isJsonObject } from "../sync/json.js";
import type { Json } from "../sync/types.js";
import { RowError, StorageError } from "../table/errors.js";
import { type Action, type Columns, type Entity, type Table, tableLimits } from "../table/table.js";
import { columnsOf, commitIdColumn, kindOf, type RowTable, rowOf, text, time, unreadable } from "./columns.js";
import { logBetween, logNumberOf } from "./keys.js";

/** An entry without what it tells of calendars. */
type Head = readonly [mailboxId: string, epoch: string, from: number, to: number, event: MailboxEvent | null];
/** What it tells of them. */
type Detail = { readonly changes: readonly LoggedChange[]; readonly leftOut: number };

function listOf<Value>(isOne: (value: unknown) => value is Value, what: string) {
  return kindOf<readonly Value[]>({
    ...text,
    read: (entity, name) => {
      const given = text.read(entity, name);
      if (given === null) return null;
      const values = listIn(given) ?? unreadable(entity, name, "holds no list");
      return values.every(isOne) ? values : unreadable(entity, name, `holds something that is no ${what}`);
    },
    write: (columns, name, value) => text.write(columns, name, JSON.stringify(value)),
  });
}

function isHead(value: unknown): value is Head {
  if (!Array.isArray(value)) return false;
  const [mailboxId, epoch, from, to, event]: readonly unknown[] = value;
  const isNamed = typeof mailboxId === "string" && typeof epoch === "string";
  return isNamed && Number.isSafeInteger(from) && Number.isSafeInteger(to) && (event === null || isEvent(event));
}

function isEvent(value: unknown): value is MailboxEvent {
  return mailboxEvents.some((event) => event === value);
}

function isDetail(value: unknown): value is Detail {
  if (!isJsonObject(value)) return false;
  const { changes, leftOut } = value;
  return Array.isArray(changes) && changes.every(isChange) && Number.isSafeInteger(leftOut);
}

function isChange(value: unknown): value is LoggedChange {
  if (!isJsonObject(value)) return false;
  const { kind, calendarId, replacedId } = value;
  const isWhose = typeof calendarId === "string" && ["string", "undefined"].includes(typeof replacedId);
  return isWhose && changeKinds.some((known) => known === kind);
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
  entries: listOf(isHead, "entry").needed(
    "entries",
    "JSON: mailbox, epoch, sequence before and after, event, of each entry",
  ),
  changes: listOf(isDetail, "change").defaulted("changes", [], "JSON: what changed of calendars, of each entry"),
};

/** The columns that readers follow: mailboxes with the longest ids fill a few. */
const headColumns = ["at", "entries", "entries_2", "entries_3", "entries_4"] as const;

/** A row of the change log as columns. The commit id is added by the transaction. */
export function logColumns(atMs: number, entries: readonly LogEntry[]): Columns {
  return columnsOf(logTable, {
    atMs,
    entries: entries.map(({ mailboxId, epoch, from, to, event }) => [mailboxId, epoch, from, to, event] as const),
    changes: entries.map(({ changes, leftOut }) => ({ changes, leftOut })),
  });
}

/** The row that an entity holds. @throws RowError */
function logRowOf(entity: Entity): LogRow {
  const number = logNumberOf(entity.rowKey) ?? unreadable(entity, "RowKey", "is no number of the log");
  const { atMs, entries, changes } = rowOf(logTable, entity);
  return rowFrom(number, atMs, entries, (index) => changes[index] ?? { changes: [], leftOut: 0 });
}

function rowFrom(number: number, atMs: number, heads: readonly Head[], detailOf: (index: number) => Detail): LogRow {
  return {
    number,
    atMs,
    entries: heads.map(([mailboxId, epoch, from, to, event], index) => {
      return { mailboxId, epoch, from, to, event, ...detailOf(index) };
    }),
  };
}

/** A row that stands and cannot be read. */
export type UnreadableRow = { readonly number: number; readonly unreadable: string };

/**
 * As much of a row as can be read: where that is who changed alone, what changed stands in it as left out. Null: its key has
 * no number, so it is no row of the log.
 */
function readableOf(entity: Entity, onUnreadable: (error: RowError) => void): LogRow | UnreadableRow | null {
  try {
    return logRowOf(entity);
  } catch (error) {
    if (!(error instanceof RowError)) throw error;
    onUnreadable(error);
    const number = logNumberOf(entity.rowKey);
    if (number === null) return null;
    return withoutDetails(entity, number) ?? { number, unreadable: error.message };
  }
}

function withoutDetails(entity: Entity, number: number): LogRow | null {
  return readOrNull(() => {
    const [atMs, heads] = [logTable.atMs.read(entity), logTable.entries.read(entity)];
    return rowFrom(number, atMs, heads, () => ({ changes: [], leftOut: 1 }));
  });
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
export function readLog(table: Table, shard: string, ask: LogAsk): Promise<readonly LogRow[]> {
  return readRows(table, shard, ask, logRowOf);
}

/** See `Store.readLogOn`. Without `onUnreadable` a row that cannot be read throws. */
export function readLogOn(
  table: Table,
  shard: string,
  ask: LogAsk,
  onUnreadable: ((error: RowError) => void) | undefined,
): Promise<readonly (LogRow | UnreadableRow)[]> {
  const read = (entity: Entity) => (onUnreadable === undefined ? logRowOf(entity) : readableOf(entity, onUnreadable));
  return readRows(table, shard, ask, read);
}

async function readRows<Row>(
  table: Table,
  shard: string,
  ask: LogAsk,
  read: (entity: Entity) => Row | null,
): Promise<readonly Row[]> {
  const top = Math.min(ask.top, tableLimits.entitiesPerPage);
  const rows: Row[] = [];
  const columns = ask.headsOnly === true ? { columns: headColumns } : {};
  for await (const page of table.pages(shard, logBetween(ask.after, ask.upTo), top, columns)) {
    for (const entity of page) {
      const row = read(entity);
      if (row !== null) rows.push(row);
    }
    if (rows.length >= top) break;
  }
  return rows.slice(0, top);
}

/**
 * Takes what the log tells of a mailbox's calendars out of it: that something changed, and that it has gone, stays for those
 * who follow. To be called once nobody can log more of it.
 * @throws StorageError where others write the same rows again and again.
 */
export async function forgetInLog(table: Table, shard: string, mailboxId: string): Promise<void> {
  for await (const page of table.pages(shard, logBetween(0, null), tableLimits.entitiesPerPage, {
    columns: headColumns,
  })) {
    const naming = page.filter((entity) => headsIn(entity).some(([id]) => id === mailboxId));
    for (const { rowKey } of naming) await forgetInRow(table, shard, rowKey, mailboxId);
  }
}

/** Each attempt loses only to another purge of a mailbox that the same row names. */
const attemptsMax = 10;

async function forgetInRow(table: Table, shard: string, rowKey: string, mailboxId: string): Promise<void> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const stored = await table.get(shard, rowKey);
    if (stored === null) return; // Retention was faster.
    const whole = readOrNull(() => logRowOf(stored));
    const row = whole ?? withoutDetails(stored, logNumberOf(rowKey) ?? 0);
    if (row === null) return;
    const { atMs, entries } = row;
    // Of what cannot be read nobody knows whose it is: it goes with the first of those whom the row names.
    if (whole !== null && !entries.some((one) => one.mailboxId === mailboxId && one.changes.length > 0)) return;
    const kept = entries.map((entry) => (entry.mailboxId === mailboxId ? bare(entry) : entry));
    const commitId = stored.columns[commitIdColumn];
    const columns = { ...logColumns(atMs, kept), ...(commitId === undefined ? {} : { [commitIdColumn]: commitId }) };
    const answer = await table.transact(shard, [{ kind: "update", rowKey, columns, etag: stored.etag }]);
    if (answer.kind === "refused" && answer.reason !== "conflict") {
      throw new StorageError("forget in log", shard, 400, answer.code);
    }
  }
  throw new StorageError("forget in log", shard, 412, `lost to others ${attemptsMax} times`);
}

function bare(entry: LogEntry): LogEntry {
  return { ...entry, changes: [], leftOut: entry.leftOut + entry.changes.length };
}

/** What cannot be read tells nobody anything, and must not keep a mailbox from going. */
function headsIn(entity: Entity): readonly Head[] {
  return readOrNull(() => logTable.entries.read(entity)) ?? [];
}

/** Null: it cannot be read. */
function readOrNull<Read>(read: () => Read): Read | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof RowError) return null;
    throw error;
  }
}

/** See `Store.retireLog`. In the order of numbers, so that none is missing between two that stand. */
export async function retireLog(
  table: Table,
  shard: string,
  /** None above this number; null: any. */
  upTo: number | null,
  beforeMs: number,
  isTimeUp: () => boolean,
): Promise<number> {
  let retired = 0;
  let expired: string[] = [];
  let latest: string | null = null; // Goes only when another one stands behind it.
  const deleteExpired = async () => {
    const deletes = expired.map((rowKey): Action => ({ kind: "delete", rowKey, etag: "*" }));
    expired = [];
    const answer = deletes.length === 0 ? null : await table.transact(shard, deletes);
    if (answer?.kind === "done") retired += deletes.length; // Refused, another one deletes them as well.
    return answer === null || answer.kind === "done";
  };
  const range = logBetween(0, upTo);
  for await (const page of table.pages(shard, range, tableLimits.entitiesPerPage, { columns: ["at"] })) {
    for (const entity of page) {
      if (latest !== null) expired.push(latest);
      const isFull = expired.length === tableLimits.operationsPerTransaction;
      if (isFull && (!(await deleteExpired()) || isTimeUp())) return retired;
      // One whose time cannot be read is as old as the one before it: nothing behind it would ever go.
      const atMs = readOrNull(() => logTable.atMs.read(entity));
      latest = atMs === null || atMs < beforeMs ? entity.rowKey : null;
      if (latest === null) break;
    }
    if (latest === null && page.length > 0) break;
  }
  await deleteExpired();
  return retired;
}

/** The number of the last row of a shard's change log, found by reading its keys; 0 for none. */
export async function lastLogNumber(table: Table, shard: string): Promise<number> {
  let last = 0;
  for await (const page of table.pages(shard, logBetween(0, null), tableLimits.entitiesPerPage, { columns: [] })) {
    for (const { rowKey } of page) last = logNumberOf(rowKey) ?? last;
  }
  return last;
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
