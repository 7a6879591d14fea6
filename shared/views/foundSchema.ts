import * as z from "zod";
import { calendarSchema } from "./calendarSchema.js";
import { mailboxSchema } from "./mailboxSchema.js";
import { timeOrNull } from "./schemaParts.js";

const { id, displayName, userPrincipalName, kind, state, lastSuccess } = mailboxSchema.shape;

/** A calendar that was found, and whose it is. */
export const foundSchema = z
  .object({
    mailbox: z.object({ id, displayName, userPrincipalName, kind, state, lastSuccess }),
    calendar: calendarSchema,
  })
  .meta({ id: "FoundCalendar" });
export type FoundView = z.infer<typeof foundSchema>;

/** How old what was searched is. */
export const oldestSuccess = timeOrNull.describe(
  "When Graph last answered for the mailbox of the whole mirror that is the furthest behind; null before the first tick has ended.",
);
