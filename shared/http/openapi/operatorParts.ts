import * as z from "zod";
import type { JsonObject } from "../../sync/types.js";
import { foundSchema, oldestSuccess } from "../../views/foundSchema.js";
import { mailboxSchema } from "../../views/mailboxSchema.js";
import { count, flag, textOrNull } from "../../views/schemaParts.js";
import { brakeSchema } from "../../views/statusSchema.js";
import { newMailboxBody } from "../mailboxes.js";
import { noKey, refused } from "./parts.js";

/** What several of the operators' paths share, and the bodies that no view makes. */

const cursor = textOrNull.describe("Where to go on; null: there is no more.");

export const mailboxPageSchema = z
  .object({ value: z.array(mailboxSchema), cursor })
  .meta({ id: "MailboxPage", description: "A page of mailboxes." });
export type MailboxPage = z.infer<typeof mailboxPageSchema>;

export const foundPageSchema = z
  .object({ value: z.array(foundSchema), oldestSuccess, cursor })
  .meta({ id: "FoundPage", description: "A page of calendars that were found." });
export type FoundPage = z.infer<typeof foundPageSchema>;

export const releasedSchema = z
  .object({ released: count, cursor })
  .meta({ id: "Released", description: "How many mailboxes were released, that is, are retried." });
export type Released = z.infer<typeof releasedSchema>;

export const liftedSchema = z
  .object({ lifted: flag, ...brakeSchema.shape })
  .meta({ id: "Lifted", description: "Whether the brake was on, and the brake as it is now." });
export type Lifted = z.infer<typeof liftedSchema>;

export const newMailboxSchema = newMailboxBody.meta({
  id: "NewMailbox",
  description: "What is known of a mailbox that is put on the roster.",
});

const badRequest = (description: string, message: string): JsonObject =>
  refused(description, ["invalidRequest", message]);

export const badId = badRequest(
  "The mailbox id is no object id, or the query or the body is not what is expected.",
  'The query parameter "x" is not known here. Known: none.',
);
export const badQuery = badRequest(
  "A query option is not what is expected.",
  'The query parameter "x" is not known here. Known: none.',
);
export const badEmpty = badRequest("There is a query or a body.", "The body must be empty or {}.");

export const notOnRoster = refused("It is not on the roster.", [
  "itemNotFound",
  "The mailbox 6e7b768e-07e2-4810-8459-485f84f8f204 is not on the roster. PUT it to add it.",
]);

/** The 409 of an action that the state does not allow. */
export const conflict = (description: string, message: string): JsonObject =>
  refused(description, ["conflict", message]);

/** What each route answers that wants a key and reads the table. */
export const withKey = (own: JsonObject): JsonObject => ({
  ...own,
  "401": noKey,
  "503": refused("The storage cannot be used.", [
    "serviceNotAvailable",
    "The mirror's storage cannot be used now. Its log says why.",
  ]),
});

/** The schema of a page size. */
export const upTo = (maximum: number, byDefault: number): JsonObject => ({
  type: "integer",
  minimum: 1,
  maximum,
  default: byDefault,
});
