import type { ColumnValue, Entity } from "../../shared/table/table.js";

/** A row without its ETag, which another table would not know. */
export type Row = Omit<Entity, "etag">;

/** Rows as JSON, one a line. A value that JSON has no type for is an object with the name of its Edm type. */
type FrozenValue = string | number | boolean | { readonly DateTime: string } | { readonly Int64: string };
type FrozenRow = Omit<Row, "columns"> & { readonly columns: Readonly<Record<string, FrozenValue>> };

export function frozen(rows: readonly Row[]): string {
  const lines = rows.map(({ partitionKey, rowKey, columns }) => {
    const values = Object.entries(columns).map(([name, value]) => [name, frozenValue(value)]);
    return JSON.stringify({ partitionKey, rowKey, columns: Object.fromEntries(values) });
  });
  return lines.join("\n");
}

export function thawed(lines: string): readonly Row[] {
  return lines
    .trim()
    .split("\n")
    .map((line) => {
      const { columns, ...keys } = JSON.parse(line) as FrozenRow;
      const values = Object.entries(columns).map(([name, value]) => [name, columnValue(value)]);
      return { ...keys, columns: Object.fromEntries(values) };
    });
}

function frozenValue(value: ColumnValue): FrozenValue {
  if (value instanceof Date) return { DateTime: value.toISOString() };
  return typeof value === "bigint" ? { Int64: value.toString() } : value;
}

function columnValue(value: FrozenValue): ColumnValue {
  if (typeof value !== "object") return value;
  return "DateTime" in value ? new Date(value.DateTime) : BigInt(value.Int64);
}
