import { createHash } from "node:crypto";
import type { Held, Store } from "../store/store.js";
import { isServed } from "../sync/checkpoint.js";
import { isLeaving } from "../sync/due.js";
import type { CalendarRow, Checkpoint } from "../sync/types.js";
import { beginning, isExpired, isListOvertaken, type Position, pageAfter } from "./position.js";
import { arrange, type ListQuery, type PropertyPath, plainList, selectOf } from "./query/listQuery.js";
import type { QueryMistake } from "./query/mistake.js";
import type { PathSyntax } from "./query/syntax.js";
import { createTokens, type Tokens } from "./token.js";

/** Calendars per page: our default, and the most that Graph allows. */
export const feedLimits = { pageSizeDefault: 100, pageSizeMax: 999 } as const;

/**
 * How often a list reads the rows at most, while the mailbox changes. Our choice: changes come minutes apart, but a large
 * unit is written in several transactions.
 */
const listReadingsMax = 5;

/**
 * Why there is no answer, with the mailbox's checkpoint where it was read.
 * `unknownMailbox`: not on the roster, or being removed. `notReady`: its first full round has not ended, so its calendars
 * are not known; its checkpoint shows whether that round will come. `unsettled`: it kept changing while it was read.
 * `badToken`: not one of ours for this mailbox and query. `expired`: one of ours, but the reader must start over.
 * `badQuery`: what was asked names or compares what the mailbox's calendars do not have.
 */
export type FeedRefusal =
  | { readonly kind: "badToken" }
  | ({ readonly kind: "badQuery"; readonly checkpoint: Checkpoint } & QueryMistake)
  | { readonly kind: "unknownMailbox"; readonly checkpoint: Checkpoint | null }
  | { readonly kind: "notReady" | "unsettled" | "expired"; readonly checkpoint: Checkpoint };

/** One page of the delta feed. */
export type DeltaPage = {
  readonly kind: "page";
  /** Calendars and tombstones, in the order of their changes. */
  readonly rows: readonly CalendarRow[];
  readonly link: "nextLink" | "deltaLink";
  readonly token: string;
  readonly checkpoint: Checkpoint;
};

/** One page of the list. `version`: equal for equal pages, for an ETag. */
export type ListPage = {
  readonly kind: "page";
  readonly rows: readonly CalendarRow[];
  /** How many calendars the whole list has that match, those that are skipped included, as this page found it. */
  readonly count: number;
  /** The properties that were asked for, by their canonical names; null: all. */
  readonly select: readonly PropertyPath[] | null;
  /** Null: this was the last page. */
  readonly token: string | null;
  readonly version: string;
  readonly checkpoint: Checkpoint;
};

/** One calendar that is alive. `select`: as of `ListPage`. */
type OneCalendar = {
  readonly kind: "calendar";
  readonly row: CalendarRow;
  readonly select: readonly PropertyPath[] | null;
  readonly version: string;
  readonly checkpoint: Checkpoint;
};

/** The reader holds the present version already. */
type Unchanged = { readonly kind: "unchanged"; readonly version: string; readonly checkpoint: Checkpoint };

/** The mirror as other programs read it. All methods throw StorageError when the table gives no clear answer. */
export type MirrorFeed = {
  /**
   * The changes after a token; without one, all calendars. One point read when there are none. Having received a
   * deltaLink, the reader holds the mirror as it was at one moment of the walk (I6).
   */
  delta(mailboxId: string, token: string | null, pageSize: number): Promise<DeltaPage | FeedRefusal>;
  /**
   * The calendars that are alive and match, in the order that was asked for, else by their ids. All pages together are the
   * mirror at the moment of the last one; when a change makes that impossible, the next page is refused as `expired` (I6).
   */
  list(mailboxId: string, ask: ListAsk): Promise<ListPage | Unchanged | FeedRefusal>;
  /** The first of these calendars that is alive: one id may be read from a URL in more than one way. */
  calendar(
    mailboxId: string,
    calendarIds: readonly string[],
    select?: readonly PathSyntax[] | null,
  ): Promise<OneCalendar | FeedRefusal | { readonly kind: "unknownCalendar"; readonly checkpoint: Checkpoint }>;
};

/** Which page of the list. `token`: null for the first one. */
type ListAsk = {
  readonly token: string | null;
  readonly pageSize: number;
  /** Not given: all calendars, whole. With a token `skip` is done already. */
  readonly query?: ListQuery;
  /** Whether the reader holds that version already. */
  readonly holds?: (version: string) => boolean;
};

/** The part of the store that the feed reads. */
type FeedStore = Pick<Store, "readMailbox" | "readCalendars" | "readCalendar">;
/** What the feed is made of. */
export type FeedParts = {
  readonly store: FeedStore;
  /** Seals tokens: 32 random bytes or more, the same for all instances. */
  readonly key: Uint8Array;
};

/** The feed over a store. */
export function createFeed({ store, key }: FeedParts): MirrorFeed {
  const tokens = createTokens(key);
  return {
    delta: (mailboxId, token, pageSize) => delta(store, tokens, mailboxId, token, pageSize),
    list: (mailboxId, ask) => list(store, tokens, mailboxId, ask),
    calendar: (mailboxId, calendarIds, select = null) => calendar(store, mailboxId, calendarIds, select),
  };
}

async function delta(
  store: FeedStore,
  tokens: Tokens,
  mailboxId: string,
  token: string | null,
  pageSize: number,
): Promise<DeltaPage | FeedRefusal> {
  const opened = token === null ? null : tokens.openFeed(mailboxId, token);
  if (token !== null && opened === null) return { kind: "badToken" };
  const checkpoint = servedBy(await store.readMailbox(mailboxId)); // Before the rows: see pageAfter.
  if ("kind" in checkpoint) return checkpoint;
  const { epoch, sequence } = checkpoint;
  if (opened !== null && (!opened.isOfEpoch(epoch) || isExpired(opened, checkpoint)))
    return { kind: "expired", checkpoint };
  const from: Position = opened ?? beginning(sequence);
  let latest = checkpoint;
  let rows: readonly CalendarRow[] = [];
  if (from.position < sequence) {
    rows = await store.readCalendars(mailboxId);
    const after = servedBy(await store.readMailbox(mailboxId));
    if ("kind" in after) return after;
    // Rows may have been deleted while they were read: by retention, or with their mailbox.
    const isOvertaken = after.epoch !== epoch || isExpired(from, after);
    if (isOvertaken) return { kind: token === null ? "unsettled" : "expired", checkpoint: after };
    latest = after;
  }
  const page = pageAfter(from, { before: sequence, after: latest.sequence }, rows, pageSize);
  return {
    kind: "page",
    rows: page.rows,
    link: page.isLast ? "deltaLink" : "nextLink",
    token: tokens.feed(mailboxId, { ...page.next, epoch }),
    checkpoint: latest,
  };
}

async function list(
  store: FeedStore,
  tokens: Tokens,
  mailboxId: string,
  { token, pageSize, query = plainList, holds = () => false }: ListAsk,
): Promise<ListPage | Unchanged | FeedRefusal> {
  const opened = token === null ? null : tokens.openList(mailboxId, token, query.text);
  if (token !== null && opened === null) return { kind: "badToken" };
  const first = servedBy(await store.readMailbox(mailboxId));
  if ("kind" in first) return first;
  if (opened !== null && !opened.isOfEpoch(first.epoch)) return { kind: "expired", checkpoint: first };
  const versionAt = (sequence: number) => versionOf(first.epoch, sequence, pageSize, ...query.allText);
  const held = versionAt(first.sequence);
  if (holds(held)) return { kind: "unchanged", version: held, checkpoint: first };
  const read = await readSettled(store, first);
  if ("kind" in read) return read;
  const { checkpoint, rows } = read;
  const { epoch, sequence } = checkpoint;
  const order = query.orderBy.length === 0 ? "byId" : "byKeys";
  if (opened !== null && isListOvertaken(opened, checkpoint, rows, order)) return { kind: "expired", checkpoint };
  const alive = rows.filter(({ removedMs }) => removedMs === null);
  const found = arrange(query, alive);
  if ("mistake" in found) return { kind: "badQuery", checkpoint, ...found };
  const { arranged, select } = found;
  const start = opened === null ? query.skip : placeAfter(opened.after, arranged, order);
  if (start === null) return { kind: "expired", checkpoint };
  const page = arranged.slice(start, start + pageSize);
  const last = start + page.length < arranged.length ? page.at(-1) : undefined;
  const next =
    last === undefined ? null : tokens.list(mailboxId, { after: last.calendarId, sequence, epoch, query: query.text });
  const version = versionAt(sequence);
  return { kind: "page", rows: page, count: arranged.length, select, token: next, version, checkpoint };
}

/**
 * Where a list goes on. By its keys it stands as it stood when the token was made (see `isListOvertaken`); null if its calendar is
 * not there all the same, as another release may compare otherwise. By ids the list may be another one from there on.
 */
function placeAfter(after: string, rows: readonly CalendarRow[], order: "byId" | "byKeys"): number | null {
  if (order === "byKeys") {
    const place = rows.findIndex(({ calendarId }) => calendarId === after);
    return place === -1 ? null : place + 1;
  }
  const next = rows.findIndex(({ calendarId }) => calendarId > after);
  return next === -1 ? rows.length : next;
}

/**
 * The rows of a mailbox as they stood at one moment: every real change moves the sequence in its own transaction, so
 * nothing changed while the sequence stood still. A list reads again when it moved; the delta feed ends later instead.
 */
async function readSettled(
  store: FeedStore,
  first: Checkpoint,
): Promise<{ readonly rows: readonly CalendarRow[]; readonly checkpoint: Checkpoint } | FeedRefusal> {
  let before = first;
  for (let reading = 0; reading < listReadingsMax; reading++) {
    const rows = await store.readCalendars(first.mailboxId);
    const after = servedBy(await store.readMailbox(first.mailboxId)); // Rows may have been deleted with their mailbox.
    if ("kind" in after) return after;
    if (after.epoch !== first.epoch) return { kind: "unsettled", checkpoint: after };
    if (after.sequence === before.sequence) return { rows, checkpoint: after };
    before = after;
  }
  return { kind: "unsettled", checkpoint: before };
}

async function calendar(
  store: FeedStore,
  mailboxId: string,
  calendarIds: readonly string[],
  paths: readonly PathSyntax[] | null,
): ReturnType<MirrorFeed["calendar"]> {
  const [held, ...rows] = await Promise.all([
    store.readMailbox(mailboxId),
    ...calendarIds.map((calendarId) => store.readCalendar(mailboxId, calendarId)),
  ]);
  const checkpoint = servedBy(held);
  if ("kind" in checkpoint) return checkpoint;
  const row = rows.find((found) => found !== null && found.removedMs === null) ?? null;
  if (row === null) return missing(store, checkpoint);
  const found = await selectIn(store, mailboxId, row, paths);
  if ("mistake" in found) return { kind: "badQuery", checkpoint, ...found };
  // With its time: read beside the checkpoint, the row may belong to the epoch before.
  const version = versionOf(checkpoint.epoch, row.sequence, row.changedMs, row.calendarId);
  return { kind: "calendar", row, select: found.select, version, checkpoint };
}

/** A name that this calendar does not have may be one that the mailbox's others have: then it is known. */
async function selectIn(
  store: FeedStore,
  mailboxId: string,
  row: CalendarRow,
  paths: readonly PathSyntax[] | null,
): Promise<ReturnType<typeof selectOf>> {
  const found = selectOf(paths, [row.resource]);
  if (!("mistake" in found)) return found;
  const rows = await store.readCalendars(mailboxId);
  const alive = rows.filter(({ removedMs }) => removedMs === null);
  return selectOf(
    paths,
    alive.map(({ resource }) => resource),
  );
}

/** I3: a calendar is missing only if the mailbox was served, in one epoch, before and after the read of its row. */
async function missing(store: FeedStore, { mailboxId, epoch }: Checkpoint): ReturnType<MirrorFeed["calendar"]> {
  const after = servedBy(await store.readMailbox(mailboxId));
  if ("kind" in after) return after;
  return { kind: after.epoch === epoch ? "unknownCalendar" : "unsettled", checkpoint: after };
}

/** The checkpoint of a mailbox that is served, or why it is not. */
function servedBy(held: Held | null): Checkpoint | FeedRefusal {
  const checkpoint = held?.checkpoint ?? null;
  if (checkpoint === null || isLeaving(checkpoint)) return { kind: "unknownMailbox", checkpoint };
  return isServed(checkpoint) ? checkpoint : { kind: "notReady", checkpoint };
}

function versionOf(...parts: readonly (string | number)[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64url").slice(0, 22);
}
