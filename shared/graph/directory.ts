import type { Log } from "../log.js";
import type { JsonObject } from "../sync/types.js";
import { isJsonObject } from "../sync/types.js";
import { codeChain, traceOf } from "./answer.js";
import { classify } from "./classify.js";
import { linkCharsMax } from "./limits.js";
import { hasOption, homeLink, lowerAscii } from "./links.js";
import type { Answer, Clock, Transport } from "./ports.js";
import { retryAfterMs } from "./retryAfter.js";

/** Whose users we follow: all of the directory, or a group's members, members of members too. */
export type DirectorySource = { readonly kind: "directory" } | { readonly kind: "group"; readonly groupId: string };

/** A user as a page describes it. Null: empty, or not returned. Two items of one user are merged, the later over the earlier. */
export type DirectoryItem = {
  readonly id: string;
  /** `changed`: soft-deleted, may come back for 30 days. `deleted`: for good. Null: a living user. */
  readonly removed: "changed" | "deleted" | null;
  /** Every living user has one. Null means that Graph did not return the user's properties, whatever else is there. */
  readonly userPrincipalName: string | null;
  readonly displayName: string | null;
  readonly mail: string | null;
  readonly accountEnabled: boolean | null;
  readonly userType: string | null;
  /** Whether all properties that decide were returned; else null means unknown, not empty. */
  readonly isWhole: boolean;
};

/** What one answer means. `resetSync`: the link is lost, start over. `failed`: try again later. */
type DirectoryOutcome =
  | {
      readonly kind: "page";
      readonly items: readonly DirectoryItem[];
      /** The next page's link; of the last page the deltaLink, null where there is none. */
      readonly link: string | null;
      readonly isLast: boolean;
    }
  | { readonly kind: "resetSync"; readonly code: string }
  | { readonly kind: "failed"; readonly code: string; readonly retryAfterMs: number | null };

/** The lookup of one user. `unknown`: Graph says that there is none. `denied`: we may not read users. */
export type UserOutcome =
  | { readonly kind: "user"; readonly item: DirectoryItem }
  | { readonly kind: "unknown" | "denied"; readonly code: string }
  | { readonly kind: "failed"; readonly code: string; readonly retryAfterMs: number | null };

/** Reads users of a directory or a group. */
export type DirectoryClient = {
  /** One page, from the start (link null) or by a link. Never throws for what Graph or the network does. */
  page(source: DirectorySource, link: string | null): Promise<DirectoryOutcome>;
  /** Looks up one user that a page described only in part. */
  user(id: string): Promise<UserOutcome>;
};

/** What the client is made of. */
export type DirectoryClientOptions = {
  readonly settings: { readonly root: string; readonly version: string };
  readonly transport: Transport;
  readonly clock: Clock;
  readonly log: Log;
  /** Users per page. Default 500 (ours); Graph allows 999. */
  readonly pageSize?: number;
};

const properties = "id,userPrincipalName,mail,displayName,accountEnabled,userType";
const pageSizeDefault = 500;

/**
 * Reads users page by page. `users/delta` takes no `$top`; its `$select` limits what it reports, and is kept in its links.
 * After a lost sync state the start's own URL is asked, not the `Location` of the 410: it is the same place, and one link
 * less to trust.
 * @see https://learn.microsoft.com/graph/delta-query-users, https://learn.microsoft.com/graph/api/group-list-transitivemembers
 */
export function createDirectoryClient(options: DirectoryClientOptions): DirectoryClient {
  const { settings, transport, clock, log, pageSize = pageSizeDefault } = options;
  const ask = async (rawTarget: string) => {
    const headers = { Prefer: `odata.maxpagesize=${pageSize}` };
    return transport.send({ method: "GET", rawTarget, headers, body: null });
  };
  const logRefusal = (answer: Answer, code: string) =>
    log("warn", "Graph refused", {
      outcome: "directory",
      code,
      status: answer.status,
      codes: codeChain(answer).join("/"),
      retryAfterMs: retryAfterMs(answer, clock.nowMs()),
      ...traceOf(answer),
    });
  return {
    async page(source, link) {
      const target = link === null ? startOf(settings.version, source, pageSize) : targetOf(link, settings, source);
      if ("why" in target) {
        log("error", "A stored link may not be asked", { code: `linkRefused:${target.why}` });
        return { kind: "resetSync", code: `linkRefused:${target.why}` };
      }
      const sent = await ask(target.rawTarget);
      if (sent.kind === "fault") return faultOf(sent.failure.code, sent.detail, log);
      const { answer } = sent;
      if (answer.status === 200) {
        const page = parseUsers(answer.body.shape === "json" ? answer.body.value : null, source);
        if (page.kind === "failed") logRefusal(answer, page.code);
        return page;
      }
      const outcome = refusalOf(answer, link !== null, clock.nowMs());
      logRefusal(answer, outcome.code);
      return outcome;
    },
    async user(id) {
      const sent = await ask(`/${settings.version}/users/${encodeURIComponent(id)}?$select=${properties}`);
      if (sent.kind === "fault") return { kind: "failed", code: sent.failure.code, retryAfterMs: null };
      const { answer } = sent;
      const item = answer.status === 200 && answer.body.shape === "json" ? itemOf(answer.body.value) : null;
      if (item !== null) return { kind: "user", item };
      const isUnknown = answer.status === 404 && codeChain(answer).some((code) => /ResourceNotFound$/i.test(code));
      const code = codeChain(answer).at(-1) ?? `http${answer.status}`;
      if (isUnknown) return { kind: "unknown", code };
      if (answer.status === 403) return { kind: "denied", code };
      return { kind: "failed", code, retryAfterMs: retryAfterMs(answer, clock.nowMs()) };
    },
  };
}

type Target = { readonly rawTarget: string };

function startOf(version: string, source: DirectorySource, pageSize: number): Target {
  if (source.kind === "directory") return { rawTarget: `/${version}/users/delta?$select=${properties}` };
  const members = `/${version}/groups/${source.groupId}/transitiveMembers/microsoft.graph.user`;
  return { rawTarget: `${members}?$select=${properties}&$top=${pageSize}` };
}

/** Whether a stored link may be asked with our token (I8): our origin and version, and this source's own path. */
function targetOf(
  link: string,
  { root, version }: { readonly root: string; readonly version: string },
  source: DirectorySource,
): Target | { readonly why: string } {
  const home = homeLink(link, root, version);
  if ("why" in home) return home;
  const path = lowerAscii(home.segments.join("/"));
  const isOurs =
    source.kind === "directory"
      ? /^users\/(microsoft\.graph\.)?delta(\(\))?$/.test(path)
      : isMembersPath(path, lowerAscii(source.groupId));
  if (!isOurs) return { why: "path" };
  const token = source.kind === "directory" ? /^\$(deltatoken|skiptoken)$/ : /^\$skip(token)?$/;
  if (!hasOption(home.query, token)) return { why: "token" };
  return { rawTarget: `${home.path}?${home.query}` };
}

/** Graph may spell the group as a key: `groups('id')`. */
function isMembersPath(path: string, groupId: string): boolean {
  const [, group, rest] = /^groups(?:\/|\((?:'|%27))([0-9a-f-]+)(?:(?:'|%27)\))?\/(.+)$/.exec(path) ?? [];
  return group === groupId && rest === "transitivemembers/microsoft.graph.user";
}

/** Refuses the whole page for anything that is not understood: half a page must not look like a shorter roster (I3). */
function parseUsers(body: unknown, source: DirectorySource): DirectoryOutcome {
  const malformed: DirectoryOutcome = { kind: "failed", code: "malformedPage", retryAfterMs: null };
  if (!isJsonObject(body) || Object.hasOwn(body, "error") || !Array.isArray(body["value"])) return malformed;
  const items = mergedById(body["value"].filter(isUser)).map(itemOf);
  const nextLink = body["@odata.nextLink"] ?? null;
  const deltaLink = body["@odata.deltaLink"] ?? null;
  const link = nextLink ?? deltaLink;
  if (!items.every((item) => item !== null)) return malformed;
  if (link !== null && (typeof link !== "string" || link === "" || link.length > linkCharsMax)) return malformed;
  const isDelta = source.kind === "directory";
  if (isDelta ? (nextLink === null) === (deltaLink === null) : deltaLink !== null) return malformed;
  return { kind: "page", items, link, isLast: nextLink === null };
}

/** Members of a group may also be devices, contacts and groups, which have a type. */
function isUser(value: unknown): boolean {
  const type = isJsonObject(value) ? value["@odata.type"] : undefined;
  return typeof type !== "string" || lowerAscii(type).replace(/^#/, "") === "microsoft.graph.user";
}

/**
 * Merges items of one user: what the later one leaves out stays as in the earlier one. Without a principal name the nulls
 * of an item mean nothing.
 */
function mergedById(values: readonly unknown[]): readonly unknown[] {
  const byId = new Map<unknown, unknown>();
  for (const value of values) {
    const id = isJsonObject(value) ? value["id"] : undefined;
    const key = typeof id === "string" ? lowerAscii(id) : value;
    const before = byId.get(key);
    const isNews = !isJsonObject(value) || !isJsonObject(before) || "@removed" in value || "@removed" in before;
    byId.set(key, isNews ? value : { ...before, ...describedBy(value) });
  }
  return [...byId.values()];
}

function describedBy(value: JsonObject): JsonObject {
  if (typeof value["userPrincipalName"] === "string") return value;
  return Object.fromEntries(Object.entries(value).filter(([, given]) => given !== null));
}

/** What can be a mailbox's id; Graph's are GUIDs. Anything else could neither be asked for nor removed by hand. */
const objectId = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

function itemOf(value: unknown): DirectoryItem | null {
  if (!isJsonObject(value)) return null;
  const id = value["id"];
  if (typeof id !== "string" || !objectId.test(id)) return null;
  const text = (name: string) => (typeof value[name] === "string" ? value[name] : null);
  const { accountEnabled } = value;
  return {
    id: lowerAscii(id),
    removed: removalOf(value["@removed"]),
    userPrincipalName: text("userPrincipalName"),
    displayName: text("displayName"),
    mail: text("mail"),
    accountEnabled: typeof accountEnabled === "boolean" ? accountEnabled : null,
    userType: text("userType"),
    isWhole:
      text("userPrincipalName") !== null &&
      ["mail", "accountEnabled", "userType"].every((name) => Object.hasOwn(value, name)),
  };
}

/** An unknown reason is read as the milder one: such a user may come back. */
function removalOf(mark: unknown): DirectoryItem["removed"] {
  if (mark === undefined || mark === null) return null;
  return isJsonObject(mark) && mark["reason"] === "deleted" ? "deleted" : "changed";
}

/**
 * A refusal of a link says nothing about the roster: the link is dropped, and the start is asked instead. Only a refusal of
 * the start counts. A throttle, a passing failure and a refused token are not about the link.
 */
function refusalOf(answer: Answer, hasLink: boolean, nowMs: number): Exclude<DirectoryOutcome, { kind: "page" }> {
  const failure = classify(answer, hasLink, nowMs);
  const isPassing = failure.kind === "throttled" || failure.kind === "transient" || failure.kind === "unreadable";
  const isOfLink = !isPassing && answer.status !== 401;
  if (hasLink && isOfLink) return { kind: "resetSync", code: failure.code };
  return { kind: "failed", code: failure.code, retryAfterMs: retryAfterMs(answer, nowMs) };
}

function faultOf(code: string, detail: string | null, log: Log): DirectoryOutcome {
  log("warn", "Graph did not answer", { outcome: "directory", code, detail });
  return { kind: "failed", code, retryAfterMs: null };
}
