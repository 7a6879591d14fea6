import type { Status } from "../../shared/views/status.js";
import type { Product } from "./product.js";
import type { Screen } from "./screen.js";

/** Fills a roster of any size and brings it up to date, by the product's own figures instead of its rows. */

const pollMs = 1_000;
const reportEveryMs = 5_000;
/** Discovery that makes no progress for so long has failed. */
const stillMsMax = 120_000;
/** How many ticks without progress are tried before the summary says what is wrong. */
const idleTicksMax = 4;
const tickMsMax = 15 * 60_000;

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** The status. Tries for two minutes: on a busy machine storage answers late. @throws the last error. */
async function statusOf(product: Product): Promise<Status> {
  for (const firstMs = Date.now(); ; await pause(pollMs)) {
    try {
      return await product.status();
    } catch (error) {
      if (Date.now() - firstMs > stillMsMax) throw error;
    }
  }
}

/** Discovers the roster. @returns how many mailboxes are on it. @throws Error in one line when discovery makes no progress. */
export async function discoverRoster(product: Product, screen: Screen): Promise<number> {
  await product.discover();
  let last = -1;
  let reportedMs = Date.now();
  for (let movedMs = Date.now(); ; await pause(pollMs)) {
    const { roster } = await statusOf(product);
    const { state, seen, added, discovered, held, lastErrorCode } = roster;
    if (seen !== last) movedMs = Date.now();
    last = seen;
    if (Date.now() - reportedMs >= reportEveryMs || state === "idle") {
      // Not what this pass has added: a pass before it may have, which the timer began.
      screen.say(`  ${seen} users seen, ${discovered} mailboxes discovered`, {
        event: "roster",
        seen,
        added,
        discovered,
      });
      reportedMs = Date.now();
    }
    if (state === "idle") return roster.discovered;
    if (state === "held") throw new Error(`Discovery is held: ${held?.leaving} of ${held?.of} would be suspended.`);
    if (Date.now() - movedMs > stillMsMax) throw new Error(`Discovery does not move: ${lastErrorCode ?? state}.`);
  }
}

/** Ticks until all mailboxes are fresh, or some ticks in a row have brought no progress. */
export async function tickByFigures(product: Product, screen: Screen): Promise<void> {
  let idleTicks = 0;
  let best = -1;
  while (idleTicks < idleTicksMax) {
    const { mailboxes } = await oneTick(product);
    const { fresh } = mailboxes.byState;
    screen.progress({ mailboxes: mailboxes.mirrored, fresh, calendars: mailboxes.calendars, notFresh: {} });
    if (mailboxes.mirrored > 0 && fresh === mailboxes.mirrored) return;
    idleTicks = fresh > best ? 0 : idleTicks + 1;
    best = Math.max(best, fresh);
  }
}

/** Starts a tick, and waits until every shard has finished one that started after that. */
export async function oneTick(product: Product): Promise<Status> {
  const before = (await statusOf(product)).ticks.newest ?? "";
  await product.tick();
  for (const askedMs = Date.now(); ; await pause(pollMs)) {
    const status = await statusOf(product);
    const isDone = status.shards.every(({ started, finished }) => (started ?? "") > before && finished !== null);
    if (isDone) return status;
    if (Date.now() - askedMs > tickMsMax) throw new Error("A tick does not come to its end. Look at the host's log.");
  }
}
