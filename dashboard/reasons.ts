import * as reasons from "../shared/reasons.js";

/** A parked reason or an error code in words: what it means, and what helps. The guide (`guide.ts`) says more. */
export function explained(code: string): string {
  const { means, helps } = reasons.explained(code);
  return helps === null ? means : `${means} ${helps}`;
}
