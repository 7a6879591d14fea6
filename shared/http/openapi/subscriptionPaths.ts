import type { JsonObject } from "../../sync/types.js";
import { subscriptionLimits } from "../beta/subscriptionRequest.js";
import { notificationCallbacks } from "./notificationCallbacks.js";
import { withKey } from "./operatorParts.js";
import { empty, header, inPath, json, ref, refused } from "./parts.js";
import {
  createdExample,
  newSubscriptionExample,
  subscriptionExample,
  subscriptionId,
  subscriptionsExample,
} from "./subscriptionExamples.js";
import {
  createdSubscriptionSchema,
  newSubscriptionSchema,
  subscriptionCollectionSchema,
  subscriptionEntitySchema,
  subscriptionUpdateSchema,
} from "./subscriptionSchemas.js";

/** Subscriptions: who is told of changes, and how. */

const common: JsonObject = { tags: ["Subscriptions"] };
const subscriptionInPath = inPath("subscriptionId", "The id of the subscription.", subscriptionId);

const notThere = refused("There is none of that id, or it has expired.", [
  "ResourceNotFound",
  "The object was not found.",
]);
const bad = (what: string): JsonObject =>
  refused(
    `${what} is not what is expected (InvalidRequest), it would live too long (ExtensionError), or an address has not consented (ValidationError).`,
    ["ValidationError", "Subscription validation request timed out."],
  );

const create: JsonObject = {
  operationId: "createSubscription",
  summary: "Subscribe to changes of calendars",
  description:
    "As with Graph: each address is asked first, and must give back a token as text within 10 seconds, or say yes by the " +
    "handshake of CloudEvents; notifications then go to it. What has changed before is not told. Null, false and annotations mean nothing; a " +
    "property that is not described is refused.",
  ...common,
  requestBody: {
    required: true,
    content: { "application/json": { schema: ref(newSubscriptionSchema), example: newSubscriptionExample } },
  },
  callbacks: notificationCallbacks,
  responses: withKey({
    "201": json("It was created.", createdSubscriptionSchema, createdExample, { location: header("Where it is.") }),
    "400": bad("The body"),
    "403": refused(`There are ${subscriptionLimits.subscriptionsMax} already.`, [
      "Forbidden",
      `Number of subscriptions exceeds the limit: there may be ${subscriptionLimits.subscriptionsMax}. Delete those that nobody needs.`,
    ]),
    "404": refused("The mailbox of the resource is not mirrored.", [
      "ResourceNotFound",
      "The mailbox is not on the mirror's roster.",
    ]),
  }),
};

const list: JsonObject = {
  operationId: "listSubscriptions",
  summary: "List subscriptions",
  description: "All that have not expired, on one page. Secrets are not among what is told.",
  ...common,
  responses: withKey({ "200": json("The subscriptions.", subscriptionCollectionSchema, subscriptionsExample) }),
};

const one: JsonObject = {
  parameters: [subscriptionInPath],
  get: {
    operationId: "getSubscription",
    summary: "Get a subscription",
    description: "As it stands. Secrets are not among what is told.",
    ...common,
    responses: withKey({
      "200": json("The subscription.", subscriptionEntitySchema, subscriptionExample),
      "404": notThere,
    }),
  },
  patch: {
    operationId: "updateSubscription",
    summary: "Renew or move a subscription",
    description:
      "Sets when it ends, or where notifications go, once the new address has consented. One that was paused because its " +
      "receiver was gone is told again, from where it stopped.",
    ...common,
    requestBody: {
      required: true,
      content: {
        "application/json": {
          schema: ref(subscriptionUpdateSchema),
          example: { expirationDateTime: "2026-12-04T09:30:00.000Z" },
        },
      },
    },
    responses: withKey({
      "200": json("The subscription as it is now.", subscriptionEntitySchema, subscriptionExample),
      "400": bad("The body"),
      "404": notThere,
    }),
  },
  delete: {
    operationId: "deleteSubscription",
    summary: "Delete a subscription",
    description: "Nothing more is sent for it, but for what is under way.",
    ...common,
    responses: withKey({ "204": empty("It is gone."), "404": notThere }),
  },
};

const reauthorize: JsonObject = {
  operationId: "reauthorizeSubscription",
  summary: "Reauthorize a subscription",
  description:
    "What Graph asks for after `reauthorizationRequired`. Here nothing expires but the subscription itself: renew it.",
  ...common,
  responses: withKey({ "204": empty("It stands."), "404": notThere }),
};

export const subscriptionPaths: JsonObject = {
  "/beta/subscriptions": { get: list, post: create },
  "/beta/subscriptions/{subscriptionId}": one,
  "/beta/subscriptions/{subscriptionId}/reauthorize": { parameters: [subscriptionInPath], post: reauthorize },
};
