import { createHash } from "node:crypto";
import type { Held, Store } from "../store/store.js";
import type { CalendarRow, Checkpoint } from "../sync/types.js";
import { beginning, isExpired, type Position, pageAfter } from "./position.js";
import { createTokens, type Tokens } from "./token.js";

/** Graph's own bound for a page, and what we take when nothing is asked for. */
export const feedLimits = { pageSizeDefault: 100, pageSizeMax: 999 } as const;

/**
 * Why there is no answer.
 * `unknownMailbox`: not on the roster, or on its way out. `notReady`: its first full round has not ended, so nobody can
 * say which calendars it has. `badToken`: not one of ours for this mailbox. `expired`: ours, and the reader must start over.
 */
export type FeedRefusal = { readonly kind: "unknownMailbox" | "notReady" | "badToken" | "expired" };

export type DeltaPage = {
  readonly kind: "page";
  /** Calendars and tombstones, in the order of their changes. */
  readonly rows: readonly CalendarRow[];
  readonly link: "nextLink" | "deltaLink";
  readonly token: string;
  readonly checkpoint: Checkpoint;
};

export type ListPage = {
  readonly kind: "page";
  readonly rows: readonly CalendarRow[];
  /** Null: this was the last page. */
  readonly token: string | null;
  readonly version: string;
  readonly checkpoint: Checkpoint;
};

export type OneCalendar = {
  readonly kind: "calendar";
  readonly row: CalendarRow;
  readonly version: string;
  readonly checkpoint: Checkpoint;
};

/** The reader holds the version that is there now. */
export type Unchanged = { readonly kind: "unchanged"; readonly version: string; readonly checkpoint: Checkpoint };

/** The mirror as other programs read it. Throws what the store throws. */
export type MirrorFeed = {
  /** The changes after a token; without one, all calendars. One point read when there are none. */
  delta(mailboxId: string, token: string | null, pageSize: number): Promise<DeltaPage | FeedRefusal>;
  /** The calendars that are alive, in the order of their ids: paging is stable, whatever changes meanwhile. */
  list(mailboxId: string, ask: ListAsk): Promise<ListPage | Unchanged | FeedRefusal>;
  /** The first of these calendars that is alive: one id may be read from a URL in more than one way. */
  calendar(
    mailboxId: string,
    calendarIds: readonly string[],
  ): Promise<OneCalendar | FeedRefusal | { readonly kind: "unknownCalendar"; readonly checkpoint: Checkpoint }>;
};

export type ListAsk = {
  readonly token: string | null;
  readonly pageSize: number;
  /** Whether the reader holds that version already. */
  readonly holds?: (version: string) => boolean;
};

export type FeedStore = Pick<Store, "readMailbox" | "readCalendars" | "readCalendar">;
export type FeedParts = {
  readonly store: FeedStore;
  /** Seals tokens: 32 random bytes or more, the same for all instances. */
  readonly key: Uint8Array;
};

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
  const checkpoint = servedBy(await store.readMailbox(mailboxId)); // First of all: see pageAfter.
  if ("kind" in checkpoint) return checkpoint;
  const { epoch, sequence } = checkpoint;
  if (opened !== null && (!opened.isOfEpoch(epoch) || isExpired(opened, checkpoint))) return { kind: "expired" };
  const from: Position = opened ?? beginning(sequence);
  const rows = from.position === sequence ? [] : await store.readCalendars(mailboxId);
  if (from.position < sequence) {
    // Rows may have been deleted while they were read: by retention, or with their mailbox.
    const after = servedBy(await store.readMailbox(mailboxId));
    if ("kind" in after) return after;
    const isOvertaken = after.epoch !== epoch || isExpired(from, after);
    if (isOvertaken) return { kind: token === null ? "notReady" : "expired" };
  }
  const page = pageAfter(from, sequence, rows, pageSize);
  return {
    kind: "page",
    rows: page.rows,
    link: page.isLast ? "deltaLink" : "nextLink",
    token: tokens.feed(mailboxId, { ...page.next, epoch }),
    checkpoint,
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
  const checkpoint = servedBy(await store.readMailbox(mailboxId));
  if ("kind" in checkpoint) return checkpoint;
  // The sequence was read before the rows: a version may stand for newer rows than it says, never for older ones.
  const version = versionOf(checkpoint.epoch, checkpoint.sequence, pageSize);
  if (holds(version)) return { kind: "unchanged", version, checkpoint };
  const stored = await store.readCalendars(mailboxId);
  const after = servedBy(await store.readMailbox(mailboxId)); // Rows may have been deleted with their mailbox.
  if ("kind" in after) return after;
  if (after.epoch !== checkpoint.epoch) return { kind: "notReady" };
  const rows = stored
    .filter(({ removedMs, calendarId }) => removedMs === null && (opened === null || calendarId > opened.after))
    .sort((one, other) => (one.calendarId < other.calendarId ? -1 : 1));
  const page = rows.slice(0, pageSize);
  const last = rows.length > page.length ? page.at(-1) : undefined;
  const next = last === undefined ? null : tokens.list(mailboxId, { after: last.calendarId });
  return { kind: "page", rows: page, token: next, version, checkpoint };
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
  if (row === null) return { kind: "unknownCalendar", checkpoint };
  return { kind: "calendar", row, version: versionOf(checkpoint.epoch, row.sequence, row.calendarId), checkpoint };
}

/** Reasons of mailboxes that are not served: on their way off the roster, or taken out of service by the directory. */
const unserved = /^(removing|suspended)(:|$)/;

/** The checkpoint of a mailbox that is served, or why it is not. */
function servedBy(held: Held | null): Checkpoint | FeedRefusal {
  if (held === null || unserved.test(held.checkpoint.parkedReason ?? "")) return { kind: "unknownMailbox" };
  return held.checkpoint.lastFullRoundMs === null ? { kind: "notReady" } : held.checkpoint;
}

function versionOf(...parts: readonly (string | number)[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64url").slice(0, 22);
}
