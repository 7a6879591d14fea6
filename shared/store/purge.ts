import { removingReason } from "../sync/due.js";
import { commitIdColumn } from "./entities.js";
import { StorageError } from "./errors.js";
import { calendarsOf, mailboxKey } from "./keys.js";
import { type Action, type Columns, type Table, type Transacted, tableLimits } from "./table.js";

/** Each turn loses only to somebody who wrote in between; a worker writes at most once more after the fence stands. */
const turnsMax = 10;

type Fence = { readonly rowKey: string; readonly columns: Columns; readonly etag: string };

/**
 * Removes a mailbox and all its rows. First its checkpoint says so, which fences workers off (I2); it goes last, so that
 * a crash leaves a mailbox that is still on its way out, and doing it again completes it.
 * @returns `unknown` when there is no such mailbox.
 */
export async function purgeMailbox(
  table: Table,
  shard: string,
  mailboxId: string,
  newCommitId: () => string,
): Promise<"purged" | "unknown"> {
  for (let turn = 0; turn < turnsMax; turn++) {
    const fence = await raiseFence(table, shard, mailboxKey(mailboxId), newCommitId());
    // Gone in a later turn: it was ours whose answer was lost, or another's who did the same.
    if (fence === "gone") return turn === 0 ? "unknown" : "purged";
    if (fence !== "lost" && (await removeRows(table, shard, mailboxId, fence))) return "purged";
  }
  throw new StorageError("purge mailbox", shard, 412, `lost to others ${turnsMax} times`);
}

/** Works on the stored columns as they are, so that a row that nobody can read any more can still be removed. */
async function raiseFence(
  table: Table,
  shard: string,
  rowKey: string,
  commitId: string,
): Promise<Fence | "gone" | "lost"> {
  const stored = await table.get(shard, rowKey);
  if (stored === null) return "gone";
  // It stands already, from a run that crashed or one beside us. Raising it anew, two would chase each other for ever.
  const { phase, parkedReason, link } = stored.columns;
  if (phase === "initial" && parkedReason === removingReason && link === undefined) {
    return { rowKey, columns: stored.columns, etag: stored.etag };
  }
  const forgotten = /^(link(_\d+)?|notBefore|roundId)$/;
  const kept = Object.entries(stored.columns).filter(([name]) => !forgotten.test(name));
  const columns: Columns = {
    ...Object.fromEntries(kept),
    phase: "initial",
    parkedReason: removingReason,
    [commitIdColumn]: commitId,
  };
  const answer = await table.transact(shard, [{ kind: "update", rowKey, columns, etag: stored.etag }]);
  return movedFence({ rowKey, columns, etag: stored.etag }, answer, shard) ?? "lost";
}

/** Whether all went, the checkpoint last. Each transaction carries the fence (I2). */
async function removeRows(table: Table, shard: string, mailboxId: string, raised: Fence): Promise<boolean> {
  const rowKeys: string[] = [];
  for await (const page of table.pages(shard, calendarsOf(mailboxId), tableLimits.entitiesPerPage)) {
    rowKeys.push(...page.map(({ rowKey }) => rowKey));
  }
  let fence = raised;
  const step = tableLimits.operationsPerTransaction - 1;
  for (let start = 0; start < rowKeys.length; start += step) {
    const { rowKey, columns, etag } = fence;
    const deletes = rowKeys
      .slice(start, start + step)
      .map((key): Action => ({ kind: "delete", rowKey: key, etag: "*" }));
    const answer = await table.transact(shard, [{ kind: "update", rowKey, columns, etag }, ...deletes]);
    const moved = movedFence(fence, answer, shard);
    if (moved === null) return false;
    fence = moved;
  }
  const last = await table.transact(shard, [{ kind: "delete", rowKey: fence.rowKey, etag: fence.etag }]);
  return movedFence(fence, last, shard) !== null;
}

/** The fence under its new ETag; null when somebody else moved it. */
function movedFence(fence: Fence, answer: Transacted, shard: string): Fence | null {
  if (answer.kind === "done") return { ...fence, etag: answer.etags[0] ?? "" };
  if (answer.reason === "conflict") return null;
  throw new StorageError("purge mailbox", shard, 400, answer.code);
}
