import { accessDenied, mailboxFull, noMailbox, refuse } from "./answers.js";
import { type FaultRule, type FaultTarget, REFUSALS } from "./faults.js";
import { LINK_REFUSALS, type LinkRefusal, type Mailbox } from "./mailbox.js";
import type { Answer } from "./types.js";
import type { World } from "./world.js";

const CLAIMS = Buffer.from('{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}').toString("base64");
const LOGIN = 'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"';

const ON_LINK = without("directoryLinkDead");
const ON_DELTA = without("resetSync", "linksForgotten", "linkRefused", "directoryLinkDead");
const DELTA_ONLY = ["resetSync", "linksForgotten", "linkRefused", "mailboxFull", "deltaNotOffered"] as const;
const ON_MAILBOX = without(...DELTA_ONLY, "directoryLinkDead");
const ON_DIRECTORY = without(...DELTA_ONLY, "mailboxInfoStale", "noMailbox", "directoryLinkDead");
const ON_DIRECTORY_LINK = new Set([...ON_DIRECTORY, "directoryLinkDead"] as const);

function without(...kinds: readonly (typeof REFUSALS)[number][]): ReadonlySet<(typeof REFUSALS)[number]> {
  return new Set(REFUSALS.filter((kind) => !kinds.includes(kind)));
}

/**
 * The refusal that a fault injects now, or null.
 * @param hasLink Whether the request carries a token: only then is there sync state to lose.
 */
export function refusalNow(
  world: World,
  target: FaultTarget,
  mailbox: Mailbox | null,
  hasLink: boolean,
): Answer | null {
  if (world.faults.isCalm()) return null;
  const rule = world.faults.inject(kindsOn(target, hasLink), target, mailbox?.id ?? null);
  if (rule?.kind === "linksForgotten" && mailbox !== null) mailbox.forgottenUpTo = mailbox.generation;
  if (rule?.kind === "linkRefused" && mailbox !== null) {
    mailbox.refusedUpTo = mailbox.generation;
    mailbox.refusedWith = linkRefusalOf(rule);
  }
  return rule === null ? null : refusalOf(rule, world.clock.nowMs());
}

function kindsOn(target: FaultTarget, hasLink: boolean): ReadonlySet<(typeof REFUSALS)[number]> {
  if (target === "delta") return hasLink ? ON_LINK : ON_DELTA;
  if (target === "directory") return hasLink ? ON_DIRECTORY_LINK : ON_DIRECTORY;
  return ON_MAILBOX;
}

/** The answer that a rule stands for. */
export function refusalOf(rule: FaultRule, nowMs: number): Answer {
  switch (rule.kind) {
    case "throttledApplication":
      return refuse(429, "TooManyRequests", "Too many requests.", retryAfterOf(rule, "integer", nowMs));
    case "throttled": {
      const message = "Application is over its MailboxConcurrency limit.";
      return refuse(429, "ApplicationThrottled", message, retryAfterOf(rule, "integer", nowMs));
    }
    case "unavailable":
      return { status: 503, body: "", headers: retryAfterOf(rule, "none", nowMs) };
    case "mailboxInfoStale": {
      const message = "Mailbox info is stale: it is hosted on database 'Unknown'.";
      return refuse(503, "MailboxInfoStale", message, retryAfterOf(rule, "none", nowMs));
    }
    case "gatewayTimeout":
      return refuse(504, "UnknownError", "");
    case "claimsChallenge": {
      const challenge = `${LOGIN}, error="insufficient_claims", claims="${CLAIMS}"`;
      return refuse(401, "InvalidAuthenticationToken", "Continuous access evaluation resulted in challenge.", {
        "WWW-Authenticate": challenge,
      });
    }
    case "tokenRefused":
      return tokenRefused();
    case "resetSync":
    case "linksForgotten":
      return syncStateLost(rule.code ?? "SyncStateNotFound", 0, 0);
    case "linkRefused":
      return linkRefused(linkRefusalOf(rule));
    case "mailboxFull":
      return mailboxFull();
    case "deltaNotOffered":
      return refuse(400, "BadRequest", "Resource not found for the segment 'delta'.");
    case "denied":
      return accessDenied();
    case "noMailbox":
      return noMailbox(rule.code ?? "MailboxNotEnabledForRESTAPI");
    case "directoryLinkDead":
      return refuse(404, "UnknownError", "");
    default:
      return refuse(500, "ErrorInternalServerError", "An internal server error occurred. Try again later.");
  }
}

/** 401, without a claims challenge. */
export function tokenRefused(): Answer {
  return refuse(401, "InvalidAuthenticationToken", "Access token is empty, has expired, or is not for this service.", {
    "WWW-Authenticate": LOGIN,
  });
}

function linkRefusalOf({ code }: FaultRule): LinkRefusal {
  return LINK_REFUSALS.find((one) => one === code) ?? "UnknownError";
}

/** How a link is refused for good, in each of the ways that were seen. */
export function linkRefused(code: LinkRefusal): Answer {
  switch (code) {
    case "UnknownError":
      return refuse(404, code, "");
    case "BadRequest":
      return refuse(400, code, "Invalid request.");
    case "ErrorAccessDenied":
      return accessDenied();
    case "emptyBody":
      return { status: 404, body: "" };
  }
}

/** 410. The message names generations as the service does: the link's, then the newest ones that are kept. */
export function syncStateLost(code: string, generation: number, highest: number): Answer {
  const kept = `[highest=${highest}][${highest}][${highest - 2}][${highest - 1}]`;
  return refuse(410, code, `The sync state generation is not found; generation=${generation};${kept}`);
}

function retryAfterOf(rule: FaultRule, fallback: "integer" | "none", nowMs: number): Record<string, string> {
  const seconds = rule.seconds ?? 2;
  switch (rule.retryAfter ?? fallback) {
    case "integer":
      return { "Retry-After": String(Math.ceil(seconds)) };
    case "fraction":
      return { "Retry-After": seconds.toFixed(3) };
    case "date":
      return { "Retry-After": new Date(nowMs + seconds * 1000).toUTCString() };
    case "none":
      return {};
  }
}
