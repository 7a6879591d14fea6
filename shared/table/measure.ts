import { type Action, type Columns, type ColumnValue, tableLimits } from "./table.js";

/** Headers, boundaries and request line of one operation within a transaction, about 350. */
const operationBytes = 700;
/** A UTF-16 unit of a key takes at most nine bytes in a URL: three of UTF-8, each as `%xx`. */
const bytesPerKeyUnit = 9;
/** A UTF-16 unit of text takes at most six bytes in JSON: `\uXXXX`. */
const bytesPerJsonUnit = 6;
const shortUnits = 2_000;

/** Stays under the service's 1 MiB, so that a difference between our count and its own does no harm. */
const entityBytesMax = tableLimits.entityBytes - 16 * 1024;

/** The size of an entity. */
export type Measure = {
  /** By the service's own count: two bytes for each UTF-16 unit of names and text. */
  readonly bytes: number;
  readonly properties: number;
  /** Null when the entity fits, else a short reason. */
  readonly tooLarge: string | null;
};

/**
 * Measures an entity, and says whether the table takes it.
 * @see https://learn.microsoft.com/archive/blogs/windowsazurestorage/understanding-windows-azure-storage-billing-bandwidth-transactions-and-capacity
 *   (4 bytes, keys, and for each property 8 bytes, its name and its value)
 */
export function measureEntity(partitionKey: string, rowKey: string, columns: Columns): Measure {
  let bytes = 4 + 2 * (partitionKey.length + rowKey.length);
  let properties = 0;
  let tooLong: string | null = null;
  for (const name in columns) {
    const value = columns[name];
    if (value === undefined) continue;
    properties += 1;
    bytes += 8 + 2 * name.length + valueBytes(value);
    if (typeof value === "string" && value.length > tableLimits.unitsPerString) tooLong ??= name;
  }
  return { bytes, properties, tooLarge: whyTooLarge(bytes, properties, tooLong) };
}

function whyTooLarge(bytes: number, properties: number, tooLong: string | null): string | null {
  if (bytes > entityBytesMax) return `row of ${bytes} bytes, at most ${entityBytesMax} fit`;
  if (properties > tableLimits.propertiesPerEntity) {
    return `row of ${properties} columns, at most ${tableLimits.propertiesPerEntity} fit`;
  }
  return tooLong === null ? null : `column ${tooLong} is longer than ${tableLimits.unitsPerString} characters`;
}

/** Bytes of one stored value, by the service's own count. */
function valueBytes(value: ColumnValue): number {
  if (typeof value === "string") return 4 + 2 * value.length;
  if (typeof value === "boolean") return 1;
  if (typeof value === "number") return Number.isInteger(value) ? 4 : 8;
  return 8;
}

/** An upper bound of the bytes that one operation adds to the body of a transaction. */
export function actionBytes(partitionKey: string, action: Action): number {
  const keys = bytesPerKeyUnit * (partitionKey.length + action.rowKey.length) * 2; // In the URL, and in the entity.
  if (action.kind === "delete") return operationBytes + keys;
  let bytes = operationBytes + keys;
  for (const name in action.columns) bytes += columnBytes(name, action.columns[name] ?? "");
  return bytes;
}

function columnBytes(name: string, value: ColumnValue): number {
  const overhead = 2 * name.length + 48; // The name, once more for its type, and punctuation.
  return overhead + (typeof value === "string" ? jsonBytes(value) : 32);
}

/** An upper bound for short text, exact for long: this runs for each column of each row. */
function jsonBytes(text: string): number {
  if (text.length <= shortUnits) return 2 + bytesPerJsonUnit * text.length;
  const separators = text.match(/[\u2028\u2029]/g)?.length ?? 0; // Sent escaped: six bytes instead of three.
  return Buffer.byteLength(JSON.stringify(text), "utf8") + 3 * separators;
}
