import type { HttpRequest } from "@azure/functions";
import { compressed } from "../gzip.js";
import { type Answer, type HttpPorts, type Route, refusal } from "../handler.js";
import { answerAllCalendars } from "./allCalendars.js";
import { answerBatch } from "./batch.js";
import { answerGroup, answerGroupCalendar, answerGroupCalendars, answerGroups } from "./calendarGroups.js";
import {
  answerCalendar,
  answerCount,
  answerDefaultCalendar,
  answerDelta,
  answerList,
  type CalendarsRequest,
} from "./calendars.js";
import { type AskedMailbox, mailboxOfUser } from "./mailbox.js";
import { metadataAnswer } from "./metadata.js";
import { type BetaPath, betaPathOf, type MailboxPath } from "./paths.js";
import { signedInUser } from "./principal.js";
import { answerSubscriptions } from "./subscriptions.js";

/** The methods of all functions below `/api/beta`: one that is not registered gets a 404 of the host, without a body. */
export const betaMethods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;

/**
 * All below `/api/beta`: what Graph would answer under this path, as far as the mirror knows it. What it does not know, and every
 * write but of subscriptions, is refused in Graph's error shape.
 */
export const betaRoute: Route = async (request, ports, alone) => {
  const path = betaPathOf(request, ports.publicOrigin);
  if (path.kind !== "batch") return answerOf(path, request, ports);
  if (request.method !== "POST") return notAllowed("POST", "A batch is sent by POST.");
  return answerBatch(path, request, betaRoute, alone);
};

/**
 * Routes of functions that have a key of their own, or none. The path is read anew from the URL, which the host may have
 * understood otherwise: so each answers what its key is for, and nothing else.
 */
const routeFor =
  (isMeant: (path: BetaPath) => boolean): Route =>
  async (request, ports) => {
    const path = betaPathOf(request, ports.publicOrigin);
    if (isMeant(path)) return answerOf(path, request, ports);
    return isRead(request) ? nothing(path) : readOnly;
  };

/** Below `users/{id}`: one mailbox. */
export const userRoute = routeFor((path) => path.kind === "mailbox" && path.user.kind === "user");
/** `users/getAllCalendars`: all mailboxes. */
export const allCalendarsRoute = routeFor((path) => path.kind === "allCalendars");
/** `subscriptions`, and what stands below it. */
export const subscriptionsRoute = routeFor((path) => path.kind === "subscriptions");
/** Below `me`, without a function key: the mailbox of the user whom App Service Authentication signed in, and no other. */
export const meRoute = routeFor((path) => path.kind === "mailbox" && path.user.kind === "me");

async function answerOf(path: BetaPath, request: HttpRequest, ports: HttpPorts): Promise<Answer> {
  if (path.kind === "subscriptions") return answerSubscriptions(path, request, ports);
  if (!isRead(request)) return readOnly;
  switch (path.kind) {
    case "allCalendars":
      return compressed(request, await answerAllCalendars(path, request, ports));
    case "mailbox":
      return path.user.kind === "me" ? mine(path, request, ports) : theirs(path, path.user.name, request, ports);
    case "metadata":
      return metadataAnswer;
    default:
      return nothing(path);
  }
}

async function theirs(path: MailboxPath, name: string, request: HttpRequest, ports: HttpPorts): Promise<Answer> {
  const mailbox = await mailboxOfUser(name, ports);
  return "refusal" in mailbox ? mailbox.refusal : ofMailbox(path, mailbox, request, ports);
}

async function mine(path: MailboxPath, request: HttpRequest, ports: HttpPorts): Promise<Answer> {
  const user = ports.isSignInOn ? signedInUser(request.headers) : null;
  if (user !== null) return ofMailbox(path, { id: user, user, isByName: false }, request, ports);
  const message = "Access to me needs a user whom App Service Authentication signed in with Microsoft Entra ID.";
  return refusal(401, "InvalidAuthenticationToken", message, { "www-authenticate": "Bearer" });
}

async function ofMailbox(
  path: MailboxPath,
  mailbox: AskedMailbox,
  request: HttpRequest,
  ports: HttpPorts,
): Promise<Answer> {
  const { target } = path;
  const asked: CalendarsRequest = {
    mailbox,
    path,
    url: new URL(request.url),
    request,
    feed: await ports.feed(),
    nowMs: ports.nowMs(),
  };
  switch (target.kind) {
    case "delta":
      return answerDelta(asked);
    case "list":
      return answerList(asked);
    case "count":
      return answerCount(asked);
    case "calendar":
      return answerCalendar(asked, target.ids);
    case "defaultCalendar":
      return answerDefaultCalendar(asked);
    case "groups":
      return answerGroups(asked);
    case "group":
      return answerGroup(asked, target.ids);
    case "groupCalendars":
      return answerGroupCalendars(asked, target.ids);
    case "groupCalendar":
      return answerGroupCalendar(asked, target.groupIds, target.ids);
    case "notMirrored":
      return refusal(
        404,
        "ResourceNotFound",
        `The mirror keeps calendars without their ${target.segment}: ask Microsoft Graph.`,
      );
  }
}

function isRead({ method }: HttpRequest): boolean {
  return method === "GET" || method === "HEAD";
}

const readOnly = notAllowed(
  "GET, HEAD",
  "The mirror is read-only: change calendars in Microsoft Graph, and it follows.",
);

/** @see RFC 9110 §15.5.6 */
function notAllowed(allow: string, why: string): Answer {
  const message = `Specified HTTP method is not allowed for the request target. ${why}`;
  return refusal(405, "notAllowed", message, { allow });
}

const served =
  "The mirror has users/{id}/calendars, users/{id}/calendar and users/{id}/calendarGroups, the same under me, " +
  "users/getAllCalendars, subscriptions, $metadata and $batch.";

/** The caller's segment is told in Graph's words, and cut: it may be anything. */
function nothing(path: BetaPath): Answer {
  const segment = path.kind === "nothing" ? path.segment : "beta";
  const what =
    segment === null
      ? "There is no service document."
      : `Resource not found for the segment '${segment.slice(0, 60)}'.`;
  return refusal(404, "ResourceNotFound", `${what} ${served}`);
}
