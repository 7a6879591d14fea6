import { shardFiguresOf } from "../figures/shardFigures.js";
import { folded } from "../folded.js";
import { mapAtOnce } from "../mapAtOnce.js";
import { mailboxKey } from "../store/keys.js";
import { type CalendarLabels, RowError, type Store } from "../store/store.js";
import { isServed } from "../sync/checkpoint.js";
import { isLeaving } from "../sync/due.js";
import type { MailboxKind } from "../sync/mailboxKind.js";
import { isoOrNull } from "../sync/time.js";
import { type CalendarRow, type Checkpoint, isJsonObject } from "../sync/types.js";
import type { FoundView } from "./foundSchema.js";
import { mailboxView } from "./mailbox.js";

export type { FoundView };

/** What is looked for. Null: it does not matter. All that is given must hold. */
export type FindQuery = {
  /** The owner's whole address, folded. */
  readonly owner: string | null;
  /** A part of the name, folded. */
  readonly name: string | null;
  /** Graph's `isShared`, `canEdit` and `isDefaultCalendar`. A calendar of which Graph does not say is neither. */
  readonly isShared: boolean | null;
  readonly canEdit: boolean | null;
  readonly isDefaultCalendar: boolean | null;
  /** The kind of the mailbox. */
  readonly kind: MailboxKind | null;
};

/** Where the search of a shard (its index) goes on: after the calendars of this mailbox; null: at the start. */
export type FindPlace = { readonly shard: number; readonly after: string | null };

/** `next`: what is still to be searched, in the order of shards; empty after the last page. */
export type FindPage = { readonly found: FoundView[]; readonly next: readonly FindPlace[] };

/** Our choice. */
export const findLimits = {
  topDefault: 50,
  topMax: 500,
  textMax: 256,
  /** After so long, or so many rows, a page ends with what it has. */
  pageMsMax: 20_000,
  rowsPerPageMax: 1_000_000,
  /** Each holds a page of 1,000 rows, and one place of the cursor. */
  shardsAtOnceMax: 16,
} as const;

/** Our choice: a shard looks so many mailboxes up at once, with two requests each. */
const mailboxesAtOnceMax = 4;
/** Our choice: to know the kinds of more mailboxes than this, the checkpoints from the first to the last are read as one range. */
const kindsByPointReadMax = 16;

/** What a search needs. `onUnreadable` is called with a row that cannot be read; its mailbox is left out (I10). */
export type FindPorts = {
  readonly store: Store;
  readonly nowMs: () => number;
  readonly onUnreadable: (error: RowError) => void;
};

/**
 * One page of the calendars that match, of mailboxes that are served, in no order. All shards are searched side by side. A page
 * ends with the mailbox by which it is full: a mailbox's calendars stand on one page. It also ends when it takes too
 * long or reads too much, so it may hold fewer than asked for, even none, and still have a next one. What changes meanwhile
 * may be found or not; what does not change is found once.
 * @param top Calendars on the page, but for the rest of the last mailbox. @param from What is to be searched.
 * @throws StorageError
 */
export async function findCalendars(
  query: FindQuery,
  top: number,
  from: readonly FindPlace[],
  ports: FindPorts,
  shards: readonly string[],
): Promise<FindPage> {
  const search = new Search(query, top, ports);
  const ends = await mapAtOnce(from, findLimits.shardsAtOnceMax, (place) =>
    search.shard(shards[place.shard] ?? "", place),
  );
  return { found: search.found, next: ends.filter((place) => place !== null) };
}

/** When Graph last answered for the mailbox that is the furthest behind, by each shard's last count; null: none was counted. */
export async function readOldestSuccess(store: Store, shards: readonly string[]): Promise<string | null> {
  const counted = await mapAtOnce(shards, findLimits.shardsAtOnceMax, (shard) => store.readNewestFigures(shard));
  const times = counted.flatMap((stored) => shardFiguresOf(stored ?? {}).census?.oldestSuccess?.atMs ?? []);
  return isoOrNull(times.length === 0 ? null : times.reduce((one, other) => Math.min(one, other)));
}

/** One page of a search in the making. */
class Search {
  readonly found: FoundView[] = [];
  readonly #startedMs: number;
  #rows = 0;
  /** Whether the next page would begin further on than this one: until then no bound ends it. */
  #gotOn = false;

  constructor(
    private readonly query: FindQuery,
    private readonly top: number,
    private readonly ports: FindPorts,
  ) {
    this.#startedMs = ports.nowMs();
  }

  /** Searches a shard from a place. Returns where it stopped; null at its end. */
  async shard(name: string, from: FindPlace): Promise<FindPlace | null> {
    if (this.#isOver()) return from;
    const { canEdit, isDefaultCalendar } = this.query;
    let { after } = from;
    for await (const page of this.ports.store.readLabels(name, { afterMailbox: after, canEdit, isDefaultCalendar })) {
      this.#rows += page.length;
      const done = after;
      const matching = page.filter((labels) => labels.mailboxId !== done && mayMatch(labels, this.query));
      const mailboxes = await this.#ofKind(name, [...new Set(matching.map(({ mailboxId }) => mailboxId))]);
      for (let start = 0; start < mailboxes.length; start += mailboxesAtOnceMax) {
        const some = mailboxes.slice(start, start + mailboxesAtOnceMax);
        const looks = await Promise.all(some.map((mailboxId) => this.#look(mailboxId)));
        for (const [index, found] of looks.entries()) {
          if (this.#isOver()) return { ...from, after };
          this.found.push(...found);
          after = some[index] ?? after;
          this.#gotOn = true;
        }
      }
      const passed = lastPassed(page, after);
      if (passed !== after) this.#gotOn = true;
      after = passed;
      if (this.#isOver()) return { ...from, after };
    }
    this.#gotOn = true;
    return null;
  }

  #isOver(): boolean {
    if (this.found.length >= this.top) return true;
    const isLong = this.ports.nowMs() - this.#startedMs >= findLimits.pageMsMax;
    return this.#gotOn && (isLong || this.#rows >= findLimits.rowsPerPageMax);
  }

  /** Leaves out mailboxes of other kinds, where one range tells more than point reads would. */
  async #ofKind(shard: string, mailboxes: readonly string[]): Promise<readonly string[]> {
    const { kind } = this.query;
    if (kind === null || mailboxes.length <= kindsByPointReadMax) return mailboxes;
    const inOrder = [...mailboxes].sort((one, other) => (mailboxKey(one) < mailboxKey(other) ? -1 : 1));
    const [first = "", last = ""] = [inOrder[0], inOrder.at(-1)];
    const taken = new Set([first]); // The range begins after it.
    for await (const page of this.ports.store.readMailboxes(shard, { after: first, upTo: last })) {
      for (const { checkpoint } of page) if (checkpoint.mailboxKind === kind) taken.add(checkpoint.mailboxId);
    }
    return mailboxes.filter((mailboxId) => taken.has(mailboxId));
  }

  /** All of a mailbox that matches, by its rows as they are now. */
  async #look(mailboxId: string): Promise<readonly FoundView[]> {
    const { store, onUnreadable } = this.ports;
    const { kind } = this.query;
    try {
      const checkpoint = (await store.readMailbox(mailboxId))?.checkpoint ?? null;
      if (checkpoint === null || isLeaving(checkpoint) || !isServed(checkpoint)) return [];
      if (kind !== null && checkpoint.mailboxKind !== kind) return [];
      const rows = await store.readCalendars(mailboxId);
      return rows.filter((row) => matches(row, this.query)).map((row) => foundView(checkpoint, row));
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      onUnreadable(error);
      return [];
    }
  }
}

/**
 * The last mailbox that a page has passed: its last one may have more rows on the next page, unless it was looked up as a whole.
 */
function lastPassed(page: readonly CalendarLabels[], lookedUp: string | null): string | null {
  const last = page.at(-1)?.mailboxId;
  if (last === undefined || last === lookedUp) return lookedUp;
  return page.findLast(({ mailboxId }) => mailboxId !== last)?.mailboxId ?? lookedUp;
}

/** Whether a calendar with these labels may match; what they do not tell, its row will. */
function mayMatch(labels: CalendarLabels, { owner, name, isShared }: FindQuery): boolean {
  if (labels.removed) return false;
  if (isShared !== null && labels.isShared !== undefined && labels.isShared !== isShared) return false;
  if (owner !== null && labels.ownerAddress !== undefined && !isOwner(labels.ownerAddress, owner)) return false;
  return name === null || labels.name === undefined || isNamed(labels.name, name);
}

function matches({ resource, removedMs }: CalendarRow, query: FindQuery): boolean {
  if (removedMs !== null) return false;
  const { owner } = resource;
  if (query.owner !== null && !isOwner(isJsonObject(owner) ? owner["address"] : null, query.owner)) return false;
  if (query.name !== null && !isNamed(resource["name"], query.name)) return false;
  return (["isShared", "canEdit", "isDefaultCalendar"] as const).every(
    (flag) => query[flag] === null || resource[flag] === query[flag],
  );
}

function isOwner(address: unknown, owner: string): boolean {
  return typeof address === "string" && folded(address) === owner;
}

function isNamed(name: unknown, part: string): boolean {
  return typeof name === "string" && folded(name).includes(part);
}

function foundView(checkpoint: Checkpoint, { calendarId, resource }: CalendarRow): FoundView {
  const { id, displayName, userPrincipalName, kind, state, lastSuccess } = mailboxView(checkpoint);
  return {
    mailbox: { id, displayName, userPrincipalName, kind, state, lastSuccess },
    calendar: { ...resource, id: calendarId } as FoundView["calendar"], // Graph's own, and passed on unread.
  };
}
