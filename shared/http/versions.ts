/** Whether `If-None-Match` names this version, compared weakly. @see RFC 9110 §13.1.2 */
export function holdsVersion(ifNoneMatch: string | null, version: string): boolean {
  if (ifNoneMatch === null) return false;
  const tags = ifNoneMatch.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes("*") || tags.includes(`"${version}"`);
}

/** A version as a weak ETag. */
export function etagOf(version: string): string {
  return `W/"${version}"`;
}
