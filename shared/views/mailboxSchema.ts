import * as z from "zod";
import { roundReasons } from "../sync/checkpoint.js";
import { mailboxStates } from "../sync/state.js";
import { rosterEntrySchema } from "./rosterSchema.js";
import { count, flag, kind, text, textOrNull, time, timeOrNull } from "./schemaParts.js";

/** A mailbox as operators see it. Its link is a secret and never part of this. */
export const mailboxSchema = z
  .object({
    id: text.describe("The user's object id; `me` in a trial."),
    displayName: textOrNull.describe("As the directory said last, or whoever added the mailbox."),
    userPrincipalName: textOrNull.describe("As the directory said last; null where nobody discovered the mailbox."),
    kind,
    state: z.enum(mailboxStates).describe("State of the mailbox: exactly one of these."),
    phase: z
      .enum(["initial", "full", "incremental", "idle"])
      .describe("Where the mailbox is in its round, which is one sync of it."),
    strategy: z
      .enum(["delta", "list"])
      .describe("Its sync mode: whether its changes are read, or the whole list where delta is refused."),
    round: z
      .object({
        reason: z
          .enum(roundReasons)
          .describe(
            "changes: what delta tells. first, audit, reset, confirm, probe, list: the whole list, because it is the first sync, the " +
              "last one is AUDIT_DAYS old, Graph lost its place, a mass removal has to be confirmed, delta is tried again, or delta does not work.",
          ),
        started: timeOrNull.describe("Null: none has begun."),
        pages: count.describe("How many it has brought."),
      })
      .describe("The sync in progress; between syncs, the last one."),
    calendarCount: count,
    generation: count.describe("Number of the full sync in progress, or of the last one."),
    sequence: count.describe("+1 for each real change of a calendar."),
    notBefore: timeOrNull.describe(
      "The mailbox is not asked before then. Null with a parked reason: until somebody retries it by `release`.",
    ),
    lastSuccess: timeOrNull.describe("When Graph last answered for this mailbox."),
    lastChange: timeOrNull,
    lastFullRound: timeOrNull.describe("When the last full sync ended."),
    failuresInARow: count,
    lastErrorCode: textOrNull.describe("Graph's error code, or the mirror's own name for the cause."),
    failingSince: timeOrNull.describe(
      "The first failure since a page was read last. Null: it does not fail, or began to under a release that did not keep this.",
    ),
    lastRequestId: textOrNull.describe(
      "Graph's request id of the answer that `lastErrorCode` stems from, which Microsoft's support asks for; null where there is none.",
    ),
    parkedReason: textOrNull.describe("Why work on the mailbox has stopped; null where it has not."),
    heldRemovals: count
      .nullable()
      .describe("How many calendars a mass removal would take, while a second full sync has to confirm it."),
    driftFound: count.describe("Changes missed by delta, which audits found."),
    roster: rosterEntrySchema
      .nullable()
      .optional()
      .describe(
        "Why it is on the roster; null for one that was added by hand before this was recorded. " +
          "Absent in lists and in answers to actions.",
      ),
  })
  .meta({ id: "Mailbox" });
export type MailboxView = z.infer<typeof mailboxSchema>;

const calendarSchema = z
  .object({
    id: text,
    name: textOrNull,
    color: textOrNull,
    hexColor: textOrNull,
    ownerName: textOrNull,
    ownerAddress: textOrNull,
    isDefaultCalendar: flag,
    sequence: count.describe("The mailbox's sequence at the last real change of the calendar."),
    changed: time,
    removed: timeOrNull.describe("When it was found removed; null for one that exists."),
  })
  .meta({ id: "CalendarForOperators" });
export type CalendarView = z.infer<typeof calendarSchema>;

/** The calendars of one mailbox, with what the Graph-shaped reads leave out: when each last changed, and what was removed. */
export const mailboxCalendarsSchema = z
  .object({ mailbox: mailboxSchema, value: z.array(calendarSchema) })
  .meta({ id: "MailboxCalendars" });
export type MailboxCalendarsView = z.infer<typeof mailboxCalendarsSchema>;
