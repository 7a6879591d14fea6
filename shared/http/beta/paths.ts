/** What a URL below `/beta` names. It is read from the raw path, as the host may have decoded the parameters of a route. */
export type CalendarsPath = {
  /** Scheme and host, for links: as the caller reached us. */
  readonly origin: string;
  /** The path up to `/beta`. */
  readonly root: string;
  /** The path up to `/calendars`, as it was asked for. */
  readonly collection: string;
  readonly target:
    | { readonly kind: "list" | "count" | "delta" }
    /** Possible ids, the likelier one first. */
    | { readonly kind: "calendar"; readonly ids: readonly string[] };
};

/** What a request for calendars names; null for any other path. */
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

/** TLS ends in front of the host, which sees http. Links must say https, or callers would send their key in the clear. */
export function originOf(url: URL, forwardedProto: string | null): string {
  const isSecure = url.protocol === "https:" || forwardedProto?.split(",")[0]?.trim().toLowerCase() === "https";
  return `${isSecure ? "https" : "http"}://${url.host}`;
}

function targetOf(rest: string): CalendarsPath["target"] {
  const text = rest.replace(/\/$/, "");
  if (text === "") return { kind: "list" };
  const once = decoded(text);
  if (/^(microsoft\.graph\.)?delta(\(\))?$/i.test(once)) return { kind: "delta" };
  if (/^\$count$/i.test(once)) return { kind: "count" };
  const twice = decoded(once);
  return { kind: "calendar", ids: once === twice ? [once] : [once, twice] };
}

/**
 * Azure's front end decodes `%2F` before it routes, and callers who know that encode the id twice. So an id is looked up
 * decoded once, then decoded twice. Text that is no valid encoding is taken as it is.
 */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
