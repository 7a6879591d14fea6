import * as z from "zod";
import { mailboxKinds } from "../sync/mailboxKind.js";
import { mailboxStates } from "../sync/state.js";
import {
  isMailboxKind,
  isMailboxState,
  type ListPlace,
  type ListQuery,
  listLimits,
  listMailboxes,
  searchOf,
} from "../views/mailboxList.js";
import { answer, type Route, refusal } from "./handler.js";
import type { MailboxPage } from "./openapi/operators.js";
import { queryMistake } from "./requests.js";

const { topDefault, topMax, searchMax, reasonMax } = listLimits;
const placeShape = z.tuple([z.int().nonnegative(), z.string().max(256).nullable()]);

/** `GET /api/mailboxes?state=&reason=&kind=&search=&top=&cursor=`: the roster's mailboxes, page by page. */
export function mailboxListRoute(shards: readonly string[]): Route {
  return async (request, { store }) => {
    const mistake = queryMistake(request, ["state", "reason", "kind", "search", "top", "cursor"]);
    if (mistake !== null) return refusal(400, "invalidRequest", mistake);
    const query = queryOf(new URL(request.url).searchParams, shards.length);
    if (typeof query === "string") return refusal(400, "invalidRequest", query);
    const { mailboxes, next } = await listMailboxes(query, store, shards);
    return answer(200, { value: mailboxes, cursor: next === null ? null : cursorOf(next) } satisfies MailboxPage);
  };
}

/** The query, or what is wrong with it in one sentence. */
function queryOf(given: URLSearchParams, shards: number): ListQuery | string {
  const state = given.get("state") ?? "";
  if (state !== "" && !isMailboxState(state)) return `state must be one of ${mailboxStates.join(", ")}.`;
  const kind = given.get("kind") ?? "";
  if (kind !== "" && !isMailboxKind(kind)) return `kind must be one of ${mailboxKinds.join(", ")}.`;
  const reason = given.get("reason") ?? "";
  if (reason.length > reasonMax) return `reason takes ${reasonMax} characters at most.`;
  const topText = given.get("top") ?? String(topDefault);
  const top = /^\d{1,4}$/.test(topText) ? Number(topText) : 0;
  if (top < 1 || top > topMax) return `top must be a whole number from 1 to ${topMax}.`;
  const search = searchOf(given.get("search") ?? "");
  if (search.length > searchMax) return `search takes ${searchMax} characters at most.`;
  const cursor = given.get("cursor") ?? "";
  const from = cursor === "" ? { shard: 0, after: null } : placeOf(cursor, shards);
  if (from === null) return "cursor must be one that this list gave, unchanged.";
  const filter = { state: state === "" ? null : state, kind: kind === "" ? null : kind, reason: reason || null };
  return { ...filter, search, top, from };
}

/** A place of the list as an opaque text for callers. */
export function cursorOf({ shard, after }: ListPlace): string {
  return Buffer.from(JSON.stringify([shard, after])).toString("base64url");
}

/** The place that a cursor means; null for a text that is no cursor of ours. */
export function placeOf(cursor: string, shards: number): ListPlace | null {
  try {
    const [shard, after] = placeShape.parse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")));
    return shard < shards && after !== "" ? { shard, after } : null;
  } catch {
    return null; // No JSON, or of another shape.
  }
}
