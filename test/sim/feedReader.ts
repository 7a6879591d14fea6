import { below } from "../../local/graph/random.js";
import {
  createFeed,
  type DeltaPage,
  type FeedRefusal,
  type ListPage,
  type MirrorFeed,
} from "../../shared/feed/feed.js";
import { type ListQuery, plainList } from "../../shared/feed/query/listQuery.js";
import { parseOrderBy } from "../../shared/feed/query/syntax.js";
import { createStore } from "../../shared/store/store.js";
import type { CalendarRow } from "../../shared/sync/types.js";
import { StorageError } from "../../shared/table/errors.js";
import { quieten } from "./pace.js";
import type { Reader } from "./readers.js";
import type { Mortal } from "./scheduler.js";
import { contentText, type RowView } from "./views.js";
import type { World } from "./world.js";

type Rows = ReadonlyMap<string, RowView>;

/**
 * One walk: over the delta feed, from nothing or from a deltaLink, to the next deltaLink; or over the list, to its end.
 * `query`: of a list. `copy`: the calendars that it was told of. `moments`: what the mirror was at each moment since its first request.
 */
type Walk = {
  token: string | null;
  readonly query: ListQuery;
  readonly copy: Map<string, string>;
  readonly moments: Set<Rows>;
};

/**
 * What a program keeps that reads one mailbox: the walks in hand, the one that ended with the deltaLink that it holds,
 * whether its last call ended a walk, and how many lists it has begun: every second one in an order of its own.
 */
type Follower = { delta: Walk | null; list: Walk | null; deltaLink: Walk | null; isAtEnd: boolean; lists: number };

const key = new Uint8Array(32).fill(7);
const orderBy = parseOrderBy("name desc");
if ("mistake" in orderBy) throw new Error(orderBy.mistake);
const byName: ListQuery = { ...plainList, orderBy, text: "name desc" };
/** Our choice: far more pages than any mailbox of a seed has. */
const pagesMax = 500;

/**
 * Reads the product's own feed, one call at a time, while everything happens around it: its reads wait at the scheduler's
 * gates like all others, and fail like all others. Whenever a walk has ended, over the delta feed or the list, what it
 * holds must be the mirror as it stood at one moment since the walk's first request (I6).
 */
export function feedReader(): Reader {
  const followers = new Map<string, Follower>();
  let isBusy = false;

  const followerOf = (mailboxId: string): Follower => {
    const follower = followers.get(mailboxId) ?? { delta: null, list: null, deltaLink: null, isAtEnd: false, lists: 0 };
    followers.set(mailboxId, follower);
    return follower;
  };

  const start = (world: World, mailboxId: string, ask: typeof askDelta): void => {
    isBusy = true;
    const mortal: Mortal = { name: "reader", isDead: false };
    const die = () => {
      world.scheduler.kill(mortal);
      isBusy = false;
    };
    const { shards } = world.plan;
    const store = createStore({ table: world.tableFor(mortal, die), shards, newCommitId: () => "none" });
    void ask(world, mailboxId, followerOf(mailboxId), createFeed({ store, key })).then(
      () => {
        if (!mortal.isDead) isBusy = false;
      },
      (error: unknown) => {
        if (!mortal.isDead) isBusy = false;
        if (!(error instanceof StorageError)) world.oracle.report("I6", "the feed threw", "an answer", String(error));
      },
    );
  };

  return {
    name: "feed",
    step: (world) => {
      const ids = [...world.wanted.keys()];
      const mailboxId = ids[below(world.random, ids.length)];
      if (isBusy || mailboxId === undefined) return;
      const isList = world.random.next() < 0.3;
      // A copy is lost now and then: walks from nothing are no less common than those that go on.
      if (!isList && world.random.next() < 0.15) followers.delete(mailboxId);
      start(world, mailboxId, isList ? askList : askDelta);
    },
    check: (world) => {
      for (const [mailboxId, { delta, list }] of followers) {
        for (const walk of [delta, list]) if (walk !== null) note(world, mailboxId, walk);
      }
    },
    finish: async (world) => {
      for (const [mailboxId, { checkpoint }] of world.oracle.mailboxes) {
        if (checkpoint?.hasHadFullRound !== true) continue;
        for (const ask of [askDelta, askList]) {
          await quieten(world);
          for (let pages = 0; pages === 0 || !followerOf(mailboxId).isAtEnd; pages++) {
            if (pages > pagesMax)
              world.oracle.report("I6", `${mailboxId}: the feed never ends`, `${pagesMax} pages`, "more");
            if (world.oracle.violations.length > 0) return;
            start(world, mailboxId, ask);
            await quieten(world);
          }
        }
      }
    },
  };
}

async function askDelta(world: World, mailboxId: string, follower: Follower, feed: MirrorFeed): Promise<void> {
  follower.isAtEnd = false;
  const walk = follower.delta ?? newWalk(follower.deltaLink);
  follower.delta = walk;
  note(world, mailboxId, walk);
  const answer = await feed.delta(mailboxId, walk.token, 1 + below(world.random, 4));
  if (follower.delta !== walk) return; // Its copy was lost meanwhile.
  if (answer.kind !== "page") {
    if (isRefused(world, mailboxId, walk, answer)) Object.assign(follower, { delta: null, deltaLink: null });
    return;
  }
  take(walk, answer);
  if (answer.link === "nextLink") return;
  compare(world, mailboxId, "a walk of the delta feed", walk);
  Object.assign(follower, { delta: null, deltaLink: walk, isAtEnd: true });
}

async function askList(world: World, mailboxId: string, follower: Follower, feed: MirrorFeed): Promise<void> {
  follower.isAtEnd = false;
  const walk = follower.list ?? newWalk(null, follower.lists++ % 2 === 0 ? plainList : byName);
  follower.list = walk;
  note(world, mailboxId, walk);
  const { token, query } = walk;
  const answer = await feed.list(mailboxId, { token, query, pageSize: 1 + below(world.random, 4) });
  if (follower.list !== walk) return;
  if (answer.kind === "unchanged") throw new Error("The list says unchanged to a reader that holds nothing.");
  if (answer.kind !== "page") {
    if (isRefused(world, mailboxId, walk, answer)) follower.list = null;
    return;
  }
  const again = answer.rows.find(({ calendarId }) => walk.copy.has(calendarId));
  if (again !== undefined) world.oracle.report("I6", `${mailboxId}: a list`, "each calendar once", again.calendarId);
  take(walk, answer);
  if (answer.token !== null) return;
  compare(world, mailboxId, "a list", walk);
  Object.assign(follower, { list: null, isAtEnd: true });
}

/** Whether the walk is over. What is only refused is asked again, also when its mailbox has begun another epoch. */
function isRefused(world: World, mailboxId: string, walk: Walk, { kind }: FeedRefusal): boolean {
  if (kind === "badToken") world.oracle.report("I6", `${mailboxId}: the feed's own token`, "taken", kind);
  if (kind === "expired" && walk.token === null)
    world.oracle.report("I6", `${mailboxId}: a walk from nothing`, "begun", kind);
  return kind === "expired";
}

/** A walk goes on from where the one before has ended; from nothing, if there was none. */
function newWalk(before: Walk | null, query = plainList): Walk {
  return { token: before?.token ?? null, query, copy: new Map(before?.copy), moments: new Set() };
}

function take(walk: Walk, page: DeltaPage | ListPage): void {
  for (const row of page.rows) taken(walk.copy, row);
  walk.token = page.token;
}

function taken(copy: Map<string, string>, { calendarId, resource, removedMs }: CalendarRow): void {
  if (removedMs !== null) copy.delete(calendarId);
  else copy.set(calendarId, contentText(resource));
}

/** What the mirror is now, where it can be read. Views of the oracle are replaced and never changed. */
function note(world: World, mailboxId: string, { moments }: Walk): void {
  const { checkpoint, rows } = world.oracle.mailbox(mailboxId);
  if (checkpoint?.hasHadFullRound === true && checkpoint.parkedReason !== "removing") moments.add(rows);
}

function compare(world: World, mailboxId: string, what: string, { copy, moments }: Walk): void {
  let nearest = "no moment at which it could be read";
  for (const rows of moments) {
    const difference = differenceOf(rows, copy);
    if (difference === null) return;
    nearest = difference;
  }
  world.oracle.report("I6", `${mailboxId}: ${what}`, "the mirror at one moment since it began", nearest);
}

/** Null when the copy is just the calendars that are alive. */
function differenceOf(rows: Rows, copy: ReadonlyMap<string, string>): string | null {
  const alive = [...rows.values()].filter(({ isRemoved }) => !isRemoved);
  const stale = alive.find(({ calendarId, text }) => copy.get(calendarId) !== text);
  if (stale !== undefined)
    return `${copy.has(stale.calendarId) ? "another" : "no"} ${stale.calendarId.slice(-12)} of ${alive.length}`;
  return alive.length === copy.size ? null : `${copy.size} calendars of ${alive.length}`;
}
