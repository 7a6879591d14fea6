/**
 * What parked reasons and error codes mean, in words, and what helps: for the dashboard, which takes this file into its page, and for
 * assistants. The operations guide has the same at length.
 */

export type Reason = {
  readonly means: string;
  /** Null: nothing is to be done, it is tried again. */
  readonly helps: string | null;
};

const throughProxy = "If all mailboxes have this, look for a proxy or a firewall in between.";
const atMicrosoft =
  "Trouble at Microsoft, or a mailbox that is being moved. It is tried again by itself; hours are normal.";

/** By how a code begins, whatever its case; what stands before a colon is the mirror's own word. The first that fits counts. */
const reasons: readonly (readonly [starts: readonly string[], means: string, helps: string | null])[] = [
  [
    ["denied", "ErrorItemNotFound", "extensionError"],
    "Microsoft Graph refuses the app access to this mailbox.",
    "Grant the app Calendars.Read, or widen the scope that Exchange grants it; then choose “Retry now”.",
  ],
  [
    ["ErrorAccessDenied"],
    "Microsoft Graph refuses the app access: Calendars.Read is missing, or the token is older than its grant.",
    "Grant the app Calendars.Read. A token lasts up to a day.",
  ],
  [["Authorization_RequestDenied"], "Microsoft Graph refuses the app.", "Look at its permissions."],
  [
    [
      "noMailbox",
      "MailboxNot",
      "ResourceNotFound",
      "ErrorInvalidUser",
      "ErrorNonExistentMailbox",
      "Request_ResourceNotFound",
      "invalidMailboxId",
    ],
    "There is no mailbox that Graph can read: no licence, on premises, a guest, deleted, or a wrong id.",
    "License it, or take it off the roster. A new licence is noticed within a day.",
  ],
  [
    ["mailboxFull", "ErrorQuotaExceeded"],
    "The mailbox is full, and its list is refused too.",
    "Free some space in it; then choose “Retry now”.",
  ],
  [
    [
      "featureUnavailable",
      "RequestBroker--ParseUri",
      "ErrorInvalidIdMalformed",
      "ErrorInvalidUrlQuery",
      "NotImplemented",
      "http405",
      "http501",
    ],
    "Graph offers neither changes nor the list of calendars for it.",
    "If all mailboxes have this, check GRAPH_CLOUD, GRAPH_ENDPOINT and GRAPH_API_VERSION.",
  ],
  [
    ["tooLarge"],
    "One of its calendars does not fit a row of the table.",
    "Find the calendar whose description or extension is huge and shorten that; then choose “Retry now”.",
  ],
  [
    ["poisonedPage"],
    "The message that continues its sync failed five times.",
    "The log of the function applyPage says why. Fix the cause; then choose “Retry now”.",
  ],
  [
    ["rowUnreadable"],
    "Somebody has edited a row of it in the table, and it cannot be read.",
    "The log names row and column. Correct it, or remove the mailbox and add it again.",
  ],
  [
    ["massRemoval"],
    "Most of its calendars seemed gone at once. A second reading confirms that, or finds them again.",
    null,
  ],
  [
    [
      "ApplicationThrottled",
      "TooManyRequests",
      "activityLimitReached",
      "throttledRequest",
      "ErrorTooManyObjectsOpened",
      "http429",
      "http509",
    ],
    "Graph throttles the app: it answers 429, or the like, and says how long to wait.",
    null,
  ],
  [
    ["MailboxInfoStale"],
    "Microsoft's servers have stale information on where this mailbox is. It is tried again by itself.",
    null,
  ],
  [
    [
      "ErrorMailboxMoveInProgress",
      "ErrorMailboxStoreUnavailable",
      "ErrorInternalServerTransientError",
      "serviceReadOnly",
      "http5",
      "http408",
      "http409",
      "http423",
      "http424",
      "http425",
    ],
    atMicrosoft,
    null,
  ],
  [
    ["insufficient_claims", "InvalidAuthenticationToken", "http401", "tokenUnavailable"],
    "The identity of the app gives no token, or one that Graph does not accept.",
    "Look at the identity and its permissions; the log says why, at level error.",
  ],
  [
    ["syncState", "invalidSyncState", "resync", "ErrorSyncFolderNotFound", "http410"],
    "Graph has lost its place in the changes. The whole list is read anew; readers notice nothing.",
    null,
  ],
  [
    ["linkRefused"],
    "A stored link led away from this mailbox and was not followed. The whole list is read anew.",
    "Somebody may have written into the table: investigate.",
  ],
  [["loop"], "Graph's pages led in circles, or did not end, so that sync was given up. What is served stays.", null],
  [["answersSlowly"], "Graph is slow: more mailboxes than usual did not answer in time.", null],
  [["malformedPage", "http404"], "Graph's answer made no sense, so none of it was believed.", throughProxy],
  [
    ["redirect", "timeout", "bodyTooLarge", "networkFault", "ECONN", "ETIMEDOUT", "ENOTFOUND", "EAI_"],
    "Graph gave no answer, or one that cannot be believed.",
    throughProxy,
  ],
  [
    ["UnknownError", "BadRequest", "http4"],
    "Graph refuses a link that it has issued. The link was dropped, and the whole list is read anew.",
    null,
  ],
  [["suspended"], "Its user has left the roster.", null],
  [["vanished"], "The roster's source does not list its user any more.", null],
  [["disabled"], "The account of its user is disabled.", null],
  [["guest"], "Its user is a guest.", null],
  [["noMail"], "Its user has no mail address any more.", null],
  [["softDeleted"], "Its user was deleted and may come back.", null],
  [["deleted"], "Its user was deleted for good.", null],
  [["kind"], "ROSTER_KINDS does not name its kind.", null],
  [["removing"], "It is being removed from the mirror.", null],
  [
    ["directoryPropertiesHidden"],
    "The directory gives users without their properties, so they stay as they were.",
    "Grant the app User.Read.All.",
  ],
  [
    ["directoryEmpty"],
    "The directory, or the group, named nobody. Nobody leaves because of that.",
    "Look at the group, and at Member.Read.Hidden.",
  ],
  [["other"], "More reasons than a shard tells apart. Each mailbox has its own.", null],
];

const unknownCode: Reason = {
  means: "Graph answered with an error. It is tried again by itself, and the log tells more under this code.",
  helps: null,
};

/** A parked reason or an error code in words. `isKnown`: the code has words of its own. */
export function explained(code: string): Reason & { readonly isKnown: boolean } {
  const lower = code.toLowerCase();
  const found = reasons.find(([starts]) => starts.some((start) => lower.startsWith(start.toLowerCase())));
  if (found === undefined) return { ...unknownCode, isKnown: false };
  const [, means, helps] = found;
  return { means, helps, isKnown: true };
}
