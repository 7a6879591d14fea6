import { parseRetryAfter } from "../sync/retryAfter.js";
import type { Answer } from "./ports.js";

/** As `parseRetryAfter`, from an answer. */
export function retryAfterMs(answer: Answer, nowMs: number): number | null {
  return parseRetryAfter(answer.headers.get("retry-after") ?? null, nowMs);
}
