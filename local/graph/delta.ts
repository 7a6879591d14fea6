import { mailboxFull, methodNotAllowed, preferredPageSize, queryOf, refuse, unknownSegment } from "./answers.js";
import { firstPosition, newLink, openLink, type Position } from "./deltaLinks.js";
import { deltaRows, type RowPlan } from "./deltaRows.js";
import { type Change, changesAfter, cursorAtEnd, type Mailbox } from "./mailbox.js";
import { refusalNow } from "./refusals.js";
import type { UserRef } from "./route.js";
import type { Answer, DeltaAvailability, ResourceRequest } from "./types.js";
import type { World } from "./world.js";

/** As on the service: ten, unless asked otherwise. */
const PAGE_SIZE_DEFAULT = 10;
const REFUSED_OPTIONS = ["$select", "$top", "$filter", "$orderby", "$expand", "$search", "$count", "$skip"];

/** One call of calendars/delta: the first of a round, or one with a link's token. */
export function answerDelta(world: World, request: ResourceRequest, user: UserRef, mailbox: Mailbox): Answer {
  const unavailable = unavailableAnswer(world.switches.delta[request.version]);
  if (unavailable !== null) return unavailable;
  if (request.method !== "GET") return methodNotAllowed();
  const query = queryOf(request.query);
  const refused = REFUSED_OPTIONS.filter((name) => query.has(name));
  if (refused.length > 0) return refuseOptions();
  const token = tokenIn(query);
  const refusal = refusalNow(world, "delta", mailbox, token !== null);
  if (refusal !== null) return refusal;
  if (mailbox.state.kind === "full") return mailboxFull();
  const opened = token === null ? firstPosition(mailbox) : openLink(world, mailbox, token);
  if ("status" in opened) return opened;
  const { stats } = world;
  if (token === null) stats.count.fullRounds++;
  if (request.headers["prefer"]?.includes("maxpagesize") !== true) stats.count.deltaWithoutPageSize++;
  return answerPage(world, request, user, mailbox, opened);
}

function unavailableAnswer(availability: DeltaAvailability): Answer | null {
  switch (availability) {
    case "available":
      return null;
    case "notTracked": {
      const message = "Change tracking is not supported against 'microsoft.graph.calendar'.";
      return refuse(400, "BadRequest", message);
    }
    case "unknownSegment":
      return unknownSegment("delta");
    case "readAsId":
      return refuse(400, "ErrorInvalidIdMalformed", "Id is malformed.");
  }
}

function refuseOptions(): Answer {
  const list = "'$select, $top, $filter, $orderby, $expand, $search, $count, $skip'";
  const message = `The following parameters are not supported with change tracking over the 'Calendars' resource: ${list}.`;
  return refuse(400, "ErrorInvalidUrlQuery", message);
}

/** Outlook ignores `$deltatoken=latest`: the round simply begins. */
function tokenIn(query: ReadonlyMap<string, string>): string | null {
  const token = query.get("$skiptoken") ?? query.get("$deltatoken");
  return token === undefined || token === "latest" ? null : token;
}

function answerPage(world: World, request: ResourceRequest, user: UserRef, mailbox: Mailbox, from: Position): Answer {
  const { faults } = world;
  const isCalm = faults.isCalm();
  const emptyPages = isCalm ? 0 : emptyPagesNow(world, mailbox, from);
  if (emptyPages > 0) {
    const next: Position = { ...from, kind: "skip", emptyPages: emptyPages === 1 ? -1 : emptyPages - 1 };
    return page(world, request, newLink(world, request, user, mailbox, next), next, []);
  }
  const plan = planPage(world, request, mailbox, from);
  const rows = deltaRows(world, request, mailbox, plan);
  const loop = isCalm ? "none" : loopNow(world, mailbox, from);
  if (loop !== "none") {
    const circling: Position = { ...from, kind: "skip", loop };
    const asked = `${world.switches.publicRoot}/${request.version}/${request.path}?${request.query}`;
    const isSame = loop === "same" && from.loop === "same";
    return page(world, request, isSame ? asked : newLink(world, request, user, mailbox, circling), circling, rows);
  }
  const link = newLink(world, request, user, mailbox, plan.next);
  return page(world, request, isCalm ? link : poisoned(world, mailbox, link, user), plan.next, rows);
}

/** Which changes go on this page, and where its link will stand. */
function planPage(world: World, request: ResourceRequest, mailbox: Mailbox, from: Position): RowPlan {
  const { faults } = world;
  let owed = changesAfter(mailbox, from.cursor, from.roundStart);
  if (from.roundStart !== null && !faults.isCalm() && faults.inject("halvedList", "delta", mailbox.id) !== null) {
    owed = owed.filter((change) => change.slot % 2 === 0);
  }
  let size = preferredPageSize(request.headers["prefer"], PAGE_SIZE_DEFAULT);
  if (owed.length > size && !faults.isCalm()) {
    const rule = faults.inject("oversizedPage", "delta", mailbox.id);
    if (rule !== null) size = Math.max(size, rule.items ?? owed.length);
  }
  const changes = owed.length > size ? owed.slice(0, size) : owed;
  return { from, changes, next: positionAfter(mailbox, from, changes, owed.length) };
}

function positionAfter(mailbox: Mailbox, from: Position, changes: readonly Change[], owed: number): Position {
  const last = changes.at(-1);
  if (last === undefined || changes.length === owed) {
    const cursor = cursorAtEnd(mailbox);
    return { kind: "delta", cursor, roundStart: null, knownAt: cursor.at, emptyPages: 0, loop: "none" };
  }
  const cursor = { at: last.at, slot: last.slot };
  return { ...from, kind: "skip", cursor, emptyPages: 0, loop: "none" };
}

function emptyPagesNow(world: World, mailbox: Mailbox, from: Position): number {
  if (from.emptyPages !== 0) return Math.max(0, from.emptyPages);
  const rule = world.faults.inject("emptyPages", "delta", mailbox.id);
  return rule === null ? 0 : (rule.pages ?? 1);
}

/** A link that has begun to loop does so until the rule is removed. */
function loopNow(world: World, mailbox: Mailbox, from: Position): Position["loop"] {
  if (from.loop !== "none") return world.faults.has("endlessLinks") ? from.loop : "none";
  const rule = world.faults.inject("endlessLinks", "delta", mailbox.id);
  return rule === null ? "none" : rule.form === "same" ? "same" : "rotating";
}

/** The link, or the one that a fault puts in its place, which a careful client does not follow. */
function poisoned(world: World, mailbox: Mailbox, link: string, user: UserRef): string {
  const rule = world.faults.inject("poisonedLink", "delta", mailbox.id);
  if (rule === null) return link;
  const root = world.switches.publicRoot;
  switch (rule.form) {
    case "user": {
      const other = world.mailboxes.at((mailbox.index + 1) % world.mailboxes.size());
      return link.replace(`/${user.path}/`, () => `/users/${other?.id ?? "other"}/`);
    }
    case "emptyUser":
      return link.replace(`/${user.path}/`, () => "/users//");
    case "scheme":
      return link.replace(/^https?:/, (scheme) => (scheme === "https:" ? "http:" : "https:"));
    case "longerPath":
      return link.replace("/calendars/delta?", () => "/calendars/delta/calendars?");
    default:
      return link.replace(root, () => "https://graph.attacker.example");
  }
}

function page(world: World, request: ResourceRequest, link: string, to: Position, rows: readonly string[]): Answer {
  const { count } = world.stats;
  count.deltaPages++;
  if (rows.length === 0) count.quietPages++;
  const context = `${world.switches.publicRoot}/${request.version}/$metadata#Collection(calendar)`;
  const name = to.kind === "delta" ? "@odata.deltaLink" : "@odata.nextLink";
  const head = `{"@odata.context":${JSON.stringify(context)},"value":[`;
  const body = `${head}${rows.join(",")}],"${name}":${JSON.stringify(link)}}`;
  return { status: 200, body, headers: TRACKING };
}

const TRACKING = { "Preference-Applied": "odata.track-changes" };
