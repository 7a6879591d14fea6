import { isJsonObject, type Json, type JsonObject } from "../sync/types.js";
import { RowError } from "../table/errors.js";
import type { Columns, ColumnValue, Entity } from "../table/table.js";

/**
 * Table service: 32 K characters in a string. Ours stay below, for a round number that people can remember. With another
 * one, rows must be replaced once: `changedColumns` takes what was read for what this splits it into.
 */
const unitsPerColumn = 32_000;

/** The table's DateTime begins in 1601; after 9999 the format has no digits left. */
const earliestMs = Date.UTC(1601, 0, 1);
const latestMs = Date.UTC(9999, 11, 31);

/** Columns of a row in the making. Null is not written: the table has none, and an absent column reads back as null. */
export class ColumnWriter {
  readonly #columns: Record<string, ColumnValue> = {};

  /** Long text is split over `name`, `name_2`, `name_3` …, never inside a surrogate pair. */
  text(name: string, value: string | null): this {
    if (value === null) return this;
    if (value.length <= unitsPerColumn) {
      this.#columns[name] = value;
      return this;
    }
    for (const [index, piece] of splitText(value).entries()) {
      this.#columns[index === 0 ? name : `${name}_${index + 1}`] = piece;
    }
    return this;
  }

  /** Text for people and filters: lone surrogates, which not every reader of the table takes, become U+FFFD. */
  label(name: string, value: Json | undefined): this {
    return this.text(name, typeof value === "string" ? value.toWellFormed() : null);
  }

  /** Int32 where it fits, as counters do for a mailbox's whole life; Int64 beyond, exact as far as numbers are. */
  count(name: string, value: number | null): this {
    if (value === null) return this;
    if (!Number.isSafeInteger(value)) throw new RangeError(`Column ${name} takes whole numbers only, not ${value}.`);
    this.#columns[name] = value === (value | 0) ? value : BigInt(value);
    return this;
  }

  /** Epoch milliseconds as DateTime, moved into the table's range: a wait beyond year 9999 is a wait for ever. */
  time(name: string, ms: number | null): this {
    if (ms === null) return this;
    if (Number.isNaN(ms)) throw new RangeError(`Column ${name} takes a time, not NaN.`);
    this.#columns[name] = new Date(Math.min(Math.max(ms, earliestMs), latestMs));
    return this;
  }

  flag(name: string, value: Json | undefined): this {
    if (typeof value === "boolean") this.#columns[name] = value;
    return this;
  }

  columns(): Columns {
    return this.#columns;
  }
}

/** Reads a row's columns; unknown ones are ignored. @throws RowError that names partition, row and column, not the value. */
export class ColumnReader {
  readonly #entity: Entity;

  constructor(entity: Entity) {
    this.#entity = entity;
  }

  textOrNull(name: string): string | null {
    const first = this.#value(name);
    if (first === undefined) return null;
    let text = "";
    let piece: ColumnValue | undefined = first;
    for (let number = 2; piece !== undefined; number++) {
      if (typeof piece !== "string") throw this.error(name, "holds no text");
      text += piece;
      piece = this.#value(`${name}_${number}`);
    }
    return text;
  }

  /** An id that the row's key was made of: a row that says another's is nobody's. */
  idOf(name: string, keyOf: (id: string) => string): string {
    const id = this.text(name);
    return id !== "" && keyOf(id) === this.#entity.rowKey ? id : this.#wrong(name, "is not that of the row's key");
  }

  text(name: string): string {
    return this.textOrNull(name) ?? this.#missing(name);
  }

  oneOf<const Words extends readonly string[]>(name: string, words: Words): Words[number] {
    const text = this.text(name);
    return words.find((word) => word === text) ?? this.#wrong(name, `holds none of ${words.join(", ")}`);
  }

  countOrNull(name: string): number | null {
    const value = this.#value(name);
    if (value === undefined) return null;
    const count = typeof value === "bigint" ? Number(value) : value;
    return typeof count === "number" && Number.isSafeInteger(count) && count >= 0
      ? count
      : this.#wrong(name, "holds no whole number from 0");
  }

  count(name: string): number {
    return this.countOrNull(name) ?? this.#missing(name);
  }

  timeOrNull(name: string): number | null {
    const value = this.#value(name);
    if (value === undefined) return null;
    return value instanceof Date && !Number.isNaN(value.getTime())
      ? value.getTime()
      : this.#wrong(name, "holds no time");
  }

  time(name: string): number {
    return this.timeOrNull(name) ?? this.#missing(name);
  }

  flagOrNull(name: string): boolean | null {
    const value = this.#value(name);
    if (value === undefined) return null;
    return typeof value === "boolean" ? value : this.#wrong(name, "holds no boolean");
  }

  flag(name: string): boolean {
    return this.flagOrNull(name) ?? this.#missing(name);
  }

  object(name: string): JsonObject {
    return parseObject(this.text(name)) ?? this.#wrong(name, "holds no JSON object");
  }

  error(column: string, what: string): RowError {
    const { partitionKey, rowKey } = this.#entity;
    return new RowError(`Row ${rowKey} in partition ${partitionKey} cannot be read: column ${column} ${what}.`);
  }

  #value(name: string): ColumnValue | undefined {
    return Object.hasOwn(this.#entity.columns, name) ? this.#entity.columns[name] : undefined;
  }

  #missing(name: string): never {
    throw this.error(name, "is missing");
  }

  #wrong(name: string, what: string): never {
    throw this.error(name, what);
  }
}

/** Both hold the same: the same names with the same values, as far as the table tells values apart. */
export function sameColumns(one: Columns, other: Columns): boolean {
  const names = Object.keys(one);
  if (names.length !== Object.keys(other).length) return false;
  return names.every((name) => Object.hasOwn(other, name) && plain(one[name]) === plain(other[name]));
}

/**
 * What of a row is to be merged into it; null where a column is gone, for merging leaves it. A quiet mailbox changes a
 * third of its checkpoint's columns, and each that is sent costs us and the table its part.
 */
export function changedColumns(before: Columns, after: Columns): Columns | null {
  if (Object.keys(before).some((name) => !Object.hasOwn(after, name))) return null;
  return Object.fromEntries(Object.entries(after).filter(([name, value]) => plain(before[name]) !== plain(value)));
}

function plain(value: ColumnValue | undefined): string | undefined {
  return value instanceof Date ? value.toISOString() : value?.toString();
}

function splitText(text: string): readonly string[] {
  const pieces: string[] = [];
  let start = 0;
  while (text.length - start > unitsPerColumn) {
    const last = text.charCodeAt(start + unitsPerColumn - 1);
    const isOpenPair = last >= 0xd800 && last <= 0xdbff; // Its other half would begin the next column.
    const end = start + unitsPerColumn - (isOpenPair ? 1 : 0);
    pieces.push(text.slice(start, end));
    start = end;
  }
  return [...pieces, text.slice(start)];
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
