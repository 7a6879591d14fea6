import * as z from "zod";
import { actorKinds, operatorActions } from "../sync/operatorAction.js";
import { count, text, textOrNull, time } from "./schemaParts.js";

/** Who asks, or has asked, for an action. */
export const actorSchema = z
  .object({
    kind: z
      .enum(actorKinds)
      .describe(
        "`user`: signed in by App Service Authentication. `key`: whoever holds a function key. `nobody`: neither was given, as on " +
          "a developer's machine.",
      ),
    name: textOrNull.describe(
      "What App Service Authentication calls the user; of a key, the first 8 hexadecimal digits of its SHA-256.",
    ),
  })
  .meta({ id: "Actor" });
export type ActorView = z.infer<typeof actorSchema>;

const actionSchema = z
  .object({
    time: time.describe("When it was done, or accepted."),
    action: z
      .enum(operatorActions)
      .describe(
        "sync, resync, release, add, remove: of one mailbox. releaseMany: all with one reason. releaseBrake, discover, releaseRoster: " +
          "of the mirror. pauseSubscription, resumeSubscription, replaySubscription: of a subscriber.",
      ),
    actor: actorSchema,
    mailbox: z
      .object({
        id: text,
        displayName: textOrNull.describe("As the directory says by now; null where the mailbox is gone."),
        userPrincipalName: textOrNull.describe("The same."),
      })
      .nullable()
      .describe("Null where it was about several mailboxes, or none."),
    subject: textOrNull.describe("Of releaseMany: the reason. Of a subscriber: the id of its subscription."),
    count: count.nullable().describe("Of releaseMany: how many mailboxes are retried by it."),
  })
  .meta({ id: "Action", description: "What an operator has done." });
export type ActionView = z.infer<typeof actionSchema>;

/** A page of the action log, newest first. */
export const actionPageSchema = z
  .object({ value: z.array(actionSchema), cursor: textOrNull.describe("Where to go on; null: there is no more.") })
  .meta({ id: "ActionPage" });
export type ActionPage = z.infer<typeof actionPageSchema>;
