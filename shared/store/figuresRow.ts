import type { JsonObject } from "../sync/types.js";
import { RowError } from "../table/errors.js";
import type { Action, Table } from "../table/table.js";
import { columnsOf, json, partNames, type RowTable } from "./columns.js";
import { figuresRowKey } from "./keys.js";

/**
 * Our choice: ticks that are stored once more apart from the day. Whoever has looked within an hour of five-minute ticks finds
 * among them the last that he has seen, and from so many starts the usual time between ticks is estimated.
 */
export const newestTicks = 13;

/**
 * The columns of a shard's figures.
 * @internal For tests.
 */
export const figuresTable: RowTable<{ readonly figures: JsonObject; readonly newest: JsonObject | null }> = {
  figures: json.needed("figures", "JSON: the census, the last 288 ticks, the run in hand"),
  newest: json.nullable("newest", `JSON: the same with the last ${newestTicks} ticks alone, a tenth of it`),
};

/** An entity of 1 MiB holds no more parts of a text. */
const partsMax = 17;
const figuresColumns = partNames(figuresTable.figures.name, partsMax);
const newestColumns = partNames(figuresTable.newest.name, partsMax);

/** See `Store.readFigures`. */
export async function readFigures(table: Table, shard: string): Promise<JsonObject | null> {
  const entity = await table.get(shard, figuresRowKey, figuresColumns);
  return entity === null ? null : readable(() => figuresTable.figures.read(entity));
}

/** See `Store.readNewestFigures`. */
export async function readNewestFigures(table: Table, shard: string): Promise<JsonObject | null> {
  const entity = await table.get(shard, figuresRowKey, newestColumns);
  if (entity === null) return null;
  return readable(() => figuresTable.newest.read(entity)) ?? (await readFigures(table, shard));
}

/** Null for a row that cannot be read, too: figures stop no run. */
function readable(read: () => JsonObject | null): JsonObject | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof RowError) return null;
    throw error;
  }
}

/** The figures' row, written along with the shard's own: only the run that holds the shard writes its figures. */
export function figuresAction(figures: JsonObject): Action {
  const { ticks, ...others } = figures;
  const newest = { ...others, ...(Array.isArray(ticks) ? { ticks: ticks.slice(-newestTicks) } : {}) };
  return { kind: "upsert", rowKey: figuresRowKey, columns: columnsOf(figuresTable, { figures, newest }) };
}
