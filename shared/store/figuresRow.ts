import type { JsonObject } from "../sync/types.js";
import { RowError } from "../table/errors.js";
import type { Action, Table } from "../table/table.js";
import { columnsOf, json, type RowTable, rowOf } from "./columns.js";
import { figuresRowKey } from "./keys.js";

/**
 * The columns of a shard's figures.
 * @internal For tests.
 */
export const figuresTable: RowTable<{ readonly figures: JsonObject }> = {
  figures: json.needed("figures", "JSON: the census, the last 288 ticks, the run in hand"),
};

/** The shard's figures; null when it has none yet, or none that can be read: figures stop no run. */
export async function readFigures(table: Table, shard: string): Promise<JsonObject | null> {
  const entity = await table.get(shard, figuresRowKey);
  if (entity === null) return null;
  try {
    return rowOf(figuresTable, entity).figures;
  } catch (error) {
    if (error instanceof RowError) return null;
    throw error;
  }
}

/** The figures' row, written along with the shard's own: only the run that holds the shard writes its figures. */
export function figuresAction(figures: JsonObject): Action {
  return { kind: "upsert", rowKey: figuresRowKey, columns: columnsOf(figuresTable, { figures }) };
}
