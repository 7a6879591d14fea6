import type { JsonObject } from "../sync/types.js";
import type { Table } from "../table/table.js";
import { figuresAction } from "./figuresRow.js";
import { shardRowKey } from "./keys.js";
import { type ShardRow, shardRowColumns, shardRowOf } from "./shardRow.js";
import { createOrUpdate, writeRow } from "./writeRow.js";

/** A run's hold on its shard: the row that it writes next, and the ETag of the row as stored. */
export type ShardClaim = { readonly shard: string; readonly row: ShardRow; readonly etag: string };

/** `etag` null: the first one. `figures`: written in the same transaction. */
export type NewShardRow = {
  readonly shard: string;
  readonly row: ShardRow;
  readonly etag: string | null;
  readonly figures?: JsonObject;
};

/** The action that writes the claim's row: whoever has taken the shard over since makes it fail. */
export function claimAction({ row, etag }: Pick<NewShardRow, "row" | "etag">) {
  return createOrUpdate(shardRowKey, shardRowColumns(row), etag);
}

/**
 * The claim as it stands after transactions of ours of which some were applied without our knowing. The run's id tells its
 * row from another's. Null: another run has taken the shard over.
 */
export async function ownClaim(table: Table, claim: ShardClaim): Promise<ShardClaim | null> {
  const stored = await table.get(claim.shard, shardRowKey);
  const row = stored === null ? null : shardRowOf(stored);
  if (stored === null || row === null || row.run?.runId !== claim.row.run?.runId) return null;
  return { ...claim, row: { run: claim.row.run, log: row.log }, etag: stored.etag };
}

/** See `Store.writeShardRow`. The run's id in it tells an own success from another's. */
export async function writeShardRow(
  table: Table,
  { shard, row, etag, figures }: NewShardRow,
): Promise<ShardClaim | "superseded"> {
  const others = figures === undefined ? [] : [figuresAction(figures)];
  const written = await writeRow(table, shard, claimAction({ row, etag }), others);
  return written === null ? "superseded" : { shard, row, etag: written };
}
