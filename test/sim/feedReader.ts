import { below } from "../../local/graph/random.js";
import { createFeed, type DeltaPage, type MirrorFeed } from "../../shared/feed/feed.js";
import { StorageError } from "../../shared/store/errors.js";
import { createStore } from "../../shared/store/store.js";
import { quieten } from "./pace.js";
import type { Reader } from "./readers.js";
import type { Mortal } from "./scheduler.js";
import { contentText } from "./views.js";
import type { World } from "./world.js";

/** What a program keeps that follows one mailbox: a token, and the calendars that it was told of. */
type Follower = { token: string | null; walk: Map<string, string>; copy: Map<string, string> | null; isAtEnd: boolean };

const key = new Uint8Array(32).fill(7);
/** Our choice: far more pages than any mailbox of a seed has. */
const pagesMax = 500;

/**
 * Follows the product's own delta feed, one call at a time, while everything happens around it: its reads wait at the
 * scheduler's gates like all others, and fail like all others. In the end its copy must be the mirror (I6).
 */
export function feedReader(): Reader {
  const followers = new Map<string, Follower>();
  let isBusy = false;

  const ask = async (world: World, mailboxId: string, feed: MirrorFeed): Promise<void> => {
    const follower = followers.get(mailboxId) ?? newFollower();
    followers.set(mailboxId, follower);
    const answer = await feed.delta(mailboxId, follower.token, 1 + below(world.random, 4));
    if (answer.kind === "page") take(follower, answer);
    else if (answer.kind === "badToken")
      world.oracle.report("I6", `${mailboxId}: the feed's own token`, "taken", "badToken");
    else if (answer.kind !== "notReady" || follower.token !== null) followers.set(mailboxId, newFollower());
  };

  const start = (world: World, mailboxId: string): void => {
    isBusy = true;
    const mortal: Mortal = { name: "reader", isDead: false };
    const die = () => {
      world.scheduler.kill(mortal);
      isBusy = false;
    };
    const { shards } = world.plan;
    const store = createStore({ table: world.tableFor(mortal, die), shards, newCommitId: () => "none" });
    void ask(world, mailboxId, createFeed({ store, key })).then(
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
      if (!isBusy && mailboxId !== undefined) start(world, mailboxId);
    },
    check: () => undefined,
    finish: async (world) => {
      for (const [mailboxId, { checkpoint }] of world.oracle.mailboxes) {
        if (checkpoint?.hasHadFullRound !== true) continue;
        await quieten(world);
        for (let pages = 0; pages === 0 || followers.get(mailboxId)?.isAtEnd !== true; pages++) {
          if (pages > pagesMax)
            world.oracle.report("I6", `${mailboxId}: the feed never ends`, `${pagesMax} pages`, "more");
          if (world.oracle.violations.length > 0) return;
          start(world, mailboxId);
          await quieten(world);
        }
        compare(world, mailboxId, followers.get(mailboxId)?.copy ?? null);
      }
    },
  };
}

function newFollower(): Follower {
  return { token: null, walk: new Map(), copy: null, isAtEnd: false };
}

/** A walk from nothing becomes the copy when it has ended; later pages go right into the copy. */
function take(follower: Follower, { rows, token, link }: DeltaPage): void {
  const target = follower.copy ?? follower.walk;
  for (const { calendarId, resource, removedMs } of rows) {
    if (removedMs !== null) target.delete(calendarId);
    else target.set(calendarId, contentText(resource));
  }
  follower.token = token;
  follower.isAtEnd = link === "deltaLink";
  if (follower.isAtEnd) follower.copy = target;
}

function compare(world: World, mailboxId: string, copy: ReadonlyMap<string, string> | null): void {
  const alive = [...world.oracle.mailbox(mailboxId).rows.values()].filter(({ isRemoved }) => !isRemoved);
  const stale = alive.find(({ calendarId, text }) => copy?.get(calendarId) !== text);
  if (stale === undefined && alive.length === copy?.size) return;
  const seen = stale === undefined ? `${copy?.size} calendars` : `another ${stale.calendarId.slice(-12)}`;
  world.oracle.report("I6", `${mailboxId}: a copy kept by the feed`, `${alive.length} calendars of the mirror`, seen);
}
