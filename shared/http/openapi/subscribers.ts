import type { JsonObject } from "../../sync/types.js";
import {
  replayedSchema,
  type SubscriberView,
  subscriberSchema,
  subscribersSchema,
} from "../../views/subscriberSchema.js";
import { badEmpty, badQuery, withKey } from "./operatorParts.js";
import { inPath, inQuery, json, refused } from "./parts.js";

/** Subscribers, as operators see and mend them. */

/** The tag of these paths. */
export const subscribersTag: JsonObject = {
  name: "Subscribers",
  description: "Programs that are sent notifications: how each stands, and what operators do about it.",
};
const tags = [subscribersTag["name"] ?? null];

const example: SubscriberView = {
  id: "3f0c91d2-6a8a-4a59-9a44-2f5f5a1c7d10",
  resource: "users/getAllCalendars",
  changeType: "created,updated,deleted",
  host: "hooks.contoso.example",
  format: "graph",
  state: "waiting",
  pausedReason: null,
  pausedSince: null,
  behind: { since: "2026-11-28T08:10:04.000Z", rows: 17 },
  lastAnswer: { at: "2026-11-28T09:29:58.000Z", answer: "503" },
  failuresInARow: 9,
  notBefore: "2026-11-28T09:52:31.000Z",
  missed: null,
  lastMissed: null,
  created: "2026-11-27T15:00:00.000Z",
  expires: "2026-12-03T15:00:00.000Z",
};
const resumedExample: SubscriberView = { ...example, state: "active", notBefore: null, failuresInARow: 0 };
const pausedExample: SubscriberView = {
  ...example,
  ...{ state: "paused", pausedReason: "byHand", pausedSince: "2026-11-28T09:30:04.000Z", notBefore: null },
};

const subscriptionInPath = inPath("id", "The id of its subscription.", example.id);
const notThere = refused("There is no such subscription, or it has expired.", [
  "itemNotFound",
  "There is no such subscription, or it has expired. GET subscribers lists them.",
]);

const action = (operationId: string, summary: string, description: string, now: SubscriberView): JsonObject => ({
  parameters: [subscriptionInPath],
  post: {
    ...{ operationId, summary, tags },
    description: `${description} Repeating it is harmless.`,
    responses: withKey({
      "202": json("Accepted. The subscriber as it is now.", subscriberSchema, now),
      "400": badEmpty,
      "404": notThere,
    }),
  },
});

const isoTime: JsonObject = { type: "string", format: "date-time", example: "2026-11-28T06:00:00Z" };

const replay: JsonObject = {
  parameters: [subscriptionInPath],
  post: {
    operationId: "replaySubscriber",
    summary: "Tell a subscriber again",
    description:
      "Its position goes back to what the logs hold since a time, or a few minutes before it: all after that is told once more, with " +
      "the same ids, and then what it has not been told yet. A position that is further back stays. One that is paused is told when it is resumed.",
    tags,
    parameters: [
      {
        ...inQuery("since", "A time that has passed, in ISO 8601 with its zone.", isoTime),
        required: true,
      },
    ],
    responses: withKey({
      "202": json("Accepted.", replayedSchema, { subscriber: resumedExample, goesBackTo: null }),
      "400": badQuery,
      "404": notThere,
    }),
  },
};

export const subscriberPaths: JsonObject = {
  "/subscribers": {
    get: {
      operationId: "listSubscribers",
      summary: "List the subscribers",
      description:
        "All that have not expired, the oldest first, with how far behind each is. Of its address the host alone; never clientState or a secret.",
      tags,
      responses: withKey({ "200": json("All of them.", subscribersSchema, { value: [example] }), "400": badQuery }),
    },
  },
  "/subscribers/{id}/pause": action(
    "pauseSubscriber",
    "Pause a subscriber",
    "Nothing is sent to it until it is resumed by hand: a renewal does not. What is on its way may arrive. The logs keep what it is owed.",
    pausedExample,
  ),
  "/subscribers/{id}/resume": action(
    "resumeSubscriber",
    "Resume a subscriber",
    "It goes on where it stopped, at once: whoever has paused it, and also where it waits after failures.",
    resumedExample,
  ),
  "/subscribers/{id}/replay": replay,
};
