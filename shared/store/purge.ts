import type { LoggedState } from "../sync/changeLog.js";
import { StorageError } from "../table/errors.js";
import { type Action, type Columns, type ColumnValue, type Entity, type Table, tableLimits } from "../table/table.js";
import { lifecycleOf } from "./checkpointRow.js";
import { type Departure, departureAction } from "./departures.js";
import { calendarsOf, mailboxKey, rosterKey } from "./keys.js";
import { forgetInLog } from "./logRow.js";
import { commitPart, type Part, type Session, sessionOf } from "./transactionGroup.js";

/** Each attempt loses only to somebody who wrote in between; a worker writes at most once more after the fence stands. */
const attemptsMax = 10;

/** The mailbox's checkpoint as stored, which every transaction of a purge carries. */
type Fence = { readonly kind: "update"; readonly rowKey: string; readonly columns: Columns; readonly etag: string };

/** When a purge stops by itself. */
export type PurgeOptions = {
  /** Only a mailbox that is suspended or on its way out: one that came back meanwhile is `kept`. */
  readonly onlyLeaving?: boolean;
  /** Asked between transactions: true ends the work, and the mailbox stays on its way out. */
  readonly isTimeUp?: () => boolean;
};

/** `unknown`: there is no such mailbox. `unfinished`: time was up; doing it again completes it. */
export type Purged = "purged" | "unknown" | "kept" | "unfinished";

/**
 * Removes a mailbox and all its rows. First its checkpoint says so, which fences workers off (I2); it goes last, so that
 * a crash leaves a mailbox that is still on its way out, and doing it again completes it. What the change log tells of its
 * calendars goes as well. Of one that the log knows as served its departure stays, until the log has told of it (I12). What somebody has added anew under
 * the same id meanwhile stays: it is of another epoch.
 */
export async function purgeMailbox(
  table: Table,
  shard: string,
  mailboxId: string,
  newCommitId: () => string,
  options: PurgeOptions = {},
): Promise<Purged> {
  const session = sessionOf(table, shard, { newCommitId });
  let first: Entity | null = null;
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const stored = await table.get(shard, mailboxKey(mailboxId));
    if (stored === null && first === null) return options.onlyLeaving ? removeLeftOut(session, mailboxId) : "unknown";
    first ??= stored;
    // Gone in a later attempt: it was ours whose answer was lost, or another's who did the same.
    if (stored === null || stored.columns["epoch"] !== first?.columns["epoch"]) return "purged";
    const fence = await raiseFence(session, stored, options);
    if (fence === "kept") return "kept";
    const end = fence === "lost" ? "lost" : await removeRows(session, mailboxId, fence, options);
    if (end !== "lost") return end;
  }
  throw new StorageError("purge mailbox", shard, 412, `lost to others ${attemptsMax} times`);
}

/** Works on the stored columns as they are, so that a row that nobody can read any more can still be removed. */
async function raiseFence(
  session: Session,
  stored: Entity,
  { onlyLeaving }: PurgeOptions,
): Promise<Fence | "lost" | "kept"> {
  const { rowKey } = stored;
  // It stands already, from a run that crashed or one beside us. Raising it anew, two would chase each other for ever.
  const { phase, parkedReason, link } = stored.columns;
  const lifecycle = lifecycleOf(parkedReason);
  if (onlyLeaving && lifecycle === "active") return "kept";
  const departure = departureIn(stored);
  if (phase === "initial" && lifecycle === "removing" && link === undefined && departure === null) {
    return { kind: "update", rowKey, columns: stored.columns, etag: stored.etag };
  }
  const forgotten = /^((link|markedLink|marks|unlogged)(_\d+)?|notBefore|roundId)$/;
  const kept = Object.entries(stored.columns).filter(([name]) => !forgotten.test(name));
  const columns: Columns = {
    ...Object.fromEntries(kept),
    phase: "initial",
    parkedReason: "removing",
    ...(departure === null ? {} : { loggedState: departed }),
  };
  const others = departure === null ? [] : [departureAction(departure)];
  return (await commitFence(session, { kind: "update", rowKey, columns, etag: stored.etag }, others)) ?? "lost";
}

/** What `loggedState` says of a mailbox whose departure is written. */
const departed: LoggedState = "departed";

/** What the change log has to tell of a mailbox that goes; null: it knows it as gone, or it was never served. */
function departureIn({ columns }: Entity): Departure | null {
  const { mailboxId, epoch, sequence, loggedSequence, loggedState, lastFullRound } = columns;
  // Untold, it was served all the same where its first full round has ended: a reader may have copied it since.
  const isServed = lastFullRound !== undefined && loggedState !== "suspended" && loggedState !== departed;
  if (!isServed || typeof mailboxId !== "string" || typeof epoch !== "string") return null;
  const numberOf = (value: ColumnValue | undefined) => Number(value ?? 0) || 0;
  return { mailboxId, epoch, sequence: numberOf(sequence), loggedSequence: numberOf(loggedSequence) };
}

/** All goes, the checkpoint last. Each transaction carries the fence (I2). */
async function removeRows(
  session: Session,
  mailboxId: string,
  raised: Fence,
  { isTimeUp = () => false }: PurgeOptions,
): Promise<"purged" | "unfinished" | "lost"> {
  const { table, shard } = session;
  const rowKeys: string[] = [];
  if ((await table.get(shard, rosterKey(mailboxId))) !== null) rowKeys.push(rosterKey(mailboxId));
  for await (const page of table.pages(shard, calendarsOf(mailboxId), tableLimits.entitiesPerPage)) {
    rowKeys.push(...page.map(({ rowKey }) => rowKey));
  }
  await forgetInLog(table, shard, mailboxId);
  let fence = raised;
  const step = tableLimits.operationsPerTransaction - 1;
  for (let start = 0; start < rowKeys.length; start += step) {
    if (isTimeUp()) return "unfinished";
    const deletes = rowKeys.slice(start, start + step).map((rowKey): Action => ({ kind: "delete", rowKey, etag: "*" }));
    const moved = await commitFence(session, fence, deletes);
    if (moved === null) return "lost";
    fence = moved;
  }
  const { rowKey, etag } = fence;
  return (await commitFence(session, { kind: "delete", rowKey, etag })) === null ? "lost" : "purged";
}

/** The roster row of somebody who was left out and never had a mailbox. It is its own fence: who is added meanwhile stays. */
async function removeLeftOut(session: Session, mailboxId: string): Promise<"purged" | "unknown" | "kept"> {
  const stored = await session.table.get(session.shard, rosterKey(mailboxId));
  if (stored === null) return "unknown";
  if (stored.columns["state"] !== "suspended") return "kept";
  const { rowKey, etag } = stored;
  return (await commitFence(session, { kind: "delete", rowKey, etag })) === null ? "kept" : "purged";
}

/** The fence under its new ETag; null when somebody else moved it. */
async function commitFence<Kind extends Part["fence"]>(
  session: Session,
  fence: Kind,
  others: readonly Action[] = [],
): Promise<Kind | null> {
  const result = await commitPart(session, { fence, others, bytes: 0 });
  if (result.kind === "refused") throw new StorageError("purge mailbox", session.shard, 400, result.code);
  return result.kind === "committed" ? { ...fence, etag: result.etag } : null;
}
