import { createHash } from "node:crypto";
import type { Held, Store } from "../store/store.js";
import { isServed } from "../sync/checkpoint.js";
import { isLeaving } from "../sync/due.js";
import type { CalendarRow, Checkpoint } from "../sync/types.js";
import { beginning, isExpired, isListOvertaken, type Position, pageAfter } from "./position.js";
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
 * `badToken`: not one of ours for this mailbox. `expired`: one of ours, but the reader must start over.
 */
export type FeedRefusal =
  | { readonly kind: "badToken" }
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
  /** Null: this was the last page. */
  readonly token: string | null;
  readonly version: string;
  readonly checkpoint: Checkpoint;
};

/** One calendar that is alive. */
type OneCalendar = {
  readonly kind: "calendar";
  readonly row: CalendarRow;
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
   * The calendars that are alive, in the order of their ids. All pages together are the mirror at the moment of the last
   * one; when a change makes that impossible, the next page is refused as `expired` (I6).
   */
  list(mailboxId: string, ask: ListAsk): Promise<ListPage | Unchanged | FeedRefusal>;
  /** The first of these calendars that is alive: one id may be read from a URL in more than one way. */
  calendar(
    mailboxId: string,
    calendarIds: readonly string[],
  ): Promise<OneCalendar | FeedRefusal | { readonly kind: "unknownCalendar"; readonly checkpoint: Checkpoint }>;
};

/** Which page of the list. `token`: null for the first one. */
type ListAsk = {
  readonly token: string | null;
  readonly pageSize: number;
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
    calendar: (mailboxId, calendarIds) => calendar(store, mailboxId, calendarIds),
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
  { token, pageSize, holds = () => false }: ListAsk,
): Promise<ListPage | Unchanged | FeedRefusal> {
  const opened = token === null ? null : tokens.openList(mailboxId, token);
  if (token !== null && opened === null) return { kind: "badToken" };
  const first = servedBy(await store.readMailbox(mailboxId));
  if ("kind" in first) return first;
  if (opened !== null && !opened.isOfEpoch(first.epoch)) return { kind: "expired", checkpoint: first };
  const held = versionOf(first.epoch, first.sequence, pageSize);
  if (holds(held)) return { kind: "unchanged", version: held, checkpoint: first };
  const read = await readSettled(store, first);
  if ("kind" in read) return read;
  const { checkpoint } = read;
  const { epoch, sequence } = checkpoint;
  if (opened !== null && isListOvertaken(opened, checkpoint, read.rows)) return { kind: "expired", checkpoint };
  const rows = read.rows
    .filter(({ removedMs, calendarId }) => removedMs === null && (opened === null || calendarId > opened.after))
    .sort((one, other) => (one.calendarId < other.calendarId ? -1 : 1));
  const page = rows.slice(0, pageSize);
  const last = rows.length > page.length ? page.at(-1) : undefined;
  const next = last === undefined ? null : tokens.list(mailboxId, { after: last.calendarId, sequence, epoch });
  return { kind: "page", rows: page, token: next, version: versionOf(epoch, sequence, pageSize), checkpoint };
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
): ReturnType<MirrorFeed["calendar"]> {
  const [held, ...rows] = await Promise.all([
    store.readMailbox(mailboxId),
    ...calendarIds.map((calendarId) => store.readCalendar(mailboxId, calendarId)),
  ]);
  const checkpoint = servedBy(held);
  if ("kind" in checkpoint) return checkpoint;
  const row = rows.find((found) => found !== null && found.removedMs === null) ?? null;
  if (row === null) return missing(store, checkpoint);
  // With its time: read beside the checkpoint, the row may belong to the epoch before.
  const version = versionOf(checkpoint.epoch, row.sequence, row.changedMs, row.calendarId);
  return { kind: "calendar", row, version, checkpoint };
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
