import type { Columns, ColumnValue, Entity } from "../../shared/table/table.js";

/** Rows of a release as JSON, one a line. Values that JSON has no word for are objects with the name of their Edm type. */
type FrozenValue = string | number | boolean | { readonly DateTime: string } | { readonly Int64: string };
type FrozenRow = { readonly PartitionKey: string; readonly RowKey: string } & Readonly<Record<string, FrozenValue>>;
export type Frozen = { readonly commit: string; readonly rows: readonly FrozenRow[] };

export function frozenText(commit: string, entities: readonly Entity[]): string {
  const lines = entities.map(({ partitionKey, rowKey, columns }) => {
    const values = Object.entries(columns).map(([name, value]) => [name, frozenValue(value)]);
    return JSON.stringify({ PartitionKey: partitionKey, RowKey: rowKey, ...Object.fromEntries(values) });
  });
  return `{ "commit": ${JSON.stringify(commit)}, "rows": [\n${lines.join(",\n")}\n] }`;
}

/** The rows as they stood in the table. */
export function thawed({ rows }: Frozen): readonly Omit<Entity, "etag">[] {
  return rows.map(({ PartitionKey, RowKey, ...values }) => {
    const columns: Columns = Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, columnValue(value)]),
    );
    return { partitionKey: PartitionKey, rowKey: RowKey, columns };
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
