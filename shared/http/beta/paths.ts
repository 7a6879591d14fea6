/** Whose calendars: the signed-in user's, or those of a user by id or name. */
type User = { readonly kind: "me" } | { readonly kind: "user"; readonly name: string };

/** What is asked of a mailbox. */
type MailboxTarget =
  | { readonly kind: "list" | "count" | "delta" | "defaultCalendar" | "groups" }
  /** Possible ids, the likelier one first. */
  | { readonly kind: "calendar" | "group" | "groupCalendars"; readonly ids: readonly string[] }
  | { readonly kind: "groupCalendar"; readonly groupIds: readonly string[]; readonly ids: readonly string[] }
  /** What Graph has below a calendar, and the mirror has not: events above all. */
  | { readonly kind: "notMirrored"; readonly segment: string };

/** What leads nowhere. `segment`: the first one that does; null: the root, which has none. */
type Nothing = { readonly kind: "nothing"; readonly segment: string | null };

/** Scheme and host as the caller reached us, for links; and the path up to `/beta`. */
type Base = { readonly origin: string; readonly root: string };

/** A path to a mailbox. `collection`: the path up to the list or function, as it was asked for. */
export type MailboxPath = Base & {
  readonly kind: "mailbox";
  readonly user: User;
  readonly collection: string;
  readonly target: MailboxTarget;
};

/** A path to the calendars of all mailboxes. */
export type AllCalendarsPath = Base & {
  readonly kind: "allCalendars";
  readonly collection: string;
  readonly isDelta: boolean;
};

/** A path to subscriptions. `id` null: to all of them. */
export type SubscriptionsPath = Base & {
  readonly kind: "subscriptions";
  readonly id: string | null;
  readonly isReauthorization: boolean;
};

/** What a URL below `/beta` names. It is read from the raw path, as the host may have decoded the parameters of a route. */
export type BetaPath =
  | MailboxPath
  | AllCalendarsPath
  | SubscriptionsPath
  | (Base & { readonly kind: "metadata" | "batch" })
  | (Base & Nothing);

type Asked = { readonly url: string; readonly headers: { get(name: string): string | null } };

/**
 * What a request names; all that leads nowhere is `nothing`.
 * @param publicOrigin Of links, where the caller cannot reach the host by the name that the host sees.
 */
export function betaPathOf(request: Asked, publicOrigin: string | null): BetaPath {
  const url = new URL(request.url);
  const origin = publicOrigin ?? originOf(url, request.headers.get("x-forwarded-proto"));
  const [, root = "", below = ""] = /^(.*?\/beta)(?:\/(.*))?$/i.exec(url.pathname) ?? [];
  const asked = url.pathname.replace(/\/$/, "");
  const base = { origin, root };
  const plain = keysAsSegments(below).replace(/\/$/, "");
  if (/^(?:\$|%24)metadata$/i.test(plain)) return { ...base, kind: "metadata" };
  if (/^(?:\$|%24)batch$/i.test(plain)) return { ...base, kind: "batch" };
  const [isSubscriptions, subscription, action] = /^subscriptions(?:\/([^/]+)(?:\/([^/]+))?)?$/i.exec(plain) ?? [];
  if (isSubscriptions !== undefined) {
    const isReauthorization = /^(?:microsoft\.graph\.)?reauthorize(?:\(\))?$/i.test(action ?? "");
    if (action !== undefined && !isReauthorization) return { ...base, ...nothingAt(action) };
    return {
      ...base,
      kind: "subscriptions",
      id: subscription === undefined ? null : decoded(subscription),
      isReauthorization,
    };
  }
  // Without its namespace and without parentheses: so the host finds the function that has a key of its own.
  const [isAll, rest = ""] = /^users\/getAllCalendars(?:\/(.*))?$/i.exec(plain) ?? [];
  if (isAll !== undefined) {
    if (rest === "") return { ...base, kind: "allCalendars", collection: asked, isDelta: false };
    if (isDelta(rest)) return { ...base, kind: "allCalendars", collection: parentOf(asked), isDelta: true };
    return { ...base, ...nothingAt(rest) };
  }
  const [, me, name = "", inside = ""] = /^(?:(me)|users\/([^/]+))(?:\/(.*))?$/i.exec(plain) ?? [];
  if ((me === undefined && name === "") || inside === "") return { ...base, ...nothingAt(plain) };
  const target = mailboxTargetOf(inside);
  if (target.kind === "nothing") return { ...base, ...target };
  const user: User = me === undefined ? { kind: "user", name: decoded(name) } : { kind: "me" };
  const collection = target.kind === "delta" ? parentOf(asked) : asked;
  return { ...base, kind: "mailbox", user, collection, target };
}

/**
 * TLS ends in front of the host, which sees http. Links must say https, or callers would send their key in the clear. No
 * other forwarded header is believed: whoever calls us could have written it.
 */
export function originOf(url: URL, forwardedProto: string | null): string {
  const isSecure = url.protocol === "https:" || forwardedProto?.split(",")[0]?.trim().toLowerCase() === "https";
  return `${isSecure ? "https" : "http"}://${url.host}`;
}

/**
 * Keys in parentheses as segments: `users('a')/calendars('b')` is `users/a/calendars/b`. One without a character stays, and leads
 * nowhere: as a segment it would be the whole list.
 * @see https://docs.oasis-open.org/odata/odata/v4.01/odata-v4.01-part2-url-conventions.html, "Key-as-Segment Convention"
 */
function keysAsSegments(path: string): string {
  const keyed = /((?:^|\/)(?:users|calendars|calendarGroups|subscriptions))\((?:'|%27)(.*?)(?:'|%27)\)(?=\/|$)/gi;
  return path.replace(keyed, (all, name: string, key: string) =>
    key === "" ? all : `${name}/${key.replace(/''|%27%27/g, "'")}`,
  );
}

/** What is meant by the path below a mailbox. */
function mailboxTargetOf(inside: string): MailboxTarget | Nothing {
  const [, collection = "", rest = ""] = /^([^/]+)(?:\/(.*))?$/.exec(inside) ?? [];
  switch (collection.toLowerCase()) {
    case "calendars":
      if (rest === "") return { kind: "list" };
      if (isDelta(rest)) return { kind: "delta" };
      if (isCount(rest)) return { kind: "count" };
      return notMirroredIn(rest) ?? { kind: "calendar", ids: idsOf(rest) };
    case "calendar":
      return rest === "" ? { kind: "defaultCalendar" } : (notMirroredIn(`/${rest}`) ?? nothingAt(rest));
    case "calendargroups":
      return groupTargetOf(rest);
    case "events":
    case "calendarview":
      return { kind: "notMirrored", segment: collection };
    default:
      return nothingAt(inside);
  }
}

/** What is meant by the path below `calendarGroups`. */
function groupTargetOf(path: string): MailboxTarget | Nothing {
  if (path === "") return { kind: "groups" };
  const [, group, rest = ""] = /^(.+?)\/calendars(?:\/(.*))?$/i.exec(path) ?? [];
  if (group === undefined) return { kind: "group", ids: idsOf(path) };
  if (rest === "") return { kind: "groupCalendars", ids: idsOf(group) };
  if (isCount(rest) || isDelta(rest)) return nothingAt(rest);
  return notMirroredIn(rest) ?? { kind: "groupCalendar", groupIds: idsOf(group), ids: idsOf(rest) };
}

/** What Graph has below a calendar, and the mirror has not. @see https://learn.microsoft.com/graph/api/resources/calendar */
function notMirroredIn(path: string): MailboxTarget | null {
  const relationships =
    /\/((?:events|calendarView|calendarPermissions|(?:single|multi)ValueExtendedProperties))(?:[/(].*)?$/i;
  const [, segment] = relationships.exec(path) ?? [];
  return segment === undefined ? null : { kind: "notMirrored", segment };
}

function isCount(text: string): boolean {
  return /^(?:\$|%24)count$/i.test(text);
}

function isDelta(text: string): boolean {
  return /^(microsoft\.graph\.)?delta(\(\))?$/i.test(decoded(text));
}

function parentOf(path: string): string {
  return path.replace(/\/[^/]*$/, "");
}

function nothingAt(path: string): Nothing {
  return { kind: "nothing", segment: path === "" ? null : decoded(path.split("/")[0] ?? "") };
}

/**
 * Azure's front end decodes `%2F` before it routes, and callers who know that encode the id twice. So an id is looked up
 * decoded once, then decoded twice.
 */
function idsOf(text: string): readonly string[] {
  const once = decoded(text);
  const twice = decoded(once);
  return once === twice ? [once] : [once, twice];
}

/** A text without percent-encoding. Text that is no valid encoding is taken as it is. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
