import { codeChain, messagesOf, requestOf } from "./answer.js";
import type { Answer, Failure } from "./ports.js";
import { retryAfterMs } from "./retryAfter.js";

type FailureKind = Failure["kind"];

const codesOfKind: Readonly<Record<Exclude<FailureKind, "linkRefused" | "unreadable">, readonly string[]>> = {
  // A delta link is too old, evicted or damaged: only a full round helps.
  resetSync: [
    "syncStateNotFound",
    "syncStateInvalid",
    "invalidSyncStateData",
    "resyncRequired",
    "resyncChangesApplyDifferences",
    "resyncChangesUploadDifferences",
    "ErrorSyncFolderNotFound",
  ],
  // This version or cloud has no such route, or refuses how we ask: true for every mailbox.
  featureUnavailable: ["RequestBroker--ParseUri", "ErrorInvalidIdMalformed", "ErrorInvalidUrlQuery", "NotImplemented"],
  noMailbox: [
    "MailboxNotEnabledForRESTAPI",
    "MailboxNotSupportedForRESTAPI",
    "ResourceNotFound", // Alternates with the first for one and the same user.
    "ErrorInvalidUser",
    "ErrorNonExistentMailbox",
    "Request_ResourceNotFound",
  ],
  transient: [
    "MailboxInfoStale",
    "ErrorMailboxMoveInProgress",
    "ErrorMailboxStoreUnavailable",
    "ErrorInternalServerTransientError",
    "serviceReadOnly", // The inner code of a 403 while a service fails over.
  ],
  // Also a missing role: whether *all* mailboxes are refused is not seen from one answer.
  denied: ["ErrorAccessDenied", "extensionError", "ErrorItemNotFound"],
  authConfig: ["Authorization_RequestDenied", "insufficient_claims", "InvalidAuthenticationToken"],
  mailboxFull: ["ErrorQuotaExceeded"], // The mailbox is full, and delta stores its sync state there.
  throttled: [
    "ApplicationThrottled",
    "TooManyRequests",
    "ErrorTooManyObjectsOpened",
    "activityLimitReached",
    "throttledRequest",
  ],
};

const kindOfCode: ReadonlyMap<string, FailureKind> = new Map(
  (Object.keys(codesOfKind) as (keyof typeof codesOfKind)[]).flatMap((name) =>
    codesOfKind[name].map((code) => [code.toLowerCase(), name] as const),
  ),
);

/** Failures that have no code of their own. Least trusted: messages change without notice. */
const hints: readonly (readonly [RegExp, FailureKind])[] = [
  [/badly formed token/i, "resetSync"],
  [/change tracking is not supported/i, "featureUnavailable"],
  [/resource not found for the segment/i, "featureUnavailable"],
  [/\[RAOP\]/, "denied"],
];

/**
 * What a failed answer means for the mailbox that it is about: by code first, then by message and shape of the body, then
 * by status alone. Total: any status, any body. No result can remove a calendar (I3).
 * @param askedByLink A stored link was asked, not the start of a round. A failure that is not known to concern the mailbox
 *   or the application is then a refusal of the link alone: Graph has refused links of its own for months.
 * @see https://learn.microsoft.com/graph/errors
 */
export function classify(answer: Answer, askedByLink: boolean, nowMs: number): Failure {
  const chain = codeChain(answer);
  const known = chain.findLast((code) => kindOfCode.has(code.toLowerCase())) ?? null;
  const code = known ?? chain.at(-1) ?? codeOfStatus(answer.status);
  const kind = kindOf(answer, known, askedByLink);
  const told = { code, ...requestOf(answer) };
  if (kind !== "throttled" && kind !== "transient" && kind !== "unreadable") return { kind, ...told };
  return { kind, ...told, retryAfterMs: retryAfterMs(answer, nowMs) };
}

/** Whether a failure's code says that there is no mailbox; other refusals are read that way by their status alone. */
export function saysNoMailbox({ kind, code }: Failure): boolean {
  return kind === "noMailbox" && kindOfCode.get(code.toLowerCase()) === kind;
}

function kindOf(answer: Answer, known: string | null, askedByLink: boolean): FailureKind {
  const found = kindOfAny(answer, known);
  if (!askedByLink) return found;
  switch (found) {
    case "noMailbox":
      return known !== null && !isOfAnyThing(known) ? found : "linkRefused";
    case "featureUnavailable": // The start was served: asking it again shows whether the route still exists.
      return "linkRefused";
    case "denied": // With a link its folder is gone; without one it is a missing object, or missing rights.
      return known?.toLowerCase() === "erroritemnotfound" ? "resetSync" : found;
    default:
      return found;
  }
}

/** `ResourceNotFound` may be about the mailbox, the route itself, or what the link stands for. */
function isOfAnyThing(code: string): boolean {
  return code.toLowerCase() === "resourcenotfound";
}

function kindOfAny(answer: Answer, known: string | null): FailureKind {
  if (answer.status === 410) return "resetSync"; // With any code, or none.
  const hinted = hints.find(([pattern]) => pattern.test(messagesOf(answer)))?.[1];
  if (known === null) return (answer.status < 500 ? hinted : undefined) ?? kindOfStatus(answer);
  // About the route: read as about the mailbox it would park every mailbox.
  if (isOfAnyThing(known) && hinted === "featureUnavailable") return hinted;
  return kindOfCode.get(known.toLowerCase()) ?? kindOfStatus(answer);
}

/** Timeout, conflict, locked, a failed dependency in a batch, too early: a later attempt may succeed. */
const transientStatuses: ReadonlySet<number> = new Set([408, 409, 423, 424, 425]);

function kindOfStatus({ status, body }: Answer): FailureKind {
  if (status === 401) return "authConfig";
  if (status === 403) return "denied";
  // Graph's own 404 has a JSON body. One without is a glitch, and says nothing about the mailbox.
  if (status === 404 && body.shape !== "json") return "unreadable";
  if (status === 405 || status === 501) return "featureUnavailable";
  if (transientStatuses.has(status)) return "transient";
  if (status === 429 || status === 509) return "throttled";
  return status >= 400 && status < 500 ? "noMailbox" : "transient";
}

function codeOfStatus(status: number): string {
  return status >= 300 && status < 400 ? "redirect" : `http${status}`; // Never followed: the token stays home (I8).
}
