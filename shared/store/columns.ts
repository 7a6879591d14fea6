import { isJsonObject, type Json, type JsonObject } from "../sync/types.js";
import { RowError } from "../table/errors.js";
import type { Columns, ColumnValue, Entity } from "../table/table.js";

/** The column by which a writer finds its own success after a lost answer: the transaction that wrote the row last. */
export const commitIdColumn = "commitId";

/**
 * Table service: 32 K characters in a string. Ours stay below, for a round number that people can remember. With another
 * one, rows must be replaced once: `changedColumns` takes what was read for what this splits it into.
 */
const unitsPerColumn = 32_000;

/** The table's DateTime begins in 1601; after 9999 the format has no digits left. */
const earliestMs = Date.UTC(1601, 0, 1);
const latestMs = Date.UTC(9999, 11, 31);

type Writing = Record<string, ColumnValue>;

/** A column of a row, whose field has the type `Value`. */
type Column<Value> = {
  readonly name: string;
  readonly edm: Coding<Value>["edm"];
  /** What a row without the column is read as, for SPEC. */
  readonly absent: string;
  /** What the column means, for people who open the table: SPEC holds the same words. */
  readonly doc: string;
  /** @throws RowError that names partition, row and column, not the value. */
  readonly read: (entity: Entity) => Value;
  readonly write: (columns: Writing, value: Value) => void;
};

/** All columns of a kind of row, by the fields of its type: the one place that says how it stands in the table. */
export type RowTable<Row> = { readonly [Field in keyof Row]: Column<Row[Field]> };

/** How a value stands in a column. */
type Coding<Value> = {
  /** The type in the table; Int32 takes Int64 beyond its range. */
  readonly edm: "String" | "Int32" | "DateTime" | "Boolean";
  /** Null: the row has no such column. @throws RowError when it holds something else. */
  readonly read: (entity: Entity, name: string) => Value | null;
  readonly write: (columns: Writing, name: string, value: Value) => void;
};

/** A kind of column, which makes columns: by a name, and a doc for people. */
export type Kind<Value> = Coding<Value> & {
  /**
   * A column that every release has written since the first, and without which the row cannot be understood. Never for a
   * new one: rows of the releases before lack it, and all of them would be unreadable.
   */
  readonly needed: (name: string, doc: string) => Column<Value>;
  /** A column that rows of an earlier release may lack; they are read as `absent`, by which nothing is lost (I1, I3). */
  readonly defaulted: (name: string, absent: Value, doc: string) => Column<Value>;
  /** A column that is absent where its field is null: the table has no null. */
  readonly nullable: (name: string, doc: string) => Column<Value | null>;
};

/** A kind of column, of how its values stand in the table. */
export function kindOf<Value>(coding: Coding<Value>): Kind<Value> {
  const { edm, read, write } = coding;
  const column = (name: string, doc: string, absent: string, or: (entity: Entity) => Value): Column<Value> => ({
    ...{ name, edm, absent, doc },
    read: (entity) => read(entity, name) ?? or(entity),
    write: (columns, value) => write(columns, name, value),
  });
  return {
    ...coding,
    needed: (name, doc) => column(name, doc, "needed", (entity) => unreadable(entity, name, "is missing")),
    defaulted: (name, absent, doc) => column(name, doc, JSON.stringify(absent), () => absent),
    nullable: (name, doc) => ({
      ...{ name, edm, absent: "null", doc },
      read: (entity) => read(entity, name),
      write: (columns, value) => {
        if (value !== null) write(columns, name, value);
      },
    }),
  };
}

/** A row as columns, beside those that are there already; their names are a public contract. */
export function columnsOf<Row>(table: RowTable<Row>, row: Row, columns: Writing = {}): Writing {
  for (const field in table) table[field].write(columns, row[field]);
  return columns;
}

/**
 * What an entity holds; columns that are not in the table are ignored. @throws RowError when it cannot be read.
 * @param blank A row with all fields, for rows of many fields that are read by the thousand. An object that gets so many
 *   fields one by one becomes a dictionary: it takes four times the memory, and ten times as long to copy.
 */
export function rowOf<Row>(table: RowTable<Row>, entity: Entity, blank: Partial<Row> = {}): Row {
  const row: Partial<Row> = { ...blank };
  for (const field in table) row[field] = table[field].read(entity);
  return row as Row;
}

/** A part of a row that is there as a whole or not at all: null where the row has no column for `field`. */
export function partOf<Row>(table: RowTable<Row>, entity: Entity, field: keyof Row): Row | null {
  return Object.hasOwn(entity.columns, table[field].name) ? rowOf(table, entity) : null;
}

/** @throws RowError that names partition, row and column, not the value, which may be a secret. */
export function unreadable({ partitionKey, rowKey }: Entity, column: string, what: string): never {
  throw new RowError(`Row ${rowKey} in partition ${partitionKey} cannot be read: column ${column} ${what}.`);
}

/** Any text. Long ones are split over `name`, `name_2`, `name_3` …, never inside a surrogate pair. */
export const text = kindOf<string>({
  edm: "String",
  read: (entity, name) => {
    const first = valueIn(entity, name);
    if (first === undefined) return null;
    if (typeof first === "string" && !mayGoOn(first)) return first; // No part but the last is shorter.
    let whole = "";
    let part: ColumnValue | undefined = first;
    for (let index = 1; part !== undefined; index++) {
      if (typeof part !== "string") return unreadable(entity, name, "holds no text");
      whole += part;
      part = valueIn(entity, partName(name, index));
    }
    return whole;
  },
  write: (columns, name, value) => {
    if (value.length <= unitsPerColumn) columns[name] = value;
    else for (const [index, part] of splitText(value).entries()) columns[partName(name, index)] = part;
  },
});

/** Text for people and filters: lone surrogates, which not every reader of the table takes, become U+FFFD. */
export const label = kindOf<string>({
  ...text,
  write: (columns, name, value) => text.write(columns, name, value.toWellFormed()),
});

/** An id that the row's key was made of: a row that says another's is nobody's. */
export function idOf(keyOf: (id: string) => string): Kind<string> {
  const read = (entity: Entity, name: string) => {
    const id = text.read(entity, name);
    const isOfKey = id !== "" && (id === null || keyOf(id) === entity.rowKey);
    return isOfKey ? id : unreadable(entity, name, "is not that of the row's key");
  };
  return kindOf({ ...text, read });
}

/** One of a few words. */
export function oneOf<const Word extends string>(...words: readonly Word[]): Kind<Word> {
  const read = (entity: Entity, name: string) => {
    const given = text.read(entity, name);
    if (given === null) return null;
    return words.find((word) => word === given) ?? unreadable(entity, name, `holds none of ${words.join(", ")}`);
  };
  return kindOf({ ...text, read });
}

/** Int32 where it fits, as counters do for as long as a mailbox is mirrored; Int64 beyond, exact as far as numbers are. */
export const count = kindOf<number>({
  edm: "Int32",
  read: (entity, name) => {
    const value = valueIn(entity, name);
    if (value === undefined) return null;
    const given = typeof value === "bigint" ? Number(value) : value;
    return typeof given === "number" && Number.isSafeInteger(given) && given >= 0
      ? given
      : unreadable(entity, name, "holds no whole number from 0");
  },
  write: (columns, name, value) => {
    if (!Number.isSafeInteger(value)) throw new RangeError(`Column ${name} takes whole numbers only, not ${value}.`);
    columns[name] = value === (value | 0) ? value : BigInt(value);
  },
});

/** Epoch milliseconds as DateTime, moved into the table's range: a wait beyond year 9999 is a wait for ever. */
export const time = kindOf<number>({
  edm: "DateTime",
  read: (entity, name) => {
    const value = valueIn(entity, name);
    if (value === undefined) return null;
    const isTime = value instanceof Date && !Number.isNaN(value.getTime());
    return isTime ? value.getTime() : unreadable(entity, name, "holds no time");
  },
  write: (columns, name, ms) => {
    if (Number.isNaN(ms)) throw new RangeError(`Column ${name} takes a time, not NaN.`);
    columns[name] = new Date(Math.min(Math.max(ms, earliestMs), latestMs));
  },
});

export const flag = kindOf<boolean>({
  edm: "Boolean",
  read: (entity, name) => {
    const value = valueIn(entity, name);
    if (value === undefined) return null;
    return typeof value === "boolean" ? value : unreadable(entity, name, "holds no boolean");
  },
  write: (columns, name, value) => {
    columns[name] = value;
  },
});

/** An object as JSON. */
export const json = kindOf<JsonObject>({
  edm: "String",
  read: (entity, name) => {
    const given = text.read(entity, name);
    return given === null ? null : (parseObject(given) ?? unreadable(entity, name, "holds no JSON object"));
  },
  write: (columns, name, value) => text.write(columns, name, JSON.stringify(value)),
});

/** Counts by name, as JSON. One that is missing or unreadable is 0: figures stop nobody. */
export function countsBy<Name extends string>(names: readonly Name[]): Kind<Readonly<Record<Name, number>>> {
  const countOf = (value: Json | undefined) => (typeof value === "number" && Number.isFinite(value) ? value : 0);
  return kindOf<Readonly<Record<Name, number>>>({
    ...json,
    read: (entity, name) => {
      const stored = json.read(entity, name);
      if (stored === null) return null;
      return Object.fromEntries(names.map((one) => [one, countOf(stored[one])])) as Record<Name, number>;
    },
  });
}

/** The columns that a text is split over, as far as so many parts. For a query that names its columns. */
export function partNames(name: string, parts: number): readonly string[] {
  return Array.from({ length: parts }, (_, index) => partName(name, index));
}

function partName(name: string, index: number): string {
  return index === 0 ? name : `${name}_${index + 1}`;
}

function valueIn({ columns }: Entity, name: string): ColumnValue | undefined {
  return Object.hasOwn(columns, name) ? columns[name] : undefined;
}

/** Both hold the same: the same names with the same values, as far as the table tells values apart. */
export function sameColumns(one: Columns, other: Columns): boolean {
  const names = Object.keys(one);
  if (names.length !== Object.keys(other).length) return false;
  return names.every((name) => Object.hasOwn(other, name) && sameValue(one[name], other[name]));
}

/**
 * What of a row is to be merged into it; null where a column is gone, for merging leaves it. A quiet mailbox changes a
 * third of its checkpoint's columns, and each that is sent costs us and the table its part.
 */
export function changedColumns(before: Columns, after: Columns): Columns | null {
  if (Object.keys(before).some((name) => !Object.hasOwn(after, name))) return null;
  const changed: Writing = {};
  for (const [name, value] of Object.entries(after)) if (!sameValue(before[name], value)) changed[name] = value;
  return changed;
}

/** A number may come back as Int64, and is the same. */
function sameValue(one: ColumnValue | undefined, other: ColumnValue | undefined): boolean {
  if (one === other) return true;
  if (one instanceof Date) return other instanceof Date && one.getTime() === other.getTime();
  return typeof one === "bigint" || typeof other === "bigint" ? String(one) === String(other) : false;
}

function splitText(text: string): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  while (text.length - start > unitsPerColumn) {
    const last = text.charCodeAt(start + unitsPerColumn - 1);
    const isOpenPair = last >= 0xd800 && last <= 0xdbff; // Its other half would begin the next column.
    const end = start + unitsPerColumn - (isOpenPair ? 1 : 0);
    parts.push(text.slice(start, end));
    start = end;
  }
  return [...parts, text.slice(start)];
}

/** Whether a text may go on in a second column, which a query for the first one alone does not return. */
export function mayGoOn(value: ColumnValue | undefined | null): boolean {
  return typeof value === "string" && value.length >= unitsPerColumn - 1;
}

function parseObject(text: string): JsonObject | null {
  try {
    const value: Json = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null; // The caller says which row; the text may hold anything.
    throw error;
  }
}
