import { mailboxKinds } from "../../sync/mailboxKind.js";
import type { JsonObject } from "../../sync/types.js";
import { actionLogLimits } from "../../views/actionLog.js";
import { actionPageSchema, actorSchema } from "../../views/actionSchema.js";
import { findLimits } from "../../views/findCalendars.js";
import { historyLimits } from "../../views/history.js";
import { historyKinds } from "../../views/historyKinds.js";
import { historyPageSchema } from "../../views/historySchema.js";
import { rosterSchema } from "../../views/rosterSchema.js";
import { examplesMax, ticksKept } from "../../views/status.js";
import { healthSchema, statusSchema } from "../../views/statusSchema.js";
import { mailboxPaths } from "./mailboxPaths.js";
import {
  actionExample,
  brakeExample,
  foundExample,
  historyItemExample,
  rosterExample,
  statusExample,
} from "./operatorExamples.js";
import { badEmpty, badId, badQuery, conflict, foundPageSchema, liftedSchema, upTo, withKey } from "./operatorParts.js";
import { ifNoneMatch } from "./options.js";
import { empty, header, inQuery, json, mailboxInPath, ref, refused } from "./parts.js";
import { subscriberPaths } from "./subscribers.js";

export type { FoundPage, Lifted, MailboxPage, Released } from "./operatorParts.js";

/** Changes and calendars over all mailboxes. */
const search: JsonObject = { tags: ["Search and history"] };

const isoTime = { type: "string", format: "date-time", example: "2026-11-28T09:00:00Z" };
const historyParameters = [
  inQuery("since", "Only what was logged then or later; ISO 8601 with its zone.", isoTime),
  inQuery("until", "Only what was logged before then; ISO 8601 with its zone.", isoTime),
  inQuery("kind", "Only items of this kind. Changes that are only counted come with every kind of change.", {
    type: "string",
    enum: historyKinds,
  }),
  inQuery("owner", "Only calendars of the owner with this address, now or before, in upper or lower case.", {
    type: "string",
    example: "megan@contoso.example",
  }),
  inQuery("top", "Items per page.", upTo(historyLimits.topMax, historyLimits.topDefault)),
  inQuery("cursor", "The cursor of the page before, unchanged, with the same filters."),
];
const historyOrder =
  "Newest first, with before and after. A page may hold fewer items than asked for, even none, and have a cursor. What is " +
  "logged after the first page is on none of those behind it.";
const historyPage = json("A page.", historyPageSchema, {
  value: [historyItemExample],
  lookedBackTo: null,
  cursor: null,
});

const trueOrFalse: JsonObject = { type: "boolean" };

const find: JsonObject = {
  operationId: "findCalendars",
  summary: "Find calendars in all mailboxes",
  description:
    "Calendars of the whole mirror, of mailboxes that are served, page by page and in no order. All that is given must " +
    "hold. A page may hold fewer than asked for, even none, and have a cursor.",
  ...search,
  parameters: [
    inQuery("owner", "The owner's whole address, in upper or lower case.", {
      type: "string",
      example: "megan@contoso.example",
    }),
    inQuery("name", "Any part of the name, in upper or lower case.", { type: "string", example: "team" }),
    inQuery("shared", "Whether its user has shared it with others (isShared).", trueOrFalse),
    inQuery("editable", "Whether its user may change it (canEdit).", trueOrFalse),
    inQuery("kind", "Only of mailboxes of this kind.", { type: "string", enum: mailboxKinds }),
    inQuery("default", "Whether it is its user's default calendar (isDefaultCalendar).", trueOrFalse),
    inQuery(
      "top",
      "Calendars per page. Those of one mailbox stay together, so a page may hold a few more.",
      upTo(findLimits.topMax, findLimits.topDefault),
    ),
    inQuery("cursor", "The cursor of the page before, unchanged, with the same query."),
  ],
  responses: withKey({
    "200": json("A page.", foundPageSchema, {
      value: [foundExample],
      oldestSuccess: "2026-11-28T09:25:03.000Z",
      cursor: null,
    }),
    "400": badQuery,
  }),
};

const unknownUser = refused("Nobody whom discovery follows has this userPrincipalName.", [
  "itemNotFound",
  "Nobody whom discovery follows has this userPrincipalName.",
]);

const searchPaths: JsonObject = {
  "/calendars": { get: find },
  "/mailboxes/{id}/history": {
    parameters: [mailboxInPath],
    get: {
      operationId: "listMailboxHistory",
      summary: "List what changed in a mailbox",
      description: `${historyOrder} Of a mailbox that has left, what the change log still tells.`,
      ...search,
      parameters: historyParameters,
      responses: withKey({
        "200": historyPage,
        "400": badId,
        "404": unknownUser,
      }),
    },
  },
  "/history": {
    get: {
      operationId: "listHistory",
      summary: "List what changed in all mailboxes",
      description: historyOrder,
      ...search,
      parameters: historyParameters,
      responses: withKey({ "200": historyPage, "400": badQuery }),
    },
  },
};

const actionLog: JsonObject = {
  operationId: "listActions",
  summary: "List what operators have done",
  description:
    "Newest first, for HISTORY_DAYS. A page may hold fewer than asked for, even none, and have a cursor. What was refused is not in it.",
  ...search,
  parameters: [
    inQuery("mailbox", "Only what was done to this mailbox: its user's object id, or userPrincipalName.", {
      type: "string",
      example: "6e7b768e-07e2-4810-8459-485f84f8f204",
    }),
    inQuery("top", "Actions per page.", upTo(actionLogLimits.topMax, actionLogLimits.topDefault)),
    inQuery("cursor", "The cursor of the page before, unchanged, with the same mailbox."),
  ],
  responses: withKey({
    "200": json("A page.", actionPageSchema, { value: [actionExample], cursor: null }),
    "400": badQuery,
    "404": unknownUser,
  }),
};

/** The mirror as a whole. */
const mirror: JsonObject = { tags: ["The mirror"] };

const rosterAction = (operationId: string, summary: string, description: string, refusal: JsonObject): JsonObject => ({
  post: {
    operationId,
    summary,
    description: `${description} Repeating it is harmless.`,
    ...mirror,
    responses: withKey({
      "202": json("Accepted. The roster as it is now.", rosterSchema, rosterExample),
      "400": badEmpty,
      "409": refusal,
    }),
  },
});

const statusVersion: JsonObject = { etag: header("The version of all but the time, weak.") };

const status: JsonObject = {
  operationId: "getStatus",
  summary: "Get the state of the mirror",
  description: "The state of the whole mirror, from the figures of its shards.",
  ...mirror,
  parameters: [
    inQuery("ticks", "How many of the newest ticks.", upTo(ticksKept, ticksKept)),
    inQuery("since", "Of those only this tick, by its name, and later ones; all where it is not known.", {
      type: "string",
    }),
    inQuery("examples", "Ids of mailboxes for each reason under troubles, at most.", {
      ...upTo(examplesMax, examplesMax),
      minimum: 0,
    }),
    inQuery("shards", "Whether each shard is listed.", { type: "string", enum: ["all", "none"], default: "all" }),
    ifNoneMatch,
  ],
  responses: withKey({
    "200": json("The status.", statusSchema, statusExample, statusVersion),
    "304": empty("The caller has this version: nothing but the time is another.", statusVersion),
    "400": badQuery,
  }),
};

const health = (description: string, example: JsonObject): JsonObject => ({
  description,
  content: { "application/json": { schema: ref(healthSchema), example } },
});
const healthPaths: JsonObject = {
  get: {
    operationId: "getHealth",
    summary: "Get the health",
    description: "Whether the storage answers and ticks come in time. It takes no key.",
    ...mirror,
    security: [],
    responses: {
      "200": health("It is well.", { status: "healthy", reason: "No tick has come yet." }),
      "503": health("It is not well.", { status: "unhealthy", reason: "The storage cannot be used." }),
    },
  },
  head: {
    operationId: "probeHealth",
    summary: "Probe the health",
    description: "The same without a body, for probes that send HEAD.",
    ...mirror,
    security: [],
    responses: { "200": { description: "It is well." }, "503": { description: "It is not well." } },
  },
};

const mirrorPaths: JsonObject = {
  "/brake/release": {
    post: {
      operationId: "releaseBrake",
      summary: "Retry the whole application now",
      description:
        "Retries now, where Graph throttles or refuses the whole application: it ends the brake, by which all instances wait, and the next tick asks again. Repeating it is harmless.",
      ...mirror,
      responses: withKey({
        "200": json("The brake as it is now, and whether it was on.", liftedSchema, { lifted: true, ...brakeExample }),
        "400": badEmpty,
      }),
    },
  },
  "/roster/discover": rosterAction(
    "discoverRoster",
    "Discover the roster now",
    "Looks for users who joined or left now, or at `notBefore` where Graph asked for a wait.",
    conflict(
      "The roster is maintained by hand.",
      "ROSTER is manual: there is nothing to discover. Set it to directory or group:<id>.",
    ),
  ),
  "/roster/release": rosterAction(
    "releaseRoster",
    "Apply the roster's shrink",
    "Releases the roster: applies the shrink that is held.",
    conflict(
      "Nothing is held, a full pass of discovery is under way, or the roster is maintained by hand.",
      "Nothing is held: there is no shrink to apply.",
    ),
  ),
  "/actions": { get: actionLog },
  "/operator": {
    get: {
      operationId: "getOperator",
      summary: "Get who asks",
      description:
        "Who asks, as the log of actions notes it. A key that only reads does not open this: so a program knows that it can do nothing else.",
      ...mirror,
      responses: withKey({
        "200": json("Who asks.", actorSchema, { kind: "user", name: "adele@contoso.example" }),
        "400": badEmpty,
      }),
    },
  },
  "/status": { get: status },
  "/health": healthPaths,
};

/** What operators read and do: mailboxes, subscribers, the roster, the brake, status and health. */
export const operatorPaths: JsonObject = { ...mailboxPaths, ...searchPaths, ...subscriberPaths, ...mirrorPaths };
