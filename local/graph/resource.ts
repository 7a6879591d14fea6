import { accessDenied, noMailbox, refuse, unknownSegment } from "./answers.js";
import { answerDelta } from "./delta.js";
import { answerMembers, answerUser, answerUsersDelta } from "./directory.js";
import type { FaultTarget } from "./faults.js";
import { answerCalendar, answerCalendars, answerCount } from "./lists.js";
import type { Mailbox } from "./mailbox.js";
import { refusalNow } from "./refusals.js";
import { type Route, routeOf, targetOf } from "./route.js";
import { answerUserPurpose } from "./settings.js";
import type { Answer, ResourceRequest } from "./types.js";
import type { World } from "./world.js";

/** An answer, and what its request was about. */
export type ResourceAnswer = {
  readonly answer: Answer;
  readonly target: FaultTarget;
  readonly mailboxId: string | null;
  /** How long Graph works on it. */
  readonly delayMs: number;
};

/** Answers one request for one resource, alone or as an item of a batch. */
export function answerResource(world: World, request: ResourceRequest): ResourceAnswer {
  const route = routeOf(request.path);
  const target = targetOf(route.kind, request.method);
  const owner = "user" in route ? ownerOf(world, route.user.id) : null;
  const mailbox = owner === null || "status" in owner ? null : owner;
  const answer = owner !== null && "status" in owner ? owner : answerRoute(world, request, route, mailbox);
  world.stats.countAnswer(route.kind, answer.status);
  const mailboxId = mailbox?.id ?? null;
  return { answer, target, mailboxId, delayMs: latencyNow(world, target, mailboxId) };
}

function ownerOf(world: World, id: string | null): Mailbox | Answer {
  if (id !== null) return world.mailboxes.find(id) ?? noMailbox("Request_ResourceNotFound");
  const mine = world.me === null ? null : world.mailboxes.at(world.me);
  return mine ?? refuse(400, "BadRequest", "/me request is only valid with delegated authentication flow.");
}

function answerRoute(world: World, request: ResourceRequest, route: Route, mailbox: Mailbox | null): Answer {
  if (route.kind === "unknown") return unknownSegment(route.segment);
  if (route.kind === "usersDelta" || route.kind === "members") {
    const refusal = refusalNow(world, "directory", null, /[?&]?\$(skip|delta)token=./.test(request.query));
    if (refusal !== null) return refusal;
    return route.kind === "members" ? answerMembers(world, request, route.groupId) : answerUsersDelta(world, request);
  }
  if (mailbox === null) return noMailbox("Request_ResourceNotFound");
  if (route.kind === "user")
    return refusalNow(world, "directory", mailbox, false) ?? answerUser(world, request, mailbox);
  if (route.kind === "userPurpose") {
    return refusalNow(world, "settings", mailbox, false) ?? answerUserPurpose(world, request, route.user, mailbox);
  }
  if (mailbox.state.kind === "gone") return noMailbox(mailbox.state.code);
  if (mailbox.state.kind === "denied") return accessDenied();
  if (route.kind === "delta") return answerDelta(world, request, route.user, mailbox);
  const refusal = refusalNow(world, targetOf(route.kind, request.method), mailbox, false);
  if (refusal !== null) return refusal;
  if (route.kind === "calendarsCount") return answerCount(world, request, mailbox);
  return "calendarId" in route
    ? answerCalendar(world, request, route.user, mailbox, route.calendarId)
    : answerCalendars(world, request, route.user, mailbox);
}

function latencyNow(world: World, target: FaultTarget, mailboxId: string | null): number {
  const { minMs, maxMs } = world.latency;
  const usualMs = maxMs > minMs ? minMs + world.random.next() * (maxMs - minMs) : minMs;
  if (world.faults.isCalm()) return usualMs;
  return usualMs + (world.faults.inject("latency", target, mailboxId)?.latencyMs ?? 0);
}
