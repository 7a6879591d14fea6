import type { Json, JsonObject } from "./types.js";

/**
 * The calendar after an item: what the item holds replaces, what it leaves out stays, an explicit null clears (I5).
 * Spread copies own properties only and never calls a setter, so a property named `__proto__` is plain data.
 * @returns `stored` itself where the item says nothing else: most items of a full round do not.
 */
export function merge(stored: JsonObject, item: JsonObject): JsonObject {
  if (saysNothingElse(stored, item)) return stored;
  const { "@removed": _removed, ...merged } = { ...stored, ...item };
  return merged;
}

function saysNothingElse(stored: JsonObject, item: JsonObject): boolean {
  return Object.keys(item).every(
    (name) =>
      name === "@removed" || (Object.hasOwn(stored, name) && sameJson(stored[name] ?? null, item[name] ?? null)),
  );
}

/**
 * Whether two items say the same of a calendar. OData's annotations (names that begin with @) don't count: delta adds some
 * that a list leaves out, and a mailbox that goes from one to the other has not changed (I5).
 */
export function sameCalendar(a: JsonObject, b: JsonObject): boolean {
  if (a === b) return true;
  const names = ownNames(a);
  if (names.length !== ownNames(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && sameJson(a[name] ?? null, b[name] ?? null));
}

function ownNames(item: JsonObject): readonly string[] {
  return Object.keys(item).filter((name) => !name.startsWith("@"));
}

/** Whether two values say the same, whatever the order of their properties. */
export function sameJson(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  if (isArray(a) || isArray(b)) {
    if (!isArray(a) || !isArray(b) || a.length !== b.length) return false;
    return a.every((value, index) => sameJson(value, b[index] ?? null));
  }
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && sameJson(a[name] ?? null, b[name] ?? null));
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
