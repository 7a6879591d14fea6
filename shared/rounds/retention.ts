import type { Log } from "../log.js";
import { type Held, operationsBesideShardRow, type PendingUnit, RowError, type Store } from "../store/store.js";
import { dayMs } from "../sync/time.js";
import type { CalendarRow } from "../sync/types.js";

/** What retention needs from outside. */
export type RetentionPorts = {
  readonly clock: { nowMs(): number };
  readonly store: Store;
  readonly shards: readonly string[];
  /** How long a tombstone is kept at least. */
  readonly tombstoneMs: number;
  /** How long rows of the change log, and of the log of actions, are kept. */
  readonly historyMs: number;
  readonly runMsMax: number;
  readonly log: Log;
};

/** How a run ended. `unfinished`: its time was over; the next one goes on. `leftOver`: mailboxes that it lost to others. */
type RetentionEnd = {
  readonly kind: "done" | "unfinished";
  readonly deleted: number;
  /** Rows of the change log that were deleted. */
  readonly logRows: number;
  /** Rows of the action log that were deleted. */
  readonly actions: number;
  readonly leftOver: number;
};

/** Our choice: mailboxes read at once and committed together. The sooner the commit, the rarer a lost fence. */
const mailboxesAtOnceMax = 16;

/** Retention holds no shard: in the place of the shard's row stands the checkpoint. A larger unit would be torn. */
const forgottenPerUnitMax = operationsBesideShardRow;

/** Each attempt loses only to a worker that wrote in between. After that the next run tries. */
const attemptsMax = 3;

/**
 * Deletes rows of the logs of changes and of actions that are older than theirs, and tombstones that are older than their
 * retention, and notes in each checkpoint up to which sequence: readers of the feed that have not come so far must start over. Fenced like every other write (I2). Mailboxes that are being removed
 * from the roster are left alone. Each day begins with another shard, so that no shard is the last one every time.
 */
export async function applyRetention(ports: RetentionPorts): Promise<RetentionEnd> {
  const { clock, store, shards, log } = ports;
  const startMs = clock.nowMs();
  const first = Math.floor(startMs / dayMs) % Math.max(1, shards.length);
  let deleted = 0;
  let leftOver = 0;
  let logRows = 0;
  const isTimeUp = () => clock.nowMs() - startMs >= ports.runMsMax;
  const actions = await store.retireActions(startMs - ports.historyMs, isTimeUp);
  const ended = (kind: RetentionEnd["kind"]): RetentionEnd => {
    log("info", `tombstones ${kind}`, { deleted, leftOver, logRows, actions, transactions: store.transactions() });
    return { kind, deleted, logRows, actions, leftOver };
  };
  for (const shard of [...shards.slice(first), ...shards.slice(0, first)]) {
    logRows += await store.retireLog(shard, startMs - ports.historyMs, isTimeUp);
    for await (const found of store.mailboxesWithTombstones(shard, startMs - ports.tombstoneMs)) {
      for (let start = 0; start < found.length; start += mailboxesAtOnceMax) {
        if (isTimeUp()) return ended("unfinished");
        const end = await deleteOf(found.slice(start, start + mailboxesAtOnceMax), startMs - ports.tombstoneMs, ports);
        deleted += end.deleted;
        leftOver += end.leftOver;
      }
    }
    if (isTimeUp()) return ended("unfinished");
  }
  return ended("done");
}

/** A mailbox in hand: tombstones that were read after its checkpoint, oldest change first. */
type Due = { readonly held: Held; readonly tombstones: readonly CalendarRow[] };

async function deleteOf(mailboxIds: readonly string[], beforeMs: number, ports: RetentionPorts) {
  let waiting = mailboxIds;
  let deleted = 0;
  for (let attempt = 0; attempt < attemptsMax && waiting.length > 0; attempt++) {
    const read = await Promise.all(waiting.map((mailboxId) => dueOf(mailboxId, beforeMs, ports)));
    let due = read.filter((one) => one !== null);
    const lost: string[] = [];
    while (due.length > 0) {
      const { results } = await ports.store.commitUnits(due.map(unitOf), null);
      const more: Due[] = [];
      for (const [index, { held, tombstones }] of due.entries()) {
        const result = results[index];
        if (result?.kind !== "committed") {
          lost.push(held.checkpoint.mailboxId);
          continue;
        }
        deleted += Math.min(tombstones.length, forgottenPerUnitMax);
        const rest = tombstones.slice(forgottenPerUnitMax);
        if (rest.length > 0) more.push({ held: result.held, tombstones: rest });
      }
      due = more;
    }
    waiting = lost;
  }
  return { deleted, leftOver: waiting.length };
}

/** The checkpoint first: what was read with it is as it was read for as long as its ETag stands. */
async function dueOf(mailboxId: string, beforeMs: number, { store, log }: RetentionPorts): Promise<Due | null> {
  try {
    const held = await store.readMailbox(mailboxId);
    if (held === null || held.checkpoint.lifecycle === "removing") return null;
    const tombstones = await store.readTombstones(mailboxId, beforeMs);
    if (tombstones.length === 0) return null;
    return { held, tombstones: [...tombstones].sort((one, other) => one.sequence - other.sequence) };
  } catch (error) {
    if (!(error instanceof RowError)) throw error;
    log("error", error.message, { mailbox: mailboxId }); // The others go on (I10).
    return null;
  }
}

function unitOf({ held, tombstones }: Due): PendingUnit {
  const expired = tombstones.slice(0, forgottenPerUnitMax);
  const { checkpoint } = held;
  const retiredSequence = Math.max(checkpoint.retiredSequence, ...expired.map(({ sequence }) => sequence));
  const forget = expired.map(({ calendarId }) => calendarId);
  return { held, rows: [], forget, next: { ...checkpoint, retiredSequence } };
}
