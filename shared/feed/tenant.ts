import { mapAtOnce } from "../mapAtOnce.js";
import { RowError, type Store } from "../store/store.js";
import type { LogRow } from "../sync/changeLog.js";
import { isServed } from "../sync/checkpoint.js";
import { isLeaving } from "../sync/due.js";
import type { CalendarRow } from "../sync/types.js";
import { type CopyPlace, followed, type TenantPosition, type Told, tenantBeginning, toldIn } from "./tenantPosition.js";
import { createTokens } from "./token.js";

/** Bounds of what one page reads. All are our own choice. */
export const tenantLimits = {
  /** Rows of a page: with three calendars a mailbox, those of a page of mailboxes. */
  pageSizeDefault: 4_000,
  /** Rows of one log that one page reads. */
  logRowsMax: 100,
  /** Shards, or mailboxes, that are read at once. */
  atOnceMax: 16,
} as const;

/** A calendar or its tombstone; or a mailbox that is served no more, with all that the reader holds of it. */
export type TenantItem =
  | { readonly mailboxId: string; readonly row: CalendarRow }
  | { readonly mailboxId: string; readonly row: null };

/** A page of the walk over the whole tenant. */
type TenantDelta = {
  readonly kind: "page";
  readonly items: readonly TenantItem[];
  readonly link: "nextLink" | "deltaLink";
  readonly token: string;
};

/** A page of all calendars. `token` null: the last one. */
type TenantList = {
  readonly kind: "page";
  readonly items: readonly TenantItem[];
  readonly token: string | null;
};

/** `badToken`: not one of ours for the tenant. `expired`: the log does not reach back so far; the reader starts over. */
export type TenantRefusal = { readonly kind: "badToken" | "expired" };

/** The whole tenant as other programs read it. All methods throw StorageError when the table gives no clear answer. */
export type TenantFeed = {
  /**
   * The changes after a token; without one, all calendars first. Having received a deltaLink, the reader holds what the
   * mirror held when the walk to it began, or newer (I13).
   */
  delta(token: string | null, pageSize: number): Promise<TenantDelta | TenantRefusal>;
  /** All calendars of all mailboxes that are served. What changes meanwhile may be missing, or stand as it was. */
  list(token: string | null, pageSize: number): Promise<TenantList | TenantRefusal>;
};

type TenantStore = Pick<
  Store,
  "readShardRow" | "readLogOn" | "lastLogNumber" | "readMailbox" | "readCalendars" | "readSummaries" | "readTenantRows"
>;
type Parts = {
  readonly store: TenantStore;
  /** The names of all shards, in their order. */
  readonly shards: readonly string[];
  /** Seals positions. */
  readonly key: Uint8Array;
  /** Told of a mailbox that cannot be read, and is left out. */
  readonly onUnreadable: (error: RowError) => void;
};

/** The feed over all mailboxes of a store. */
export function createTenantFeed(parts: Parts): TenantFeed {
  const tokens = createTokens(parts.key);
  return {
    delta: async (text, pageSize) => {
      const position = text === null ? await beginningNow(parts) : tokens.openTenant(text);
      // A mirror that was laid out with another number of shards has made it.
      if (position === null || position.numbers.length !== parts.shards.length) return { kind: "badToken" };
      const page =
        position.copy === null
          ? await followPage(position, pageSize, parts)
          : await copiedPage(position, position.copy, pageSize, parts);
      if (page === "expired") return { kind: "expired" };
      const { copy, walk } = page.next;
      const link = copy === null && walk === null ? "deltaLink" : "nextLink";
      return { kind: "page", items: page.items, link, token: tokens.tenant(page.next) };
    },
    list: async (text, pageSize) => {
      const place = text === null ? { shard: 0, mailbox: null, row: null } : tokens.openPlace(text);
      if (place === null || place.shard >= parts.shards.length) return { kind: "badToken" };
      const { items, next } = await copyPage(place, pageSize, parts);
      return { kind: "page", items, token: next === null ? null : tokens.place(next) };
    },
  };
}

async function beginningNow({ store, shards }: Parts): Promise<TenantPosition> {
  const numbers = await mapAtOnce(shards, tenantLimits.atOnceMax, async (shard) => {
    const claim = await store.readShardRow(shard);
    return claim?.row.log?.number ?? store.lastLogNumber(shard);
  });
  return tenantBeginning(numbers);
}

type Page = { readonly items: readonly TenantItem[]; readonly next: TenantPosition };

/** The copy's last page leads over to the logs: a nextLink, even where nothing has changed meanwhile. */
async function copiedPage(position: TenantPosition, copy: CopyPlace, pageSize: number, parts: Parts): Promise<Page> {
  const { items, next } = await copyPage(copy, pageSize, parts);
  if (next !== null) return { items, next: { ...position, copy: next } };
  return { items, next: { ...position, copy: null, walk: { shard: 0, entries: 0 } } };
}

/**
 * Living calendars from a place on, of mailboxes that are served. Mailboxes are read by the page, and the rows up to the
 * last of them. One that stands behind its rows, as `x` does behind those of `x/y` by the order of keys, is read by itself.
 */
async function copyPage(
  place: CopyPlace,
  pageSize: number,
  parts: Parts,
): Promise<{ readonly items: readonly TenantItem[]; readonly next: CopyPlace | null }> {
  const { store, shards } = parts;
  const items: TenantItem[] = [];
  let rowsLeft = pageSize;
  let at: CopyPlace | null = place;
  // Rather a short page than one that is cut within its mailboxes: they would have to be read again.
  while (at !== null && rowsLeft > pageSize * 0.75) {
    const shard = shards[at.shard];
    if (shard === undefined) return { items, next: null };
    const { mailboxes, last } = await store.readSummaries(shard, at.mailbox);
    const served = new Map(mailboxes.map((one) => [one.mailboxId, one.isServed]));
    const { rows, upTo, isCut } = await store.readTenantRows(shard, { after: at.row, upTo: last, top: rowsLeft });
    for (const { mailboxId, row } of rows) {
      if (row.removedMs !== null) continue;
      if (!served.has(mailboxId)) served.set(mailboxId, await isServedNow(mailboxId, parts));
      if (served.get(mailboxId) === true) items.push({ mailboxId, row });
    }
    rowsLeft -= rows.length;
    at = nextPlace(at, { row: upTo, isCut }, last, shards.length);
  }
  return { items, next: at };
}

function nextPlace(
  at: CopyPlace,
  { row, isCut }: { readonly row: string; readonly isCut: boolean },
  last: string | null,
  shards: number,
): CopyPlace | null {
  if (isCut) return { ...at, row };
  if (last !== null) return { shard: at.shard, mailbox: last, row };
  return at.shard + 1 < shards ? { shard: at.shard + 1, mailbox: null, row: null } : null;
}

async function isServedNow(mailboxId: string, { store, onUnreadable }: Parts): Promise<boolean> {
  try {
    const checkpoint = (await store.readMailbox(mailboxId))?.checkpoint ?? null;
    return checkpoint !== null && !isLeaving(checkpoint) && isServed(checkpoint);
  } catch (error) {
    if (!(error instanceof RowError)) throw error;
    onUnreadable(error); // The others go on (I10).
    return false;
  }
}

/** What the logs tell after a position: shard by shard, from the one at which the walk stands. */
async function followPage(position: TenantPosition, pageSize: number, parts: Parts): Promise<Page | "expired"> {
  const { store, shards } = parts;
  const first = position.walk?.shard ?? 0;
  const ahead = [...shards.entries()].slice(first);
  const logs = await mapAtOnce(ahead, tenantLimits.atOnceMax, ([index, shard]) => {
    const after = Math.max(0, (position.numbers[index] ?? 0) - 1);
    return store.readLogOn(shard, { after, upTo: null, top: tenantLimits.logRowsMax, headsOnly: true });
  });
  const items: TenantItem[] = [];
  let next: TenantPosition = { ...position, walk: null };
  for (const [index, read] of logs.entries()) {
    const shard = first + index;
    const rows = followed(position.numbers[shard] ?? 0, read);
    if (rows === null) return "expired";
    if (items.length >= pageSize) return { items, next: { ...next, walk: { shard, entries: 0 } } };
    const done = index === 0 ? (position.walk?.entries ?? 0) : 0;
    const end = await followShard(rows, done, pageSize - items.length, parts);
    items.push(...end.items);
    const numbers = next.numbers.map((number, at) => (at === shard ? (end.number ?? number) : number));
    next = { ...next, numbers };
    const hasMore = end.isCut || read.length === tenantLimits.logRowsMax;
    if (hasMore) return { items, next: { ...next, walk: { shard, entries: end.entries } } };
  }
  return { items, next };
}

type ShardEnd = {
  readonly items: readonly TenantItem[];
  /** Of the last row that is done; null: none is. */
  readonly number: number | null;
  /** Entries done of the row after it. */
  readonly entries: number;
  readonly isCut: boolean;
};

/** Each mailbox is given once, as it stands now, however often the rows name it. */
async function followShard(
  rows: readonly LogRow[],
  entriesDone: number,
  pageSize: number,
  parts: Parts,
): Promise<ShardEnd> {
  const told = toldIn(rows);
  const given = new Set<string>();
  const items: TenantItem[] = [];
  let number: number | null = null;
  for (const [index, row] of rows.entries()) {
    let done = index === 0 ? entriesDone : 0;
    while (done < row.entries.length) {
      if (items.length >= pageSize) return { items, number, entries: done, isCut: true };
      const some = row.entries.slice(done, done + tenantLimits.atOnceMax);
      const asked = [...new Set(some.map(({ mailboxId }) => mailboxId))].filter((id) => !given.has(id));
      const found = await mapAtOnce(asked, asked.length, (id) => changesOf(told.get(id), parts));
      for (const id of asked) given.add(id);
      items.push(...found.flat());
      done += some.length;
    }
    number = row.number;
  }
  return { items, number, entries: 0, isCut: false };
}

/**
 * What a reader needs of a mailbox that the log names. Its rows are read before its checkpoint: a tombstone that retention
 * deletes meanwhile is then either among the rows, or noted in the checkpoint.
 */
async function changesOf(told: Told | undefined, { store, onUnreadable }: Parts): Promise<readonly TenantItem[]> {
  if (told === undefined) return [];
  const { mailboxId } = told;
  try {
    const rows = await store.readCalendars(mailboxId);
    const checkpoint = (await store.readMailbox(mailboxId))?.checkpoint ?? null;
    const leaving: TenantItem = { mailboxId, row: null };
    if (checkpoint === null || isLeaving(checkpoint) || !isServed(checkpoint)) return [leaving];
    const isOfEpoch = told.epochs.size === 1 && told.epochs.has(checkpoint.epoch);
    // The removal of a calendar that it holds may have been forgotten.
    const isAnew = told.hasLeft || !isOfEpoch || checkpoint.retiredSequence > told.from;
    // With an event, the reader may hold nothing of it; or it has copied what the log was yet to tell, and some has gone since.
    const isLiving = ({ removedMs }: CalendarRow) => removedMs === null;
    const needed = rows.filter((row) =>
      isAnew ? isLiving(row) : row.sequence > told.from || (told.hasEvent && isLiving(row)),
    );
    const items = [...needed].sort((one, other) => one.sequence - other.sequence).map((row) => ({ mailboxId, row }));
    return isAnew ? [leaving, ...items] : items;
  } catch (error) {
    if (!(error instanceof RowError)) throw error;
    onUnreadable(error); // The others go on (I10).
    return [];
  }
}
