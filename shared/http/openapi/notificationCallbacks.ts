import type * as z from "zod";
import type { JsonObject } from "../../sync/types.js";
import { ref } from "./parts.js";
import { changeEventExample, changesExample, lifecycleEventExample, lifecycleExample } from "./subscriptionExamples.js";
import { changeNotificationsSchema, cloudEventSchema } from "./subscriptionSchemas.js";

/** What the mirror sends to the addresses of a subscription, as OpenAPI callbacks: the receiver is the server here. */

const common: JsonObject = { tags: ["Subscriptions"], security: [] };

const sent = (schema: z.ZodType, example: JsonObject): JsonObject => ({ schema: ref(schema), example });

/** A request in each of the three formats. */
const bodyOf = (collection: JsonObject, event: JsonObject): JsonObject => ({
  description: "Empty in the handshake.",
  content: {
    "application/json": sent(changeNotificationsSchema, collection),
    "application/cloudevents+json": sent(cloudEventSchema, event),
    "application/cloudevents-batch+json": {
      schema: { type: "array", items: ref(cloudEventSchema) },
      example: [event],
    },
  },
});

const inHeader = (name: string, description: string): JsonObject => ({
  name,
  in: "header",
  description,
  schema: { type: "string" },
});

const parameters: readonly JsonObject[] = [
  {
    name: "validationToken",
    in: "query",
    description: "Of Graph's handshake: to be given back within 10 seconds, as it is, decoded.",
    schema: { type: "string" },
  },
  inHeader("webhook-id", "The same each time that the same notifications are sent."),
  inHeader("webhook-timestamp", "When it was sent, in seconds since 1970."),
  inHeader("webhook-signature", "After Standard Webhooks, by the secret that the subscription was created with."),
];

/** What a receiver answers. Texts without a schema's object, for a receiver may say what it likes. */
const answers: JsonObject = {
  "200": {
    description: "To the handshake: the token. To notifications: a yes, as any other 2xx.",
    content: { "text/plain": { schema: { type: "string" }, example: "Validation: Testing client application" } },
  },
  "202": { description: "A yes: they will not be sent again." },
  "4XX": { description: "They are sent again later; after a day of nothing but 404 or 410 no more." },
};

const permission = (operationId: string): JsonObject => ({
  operationId,
  summary: "Ask for permission to send CloudEvents",
  description: "The handshake of CloudEvents: nothing is sent without this permission.",
  ...common,
  parameters: [inHeader("webhook-request-origin", "The name of the mirror.")],
  responses: {
    "200": {
      description: "The mirror may send.",
      headers: {
        "webhook-allowed-origin": { description: "The name of the mirror, or `*`.", schema: { type: "string" } },
      },
    },
    "4XX": { description: "It may not." },
  },
});

export const notificationCallbacks: JsonObject = {
  notifications: {
    "{$request.body#/notificationUrl}": {
      post: {
        operationId: "receiveNotifications",
        summary: "Be told of changes",
        description:
          "At most 100 notifications in a request, a mailbox's in their order; each is sent until the receiver has said yes to it.",
        ...common,
        parameters,
        requestBody: bodyOf(changesExample, changeEventExample),
        responses: answers,
      },
      options: permission("permitNotifications"),
    },
  },
  lifecycleNotifications: {
    "{$request.body#/lifecycleNotificationUrl}": {
      post: {
        operationId: "receiveLifecycleNotifications",
        summary: "Be told of the subscription itself",
        description: "That it is to be renewed, or that changes were missed and all is to be read anew.",
        ...common,
        parameters,
        requestBody: bodyOf(lifecycleExample, lifecycleEventExample),
        responses: answers,
      },
      options: permission("permitLifecycleNotifications"),
    },
  },
};
