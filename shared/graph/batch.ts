import type { JsonObject } from "../sync/types.js";
import { isJsonObject } from "../sync/types.js";
import { headersOf, parseBody } from "./answer.js";
import { type GraphLimits, graphLimits } from "./limits.js";
import type { Answer, BatchHealth, Body } from "./ports.js";

/** One GET of a batch. `url`: relative, without the version. */
export type BatchRequest = { readonly url: string; readonly clientRequestId: string };

/** An item's answer, or why there is none that can be used. */
export type BatchItem = Answer | "missing" | "duplicate" | "malformed";

/**
 * The body of a `$batch`, with the items' `Prefer` where they have one. Items are named "1", "2" and so on, in order; headers count per item.
 * @see https://learn.microsoft.com/graph/json-batching
 */
export function batchBody(requests: readonly BatchRequest[], prefer: string | null): JsonObject {
  return {
    requests: requests.map(({ url, clientRequestId }, index) => ({
      id: String(index + 1),
      method: "GET",
      url,
      headers: { ...(prefer === null ? {} : { Prefer: prefer }), "client-request-id": clientRequestId },
    })),
  };
}

/**
 * Reads the body of an outer 200, which says nothing about its items: each has its own status. They come in any order and
 * are matched by id; when an id comes twice, neither answer is used (I10: those of others are).
 * @returns One item for each request, in their order; null when the body is no batch answer.
 */
export function parseBatch(body: Body, count: number): readonly BatchItem[] | null {
  const responses = body.shape === "json" && isJsonObject(body.value) ? body.value["responses"] : null;
  if (!Array.isArray(responses)) return null;
  const items = Array.from({ length: count }, (): BatchItem => "missing");
  for (const response of responses) {
    const id = isJsonObject(response) ? response["id"] : null;
    if (typeof id !== "string" || !/^[1-9]\d{0,2}$/.test(id)) continue;
    const index = Number(id) - 1;
    if (items[index] === undefined) continue; // Not an id of this batch.
    items[index] = items[index] === "missing" ? itemOf(response) : "duplicate";
  }
  return items;
}

function itemOf(response: JsonObject): BatchItem {
  const { status, headers, body } = response;
  if (typeof status !== "number" || !Number.isInteger(status) || status < 100 || status > 599) return "malformed";
  return { status, headers: headersOf(isJsonObject(headers) ? Object.entries(headers) : []), body: bodyOf(body) };
}

/** JSON is inline. Text is a string, and JSON of another content type is base64 in a string. */
function bodyOf(body: unknown): Body {
  if (body === undefined || body === null) return { shape: "empty" };
  if (typeof body !== "string") return { shape: "json", value: body };
  const plain = parseBody(body);
  if (plain.shape !== "notJson" || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(body)) return plain;
  return parseBody(Buffer.from(body, "base64").toString("utf8"));
}

/** Whether the item must be asked again by a single call: its answer is about the batch, not about the mailbox. */
export function isForSingleCall(item: Answer): boolean {
  if (item.status === 424) return true; // Failed because of another item.
  return item.status === 200 && item.body.shape !== "json";
}

/**
 * Whether to try `$batch`. After three refusals in a row only single calls are made for a quarter of an hour: delta in a
 * batch is not documented anywhere, and a cloud may refuse it.
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
