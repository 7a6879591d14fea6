import { StorageError } from "../table/errors.js";
import type { Action, Columns, Table, Transacted } from "../table/table.js";
import { sameColumns } from "./columns.js";

/** Writes a row under the ETag of the one that was read; null creates it. */
export function createOrUpdate(rowKey: string, columns: Columns, etag: string | null) {
  return etag === null
    ? ({ kind: "create", rowKey, columns } as const)
    : ({ kind: "update", rowKey, columns, etag } as const);
}

/**
 * Writes one row, and `others` in the same transaction. After a lost answer it is sent once more. A refusal may hide our
 * own success, so something in the row must be new with each write: a commit id, or the id of a run.
 * @returns The row's new ETag; null: somebody else wrote it first.
 * @throws StorageError when the table gives no clear answer twice, or will never take it.
 */
export async function writeRow(
  table: Table,
  partitionKey: string,
  row: ReturnType<typeof createOrUpdate>,
  others: readonly Action[] = [],
): Promise<string | null> {
  const ask = (): Promise<Transacted> => table.transact(partitionKey, [row, ...others]);
  const answer = await ask().catch((error: unknown) => {
    if (!(error instanceof StorageError)) throw error;
    return ask(); // Where the first was applied, this one is refused.
  });
  if (answer.kind === "done") return answer.etags[0] ?? "";
  if (answer.reason !== "conflict") throw new StorageError(`write ${row.rowKey}`, partitionKey, 400, answer.code);
  return ownEtag(table, partitionKey, row);
}

/** The ETag of a row that holds just what we wrote; null: it holds something else. */
async function ownEtag(
  table: Table,
  partitionKey: string,
  { rowKey, columns }: { readonly rowKey: string; readonly columns: Columns },
): Promise<string | null> {
  const stored = await table.get(partitionKey, rowKey);
  return stored !== null && sameColumns(stored.columns, columns) ? stored.etag : null;
}
