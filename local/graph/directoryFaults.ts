import type { World } from "./world.js";

/** Faults of the directory that bend an answer which is otherwise good. */

type Row = Readonly<Record<string, unknown>>;

/** Whether a full reading ends here and now, and tells of nobody more. */
export function isNobodyListed(world: World): boolean {
  return !world.faults.isCalm() && world.faults.strike("nobodyListed", "directory", null) !== null;
}

/** Whom a page of a full reading lists. */
export function listedUsers<User>(
  world: World,
  users: readonly User[],
  indexOf: (user: User) => number,
): readonly User[] {
  const even = world.faults.isCalm() ? users : users.filter((user) => indexOf(user) % 2 === 0);
  const isHalved = even.length < users.length && world.faults.strike("halvedList", "directory", null) !== null;
  return isHalved ? even : users;
}

/** What a page tells of them. */
export function toldUsers(world: World, rows: readonly Row[], isFull: boolean): readonly Row[] {
  if (world.faults.isCalm()) return rows;
  const told = rows.map((row) => {
    if ("@removed" in row) return row;
    if (isHidden(world, String(row["id"]))) return emptied(row);
    const isPartial = !isFull && world.faults.strike("partialItems", "directory", String(row["id"])) !== null;
    return isPartial ? inPart(row) : row;
  });
  const [first] = told;
  const isAgain = isFull && first !== undefined && world.faults.strike("toldAgainInPart", "directory", null) !== null;
  return isAgain ? [...told, inPart(first)] : told;
}

/** Whether a user's properties are hidden from us. */
export function isHidden(world: World, id: string): boolean {
  return !world.faults.isCalm() && world.faults.strike("propertiesHidden", "directory", id) !== null;
}

function emptied(row: Row): Row {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, name === "id" ? value : null]));
}

function inPart({ id, displayName }: Row): Row {
  return { id, displayName };
}
