import type { Json } from "../../sync/types.js";

/** How values of calendars are compared. */

/** Below 0, 0 or above 0. Texts by their UTF-16 units, false before true; of two kinds, and of objects, null comes first. */
export function ordered(one: Json, other: Json): number {
  const [first, second] = [rank(one), rank(other)];
  if (first !== second) return first - second;
  if (first === objectRank || one === other) return 0;
  return (one as string) < (other as string) ? -1 : 1;
}

const ranks: Readonly<Record<string, number>> = { boolean: 1, number: 2, string: 3 };
const objectRank = 4;

function rank(value: Json): number {
  return value === null ? 0 : (ranks[typeof value] ?? objectRank);
}
