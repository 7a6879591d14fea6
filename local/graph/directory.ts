import {
  answerJson,
  badToken,
  decodeSegment,
  methodNotAllowed,
  noMailbox,
  preferredPageSize,
  queryOf,
  refuse,
} from "./answers.js";
import { describedUsers, isHidden, isNobodyListed, listedUsers } from "./directoryFaults.js";
import type { Mailbox } from "./mailbox.js";
import type { UserRow } from "./mailboxes.js";
import type { Answer, ResourceRequest } from "./types.js";
import type { DirectoryUser, UserChanges } from "./users.js";
import type { GroupMembers, World } from "./world.js";

const PAGE_SIZE_DEFAULT = 100;
const TOKEN_LIFETIME_MS = 7 * 24 * 60 * 60 * 1000;
const DELTA_REFUSES = ["$top", "$expand", "$orderby", "$filter", "$search", "$count", "$skip"];

/** Where a directory link stands, and what it was asked for. */
type Position = {
  readonly at: number;
  readonly index: number;
  readonly roundStart: number | null;
  readonly issuedAtMs: number;
  /** Raw value of the first call's `$select`; "" for none. */
  readonly select: string;
};

/** One call of users/delta. Unlike Outlook's, its links live for seven days and carry `$select`. */
export function answerUsersDelta(world: World, request: ResourceRequest): Answer {
  if (request.method !== "GET") return methodNotAllowed();
  const query = queryOf(request.query);
  const refused = DELTA_REFUSES.find((name) => query.has(name));
  if (refused !== undefined) {
    return refuse(400, "Request_UnsupportedQuery", `The query option '${refused}' is not supported with delta.`);
  }
  const from = positionOf(world, query);
  if (from === null) return badToken();
  const root = `${world.switches.publicRoot}/${request.version}`;
  if (world.clock.nowMs() - from.issuedAtMs > TOKEN_LIFETIME_MS) {
    const Location = `${root}/users/delta?$deltatoken=`;
    return refuse(410, "syncStateNotFound", "The delta token is older than seven days.", { Location });
  }
  const size = preferredPageSize(request.headers["prefer"], PAGE_SIZE_DEFAULT);
  const isFull = from.roundStart !== null;
  const isNobody = isFull && isNobodyListed(world);
  const owed = isNobody ? [] : world.mailboxes.userRowsAfter(from.at, from.index, from.roundStart, size + 1);
  const rows = owed.slice(0, size);
  const last = rows.at(-1);
  const atEnd = { at: world.mailboxes.directorySequence(), index: world.mailboxes.size(), roundStart: null };
  const next = owed.length > size && last !== undefined ? { ...from, at: last.at, index: last.index } : null;
  const link = linkOf(world, root, next ?? { ...from, ...atEnd }, next === null ? "delta" : "skip");
  const isMinimal = request.headers["prefer"]?.includes("return=minimal") === true;
  const listed = isFull ? listedUsers(world, rows, ({ index }) => index) : rows;
  const described = listed.map((row) => deltaRow(row, from.select, isMinimal && !isFull));
  const value = describedUsers(world, described, isFull);
  const name = next === null ? "@odata.deltaLink" : "@odata.nextLink";
  return answerJson({ "@odata.context": `${root}/$metadata#users`, value, [name]: link });
}

function positionOf(world: World, query: ReadonlyMap<string, string>): Position | null {
  const token = query.get("$skiptoken") ?? query.get("$deltatoken") ?? "";
  const select = decodeSegment(query.get("$select") ?? "") ?? "";
  const sequence = world.mailboxes.directorySequence();
  const issuedAtMs = world.clock.nowMs();
  if (token === "") return { at: -1, index: -1, roundStart: sequence, issuedAtMs, select };
  if (token === "latest") return { at: sequence, index: world.mailboxes.size(), roundStart: null, issuedAtMs, select };
  const [kind, at, index, roundStart, issued, ...selected] = world.sealer.open(token)?.split(",") ?? [];
  if (kind !== "users") return null;
  const start = Number(roundStart);
  return {
    at: Number(at),
    index: Number(index),
    roundStart: start < 0 ? null : start,
    issuedAtMs: Number(issued),
    select: selected.join(","),
  };
}

function linkOf(world: World, root: string, to: Position, kind: "delta" | "skip"): string {
  const fields = ["users", to.at, to.index, to.roundStart ?? -1, world.clock.nowMs(), to.select];
  return `${root}/users/delta?$${kind}token=${world.sealer.seal(fields.join(","))}`;
}

function deltaRow(row: UserRow, select: string, isMinimal: boolean): Record<string, unknown> {
  if (row.removed !== null) return { id: row.user.id, "@removed": { reason: row.removed } };
  const shown = isMinimal && row.changed !== null ? row.changed : row.user;
  return { ...selected(shown, select), id: row.user.id };
}

/** The selected properties, and always the id. */
function selected(user: UserChanges, select: string): Record<string, unknown> {
  if (select === "") return { ...user };
  const names = new Set(["id", ...select.split(",").map((name) => name.trim())]);
  return Object.fromEntries(Object.entries(user).filter(([name]) => names.has(name)));
}

/** One user by id or principal name. */
export function answerUser(world: World, request: ResourceRequest, mailbox: Mailbox): Answer {
  if (request.method !== "GET") return methodNotAllowed();
  const user = world.mailboxes.user(mailbox.index);
  if (user === null) return noMailbox("Request_ResourceNotFound");
  if (isHidden(world, mailbox.id)) {
    return refuse(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.");
  }
  const context = `${world.switches.publicRoot}/${request.version}/$metadata#users/$entity`;
  const select = decodeSegment(queryOf(request.query).get("$select") ?? "") ?? "";
  return answerJson({ "@odata.context": context, ...selected(user, select) });
}

/** Members of a group, users only, page by page. */
export function answerMembers(world: World, request: ResourceRequest, groupId: string): Answer {
  if (request.method !== "GET") return methodNotAllowed();
  const group = world.groups.get(groupId);
  if (group === undefined) return noMailbox("Request_ResourceNotFound");
  const query = queryOf(request.query);
  const token = query.get("$skiptoken");
  const [kind, skipText] = token === undefined ? ["members", "0"] : (world.sealer.open(token)?.split(",") ?? []);
  const top = query.get("$top");
  const size = top !== undefined && /^[1-9]\d{0,2}$/.test(top) ? Number(top) : PAGE_SIZE_DEFAULT;
  if (kind !== "members") return badToken();
  const nobody = { users: [], nextIndex: null };
  const { users, nextIndex } = isNobodyListed(world) ? nobody : membersFrom(world, group, Number(skipText), size);
  const listed = listedUsers(world, users, ({ id }) => world.mailboxes.find(id)?.index ?? 0);
  const select = query.get("$select");
  const root = `${world.switches.publicRoot}/${request.version}`;
  const path = `${root}/groups/${groupId}/transitiveMembers/microsoft.graph.user`;
  const options = [top === undefined ? "" : `$top=${top}&`, select === undefined ? "" : `$select=${select}&`].join("");
  const seal = (index: number) => world.sealer.seal(`members,${index}`);
  const next = nextIndex === null ? {} : { "@odata.nextLink": `${path}?${options}$skiptoken=${seal(nextIndex)}` };
  const described = listed.map((user) => selected(user, decodeSegment(select ?? "") ?? ""));
  const value = describedUsers(world, described, true);
  return answerJson({ "@odata.context": `${root}/$metadata#users`, ...next, value });
}

function membersFrom(world: World, group: GroupMembers, from: number, size: number) {
  const users: DirectoryUser[] = [];
  for (let index = from; index < world.mailboxes.size(); index++) {
    const mailbox = world.mailboxes.at(index);
    if (mailbox === null || world.mailboxes.find(mailbox.id) === null) continue;
    if (group !== "everybody" && !group.has(mailbox.id)) continue;
    if (users.length === size) return { users, nextIndex: index };
    const user = world.mailboxes.user(index);
    if (user !== null) users.push(user);
  }
  return { users, nextIndex: null };
}
