/** What reasons and codes mean, in a sentence each, and what helps. The guide (`guide.ts`) says more. */

const throttled = "Graph answers 429 or the like: it is asked too much. The mailbox waits as long as Graph says.";
const atMicrosoft = "Trouble at Microsoft, or a mailbox that is being moved. It is asked again by itself.";
const token =
  "Graph does not accept the app's token, or the identity gives none. Look at the identity and its permissions.";
const lostPlace = "Graph lost its place. A full round, or the list, takes its place.";
const noAnswer =
  "No answer, or one that cannot be believed. If all mailboxes have it, a proxy or firewall is in between.";
const circles = "Graph's pages led in circles, or did not end. The round was given up, and what is served stays.";

/** By how a reason begins, whatever its case; the first that fits counts. */
const sentences: readonly (readonly [starts: readonly string[], text: string])[] = [
  [
    ["denied", "ErrorItemNotFound", "extensionError"],
    "Graph denies access. Grant the app Calendars.Read, or widen its Exchange scope; then release.",
  ],
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
    "There is no mailbox that Graph can read: no licence, on-premises, or gone. Give it one, or take it off.",
  ],
  [["tooLarge"], "A calendar does not fit the table. Shrink what its owner wrote into it; then release."],
  [["poisonedPage"], "Its page message failed five times. The log says why; release tries again."],
  [["mailboxFull", "ErrorQuotaExceeded"], "The mailbox is full, and its list is refused too. Make room; then release."],
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
    "Graph offers neither changes nor the list here. Look at GRAPH_CLOUD and GRAPH_API_VERSION.",
  ],
  [
    ["massRemoval"],
    "Most of its calendars seemed gone at once. A second full round confirms that, or finds them again.",
  ],
  [["suspended"], "Its user has left the roster."],
  [["removing"], "It is on its way off the roster."],
  [["softDeleted"], "Its user was deleted and may come back."],
  [["deleted"], "Its user was deleted for good."],
  [["vanished"], "The roster's source does not list its user any more."],
  [["disabled"], "Its user's account is disabled."],
  [["guest"], "Its user is a guest now."],
  [["noMail"], "Its user has no mail address any more."],
  [["kind"], "ROSTER_KINDS does not name its kind."],
  [["directoryPropertiesHidden"], "Users come without their properties, and stay as they were. Grant User.Read.All."],
  [["directoryEmpty"], "The directory, or the group, told of nobody. Look at the group and at Member.Read.Hidden."],
  [["loop"], circles],
  [
    ["linkRefused"],
    "A link led away from this mailbox and was not followed. A full round, or the list, takes its place.",
  ],
  [["malformedPage", "http404"], "Graph's answer could not be understood, so none of it was believed."],
  [["syncState", "invalidSyncState", "resync", "ErrorSyncFolderNotFound", "http410"], lostPlace],
  [["Authorization_RequestDenied"], "Graph refuses the app. Look at its permissions."],
  [["InvalidAuthenticationToken", "insufficient_claims", "http401", "tokenUnavailable"], token],
  [["ErrorAccessDenied"], "The permission Calendars.Read is missing, or the token is older than its grant."],
  [["rowUnreadable"], "A row of it was edited and cannot be read. The log names row and column: mend it."],
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
    throttled,
  ],
  [
    ["MailboxInfoStale"],
    "Microsoft's servers have stale information on where this mailbox is. It is asked again by itself.",
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
  ],
  [["answersSlowly"], "More mailboxes than usual did not answer in time: Graph is slow."],
  [["redirect", "timeout", "bodyTooLarge", "networkFault", "ECONN", "ENOTFOUND", "EAI_", "ETIMEDOUT"], noAnswer],
  [
    ["UnknownError", "BadRequest", "http4"],
    "Graph refuses a link that it has issued. It was dropped, and a full round follows.",
  ],
  [["other"], "More reasons than a shard tells apart. Each mailbox has its own."],
];

/** Whether there is a sentence for this reason alone. */
function sentenceOf(reason: string): string | null {
  const text = reason.toLowerCase();
  return sentences.find(([starts]) => starts.some((start) => text.startsWith(start.toLowerCase())))?.[1] ?? null;
}

/** A parked reason or an error code in words. */
export function explained(reason: string): string {
  return sentenceOf(reason) ?? "Asked again by itself. The log tells more under this code.";
}
