import * as z from "zod";
import { isoOrNull } from "../sync/time.js";
import { type HistoryFilter, type HistoryQuery, historyLimits, type LanePlace, readHistory } from "../views/history.js";
import { type HistoryKind, historyKinds } from "../views/historyKinds.js";
import type { HistoryPage } from "../views/historySchema.js";
import { searchOf } from "../views/mailboxList.js";
import { mailboxOfPath } from "./askedMailbox.js";
import { type Answer, answer, type HttpPorts, type Route, refusal } from "./handler.js";
import { queryMistake } from "./requests.js";

type Asked = { readonly url: string };

const { topDefault, topMax } = historyLimits;
const timeShape = z.iso.datetime({ offset: true });
/** Our choice: longer than any address. */
const ownerMax = 320;
const numberShape = z.int().nonnegative();
const placesShape = z.array(z.union([numberShape, z.tuple([numberShape, numberShape, numberShape])])).max(256);

/** `GET /api/history?since=&until=&kind=&owner=&top=&cursor=`: what changed in all mailboxes, newest first. */
export function historyRoute(shards: readonly string[]): Route {
  return (request, { store }) => answerFrom(request, null, shards, store);
}

/** `GET /api/mailboxes/{id}/history`: the same of one mailbox. It may have left: what the log still tells of it is given. */
export const mailboxHistoryRoute: Route = async (request, ports) => {
  const { store } = ports;
  const named = await mailboxOfPath(request, ports);
  if ("refusal" in named) return named.refusal;
  return answerFrom(request, named.id, [store.shardOf(named.id)], store);
};

async function answerFrom(
  request: Asked,
  mailboxId: string | null,
  shards: readonly string[],
  store: HttpPorts["store"],
): Promise<Answer> {
  const mistake = queryMistake(request, ["since", "until", "kind", "owner", "top", "cursor"]);
  if (mistake !== null) return refusal(400, "invalidRequest", mistake);
  const query = queryOf(new URL(request.url).searchParams, mailboxId, shards.length);
  if (typeof query === "string") return refusal(400, "invalidRequest", query);
  const { items, lookedBackToMs, next } = await readHistory(query, store, shards);
  const cursor = next === null ? null : cursorOf(next);
  return answer(200, { value: items, lookedBackTo: isoOrNull(lookedBackToMs), cursor } satisfies HistoryPage);
}

/** The query, or what is wrong with it in one sentence. */
function queryOf(given: URLSearchParams, mailboxId: string | null, shards: number): HistoryQuery | string {
  const filter = filterOf(given, mailboxId);
  if (typeof filter === "string") return filter;
  const topText = given.get("top") ?? String(topDefault);
  const top = /^\d{1,4}$/.test(topText) ? Number(topText) : 0;
  if (top < 1 || top > topMax) return `top must be a whole number from 1 to ${topMax}.`;
  const cursor = given.get("cursor") ?? "";
  const from = cursor === "" ? null : placesOf(cursor, shards);
  if (cursor !== "" && from === null) return "cursor must be one that this history gave, unchanged.";
  return { filter, top, from };
}

function filterOf(given: URLSearchParams, mailboxId: string | null): HistoryFilter | string {
  const [since, until] = [given.get("since") ?? "", given.get("until") ?? ""];
  const wrong = Object.entries({ since, until }).find(([, text]) => text !== "" && !timeShape.safeParse(text).success);
  if (wrong !== undefined) {
    return `${wrong[0]} must be a time in ISO 8601 with its zone, such as 2026-11-28T06:00:00Z. A + is written %2B.`;
  }
  const [sinceMs, untilMs] = [since, until].map((text) => (text === "" ? null : Date.parse(text)));
  if (since !== "" && until !== "" && Date.parse(since) >= Date.parse(until)) return "since must be before until.";
  const kind = given.get("kind") ?? "";
  if (kind !== "" && !isHistoryKind(kind)) return `kind must be one of ${historyKinds.join(", ")}.`;
  const owner = searchOf(given.get("owner") ?? "");
  if (owner.length > ownerMax) return `owner takes ${ownerMax} characters at most.`;
  return {
    mailboxId,
    sinceMs: sinceMs ?? null,
    untilMs: untilMs ?? null,
    kind: kind === "" ? null : kind,
    owner: owner === "" ? null : owner,
  };
}

function isHistoryKind(text: string): text is HistoryKind {
  return historyKinds.some((kind) => kind === text);
}

/**
 * A place in the history as an opaque text for callers.
 * @internal For tests.
 */
export function cursorOf(places: readonly LanePlace[]): string {
  const fields = places.map(({ number, below }) => (below === null ? number : [number, below.entry, below.slot]));
  return Buffer.from(JSON.stringify(fields)).toString("base64url");
}

/**
 * The place that a cursor means; null for a text that is no cursor of ours.
 * @internal For tests.
 */
export function placesOf(cursor: string, shards: number): readonly LanePlace[] | null {
  try {
    const fields = placesShape.parse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")));
    if (fields.length !== shards) return null;
    return fields.map((field) => {
      if (typeof field === "number") return { number: field, below: null };
      const [number, entry, slot] = field;
      return { number, below: { entry, slot } };
    });
  } catch {
    return null; // No JSON, or of another shape.
  }
}
