/** What a URL below `/beta` names. Raw text of the path counts: parameters of a route may have been decoded by others. */
export type CalendarsPath = {
  /** Scheme and host, for links: as the caller reached us. */
  readonly origin: string;
  /** The path up to `/beta`. */
  readonly root: string;
  /** The path up to `/calendars`, as it was asked for. */
  readonly collection: string;
  readonly target:
    | { readonly kind: "list" | "delta" }
    /** Readings of the id, the likelier one first. */
    | { readonly kind: "calendar"; readonly ids: readonly string[] };
};

/** @returns null for a path that is none of these. */
export function calendarsPathOf(request: {
  readonly url: string;
  readonly headers: { get(name: string): string | null };
}): CalendarsPath | null {
  const url = new URL(request.url);
  const found = /^(.*?\/beta)\/(?:users\/[^/]+|me)\/calendars(?:\/(.*))?$/i.exec(url.pathname);
  if (found === null) return null;
  const [, root = "", rest = ""] = found;
  const collection = rest === "" ? url.pathname.replace(/\/$/, "") : url.pathname.slice(0, -rest.length - 1);
  return { origin: originOf(url, request.headers.get("x-forwarded-proto")), root, collection, target: targetOf(rest) };
}

/** TLS ends in front of the host. A link that says http would send the caller's key in the clear. */
function originOf(url: URL, forwardedProto: string | null): string {
  const isSecure = url.protocol === "https:" || forwardedProto?.split(",")[0]?.trim().toLowerCase() === "https";
  return `${isSecure ? "https" : "http"}://${url.host}`;
}

function targetOf(rest: string): CalendarsPath["target"] {
  const text = rest.replace(/\/$/, "");
  if (text === "") return { kind: "list" };
  const once = decoded(text);
  if (/^(microsoft\.graph\.)?delta(\(\))?$/i.test(once)) return { kind: "delta" };
  const twice = decoded(once);
  return { kind: "calendar", ids: once === twice ? [once] : [once, twice] };
}

/**
 * Azure's front end decodes `%2F` before it routes, and callers who know that encode the id twice. So an id is looked for
 * as decoded once, then as decoded twice. What is no valid encoding stands for itself.
 */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
