import type { JsonObject } from "../sync/types.js";
import { isJsonObject } from "../sync/types.js";
import { headersOf, parseBody } from "./answer.js";
import { type GraphLimits, graphLimits } from "./limits.js";
import type { Answer, BatchHealth, Body } from "./ports.js";

/** One GET of a batch. `url`: relative, without the version. */
export type BatchRequest = { readonly url: string; readonly clientRequestId: string };

/** An item's answer, or why there is none that can be believed. */
export type BatchItem = Answer | "missing" | "duplicate" | "malformed";

/**
 * The body of a `$batch`. Items are named "1", "2" and so on, in order; headers count per item.
 * @see https://learn.microsoft.com/graph/json-batching
 */
export function batchBody(requests: readonly BatchRequest[], prefer: string): JsonObject {
  return {
    requests: requests.map(({ url, clientRequestId }, index) => ({
      id: String(index + 1),
      method: "GET",
      url,
      headers: { Prefer: prefer, "client-request-id": clientRequestId },
    })),
  };
}

/**
 * Reads the body of an outer 200, which says nothing by itself: each item has its own status. Answers come in any
 * order and are matched by id; of an id that comes twice, neither is believed (I10: its neighbours are).
 * @returns As many items as were asked, in the order of the asks; null when the body is no batch answer at all.
 */
export function parseBatch(body: Body, count: number): readonly BatchItem[] | null {
  const responses = body.shape === "json" && isJsonObject(body.value) ? body.value["responses"] : null;
  if (!Array.isArray(responses)) return null;
  const items = Array.from({ length: count }, (): BatchItem => "missing");
  for (const response of responses) {
    const id = isJsonObject(response) ? response["id"] : null;
    if (typeof id !== "string" || !/^[1-9]\d{0,2}$/.test(id)) continue;
    const index = Number(id) - 1;
    if (items[index] === undefined) continue; // An id that we never gave.
    items[index] = items[index] === "missing" ? itemOf(response) : "duplicate";
  }
  return items;
}

function itemOf(response: JsonObject): BatchItem {
  const { status, headers, body } = response;
  if (typeof status !== "number" || !Number.isInteger(status) || status < 100 || status > 599) return "malformed";
  return { status, headers: headersOf(isJsonObject(headers) ? Object.entries(headers) : []), body: bodyOf(body) };
}

/** JSON comes inline. Text comes as a string, and JSON of another content type as base64 of it. */
function bodyOf(body: unknown): Body {
  if (body === undefined || body === null) return { shape: "empty" };
  if (typeof body !== "string") return { shape: "json", value: body };
  const plain = parseBody(body);
  if (plain.shape !== "notJson" || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(body)) return plain;
  return parseBody(Buffer.from(body, "base64").toString("utf8"));
}

/** Whether the item is asked again by itself: its answer is about the batch, not about the mailbox. */
export function isForSingleCall(item: Answer): boolean {
  if (item.status === 424) return true; // Failed because of another item.
  return item.status === 200 && item.body.shape !== "json";
}

/**
 * Whether to try `$batch`. After three refusals in a row single calls do for a quarter of an hour: delta in a batch is
 * nowhere documented, and a cloud may not take it.
 */
export function batchGate(health: BatchHealth, clock: { nowMs(): number }, limits: GraphLimits = graphLimits) {
  return {
    isOpen: (): boolean => clock.nowMs() >= health.pausedUntilMs,
    accepted: (): void => {
      health.refusalsInARow = 0;
    },
    refused: (): void => {
      health.refusalsInARow += 1;
      if (health.refusalsInARow < limits.batchRefusalsMax) return;
      health.refusalsInARow = 0;
      health.pausedUntilMs = clock.nowMs() + limits.batchPauseMs;
    },
  };
}
