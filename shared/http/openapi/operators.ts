import * as z from "zod";
import { mailboxKinds } from "../../sync/mailboxKind.js";
import { mailboxStates } from "../../sync/state.js";
import type { JsonObject } from "../../sync/types.js";
import { findLimits } from "../../views/findCalendars.js";
import { foundSchema, oldestSuccess } from "../../views/foundSchema.js";
import { historyLimits } from "../../views/history.js";
import { historyKinds } from "../../views/historyKinds.js";
import { historyPageSchema } from "../../views/historySchema.js";
import { listLimits } from "../../views/mailboxList.js";
import { mailboxCalendarsSchema, mailboxSchema } from "../../views/mailboxSchema.js";
import { rosterSchema } from "../../views/rosterSchema.js";
import { count, flag, textOrNull } from "../../views/schemaParts.js";
import { ticksKept } from "../../views/status.js";
import { brakeSchema, healthSchema, statusSchema } from "../../views/statusSchema.js";
import { newMailboxBody } from "../mailboxes.js";
import { header, inHeader, inQuery, json, mailboxInPath, noKey, ref, refused } from "./parts.js";

const cursor = textOrNull.describe("Where to go on; null: there is no more.");

const mailboxPageSchema = z.object({ value: z.array(mailboxSchema), cursor }).meta({ id: "MailboxPage" });
export type MailboxPage = z.infer<typeof mailboxPageSchema>;

const foundPageSchema = z.object({ value: z.array(foundSchema), oldestSuccess, cursor }).meta({ id: "FoundPage" });
export type FoundPage = z.infer<typeof foundPageSchema>;

const releasedSchema = z.object({ released: count, cursor }).meta({ id: "Released" });
export type Released = z.infer<typeof releasedSchema>;

const liftedSchema = z.object({ lifted: flag, ...brakeSchema.shape }).meta({ id: "Lifted" });
export type Lifted = z.infer<typeof liftedSchema>;

const newMailboxSchema = newMailboxBody.meta({ id: "NewMailbox" });

const badId = refused("The mailbox id is no object id, or the query or the body is not what is expected.");
const badQuery = refused("A query option is not what is expected.");

const upTo = (maximum: number, byDefault: number): JsonObject => ({
  type: "integer",
  minimum: 1,
  maximum,
  default: byDefault,
});

/** What each route answers that wants a key and reads the table. */
const withKey = (own: JsonObject): JsonObject => ({
  ...own,
  "401": noKey,
  "503": refused("The storage cannot be used."),
});

const mailboxAction = (operationId: string, summary: string): JsonObject => ({
  parameters: [mailboxInPath],
  post: {
    operationId,
    summary: `${summary} Repeating it is harmless.`,
    responses: withKey({
      "202": json("Accepted. The mailbox as it is now.", mailboxSchema),
      "400": refused("The mailbox id is no object id, or there is a query or a body."),
      "404": refused("It is not on the roster."),
      "409": refused("It is suspended, or being removed."),
    }),
  },
});

const rosterAction = (operationId: string, summary: string, conflict: string): JsonObject => ({
  post: {
    operationId,
    summary: `${summary} Repeating it is harmless.`,
    responses: withKey({
      "202": json("Accepted. The roster as it is now.", rosterSchema),
      "400": refused("There is a query or a body."),
      "409": refused(conflict),
    }),
  },
});

const statusVersion: JsonObject = { etag: header("The version of all but the time, weak.") };

const isoTime = { type: "string", format: "date-time" };
const historyParameters = [
  inQuery("since", "Only what was logged then or later; ISO 8601 with its zone.", isoTime),
  inQuery("until", "Only what was logged before then; ISO 8601 with its zone.", isoTime),
  inQuery("kind", "Only items of this kind. Changes that are only counted come with every kind of change.", {
    enum: historyKinds,
  }),
  inQuery("owner", "Only calendars of the owner with this address, now or before, in upper or lower case."),
  inQuery("top", "Items per page.", upTo(historyLimits.topMax, historyLimits.topDefault)),
  inQuery("cursor", "The cursor of the page before, unchanged, with the same filters."),
];
const historySummary =
  "newest first, with before and after. A page may hold fewer items than asked for, even none, and have a cursor. What is " +
  "logged after the first page is on none of those behind it.";
const trueOrFalse: JsonObject = { type: "boolean" };

/** What operators read and do: mailboxes, the roster, the brake, status and health. */
export const operatorPaths: JsonObject = {
  "/mailboxes": {
    get: {
      operationId: "listMailboxes",
      summary:
        "The roster's mailboxes, page by page. A page may hold fewer than asked for, even none, and have a cursor.",
      parameters: [
        inQuery("state", "Only mailboxes in this state.", { enum: mailboxStates }),
        inQuery("kind", "Only mailboxes of this kind.", { enum: mailboxKinds }),
        inQuery(
          "search",
          "Starts of words of the display name, in any order; or the start of the name, the address or the id. In upper or lower case.",
        ),
        inQuery("top", "Mailboxes per page.", upTo(listLimits.topMax, listLimits.topDefault)),
        inQuery("cursor", "The cursor of the page before, unchanged."),
      ],
      responses: withKey({ "200": json("A page.", mailboxPageSchema), "400": badQuery }),
    },
  },
  "/calendars": {
    get: {
      operationId: "findCalendars",
      summary:
        "Calendars of the whole mirror, of mailboxes that are served, page by page and in no order. All that is given must " +
        "hold. A page may hold fewer than asked for, even none, and have a cursor.",
      parameters: [
        inQuery("owner", "The owner's whole address, in upper or lower case."),
        inQuery("name", "Any part of the name, in upper or lower case."),
        inQuery("shared", "Whether its user has shared it with others (isShared).", trueOrFalse),
        inQuery("editable", "Whether its user may change it (canEdit).", trueOrFalse),
        inQuery("kind", "Only of mailboxes of this kind.", { enum: mailboxKinds }),
        inQuery("default", "Whether it is its user's default calendar (isDefaultCalendar).", trueOrFalse),
        inQuery(
          "top",
          "Calendars per page. Those of one mailbox stay together, so a page may hold a few more.",
          upTo(findLimits.topMax, findLimits.topDefault),
        ),
        inQuery("cursor", "The cursor of the page before, unchanged, with the same query."),
      ],
      responses: withKey({ "200": json("A page.", foundPageSchema), "400": badQuery }),
    },
  },
  "/mailboxes/{id}": {
    parameters: [mailboxInPath],
    get: {
      operationId: "getMailbox",
      summary: "A mailbox of the roster, and its state.",
      responses: withKey({
        "200": json("The mailbox.", mailboxSchema),
        "400": badId,
        "404": refused("It is not on the roster."),
      }),
    },
    put: {
      operationId: "putMailbox",
      summary:
        "Puts a mailbox on the roster. Its first round comes with the next tick. Repeating it is harmless. A discovered mailbox " +
        "stays discovered, unless source is manual; roster.source of the answer says which it is.",
      requestBody: { content: { "application/json": { schema: ref(newMailboxSchema) } } },
      responses: withKey({
        "200": json("It was on the roster.", mailboxSchema),
        "201": json("It was added.", mailboxSchema),
        "400": badId,
        "409": refused("Discovery has suspended it: its user has left the roster. With source manual it is resumed."),
      }),
    },
    delete: {
      operationId: "deleteMailbox",
      summary: "Takes a mailbox off the roster, with all its rows. Repeating it is harmless.",
      responses: withKey({
        "202": json("It takes longer than this request: GET shows removing until it is done.", mailboxSchema),
        "204": {
          description: "It is not on the roster any more.",
          headers: { "x-mirror-note": header("Present where discovery will bring it back.") },
        },
        "400": badId,
      }),
    },
  },
  "/mailboxes/{id}/calendars": {
    parameters: [mailboxInPath],
    get: {
      operationId: "listMailboxCalendars",
      summary: "Its calendars for operators: when each last changed, and what was removed.",
      responses: withKey({
        "200": json("The mailbox and its calendars: existing ones by name, then removed ones.", mailboxCalendarsSchema),
        "400": refused("The mailbox id is no object id, or there is a query."),
        "404": refused("It is not on the roster."),
      }),
    },
  },
  "/mailboxes/{id}/history": {
    parameters: [mailboxInPath],
    get: {
      operationId: "listMailboxHistory",
      summary: `What changed in the mailbox, ${historySummary} Of one that has left, what the change log still tells.`,
      parameters: historyParameters,
      responses: withKey({
        "200": json("A page.", historyPageSchema),
        "400": refused("The mailbox id is no object id, or a query option is not what is expected."),
        "404": refused("Nobody whom discovery follows has this userPrincipalName."),
      }),
    },
  },
  "/history": {
    get: {
      operationId: "listHistory",
      summary: `What changed in all mailboxes, ${historySummary}`,
      parameters: historyParameters,
      responses: withKey({ "200": json("A page.", historyPageSchema), "400": badQuery }),
    },
  },
  "/mailboxes/{id}/sync": mailboxAction("syncMailbox", "A round now, whatever the mailbox waits for."),
  "/mailboxes/{id}/resync": mailboxAction("resyncMailbox", "A full round now. Readers keep what they have meanwhile."),
  "/mailboxes/{id}/release": mailboxAction(
    "releaseMailbox",
    "Ends parking, holding and waiting, and starts a round now: a full one, if Graph refused the mailbox.",
  ),
  "/mailboxes/release": {
    post: {
      operationId: "releaseMailboxes",
      summary:
        "Releases all mailboxes that are parked or waiting for one reason: the next tick asks them. Where the answer has a " +
        "cursor there are more: ask again with it. Repeating it is harmless.",
      parameters: [
        inQuery("reason", "A parked reason or a code, such as denied:ErrorAccessDenied, or the part before its colon."),
        inQuery("cursor", "The cursor of the answer before, unchanged."),
      ],
      responses: withKey({ "200": json("How many.", releasedSchema), "400": badQuery }),
    },
  },
  "/brake/release": {
    post: {
      operationId: "releaseBrake",
      summary:
        "Lifts the brake that all instances obey: a throttle, or a refusal, of the whole application. Repeating it is harmless.",
      responses: withKey({
        "200": json("The brake as it is now, and whether it was on.", liftedSchema),
        "400": badQuery,
      }),
    },
  },
  "/roster/discover": rosterAction(
    "discoverRoster",
    "Looks for users who joined or left now, or at `notBefore` where Graph asked for a wait.",
    "The roster is maintained by hand.",
  ),
  "/roster/release": rosterAction(
    "releaseRoster",
    "Applies the shrink that is held.",
    "Nothing is held, a full round is in progress, or the roster is maintained by hand.",
  ),
  "/status": {
    get: {
      operationId: "getStatus",
      summary: "The state of the whole mirror, from the figures of its shards.",
      parameters: [
        inQuery("ticks", "How many of the newest ticks.", upTo(ticksKept, ticksKept)),
        inHeader("If-None-Match", "The version that the caller has."),
      ],
      responses: withKey({
        "200": json("The status.", statusSchema, statusVersion),
        "304": { description: "The caller has this version: nothing but the time is another.", headers: statusVersion },
        "400": badQuery,
      }),
    },
  },
  "/health": {
    get: {
      operationId: "getHealth",
      summary: "Whether the storage answers and ticks come in time.",
      security: [],
      responses: {
        "200": { description: "It is.", content: { "application/json": { schema: ref(healthSchema) } } },
        "503": { description: "It is not.", content: { "application/json": { schema: ref(healthSchema) } } },
      },
    },
    head: {
      operationId: "probeHealth",
      summary: "The same without a body, for probes that send HEAD.",
      security: [],
      responses: { "200": { description: "It is." }, "503": { description: "It is not." } },
    },
  },
};
