import type { JsonObject } from "../sync/types.js";
import type { Table } from "../table/table.js";
import { figuresAction } from "./figuresRow.js";
import { shardRowKey } from "./keys.js";
import { type ShardRow, shardRowColumns } from "./shardRow.js";
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

/** See `Store.writeShardRow`. The run's id in it tells an own success from another's. */
export async function writeShardRow(
  table: Table,
  { shard, row, etag, figures }: NewShardRow,
): Promise<ShardClaim | "superseded"> {
  const others = figures === undefined ? [] : [figuresAction(figures)];
  const written = await writeRow(table, shard, claimAction({ row, etag }), others);
  return written === null ? "superseded" : { shard, row, etag: written };
}
