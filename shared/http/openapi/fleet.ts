import { mailboxStates } from "../../sync/state.js";
import type { JsonObject } from "../../sync/types.js";
import { inPath, inQuery, json, ref, refused } from "./parts.js";

const noStorage = refused("The storage cannot be used.");
const noKey: JsonObject = { description: "No function key. Answered by the host, without a body." };
const badQuery = refused("A query option is not what is expected.");

const text: JsonObject = { type: "string" };
const textOrNull: JsonObject = { type: ["string", "null"] };
const timeOrNull: JsonObject = { type: ["string", "null"], format: "date-time" };
const count: JsonObject = { type: "integer", minimum: 0 };
const counts: JsonObject = { type: "object", additionalProperties: count };

const objectOf = (properties: JsonObject, isOpen = false): JsonObject => ({
  type: "object",
  required: Object.keys(properties),
  properties,
  additionalProperties: isOpen,
});

const care = (operationId: string, summary: string): JsonObject => ({
  parameters: [inPath("id", "The user's object id; me in a trial.")],
  post: {
    operationId,
    summary: `${summary} Again is harmless.`,
    responses: {
      "202": json("Accepted. The mailbox as it stands.", "Mailbox"),
      "400": refused("The mailbox id is no object id, or there is a query or a body."),
      "401": noKey,
      "404": refused("It is not on the roster."),
      "409": refused("It is suspended, or being removed."),
      "503": noStorage,
    },
  },
});

const rosterCare = (operationId: string, summary: string, conflict: string): JsonObject => ({
  post: {
    operationId,
    summary: `${summary} Again is harmless.`,
    responses: {
      "202": json("Accepted. The roster as it stands.", "Roster"),
      "400": refused("There is a query or a body."),
      "401": noKey,
      "409": refused(conflict),
      "503": noStorage,
    },
  },
});

/** How operators see and mend the fleet. */
export const fleetPaths: JsonObject = {
  "/mailboxes": {
    get: {
      operationId: "listMailboxes",
      summary:
        "The roster's mailboxes, page by page. A page may hold fewer than asked for, even none, and have a cursor.",
      parameters: [
        inQuery("state", "Only mailboxes in this state.", { enum: mailboxStates }),
        inQuery("search", "The start of an id or of a display name, in any case."),
        inQuery("top", "Mailboxes per page.", { type: "integer", minimum: 1, maximum: 500, default: 50 }),
        inQuery("cursor", "The cursor of the page before, as it came."),
      ],
      responses: { "200": json("A page.", "MailboxPage"), "400": badQuery, "401": noKey, "503": noStorage },
    },
  },
  "/mailboxes/{id}/calendars": {
    parameters: [inPath("id", "The user's object id; me in a trial.")],
    get: {
      operationId: "listMailboxCalendars",
      summary: "Its calendars for operators: when each last changed, and what was removed.",
      responses: {
        "200": json("The mailbox and its calendars: living ones by name, then removed ones.", "MailboxCalendars"),
        "400": refused("The mailbox id is no object id, or there is a query."),
        "401": noKey,
        "404": refused("It is not on the roster."),
        "503": noStorage,
      },
    },
  },
  "/mailboxes/{id}/sync": care("syncMailbox", "A round now, whatever the mailbox waits for."),
  "/mailboxes/{id}/resync": care("resyncMailbox", "A full round now. Readers keep what they have meanwhile."),
  "/mailboxes/{id}/release": care(
    "releaseMailbox",
    "Ends parking, holding and waiting, and starts a round now: from the start, if Graph refuses the mailbox.",
  ),
  "/mailboxes/release": {
    post: {
      operationId: "releaseMailboxes",
      summary:
        "Releases all that are parked or waiting for one reason: the next tick asks them. With a cursor in the answer " +
        "there are more: ask again with it. Again is harmless.",
      parameters: [
        inQuery(
          "reason",
          "A parked reason or a code, such as denied:ErrorAccessDenied, or what stands before its colon.",
        ),
        inQuery("cursor", "The cursor of the answer before, as it came."),
      ],
      responses: { "200": json("How many.", "Released"), "400": badQuery, "401": noKey, "503": noStorage },
    },
  },
  "/brake/release": {
    post: {
      operationId: "releaseBrake",
      summary:
        "Lifts what all instances wait for: a throttle, or a refusal, of the whole application. Again is harmless.",
      responses: {
        "200": json("The brake as it stands, and whether it was on.", "Lifted"),
        "400": badQuery,
        "401": noKey,
        "503": noStorage,
      },
    },
  },
  "/roster/discover": rosterCare(
    "discoverRoster",
    "Looks for newcomers and leavers now, or at `notBefore` where Graph asked for a wait.",
    "The roster is kept by hand.",
  ),
  "/roster/release": rosterCare(
    "releaseRoster",
    "Applies the shrink that is held.",
    "Nothing is held, a full round is under way, or the roster is kept by hand.",
  ),
  "/status": {
    get: {
      operationId: "getStatus",
      summary: "How the whole mirror stands, from the shards' own figures.",
      parameters: [
        inQuery("ticks", "How many of the newest ticks.", { type: "integer", minimum: 1, maximum: 288, default: 288 }),
      ],
      responses: { "200": json("The status.", "Status"), "400": badQuery, "401": noKey, "503": noStorage },
    },
  },
  "/health": {
    get: {
      operationId: "getHealth",
      summary: "Whether the storage answers and ticks come in time.",
      security: [],
      responses: {
        "200": { description: "It is.", content: { "application/json": { schema: ref("Health") } } },
        "503": { description: "It is not.", content: { "application/json": { schema: ref("Health") } } },
      },
    },
    head: {
      operationId: "probeHealth",
      summary: "The same without a body, for probes that ask so.",
      security: [],
      responses: { "200": { description: "It is." }, "503": { description: "It is not." } },
    },
  },
};

const rosterProperties: JsonObject = {
  source: text,
  state: { enum: ["manual", "new", "discovering", "held", "waiting", "idle"] },
  phase: { enum: ["idle", "walking", "counting", "suspending"] },
  isFull: { type: "boolean" },
  discovered: count,
  generation: count,
  passStarted: timeOrNull,
  pages: count,
  seen: count,
  added: count,
  resumed: count,
  suspended: count,
  untold: count,
  held: {
    anyOf: [
      { type: "null" },
      objectOf({ leaving: count, of: count, since: timeOrNull, needsRelease: { type: "boolean" } }),
    ],
  },
  lastSuccess: timeOrNull,
  lastFullRound: timeOrNull,
  notBefore: timeOrNull,
  failuresInARow: count,
  lastErrorCode: textOrNull,
};

/** What the roster knows of one mailbox. */
export const seatSchema: JsonObject = {
  anyOf: [
    { type: "null" },
    objectOf({
      source: text,
      state: { enum: ["active", "suspended"] },
      userPrincipalName: textOrNull,
      displayName: textOrNull,
      leaveReason: textOrNull,
      since: timeOrNull,
      purgeAfter: timeOrNull,
    }),
  ],
};

const troubles: JsonObject = {
  type: "array",
  items: objectOf({ reason: text, count, examples: { type: "array", items: text } }),
};

const mailboxFigures = objectOf({
  total: count,
  mirrored: count,
  byState: counts,
  byStrategy: counts,
  strategyNote: textOrNull,
  calendars: count,
  freshWithinTwoTicks: objectOf({ count, of: count, share: { type: ["number", "null"] } }),
  neverSucceeded: count,
  oldestSuccess: { anyOf: [{ type: "null" }, objectOf({ at: timeOrNull, mailbox: text })] },
});

const tick: JsonObject = objectOf(
  { tick: text, started: timeOrNull, seconds: { type: "number" }, shards: count },
  true,
);
const shard: JsonObject = objectOf({
  shard: text,
  mailboxes: count,
  counted: timeOrNull,
  tick: textOrNull,
  started: timeOrNull,
  finished: timeOrNull,
});

const why: JsonObject = { code: textOrNull, since: timeOrNull, until: timeOrNull };
/** A throttle of the whole application. */
const brake: JsonObject = objectOf({ isOn: { type: "boolean" }, ...why });
/** A refusal of the whole application; `until`: when one mailbox is tried again. */
const application: JsonObject = { anyOf: [{ type: "null" }, objectOf(why)] };

export const fleetSchemas: JsonObject = {
  Released: objectOf({ released: count, cursor: textOrNull }),
  Lifted: objectOf({ lifted: { type: "boolean" }, brake, application }),
  MailboxPage: objectOf({ value: { type: "array", items: ref("Mailbox") }, cursor: textOrNull }),
  MailboxCalendars: objectOf({
    mailbox: ref("Mailbox"),
    value: { type: "array", items: ref("CalendarForOperators") },
  }),
  CalendarForOperators: objectOf({
    id: text,
    name: textOrNull,
    color: textOrNull,
    hexColor: textOrNull,
    ownerName: textOrNull,
    ownerAddress: textOrNull,
    isDefaultCalendar: { type: "boolean" },
    sequence: count,
    changed: { type: "string", format: "date-time" },
    removed: timeOrNull,
  }),
  Roster: objectOf(rosterProperties),
  Health: objectOf({ status: { enum: ["healthy", "unhealthy"] }, reason: text }),
  Status: objectOf({
    now: { type: "string", format: "date-time" },
    mailboxes: mailboxFigures,
    troubles: objectOf({ parked: troubles, held: troubles, waiting: troubles, suspended: troubles }),
    drift: objectOf({ changes: count, mailboxes: count }),
    activity: objectOf({ total: counts, ticks: { type: "array", items: tick } }),
    ticks: objectOf({
      newest: timeOrNull,
      intervalSeconds: { type: ["number", "null"] },
      isLate: { type: "boolean", description: "Three ticks or more were due since the newest one." },
    }),
    shards: { type: "array", items: shard },
    roster: ref("Roster"),
    brake,
    application,
    settings: { type: "object", additionalProperties: { type: ["string", "number", "boolean"] } },
  }),
};
