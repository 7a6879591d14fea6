import { isJsonObject, type Json, type JsonObject } from "../../sync/types.js";
import type { Answer } from "../handler.js";

/**
 * A page of calendars as text: NDJSON and CSV. Text is made of one page at a time, whose size the route bounds, and readers
 * set the pace by asking for the next. The host could stream an answer (`enableHttpStream`), but it writes as fast as the
 * app gives, whatever the reader takes (`sendProxyResponse` of @azure/functions 4.16.5 never waits for `drain`), and leaves
 * the reader waiting where the app fails in mid-stream. Of a page that fails nothing has been sent: the answer is an error.
 */

/** How a page is written. */
export type PageFormat = "json" | "ndjson" | "csv";

const types: readonly (readonly [type: string, format: PageFormat])[] = [
  ["application/json", "json"],
  ["application/x-ndjson", "ndjson"],
  ["text/csv", "csv"],
];

/** What `content-type` says of a page. */
const contentTypes: Readonly<Record<Exclude<PageFormat, "json">, string>> = {
  ndjson: "application/x-ndjson; charset=utf-8",
  csv: "text/csv; charset=utf-8; header=present",
};

/**
 * The format that `Accept` prefers: JSON where it names none of ours, as Graph does it, and where all are equal to it.
 * @see RFC 9110 §12.5.1
 */
export function pageFormatOf(accept: string | null): PageFormat {
  let best: { readonly format: PageFormat; readonly weight: number } = { format: "json", weight: 0 };
  for (const range of (accept ?? "").toLowerCase().split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    const format = types.find(([name]) => name === type)?.[1];
    if (format === undefined) continue; // `*/*` and what browsers send get JSON.
    const weight = weightOf(parameters);
    if (weight > best.weight) best = { format, weight };
  }
  return best.format;
}

function weightOf(parameters: readonly string[]): number {
  const given = parameters.find((parameter) => /^q\s*=/.test(parameter))?.replace(/^q\s*=\s*/, "");
  if (given === undefined) return 1;
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(given) ? Number(given) : 0;
}

/** A page as an answer, in a format that is not JSON. The next page, if there is one, stands in `Link` as well. */
export function textPage(
  format: Exclude<PageFormat, "json">,
  items: readonly JsonObject[],
  nextLink: string | null,
): Answer {
  const link = nextLink === null ? {} : { link: `<${nextLink}>; rel="next"` };
  const body = format === "csv" ? csvOf(items, nextLink) : ndjsonOf(items, nextLink);
  return { status: 200, headers: { "content-type": contentTypes[format], vary: "Accept", ...link }, body };
}

/**
 * A page as NDJSON: one item a line, exactly as in the JSON page. Where there is a next page, one more line says so, and
 * holds nothing but `@odata.nextLink`: a page that is not the last never looks like the end.
 */
function ndjsonOf(items: readonly JsonObject[], nextLink: string | null): string {
  const lines = nextLink === null ? items : [...items, { "@odata.nextLink": nextLink }];
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** Columns of the CSV, by where each stands in an item. Names are public and stay; new ones come before `nextLink`. */
const csvColumns: readonly (readonly [name: string, read: (item: JsonObject) => Json | undefined])[] = [
  ...["userId", "id", "name"].map(own),
  ["ownerName", (item) => ownerOf(item)["name"]],
  ["ownerAddress", (item) => ownerOf(item)["address"]],
  ...["color", "hexColor", "isDefaultCalendar", "canEdit", "canShare", "canViewPrivateItems"].map(own),
  ...["isShared", "isSharedWithMe", "isRemovable", "changeKey"].map(own),
];

function own(name: string): readonly [string, (item: JsonObject) => Json | undefined] {
  return [name, (item) => item[name]];
}

function ownerOf(item: JsonObject): JsonObject {
  const { owner } = item;
  return isJsonObject(owner) ? owner : {};
}

/**
 * A page as CSV: a header, then one calendar a line. `nextLink`, the last column, is empty but in the last line of a page that
 * has a next one; a page without calendars is then a line with that alone. So a page that is not the last never looks
 * like the end, and spreadsheets, which show no headers of HTTP, can go on.
 * @see RFC 4180
 */
function csvOf(items: readonly JsonObject[], nextLink: string | null): string {
  const lines = [csvLine([...csvColumns.map(([name]) => name), "nextLink"])];
  for (const [index, item] of items.entries()) {
    const link = index === items.length - 1 ? (nextLink ?? "") : "";
    lines.push(csvLine([...csvColumns.map(([, read]) => textOf(read(item))), link]));
  }
  if (items.length === 0 && nextLink !== null) lines.push(csvLine([...csvColumns.map(() => ""), nextLink]));
  return lines.join("");
}

/** Null, and what is absent, is empty. Objects do not stand in the flat columns. */
function textOf(value: Json | undefined): string {
  if (typeof value === "string") return value;
  return typeof value === "boolean" || typeof value === "number" ? String(value) : "";
}

function csvLine(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`;
}

/**
 * A text that a spreadsheet would take for a formula gets an apostrophe before it: whoever names a calendar must not run
 * anything on the machine of whoever opens the list. That holds where commas part cells, as they do here. Programs that need names to the letter read JSON.
 * @see https://owasp.org/www-community/attacks/CSV_Injection
 */
function csvCell(text: string): string {
  const safe = /^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
