/** A time of ours (epoch milliseconds) as views show it: ISO 8601 in UTC; null stays null. */
export function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
