import type { World } from "./world.js";

/** Faults of the directory that distort an answer which is otherwise good. */

type Row = Readonly<Record<string, unknown>>;

/** Whether a full reading ends now and lists nobody else. */
export function isNobodyListed(world: World): boolean {
  return !world.faults.isCalm() && world.faults.inject("nobodyListed", "directory", null) !== null;
}

/** The users that a page of a full reading lists: all of them, or every second one. */
export function listedUsers<User>(
  world: World,
  users: readonly User[],
  indexOf: (user: User) => number,
): readonly User[] {
  const even = world.faults.isCalm() ? users : users.filter((user) => indexOf(user) % 2 === 0);
  const isHalved = even.length < users.length && world.faults.inject("halvedList", "directory", null) !== null;
  return isHalved ? even : users;
}

/** The users as a page describes them: whole, in part, without properties, or twice. */
export function describedUsers(world: World, rows: readonly Row[], isFull: boolean): readonly Row[] {
  if (world.faults.isCalm()) return rows;
  const described = rows.map((row) => {
    if ("@removed" in row) return row;
    if (isHidden(world, String(row["id"]))) return emptied(row);
    const isPartial = !isFull && world.faults.inject("partialItems", "directory", String(row["id"])) !== null;
    return isPartial ? inPart(row) : row;
  });
  const [first] = described;
  const isAgain = isFull && first !== undefined && world.faults.inject("toldAgainInPart", "directory", null) !== null;
  return isAgain ? [...described, inPart(first)] : described;
}

/** Whether a user's properties are hidden from us. */
export function isHidden(world: World, id: string): boolean {
  return !world.faults.isCalm() && world.faults.inject("propertiesHidden", "directory", id) !== null;
}

function emptied(row: Row): Row {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, name === "id" ? value : null]));
}

function inPart({ id, displayName }: Row): Row {
  return { id, displayName };
}
