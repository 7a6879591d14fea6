/** The date format that servers must send; the two obsolete ones are not read. */
const httpDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * Reads `Retry-After`: how long Graph, or a subscriber, asks us to wait. `header`: value of `Retry-After`, null when there is none;
 * `nowMs`: epoch.
 * @returns Milliseconds, 0 or more, never shortened; null when absent or unreadable: the caller then backs off by
 *   its own rule.
 * @see RFC 9110 §10.2.3: whole seconds or a date. https://learn.microsoft.com/graph/throttling also shows a fraction, `2.128`. Anything
 *   else is refused on purpose: `Date.parse("-5")` is a day in 2001, which would mean "retry at once".
 */
export function parseRetryAfter(header: string | null, nowMs: number): number | null {
  const text = header?.trim() ?? "";
  if (/^\d{1,9}(\.\d{1,15})?$/.test(text)) return Math.ceil(Number(text) * 1000);
  const atMs = httpDate.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs);
}
