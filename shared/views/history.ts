import { mapAtOnce } from "../mapAtOnce.js";
import type { UnreadableRow } from "../store/logRow.js";
import { RowError, type Store } from "../store/store.js";
import { changeKinds, type LogEntry, type LogRow } from "../sync/changeLog.js";
import type { HistoryKind } from "./historyKinds.js";
import type { HistoryItem } from "./historySchema.js";
import { searchOf } from "./mailboxList.js";

/** What of the history is asked for. */
export type HistoryFilter = {
  /** Null: of all mailboxes. */
  readonly mailboxId: string | null;
  /** Logged at that time or later, epoch milliseconds; null for any. */
  readonly sinceMs: number | null;
  /** Logged before that time; null for any. */
  readonly untilMs: number | null;
  /** Null for all kinds. */
  readonly kind: HistoryKind | null;
  /** The owner's address, as `searchOf` makes it; null for any. */
  readonly owner: string | null;
};

/**
 * How far one shard's log has been told: rows with a higher number are, and of this one all but what stands before
 * `below`, where it is not null. Number 0: all of it.
 */
export type LanePlace = { readonly number: number; readonly below: Slot | null };

/** The place of an item within a row: its entry, and where it stands in it. Newer items have higher ones. */
type Slot = { readonly entry: number; readonly slot: number };

/** What a page reads. */
export type HistoryQuery = {
  readonly filter: HistoryFilter;
  /** Items on the page at most. */
  readonly top: number;
  /** One place for each shard; null: from the newest on. */
  readonly from: readonly LanePlace[] | null;
};

/** `lookedBackToMs`: all that is newer has been told; null with the last page. `next`: where the next page starts. */
export type HistoryView = {
  readonly items: HistoryItem[];
  readonly lookedBackToMs: number | null;
  readonly next: readonly LanePlace[] | null;
};

/** Bounds of what one page reads. All are our own choice. */
export const historyLimits = {
  topDefault: 50,
  topMax: 500,
  /** Rows of logs, after which a page ends early, however few of them match. */
  rowsPerPageMax: 5_000,
  /** Rows of one log that are read with one query: whole ones of all mailboxes, or what names mailboxes. */
  rowsAtOnce: { whole: 25, heads: 500 },
  /** Queries in flight. */
  queriesAtOnce: 8,
  /** The clocks of two instances differ by less: so times in a log may be out of order. */
  clocksDifferMsMax: 300_000,
} as const;

type HistoryStore = Pick<Store, "readShardRow" | "lastLogNumber" | "readLogOn" | "readMailbox">;
type Found = Slot & { readonly atMs: number; readonly number: number } & Omit<
    HistoryItem,
    "id" | "time" | "mailbox"
  > & {
    readonly mailboxId: string;
  };

/** A shard's log as it is read backwards, and what was found in it and is not told yet. */
type Lane = {
  readonly shard: string;
  readonly from: LanePlace;
  /** The number of the next row to read; 0: there is none. */
  next: number;
  /** When the last row that was read was written: what comes is older. */
  readBackToMs: number;
  found: Found[];
  told: Found | null;
};

/**
 * One page of what changed, newest first: by time, then in the order of shards, then by the falling order of each log. What
 * is logged after the first page was asked for is in none of the pages behind it. Reads `rowsPerPageMax` rows, or what it
 * takes to look at each shard once, so a page may hold fewer items than asked for, even none, and still have a next one.
 * @param shards Those to read; of one mailbox its own alone.
 * @throws StorageError, RowError
 */
export async function readHistory(
  query: HistoryQuery,
  store: HistoryStore,
  shards: readonly string[],
): Promise<HistoryView> {
  const lanes = await lanesOf(query, store, shards);
  const told: { readonly shard: string; readonly found: Found }[] = [];
  let rowsRead = 0;
  for (;;) {
    let newest = newestOf(lanes);
    while (newest !== null && told.length < query.top && blocking(lanes, newest).length === 0) {
      const [found] = newest.found.splice(0, 1);
      if (found === undefined) break;
      newest.told = found;
      told.push({ shard: newest.shard, found });
      newest = newestOf(lanes);
    }
    const behind = blocking(lanes, newest);
    if (told.length === query.top || behind.length === 0 || rowsRead >= historyLimits.rowsPerPageMax) break;
    const counts = await mapAtOnce(behind, historyLimits.queriesAtOnce, (lane) => readOn(lane, query, store));
    rowsRead += counts.reduce((sum, count) => sum + count, 0);
  }
  const ahead = lanes.filter(({ next, found }) => next > 0 || found.length > 0);
  return {
    items: await named(told, store),
    lookedBackToMs: ahead.length === 0 ? null : Math.max(...ahead.map((lane) => aheadMs(lane))),
    next: ahead.length === 0 ? null : lanes.map(placeAfter),
  };
}

async function lanesOf({ filter, from }: HistoryQuery, store: HistoryStore, shards: readonly string[]) {
  return mapAtOnce([...shards.entries()], historyLimits.queriesAtOnce, async ([index, shard]): Promise<Lane> => {
    const place = from?.[index] ?? { number: await newestNumber(shard, filter.untilMs, store), below: null };
    const readBackToMs = Number.POSITIVE_INFINITY;
    return { shard, from: place, next: place.number, readBackToMs, found: [], told: null };
  });
}

/** The row to begin with: the last one, or one after which no row is as old as is asked for. */
async function newestNumber(shard: string, untilMs: number | null, store: HistoryStore): Promise<number> {
  const claim = await store.readShardRow(shard);
  const last = claim?.row.log?.number ?? (await store.lastLogNumber(shard));
  if (untilMs === null) return last;
  let [low, high] = [0, last];
  while (low < high) {
    const middle = low + Math.ceil((high - low) / 2);
    // Where the beginning is retired, this is the first row that stands.
    const [row] = await store.readLogOn(shard, { after: middle - 1, upTo: high, top: 1, headsOnly: true });
    // One that cannot be read is taken for old: what is begun with too early is left out later.
    const isOld = row !== undefined && ("unreadable" in row || row.atMs < untilMs + historyLimits.clocksDifferMsMax);
    if (isOld) low = row.number;
    else high = middle - 1;
  }
  return low;
}

/** The lane whose next item is to be told before those of all others; null: nothing is found yet. */
function newestOf(lanes: readonly Lane[]): Lane | null {
  let newest: Lane | null = null;
  for (const lane of lanes) {
    const [found] = lane.found;
    if (found !== undefined && (newest === null || found.atMs > aheadMs(newest))) newest = lane;
  }
  return newest;
}

/** Lanes that may hold something which comes before that lane's next item: they are to be read on first. */
function blocking(lanes: readonly Lane[], newest: Lane | null): readonly Lane[] {
  const isOpen = ({ next, found }: Lane) => next > 0 && found.length === 0;
  if (newest === null) return lanes.filter(isOpen);
  const [atMs, behind] = [aheadMs(newest), lanes.indexOf(newest)];
  return lanes.filter(
    (lane, index) => isOpen(lane) && (lane.readBackToMs > atMs || (lane.readBackToMs === atMs && index < behind)),
  );
}

/** No item that comes in this lane is newer. */
function aheadMs({ found, readBackToMs }: Lane): number {
  return found[0]?.atMs ?? readBackToMs;
}

function placeAfter({ from, next, found, told }: Lane): LanePlace {
  const number = found[0]?.number ?? next;
  if (told?.number === number) return { number, below: { entry: told.entry, slot: told.slot } };
  return { number, below: number === from.number ? from.below : null };
}

/** Reads the rows that come next in a lane. @returns How many. */
async function readOn(lane: Lane, query: HistoryQuery, store: HistoryStore): Promise<number> {
  const { filter, top } = query;
  const { from } = lane;
  const { rows, next, readBackToMs, count } = await rowsBefore(lane, query, store);
  lane.next = next;
  lane.readBackToMs = readBackToMs;
  for (const row of rows) {
    const below = row.number === from.number ? from.below : null;
    lane.found.push(...itemsOf(row).filter((item) => isBelow(item, below) && matches(item, filter)));
    if (lane.found.length <= top) continue;
    // What is beyond comes on no page before the next one, and is not held until then.
    lane.found = lane.found.slice(0, top);
    lane.next = row.number;
    lane.readBackToMs = row.atMs;
    return count;
  }
  const isOld = filter.sinceMs !== null && lane.readBackToMs < filter.sinceMs - historyLimits.clocksDifferMsMax;
  if (isOld) lane.next = 0;
  return count;
}

/** Rows in falling order, the number of the one behind them, when the last of them was written, and how many were read. */
type Rows = Pick<Lane, "next" | "readBackToMs"> & { readonly rows: readonly LogRow[]; readonly count: number };

async function rowsBefore(lane: Lane, { filter, top }: HistoryQuery, store: HistoryStore): Promise<Rows> {
  const { shard, next: upTo } = lane;
  const { mailboxId } = filter;
  const atOnce = historyLimits.rowsAtOnce[mailboxId === null ? "whole" : "heads"];
  const after = Math.max(0, upTo - atOnce);
  const read = await store.readLogOn(shard, { after, upTo, top: atOnce, headsOnly: mailboxId !== null });
  const [oldest] = read;
  const isEnd = oldest === undefined || oldest.number > after + 1; // What came before is retired.
  const next = isEnd ? 0 : after;
  const readable = readableOf(read);
  const readBackToMs = readable[0]?.atMs ?? lane.readBackToMs;
  const [rows, count] = [[...readable].reverse(), Math.max(1, read.length)];
  if (mailboxId === null) return { rows, next, readBackToMs, count };
  const naming = rows.filter(({ entries }) => entries.some((entry) => entry.mailboxId === mailboxId));
  const whole = await mapAtOnce(naming.slice(0, top), historyLimits.queriesAtOnce, async ({ number }) =>
    readableOf(await store.readLogOn(shard, { after: number - 1, upTo: number, top: 1 })),
  );
  const beyond = naming[top];
  if (beyond === undefined) return { rows: whole.flat(), next, readBackToMs, count };
  return { rows: whole.flat(), next: beyond.number, readBackToMs: beyond.atMs, count };
}

/** One row that cannot be read, which the store has reported, hides none of the others. */
function readableOf(read: readonly (LogRow | UnreadableRow)[]): readonly LogRow[] {
  return read.filter((row): row is LogRow => !("unreadable" in row));
}

function isBelow({ entry, slot }: Slot, below: Slot | null): boolean {
  return below === null || entry < below.entry || (entry === below.entry && slot < below.slot);
}

/** Where an entry's count and event stand: after all its changes, of which there are fewer by the size of a row. */
const slots = { leftOut: 1_000_000, event: 1_000_001 } as const;

/** What a row tells, newest first. A purge changes none of the places. */
function itemsOf({ number, atMs, entries }: LogRow): readonly Found[] {
  const items = entries.flatMap(({ mailboxId, event, changes, leftOut }: LogEntry, entry): Found[] => {
    const place = { number, atMs, entry, mailboxId };
    const nothing = { calendar: null, replacedId: null, before: null, after: null, leftOut: 0 };
    const told = changes.map(({ kind, calendarId, name, owner, replacedId, before, after }, slot) => ({
      ...place,
      slot,
      kind,
      calendar: { id: calendarId, name, owner },
      replacedId: replacedId ?? null,
      before: before ?? null,
      after: after ?? null,
      leftOut: 0,
    }));
    const counted = { ...place, ...nothing, slot: slots.leftOut, kind: "leftOut" as const, leftOut };
    return [
      ...told,
      ...(leftOut === 0 ? [] : [counted]),
      ...(event === null ? [] : [{ ...place, ...nothing, slot: slots.event, kind: event }]),
    ];
  });
  return items.reverse();
}

/** What is only counted may be of any kind of change, and of any owner: it is told wherever it may matter. */
function matches(item: Found, { mailboxId, sinceMs, untilMs, kind, owner }: HistoryFilter): boolean {
  if (mailboxId !== null && item.mailboxId !== mailboxId) return false;
  if (sinceMs !== null && item.atMs < sinceMs) return false;
  if (untilMs !== null && item.atMs >= untilMs) return false;
  if (item.kind === "leftOut") return kind === null || kind === "leftOut" || isChangeKind(kind);
  if (kind !== null && item.kind !== kind) return false;
  return owner === null || ownersOf(item).some((address) => searchOf(address) === owner);
}

function isChangeKind(kind: HistoryKind): boolean {
  return changeKinds.some((one) => one === kind);
}

/** The owner's address, and the one before where that is what changed. */
function ownersOf({ calendar, before }: Found): readonly string[] {
  const given = before?.["owner"];
  const earlier = typeof given === "object" && given !== null && "address" in given ? given.address : null;
  return [calendar?.owner ?? null, earlier].filter((address) => typeof address === "string");
}

/** The items with what their mailboxes are called by now. */
async function named(
  told: readonly { readonly shard: string; readonly found: Found }[],
  store: HistoryStore,
): Promise<HistoryItem[]> {
  const ids = [...new Set(told.map(({ found }) => found.mailboxId))];
  const mailboxes = await mapAtOnce(ids, historyLimits.queriesAtOnce, (id) => mailboxNamed(id, store));
  const byId = new Map(mailboxes.map((mailbox) => [mailbox.id, mailbox]));
  return told.map(({ shard, found: { number, entry, slot, atMs, mailboxId, ...rest } }) => ({
    id: [shard, number, entry, slot].join("-"),
    time: new Date(atMs).toISOString(),
    mailbox: byId.get(mailboxId) ?? nameless(mailboxId),
    ...rest,
  }));
}

const nameless = (id: string) => ({ id, displayName: null, userPrincipalName: null });

/** What a mailbox is called by now; nulls where it is gone, or its row cannot be read. @throws StorageError */
export async function mailboxNamed(id: string, store: Pick<Store, "readMailbox">): Promise<HistoryItem["mailbox"]> {
  try {
    const checkpoint = (await store.readMailbox(id))?.checkpoint;
    if (checkpoint === undefined) return nameless(id);
    return { id, displayName: checkpoint.displayName, userPrincipalName: checkpoint.userPrincipalName };
  } catch (error) {
    if (error instanceof RowError) return nameless(id); // What changed is told all the same (I10).
    throw error;
  }
}
