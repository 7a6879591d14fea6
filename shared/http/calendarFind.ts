import * as z from "zod";
import { folded } from "../folded.js";
import { mailboxKinds } from "../sync/mailboxKind.js";
import {
  type FindPlace,
  type FindQuery,
  findCalendars,
  findLimits,
  readOldestSuccess,
} from "../views/findCalendars.js";
import { isMailboxKind } from "../views/mailboxList.js";
import { answer, type Route, refusal } from "./handler.js";
import type { FoundPage } from "./openapi/operators.js";
import { queryMistake } from "./requests.js";

const { topDefault, topMax, textMax, shardsAtOnceMax } = findLimits;
const placesShape = z.tuple([
  z.array(z.tuple([z.int().nonnegative(), z.string().min(1).max(256).nullable()])).max(shardsAtOnceMax),
  z.int().nonnegative(),
]);

/** `GET /api/calendars?owner=&name=&shared=&editable=&kind=&default=&top=&cursor=`: calendars of the whole mirror, page by page. */
export function calendarFindRoute(shards: readonly string[]): Route {
  return async (request, { store, nowMs, log }) => {
    const known = ["owner", "name", "shared", "editable", "kind", "default", "top", "cursor"];
    const mistake = queryMistake(request, known);
    if (mistake !== null) return refusal(400, "invalidRequest", mistake);
    const asked = queryOf(new URL(request.url).searchParams, shards.length);
    if (typeof asked === "string") return refusal(400, "invalidRequest", asked);
    const ports = { store, nowMs, onUnreadable: (error: Error) => log("error", error.message) };
    const [{ found, next }, oldestSuccess] = await Promise.all([
      findCalendars(asked.query, asked.top, asked.from, ports, shards),
      readOldestSuccess(store, shards),
    ]);
    const cursor = next.length === 0 ? null : cursorOf(next, shards.length);
    return answer(200, { value: found, oldestSuccess, cursor } satisfies FoundPage);
  };
}

type Asked = { readonly query: FindQuery; readonly top: number; readonly from: readonly FindPlace[] };

/** The query, or what is wrong with it in one sentence. */
function queryOf(given: URLSearchParams, shards: number): Asked | string {
  const textOf = (name: string) => given.get(name)?.trim() || null;
  const [owner, name, kind] = [textOf("owner"), textOf("name"), textOf("kind")];
  const long = [owner, name].findIndex((text) => (text?.length ?? 0) > textMax);
  if (long !== -1) return `${long === 0 ? "owner" : "name"} takes ${textMax} characters at most.`;
  if (kind !== null && !isMailboxKind(kind)) return `kind must be one of ${mailboxKinds.join(", ")}.`;
  const flags = { shared: textOf("shared"), editable: textOf("editable"), default: textOf("default") };
  for (const [flag, text] of Object.entries(flags)) {
    if (text !== null && text !== "true" && text !== "false") return `${flag} must be true or false.`;
  }
  const topText = given.get("top") ?? String(topDefault);
  const top = /^\d{1,4}$/.test(topText) ? Number(topText) : 0;
  if (top < 1 || top > topMax) return `top must be a whole number from 1 to ${topMax}.`;
  const from = placesOf(given.get("cursor") ?? "", shards);
  if (from === null) return "cursor must be one that this search gave, unchanged.";
  const query = {
    owner: owner === null ? null : folded(owner),
    name: name === null ? null : folded(name),
    isShared: flagOf(flags.shared),
    canEdit: flagOf(flags.editable),
    isDefaultCalendar: flagOf(flags.default),
    kind,
  };
  return { query, top, from };
}

function flagOf(text: string | null): boolean | null {
  return text === null ? null : text === "true";
}

/** Places as an opaque text for callers: those that are begun, and the shard from which on none is. */
function cursorOf(places: readonly FindPlace[], shards: number): string {
  const begun = [...places];
  let rest = shards;
  while (begun.at(-1)?.shard === rest - 1 && begun.at(-1)?.after === null) {
    begun.pop();
    rest -= 1;
  }
  const text = JSON.stringify([begun.map(({ shard, after }) => [shard, after]), rest]);
  return Buffer.from(text).toString("base64url");
}

/** The places that a cursor means, all for an empty one; null for a text that is no cursor of ours. */
function placesOf(cursor: string, shards: number): readonly FindPlace[] | null {
  const restFrom = (first: number) =>
    Array.from({ length: Math.max(0, shards - first) }, (_, index) => ({ shard: first + index, after: null }));
  if (cursor === "") return restFrom(0);
  try {
    const [begun, rest] = placesShape.parse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")));
    const isInOrder = begun.every(([shard], index) => shard < (begun[index + 1]?.[0] ?? Math.min(rest, shards)));
    return isInOrder ? [...begun.map(([shard, after]) => ({ shard, after })), ...restFrom(rest)] : null;
  } catch {
    return null; // No JSON, or of another shape.
  }
}
