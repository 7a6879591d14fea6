import type { JsonObject } from "../sync/types.js";
import { RowError } from "../table/errors.js";
import type { Action, Table } from "../table/table.js";
import { ColumnReader, ColumnWriter } from "./columns.js";
import { figuresRowKey } from "./keys.js";

/** The shard's figures; null when it has none yet, or none that can be read: figures stop no run. */
export async function readFigures(table: Table, shard: string): Promise<JsonObject | null> {
  const entity = await table.get(shard, figuresRowKey);
  if (entity === null) return null;
  try {
    return new ColumnReader(entity).object("figures");
  } catch (error) {
    if (error instanceof RowError) return null;
    throw error;
  }
}

/** The figures' row, written along with the shard's own: only the run that holds the shard tells its figures. */
export function figuresAction(figures: JsonObject): Action {
  const columns = new ColumnWriter().text("figures", JSON.stringify(figures)).columns();
  return { kind: "upsert", rowKey: figuresRowKey, columns };
}
