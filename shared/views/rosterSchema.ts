import * as z from "zod";
import { directoryPhases } from "../sync/directory.js";
import { count, flag, kind, text, textOrNull, timeOrNull } from "./schemaParts.js";

/** The state of discovery of the roster. Its link is a secret and never part of this. */
export const rosterSchema = z
  .object({
    source: text.describe("`manual`, `directory`, or `group:<object id>`."),
    state: z.enum(["manual", "new", "discovering", "held", "waiting", "idle"]),
    phase: z.enum(directoryPhases).describe("Where the pass in progress is."),
    isFull: flag.describe("Whether the pass in progress, or the last one, reads all users."),
    discovered: count.describe("Discovered mailboxes that are mirrored, without those that were added by hand."),
    generation: count.describe("Number of the full pass of discovery under way, or of the last one."),
    passStarted: timeOrNull,
    pages: count.describe("Pages read in this pass."),
    seen: count.describe("Users read in this pass."),
    added: count,
    resumed: count,
    suspended: count,
    untold: count.describe("Users of this pass whose properties Graph left out: they stay as they were."),
    leftOut: z
      .object({
        disabled: count.describe("Sign-in is disabled, and the mailbox is no shared one, no room and no equipment."),
        guest: count,
        noMail: count.describe("Without a mail address."),
        kind: count.describe("Of a kind that `ROSTER_KINDS` does not name."),
      })
      .nullable()
      .describe(
        "Accounts that the last full pass of discovery left out, by reason; null before the first one has ended.",
      ),
    notLookedAt: count.describe(
      "Further disabled accounts, whose kind could not be asked: a shared mailbox may be behind each.",
    ),
    notLookedAtNote: textOrNull.describe("What to grant so that they are looked at; null where there are none."),
    held: z
      .object({
        leaving: count.describe("Mailboxes that would be suspended."),
        of: count.describe("Discovered mailboxes in all, at that count."),
        since: timeOrNull,
        needsRelease: flag.describe("No second reading confirms it, only `POST roster/release` does."),
      })
      .nullable()
      .describe("A sudden shrink of the roster that waits to be confirmed."),
    lastSuccess: timeOrNull,
    lastFullRound: timeOrNull,
    notBefore: timeOrNull.describe("The directory is not asked before then."),
    failuresInARow: count,
    lastErrorCode: textOrNull.describe("Graph's error code, or the mirror's own name for the cause."),
  })
  .meta({ id: "Roster" });
export type RosterView = z.infer<typeof rosterSchema>;

/** What the roster knows of one mailbox. */
export const rosterEntrySchema = z.object({
  source: text.describe("`manual`, `directory`, or `group:<object id>`."),
  state: z.enum(["active", "suspended"]),
  userPrincipalName: textOrNull,
  displayName: textOrNull,
  kind,
  kindAsked: timeOrNull.describe("When Graph last said the kind, or that there is no such mailbox."),
  leaveReason: textOrNull.describe(
    "Why it is suspended, or will be when the full pass of discovery under way has ended.",
  ),
  since: timeOrNull,
  purgeAfter: timeOrNull.describe("When the rows of a suspended mailbox are removed."),
});
export type RosterEntryView = z.infer<typeof rosterEntrySchema>;
