import * as z from "zod";
import { mailboxSchema } from "./mailboxSchema.js";
import { text, timeOrNull } from "./schemaParts.js";

const { id, displayName, userPrincipalName, kind, state, lastSuccess } = mailboxSchema.shape;

/** A calendar that was found, and whose it is. */
export const foundSchema = z
  .object({
    mailbox: z.object({ id, displayName, userPrincipalName, kind, state, lastSuccess }),
    calendar: z.looseObject({ id: text }).describe("The calendar as Graph has it, all properties."),
  })
  .meta({ id: "FoundCalendar" });
export type FoundView = z.infer<typeof foundSchema>;

/** How old what was searched is. */
export const oldestSuccess = timeOrNull.describe(
  "When Graph last answered for the mailbox of the whole mirror that is the furthest behind; null before the first tick has ended.",
);
