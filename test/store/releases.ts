import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Columns } from "../../shared/table/table.js";
import { fleet } from "../worlds/fleet.js";
import { type Row, thawed } from "./frozen.js";

/** Mirrors that have been upgraded. */

const folder = join(import.meta.dirname, "frozen");
/** Rows as each release has left them. */
export const releases = readdirSync(folder).map((name) => ({
  release: name.replace(".jsonl", ""),
  rows: thawed(readFileSync(join(folder, name), "utf8")),
}));

/** A mirror that finds these rows in its table a day later. Graph is another one with the same users and knows no link. */
export async function upgraded(rows: readonly Row[]) {
  const world = fleet({ mailboxes: 17, calendars: { min: 1, max: 3 }, shards: 2, tokenStyle: "escaped" });
  await world.table.createIfMissing();
  for (const { partitionKey, rowKey, columns } of rows) {
    const answer = await world.table.transact(partitionKey, [{ kind: "create", rowKey, columns }]);
    if (answer.kind !== "done") throw new Error(`The row was not created: ${answer.reason}.`);
  }
  world.clock.ms += 86_400_000;
  await world.storeOf().open();
  return world;
}

/** Columns of a release before this one, had it not known these. */
export function without(
  columns: Columns,
  table: Readonly<Record<string, { readonly name: string; readonly absent: string }>>,
): Columns {
  const unknown = Object.values(table)
    .filter(({ absent }) => absent !== "needed" && absent !== "null")
    .map(({ name }) => name);
  return Object.fromEntries(Object.entries(columns).filter(([name]) => !unknown.includes(name)));
}
