import type { Strategy } from "../sync/types.js";
import { linkCharsMax } from "./limits.js";

/** The one origin that may see our token, in lower case and without a default port. */
export type Root = {
  readonly scheme: "https" | "http";
  readonly authority: string;
  readonly origin: string;
  /** As sockets take it: an IPv6 address without its brackets. */
  readonly hostname: string;
};

/** Why a link may not be asked. Never a part of the link. */
export type LinkTrouble =
  | "tooLong"
  | "characters"
  | "notAbsolute"
  | "scheme"
  | "host"
  | "dotSegments"
  | "version"
  | "mailbox"
  | "path"
  | "token";

/** See `checkLink`. */
export type CheckedLink =
  | { readonly ok: true; readonly batchUrl: string | null; readonly rawTarget: string }
  | { readonly ok: false; readonly why: LinkTrouble };

/** What a link must belong to. */
export type LinkScope = {
  readonly root: string;
  readonly version: string;
  readonly mailboxId: string;
  readonly strategy: Strategy;
};

/** Whether an authority, a host with its port or without one, is this machine. */
export function isLoopback(authority: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/.test(authority);
}

/**
 * Reads the configured root: an origin, https, or plain http on loopback.
 * @throws Error when it is anything else: a mistake in the settings, not in an answer.
 */
export function parseRoot(root: string): Root {
  const [, scheme, authority] = /^(https?):\/\/([a-z0-9.\-[\]:]+)\/?$/.exec(lowerAscii(root)) ?? [];
  if ((scheme !== "https" && scheme !== "http") || authority === undefined || !URL.canParse(root)) {
    throw new Error("The Graph root must be an origin like https://graph.microsoft.com, without a path.");
  }
  if (scheme === "http" && !isLoopback(authority)) {
    throw new Error("The Graph root may be plain http on loopback only: a bearer token goes there.");
  }
  const host = withoutDefaultPort(scheme, authority);
  const hostname = host.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  return { scheme, authority: host, origin: `${scheme}://${host}`, hostname };
}

/**
 * Whether a stored link may be asked with our token (I8): same origin and version, this mailbox, this kind of page, and
 * a token in its query. It is checked as text, byte by byte: what a URL parser would repair is refused.
 * @returns `rawTarget`: path and query exactly as they stand in the link. `batchUrl`: what follows the version, for
 *   `$batch`; null when the link spells the version in another way. `why`: never a part of the link, which is a secret.
 */
export function checkLink(link: string, { root, version, mailboxId, strategy }: LinkScope): CheckedLink {
  const refused = (why: LinkTrouble): CheckedLink => ({ ok: false, why });
  const home = homeLink(link, root, version);
  if ("why" in home) return refused(home.why);
  const { segments, path, query, versionInLink } = home;
  const afterMailbox = skipMailbox(segments, mailboxId);
  if (afterMailbox === null) return refused("mailbox");
  if (!isPagePath(afterMailbox, strategy)) return refused("path");
  if (!holdsToken(query, strategy)) return refused("token");
  const batchUrl = versionInLink === version ? `${path.slice(1 + version.length)}?${query}` : null;
  return { ok: true, batchUrl, rawTarget: `${path}?${query}` };
}

/** The parts of a link to the configured origin and version, each as it stands. */
export type HomeLink = {
  readonly path: string;
  readonly query: string;
  readonly versionInLink: string;
  /** What follows the version. */
  readonly segments: readonly string[];
};

/** The parts of a link to our origin and version, or why it leads elsewhere (I8). */
export function homeLink(link: string, root: string, version: string): HomeLink | { readonly why: LinkTrouble } {
  const refused = (why: LinkTrouble) => ({ why });
  if (link.length > linkCharsMax) return refused("tooLong");
  if (!/^[\x21-\x7e]+$/.test(link) || /[\\#]/.test(link)) return refused("characters");
  const [, scheme, authority, path, query] = /^([a-z]+):\/\/([^/?]*)(\/[^?]*)\?(.*)$/i.exec(link) ?? [];
  if (scheme === undefined || authority === undefined || path === undefined || query === undefined) {
    return refused("notAbsolute");
  }
  const home = parseRoot(root);
  if (lowerAscii(scheme) !== home.scheme) return refused("scheme");
  // User info, an empty port, a trailing dot: each makes it differ from the configured authority.
  if (withoutDefaultPort(home.scheme, lowerAscii(authority)) !== home.authority) return refused("host");
  if (/\/(\.|%2e){1,2}(\/|$)/i.test(path)) return refused("dotSegments");
  const [, versionInLink = "", ...segments] = path.split("/");
  if (lowerAscii(versionInLink) !== lowerAscii(version)) return refused("version");
  return { path, query, versionInLink, segments };
}

/**
 * Where a round starts, after root and version. Without query options: Graph documents some for this call, but refuses them.
 * @see https://learn.microsoft.com/graph/api/calendar-delta?view=graph-rest-beta
 * @returns Null for an id that cannot stand in a path.
 */
export function startUrl(mailboxId: string, strategy: Strategy): string | null {
  if (/^\.{0,2}$/.test(mailboxId) || !mailboxId.isWellFormed()) return null;
  const mailbox = mailboxId === "me" ? "/me" : `/users/${escaped(mailboxId)}`;
  return strategy === "delta" ? `${mailbox}/calendars/delta` : `${mailbox}/calendars`;
}

/** What follows the mailbox in a path about this mailbox; null when it is about another one. */
function skipMailbox(segments: readonly string[], mailboxId: string): readonly string[] | null {
  const [first = "", second = ""] = segments;
  if (mailboxId === "me") return lowerAscii(first) === "me" ? segments.slice(1) : null;
  const [, quoted] = /^users\((?:'|%27)(.+)(?:'|%27)\)$/i.exec(first) ?? [];
  // OData doubles an apostrophe inside quotes.
  if (quoted !== undefined)
    return isSameId(decoded(quoted)?.replaceAll("''", "'"), mailboxId) ? segments.slice(1) : null;
  return lowerAscii(first) === "users" && isSameId(decoded(second), mailboxId) ? segments.slice(2) : null;
}

function isPagePath(segments: readonly string[], strategy: Strategy): boolean {
  const path = lowerAscii(segments.join("/"));
  return strategy === "list" ? path === "calendars" : /^calendars\/(microsoft\.graph\.)?delta(\(\))?$/.test(path);
}

function holdsToken(query: string, strategy: Strategy): boolean {
  return hasOption(query, strategy === "delta" ? /^\$(deltatoken|skiptoken)$/ : /^\$skip(token)?$/);
}

/** Whether a query holds an option with such a name and a value. `token`: matches names in lower case. */
export function hasOption(query: string, token: RegExp): boolean {
  return query.split("&").some((option) => {
    const [, name = ""] = /^([^=]*)=./.exec(option) ?? [];
    return token.test(lowerAscii(name).replace("%24", "$"));
  });
}

function isSameId(id: string | undefined, mailboxId: string): boolean {
  return id !== undefined && id !== "" && lowerAscii(id) === lowerAscii(mailboxId);
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined; // Not UTF-8 behind the percent signs: no id of ours.
  }
}

/** As encodeURIComponent, and the apostrophe too: in a Graph path it opens a key. */
function escaped(id: string): string {
  return encodeURIComponent(id).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function withoutDefaultPort(scheme: Root["scheme"], authority: string): string {
  return authority.replace(scheme === "https" ? /:443$/ : /:80$/, "");
}

/** Lower case of A to Z only: some letters of other alphabets become one of ours when lowered. */
export function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (char) => char.toLowerCase());
}
