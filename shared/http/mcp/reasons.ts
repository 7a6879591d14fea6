/** Why a mailbox is behind, in words: what a code means, and what helps. The operations guide has the same at length. */

type Reason = {
  readonly means: string;
  /** Null: nothing is to be done, it is tried again. */
  readonly helps: string | null;
};

/** By how a code begins, in lower case; what stands before a colon is the mirror's own word. The first that fits counts. */
const reasons: readonly (readonly [starts: readonly string[], reason: Reason])[] = [
  [
    ["denied:", "erroraccessdenied", "extensionerror", "authorization_requestdenied"],
    {
      means: "Microsoft Graph refuses the app access to this mailbox.",
      helps:
        "Grant the app Calendars.Read, or widen the scope that Exchange grants it; then choose retry now (POST /api/mailboxes/{id}/release).",
    },
  ],
  [
    ["nomailbox:"],
    {
      means: "There is no mailbox that Graph can read: no licence, on premises, a guest, deleted, or a wrong id.",
      helps: "License it, or take it off the roster. A new licence is noticed within a day.",
    },
  ],
  [
    ["mailboxfull:", "errorquotaexceeded"],
    {
      means: "The mailbox is full, and its list is refused too.",
      helps: "Free some space in it; then choose retry now.",
    },
  ],
  [
    ["featureunavailable:"],
    {
      means: "Graph offers neither changes nor the list of calendars for it.",
      helps: "If all mailboxes have this, check GRAPH_CLOUD, GRAPH_ENDPOINT and GRAPH_API_VERSION.",
    },
  ],
  [
    ["toolarge"],
    {
      means: "One of its calendars does not fit a row of the table.",
      helps: "Find the calendar whose description or extension is huge and shorten that; then choose retry now.",
    },
  ],
  [
    ["poisonedpage"],
    {
      means: "The message that continues its sync failed five times.",
      helps: "The log of the function applyPage says why. Fix the cause; then choose retry now.",
    },
  ],
  [
    ["rowunreadable"],
    {
      means: "Somebody has edited a row of it in the table, and it cannot be read.",
      helps: "The log names row and column. Correct it, or DELETE the mailbox and PUT it again.",
    },
  ],
  [
    ["massremoval"],
    {
      means: "Most of its calendars seemed gone at once. A second reading confirms that, or finds them again.",
      helps: null,
    },
  ],
  [
    [
      "applicationthrottled",
      "toomanyrequests",
      "activitylimitreached",
      "throttledrequest",
      "errortoomanyobjectsopened",
      "http429",
      "http509",
    ],
    { means: "Graph throttles the app: it answers 429, and says how long to wait.", helps: null },
  ],
  [
    [
      "mailboxinfostale",
      "errormailboxmoveinprogress",
      "errormailboxstoreunavailable",
      "errorinternalservertransienterror",
      "servicereadonly",
      "http5",
      "http408",
      "http409",
      "http423",
      "http424",
      "http425",
    ],
    { means: "Trouble at Microsoft, or a mailbox that is being moved. Hours are normal.", helps: null },
  ],
  [
    ["insufficient_claims", "invalidauthenticationtoken", "http401", "tokenunavailable"],
    {
      means: "The identity of the app gives no token, or one that Graph does not accept.",
      helps: "Look at the identity and its permissions; the log says why, at level error.",
    },
  ],
  [
    ["syncstate", "invalidsyncstatedata", "resync", "errorsyncfoldernotfound", "http410"],
    {
      means: "Graph has lost its place in the changes. The whole list is read anew; readers notice nothing.",
      helps: null,
    },
  ],
  [
    ["linkrefused"],
    {
      means: "A stored link led away from this mailbox and was not followed. The whole list is read anew.",
      helps: "Somebody may have written into the table: investigate.",
    },
  ],
  [["loop"], { means: "Graph's pages led in circles, so that sync was given up. What is served stays.", helps: null }],
  [["answersslowly"], { means: "Graph is slow: more mailboxes than usual did not answer in time.", helps: null }],
  [
    [
      "malformedpage",
      "http404",
      "redirect",
      "timeout",
      "bodytoolarge",
      "networkfault",
      "econn",
      "etimedout",
      "enotfound",
    ],
    {
      means: "Graph gave no answer, or one that makes no sense, so none of it was believed.",
      helps: "If all mailboxes have this, look for a proxy or a firewall in between.",
    },
  ],
  [["suspended"], { means: "Its user has left the roster.", helps: null }],
  [["vanished"], { means: "The roster's source does not list its user any more.", helps: null }],
  [["disabled"], { means: "The account of its user is disabled.", helps: null }],
  [["guest"], { means: "Its user is a guest.", helps: null }],
  [["nomail"], { means: "Its user has no mail address any more.", helps: null }],
  [["softdeleted"], { means: "Its user was deleted and may come back.", helps: null }],
  [["deleted"], { means: "Its user was deleted for good.", helps: null }],
  [["kind"], { means: "ROSTER_KINDS does not name its kind.", helps: null }],
  [["removing"], { means: "It is being removed from the mirror.", helps: null }],
  [
    ["directorypropertieshidden"],
    {
      means: "The directory gives users without their properties, so they stay as they were.",
      helps: "Grant the app User.Read.All.",
    },
  ],
  [
    ["directoryempty"],
    {
      means: "The directory, or the group, named nobody. Nobody leaves because of that.",
      helps: "Look at the group, and at Member.Read.Hidden.",
    },
  ],
];

const unknownCode: Reason = { means: "Graph answered with an error. It is tried again by itself.", helps: null };

/** A parked reason or an error code in words. `isKnown`: the code has words of its own. */
export function explained(code: string): Reason & { readonly isKnown: boolean } {
  const lower = code.toLowerCase();
  const found = reasons.find(([starts]) => starts.some((start) => lower.startsWith(start)));
  return found === undefined ? { ...unknownCode, isKnown: false } : { ...found[1], isKnown: true };
}
