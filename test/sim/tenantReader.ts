import { below } from "../../local/graph/random.js";
import { createTenantFeed, type TenantFeed, type TenantItem } from "../../shared/feed/tenant.js";
import { shardNames } from "../../shared/store/keys.js";
import { createStore } from "../../shared/store/store.js";
import { StorageError } from "../../shared/table/errors.js";
import { quieten } from "./pace.js";
import type { Reader } from "./readers.js";
import type { Mortal } from "./scheduler.js";
import { contentText } from "./views.js";
import type { World } from "./world.js";

/** What a program keeps that copies the whole tenant: calendars by mailbox, and the link to go on with. */
type Copy = { readonly calendars: Map<string, Map<string, string>>; token: string | null; isAtEnd: boolean };

const key = new Uint8Array(32).fill(9);
/** Our choice: far more pages than any seed has. */
const pagesMax = 2_000;

/**
 * Programs that copy the whole tenant and follow it, one call at a time, while everything happens around them: one that
 * always goes on, one that comes late, and one that begins anew now and then. In the end each must hold exactly the living
 * calendars of all mailboxes that are served (I13).
 */
export function tenantReader(): Reader {
  const readers = [1, 0.05, 0.4].map((eagerness) => ({ eagerness, copy: nothing(), isBusy: false }));

  const start = (world: World, reader: (typeof readers)[number]): void => {
    reader.isBusy = true;
    const mortal: Mortal = { name: "tenant reader", isDead: false };
    const die = () => {
      world.scheduler.kill(mortal);
      reader.isBusy = false;
    };
    const { shards } = world.plan;
    const store = createStore({ table: world.tableFor(mortal, die), shards, newCommitId: () => "none" });
    const onUnreadable = (error: Error) => world.oracle.report("I13", "a row", "read", error.message);
    const feed = createTenantFeed({ store, shards: shardNames(shards), key, onUnreadable });
    void ask(world, reader.copy, feed).then(
      () => {
        if (!mortal.isDead) reader.isBusy = false;
      },
      (error: unknown) => {
        if (!mortal.isDead) reader.isBusy = false;
        if (!(error instanceof StorageError)) world.oracle.report("I13", "the feed threw", "an answer", String(error));
      },
    );
  };

  return {
    name: "tenant",
    step: (world) => {
      const reader = readers[below(world.random, readers.length)];
      if (reader === undefined || reader.isBusy || world.random.next() > reader.eagerness) return;
      if (reader.eagerness === 0.4 && world.random.next() < 0.1) reader.copy = nothing();
      start(world, reader);
    },
    check: () => undefined,
    finish: async (world) => {
      for (const reader of readers) {
        // The walk in hand may have passed a shard before its last change.
        for (const _ of ["the walk in hand", "another one"]) {
          await quieten(world);
          reader.copy.isAtEnd = false;
          for (let pages = 0; !reader.copy.isAtEnd; pages++) {
            if (pages > pagesMax)
              world.oracle.report("I13", "the tenant's feed never ends", `${pagesMax} pages`, "more");
            if (world.oracle.violations.length > 0) return;
            start(world, reader);
            await quieten(world);
          }
        }
        compare(world, reader.copy);
      }
    },
  };
}

function nothing(): Copy {
  return { calendars: new Map(), token: null, isAtEnd: false };
}

async function ask(world: World, copy: Copy, feed: TenantFeed): Promise<void> {
  const { token } = copy;
  const answer = await feed.delta(token, 1 + below(world.random, 6));
  if (answer.kind !== "page") {
    if (answer.kind === "badToken") world.oracle.report("I13", "the feed's own token", "taken", answer.kind);
    copy.calendars.clear();
    copy.token = null;
    return;
  }
  for (const item of answer.items) taken(copy, item);
  copy.token = answer.token;
  copy.isAtEnd = answer.link === "deltaLink";
}

function taken({ calendars }: Copy, { mailboxId, row }: TenantItem): void {
  const own = calendars.get(mailboxId) ?? new Map<string, string>();
  if (row === null) own.clear();
  else if (row.removedMs === null) own.set(row.calendarId, contentText(row.resource));
  else own.delete(row.calendarId);
  calendars.set(mailboxId, own);
}

function compare(world: World, { calendars }: Copy): void {
  const { oracle } = world;
  for (const mailboxId of new Set([...calendars.keys(), ...oracle.mailboxes.keys()])) {
    const { checkpoint, rows } = oracle.mailbox(mailboxId);
    // Of a mailbox that stays broken a message may have brought something after the last tick.
    if (checkpoint?.hasHadFullRound === true && checkpoint.loggedSequence !== checkpoint.sequence) continue;
    const isServed =
      checkpoint?.hasHadFullRound === true && !["suspended", "removing"].includes(checkpoint.parkedReason ?? "");
    const living = isServed ? [...rows.values()].filter(({ isRemoved }) => !isRemoved) : [];
    const own = calendars.get(mailboxId) ?? new Map<string, string>();
    const stale = living.find(({ calendarId, text }) => own.get(calendarId) !== text);
    if (stale === undefined && own.size === living.length) continue;
    const seen =
      stale === undefined ? `${own.size} calendars of ${living.length}` : `another ${stale.calendarId.slice(-12)}`;
    oracle.report("I13", `${mailboxId}: a copy of the tenant`, "the mirror's calendars", seen);
  }
}
