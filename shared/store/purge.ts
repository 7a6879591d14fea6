import { StorageError } from "../table/errors.js";
import { type Action, type Columns, type Table, type Transacted, tableLimits } from "../table/table.js";
import { commitIdColumn, lifecycleOf } from "./entities.js";
import { calendarsOf, mailboxKey, rosterKey } from "./keys.js";

/** Each turn loses only to somebody who wrote in between; a worker writes at most once more after the fence stands. */
const turnsMax = 10;

type Fence = { readonly rowKey: string; readonly columns: Columns; readonly etag: string };

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
 * a crash leaves a mailbox that is still on its way out, and doing it again completes it.
 */
export async function purgeMailbox(
  table: Table,
  shard: string,
  mailboxId: string,
  newCommitId: () => string,
  options: PurgeOptions = {},
): Promise<Purged> {
  for (let turn = 0; turn < turnsMax; turn++) {
    const fence = await raiseFence(table, shard, mailboxKey(mailboxId), newCommitId(), options);
    // Gone in a later turn: it was ours whose answer was lost, or another's who did the same.
    if (fence === "gone") return turn === 0 ? "unknown" : "purged";
    if (fence === "kept") return "kept";
    const end = fence === "lost" ? "lost" : await removeRows(table, shard, mailboxId, fence, options);
    if (end !== "lost") return end;
  }
  throw new StorageError("purge mailbox", shard, 412, `lost to others ${turnsMax} times`);
}

/** Works on the stored columns as they are, so that a row that nobody can read any more can still be removed. */
async function raiseFence(
  table: Table,
  shard: string,
  rowKey: string,
  commitId: string,
  { onlyLeaving }: PurgeOptions,
): Promise<Fence | "gone" | "lost" | "kept"> {
  const stored = await table.get(shard, rowKey);
  if (stored === null) return "gone";
  // It stands already, from a run that crashed or one beside us. Raising it anew, two would chase each other for ever.
  const { phase, parkedReason, link } = stored.columns;
  const lifecycle = lifecycleOf(parkedReason);
  if (onlyLeaving && lifecycle === "active") return "kept";
  if (phase === "initial" && lifecycle === "removing" && link === undefined) {
    return { rowKey, columns: stored.columns, etag: stored.etag };
  }
  const forgotten = /^(link(_\d+)?|notBefore|roundId)$/;
  const kept = Object.entries(stored.columns).filter(([name]) => !forgotten.test(name));
  const columns: Columns = {
    ...Object.fromEntries(kept),
    phase: "initial",
    parkedReason: "removing",
    [commitIdColumn]: commitId,
  };
  const answer = await table.transact(shard, [{ kind: "update", rowKey, columns, etag: stored.etag }]);
  return movedFence({ rowKey, columns, etag: stored.etag }, answer, shard) ?? "lost";
}

/** All goes, the checkpoint last. Each transaction carries the fence (I2). */
async function removeRows(
  table: Table,
  shard: string,
  mailboxId: string,
  raised: Fence,
  { isTimeUp = () => false }: PurgeOptions,
): Promise<"purged" | "unfinished" | "lost"> {
  const rowKeys: string[] = [];
  if ((await table.get(shard, rosterKey(mailboxId))) !== null) rowKeys.push(rosterKey(mailboxId));
  for await (const page of table.pages(shard, calendarsOf(mailboxId), tableLimits.entitiesPerPage)) {
    rowKeys.push(...page.map(({ rowKey }) => rowKey));
  }
  let fence = raised;
  const step = tableLimits.operationsPerTransaction - 1;
  for (let start = 0; start < rowKeys.length; start += step) {
    if (isTimeUp()) return "unfinished";
    const { rowKey, columns, etag } = fence;
    const deletes = rowKeys
      .slice(start, start + step)
      .map((key): Action => ({ kind: "delete", rowKey: key, etag: "*" }));
    const answer = await table.transact(shard, [{ kind: "update", rowKey, columns, etag }, ...deletes]);
    const moved = movedFence(fence, answer, shard);
    if (moved === null) return "lost";
    fence = moved;
  }
  const last = await table.transact(shard, [{ kind: "delete", rowKey: fence.rowKey, etag: fence.etag }]);
  return movedFence(fence, last, shard) === null ? "lost" : "purged";
}

/** The fence under its new ETag; null when somebody else moved it. */
function movedFence(fence: Fence, answer: Transacted, shard: string): Fence | null {
  if (answer.kind === "done") return { ...fence, etag: answer.etags[0] ?? "" };
  if (answer.reason === "conflict") return null;
  throw new StorageError("purge mailbox", shard, 400, answer.code);
}
