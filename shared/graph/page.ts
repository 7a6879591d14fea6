import { createHash } from "node:crypto";
import type { Item, JsonObject, Outcome, Strategy } from "../sync/types.js";
import { isJsonObject } from "../sync/types.js";
import { linkCharsMax } from "./limits.js";

const nextLinkName = "@odata.nextLink";
const deltaLinkName = "@odata.deltaLink";

/** Includes spellings that Graph does not use today: overlooking one would mean "no more pages" and remove calendars (I3). */
const linkLikeName = /(^|[@.])(next|delta)link$/i;

const malformedPage: Outcome = { kind: "unreadable", code: "malformedPage", retryAfterMs: null };

/**
 * Reads the body of a 200. One item without an id, both links or none at all, and the whole page is refused: what we do
 * not understand must not look like a shorter list (I3).
 * @param body What JSON.parse gave, of one delta or list answer.
 * @returns A page, a last page, or `unreadable` with the code `malformedPage`. Never throws.
 * @see https://learn.microsoft.com/graph/delta-query-overview: each page holds a nextLink or a deltaLink.
 */
export function parsePage(body: unknown, strategy: Strategy): Outcome {
  if (!isJsonObject(body) || Object.hasOwn(body, "error")) return malformedPage; // An error may follow half a list.
  const value = body["value"];
  if (!Array.isArray(value)) return malformedPage;
  const items = value.map(itemOf);
  const links = linksOf(body);
  if (!items.every((item) => item !== null) || links === null) return malformedPage;
  if (!isNestedWithin(value, nestingMax)) return malformedPage; // Too deep to be serialised again.
  const { nextLink, deltaLink } = links;
  if (strategy === "list" && deltaLink !== null) return malformedPage;
  if (strategy === "delta" && (nextLink === null) === (deltaLink === null)) return malformedPage;
  if (nextLink !== null) return { kind: "page", items, link: nextLink, payloadHash: hashOf(value) };
  return { kind: "lastPage", items, link: deltaLink };
}

/** The item with all its properties, known or not, as they came. */
function itemOf(value: unknown): Item | null {
  if (!isJsonObject(value) || !Object.hasOwn(value, "id")) return null;
  const { id } = value;
  if (typeof id !== "string" || id === "") return null;
  // Any reason, any form: Outlook says `deleted`, the directory `changed`.
  const isRemoved = Object.hasOwn(value, "@removed") && value["@removed"] !== null;
  return { calendarId: id, removed: isRemoved, properties: value };
}

function linksOf(body: JsonObject): { nextLink: string | null; deltaLink: string | null } | null {
  const found = { nextLink: null as string | null, deltaLink: null as string | null };
  for (const name of Object.keys(body).filter((key) => linkLikeName.test(key))) {
    const link = body[name];
    if (link === null) continue;
    if (typeof link !== "string" || link === "" || link.length > linkCharsMax) return null;
    if (name === nextLinkName) found.nextLink = link;
    else if (name === deltaLinkName) found.deltaLink = link;
    else return null;
  }
  return found;
}

/** Levels of a page's items. Our choice: a calendar has three, and readers may fail at some hundreds. */
const nestingMax = 100;

/** Equal for equal payloads, so that endlessly repeated pages are noticed although their links rotate. Null: an empty one. */
function hashOf(value: readonly unknown[]): string | null {
  if (value.length === 0) return null;
  return createHash("sha256").update(JSON.stringify(value)).digest("base64url").slice(0, 22);
}

/** By counting, not by catching an overflow: how deep `JSON.stringify` goes differs between releases of Node.js. */
function isNestedWithin(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((each) => isNestedWithin(each, levels - 1));
}
