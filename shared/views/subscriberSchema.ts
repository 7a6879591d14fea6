import * as z from "zod";
import { subscriberStates } from "../push/decide.js";
import { pushFormats } from "../sync/subscription.js";
import { count, text, textOrNull, time, timeOrNull } from "./schemaParts.js";

/** A subscriber, for operators. Nothing that it keeps to itself: of its address the host alone, for path and query may hold secrets. */
export const subscriberSchema = z
  .object({
    id: text.describe("Of its subscription."),
    resource: text.describe("What it has asked for, as it wrote it."),
    changeType: text,
    host: text.describe("Of its notificationUrl."),
    format: z.enum(pushFormats),
    state: z.enum(subscriberStates).describe("`waiting`: it has not said yes, and is tried again at notBefore."),
    pausedReason: textOrNull.describe(
      "`gone`: 404, 410 or a refused address for a day. `byHand`: an operator; a renewal does not resume it.",
    ),
    pausedSince: timeOrNull,
    behind: z
      .object({ since: timeOrNull, rows: count })
      .nullable()
      .describe("The rows of logs that it has not said yes to, and when the oldest was written. Null: none."),
    lastAnswer: z
      .object({ at: timeOrNull, answer: text.describe("A status, or the code by which there was none.") })
      .nullable(),
    failuresInARow: count,
    notBefore: timeOrNull,
    missed: timeOrNull.describe(
      "Since when it is owed the lifecycle notification missed: rows of logs are gone, or cannot be read.",
    ),
    lastMissed: z
      .object({ at: time, why: text.describe("Which row of which log is gone, or cannot be read.") })
      .nullable()
      .describe("The last time that it missed something, whether it was told so or not."),
    created: time,
    expires: time,
  })
  .meta({ id: "Subscriber", description: "A subscriber, and how it stands." });
export type SubscriberView = z.infer<typeof subscriberSchema>;

/** All subscribers, as `GET subscribers` lists them. */
export const subscribersSchema = z
  .object({ value: z.array(subscriberSchema) })
  .meta({ id: "Subscribers", description: "All subscribers." });
export type SubscribersView = z.infer<typeof subscribersSchema>;

/** What came of a replay. */
export const replayedSchema = z
  .object({
    subscriber: subscriberSchema,
    goesBackTo: timeOrNull.describe(
      "The logs may not hold all since then, but since this time. Null: they hold all of it.",
    ),
  })
  .meta({ id: "Replayed", description: "The subscriber as it is now, and how far back it is told." });
export type ReplayedView = z.infer<typeof replayedSchema>;

/** Subscribers, counted. */
export const subscriberCountsSchema = z.object({
  total: count,
  active: count,
  waiting: count.describe("They have not said yes, and are tried again."),
  paused: count,
  behind: count.describe("Of those that are not paused: logs hold what they have not said yes to."),
  mostBehind: z
    .object({ since: time, subscriber: text.describe("The id of its subscription.") })
    .nullable()
    .describe("The one of them that has waited longest for what is logged."),
  lastMissed: z
    .object({ at: time, subscriber: text.describe("The id of its subscription."), why: text })
    .nullable()
    .describe("The last time that one of them missed something, and which row of which log it was."),
});
export type SubscriberCounts = z.infer<typeof subscriberCountsSchema>;
