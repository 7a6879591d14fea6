import { mailboxKinds } from "../../sync/mailboxKind.js";
import { mailboxStates } from "../../sync/state.js";
import type { JsonObject } from "../../sync/types.js";
import { listLimits } from "../../views/mailboxList.js";
import { mailboxCalendarsSchema, mailboxSchema } from "../../views/mailboxSchema.js";
import { calendarExample, mailboxExample, rosteredExample } from "./operatorExamples.js";
import {
  badEmpty,
  badId,
  badQuery,
  conflict,
  mailboxPageSchema,
  newMailboxSchema,
  notOnRoster,
  releasedSchema,
  upTo,
  withKey,
} from "./operatorParts.js";
import { header, inQuery, json, mailboxInPath, ref } from "./parts.js";

/** Mailboxes of the roster, one and many. */

const tags = ["Mailboxes"];

const action = (operationId: string, summary: string, description: string): JsonObject => ({
  parameters: [mailboxInPath],
  post: {
    operationId,
    summary,
    description: `${description} Repeating it is harmless.`,
    tags,
    responses: withKey({
      "202": json("Accepted. The mailbox as it is now.", mailboxSchema, mailboxExample),
      "400": badEmpty,
      "404": notOnRoster,
      "409": conflict("It is suspended, or being removed.", "The mailbox is suspended: its user has left the roster."),
    }),
  },
});

const one: JsonObject = {
  parameters: [mailboxInPath],
  get: {
    operationId: "getMailbox",
    summary: "Get a mailbox",
    description: "A mailbox of the roster, and its state.",
    tags,
    responses: withKey({
      "200": json("The mailbox.", mailboxSchema, rosteredExample),
      "400": badId,
      "404": notOnRoster,
    }),
  },
  put: {
    operationId: "putMailbox",
    summary: "Put a mailbox on the roster",
    description:
      "Its first sync comes with the next tick. Repeating it is harmless. A discovered mailbox stays discovered, unless " +
      "source is manual; roster.source of the answer says which it is.",
    tags,
    requestBody: {
      content: { "application/json": { schema: ref(newMailboxSchema), example: { displayName: "Megan Bowen" } } },
    },
    responses: withKey({
      "200": json("It was on the roster.", mailboxSchema, rosteredExample),
      "201": json("It was added.", mailboxSchema, rosteredExample),
      "400": badId,
      "409": conflict(
        "Discovery has suspended it: its user has left the roster. With source manual it is resumed.",
        "The mailbox is suspended: its user has left the roster.",
      ),
    }),
  },
  delete: {
    operationId: "deleteMailbox",
    summary: "Take a mailbox off the roster",
    description: "With all its rows. Repeating it is harmless.",
    tags,
    responses: withKey({
      "202": json(
        "It takes longer than this request: GET shows removing until it is done.",
        mailboxSchema,
        rosteredExample,
      ),
      "204": {
        description: "It is not on the roster any more.",
        headers: { "x-mirror-note": header("Present where discovery will bring it back.") },
      },
      "400": badId,
    }),
  },
};

const list: JsonObject = {
  operationId: "listMailboxes",
  summary: "List the mailboxes of the roster",
  description: "Page by page. A page may hold fewer than asked for, even none, and have a cursor.",
  tags,
  parameters: [
    inQuery("state", "Only mailboxes in this state.", { type: "string", enum: mailboxStates }),
    inQuery("kind", "Only mailboxes of this kind.", { type: "string", enum: mailboxKinds }),
    inQuery(
      "reason",
      "Only mailboxes that are parked or waiting for this: a parked reason or a code, or the part before its colon.",
      { type: "string", maxLength: listLimits.reasonMax, example: "denied:ErrorAccessDenied" },
    ),
    inQuery(
      "search",
      "Starts of words of the display name or the address, in any order; or the start of the name, the address or the id. In upper or lower case.",
      { type: "string", example: "megan" },
    ),
    inQuery("top", "Mailboxes per page.", upTo(listLimits.topMax, listLimits.topDefault)),
    inQuery("cursor", "The cursor of the page before, unchanged, with the same filters."),
  ],
  responses: withKey({
    "200": json("A page.", mailboxPageSchema, { value: [mailboxExample], cursor: null }),
    "400": badQuery,
  }),
};

const calendars: JsonObject = {
  operationId: "listMailboxCalendars",
  summary: "List a mailbox's calendars for operators",
  description: "When each last changed, and what was removed.",
  tags,
  responses: withKey({
    "200": json("The mailbox and its calendars: existing ones by name, then removed ones.", mailboxCalendarsSchema, {
      mailbox: mailboxExample,
      value: [calendarExample],
    }),
    "400": badId,
    "404": notOnRoster,
  }),
};

const release: JsonObject = {
  operationId: "releaseMailboxes",
  summary: "Retry now all mailboxes that have the same reason",
  description:
    "Retries (releases) those that are parked or waiting for one reason: the next tick asks them. Where the answer has a cursor there are more: " +
    "ask again with it. Repeating it is harmless.",
  tags,
  parameters: [
    inQuery("reason", "A parked reason or a code, or the part before its colon.", {
      type: "string",
      example: "denied:ErrorAccessDenied",
    }),
    inQuery("cursor", "The cursor of the answer before, unchanged."),
  ],
  responses: withKey({
    "200": json("How many.", releasedSchema, { released: 12, cursor: null }),
    "400": badQuery,
  }),
};

export const mailboxPaths: JsonObject = {
  "/mailboxes": { get: list },
  "/mailboxes/{id}": one,
  "/mailboxes/{id}/calendars": { parameters: [mailboxInPath], get: calendars },
  "/mailboxes/{id}/sync": action(
    "syncMailbox",
    "Sync a mailbox now",
    "A sync (a round) now, whatever the mailbox waits for.",
  ),
  "/mailboxes/{id}/resync": action(
    "resyncMailbox",
    "Sync all of a mailbox now",
    "A full sync (a full round) now. Readers keep what they have meanwhile.",
  ),
  "/mailboxes/{id}/release": action(
    "releaseMailbox",
    "Retry a mailbox now",
    "Releases it: ends parking, holding and waiting, and starts a sync now: a full one, if Graph refused the mailbox.",
  ),
  "/mailboxes/release": { post: release },
};
