import * as z from "zod";
import { mailboxKinds } from "../../sync/mailboxKind.js";
import { mailboxStates } from "../../sync/state.js";
import type { MailboxView } from "../../views/mailboxSchema.js";

/** Parts of schemas, short ones: assistants read schemas too. Objects are open, as a later release may tell more. */
export const text = z.string();
export const textOrNull = text.nullable();
export const number = z.number();
export const numberOrNull = number.nullable();
export const flag = z.boolean();

/** What the answers of several tools share. They tell less than the routes do: an assistant reads all of it, each time. */

/** Our choice: what is longer is cut, and ends with `…`. Outlook takes fewer characters for the name of a calendar. */
const shownCharsMax = 160;

/** Within Persian words and emoji they are seen by what they do: joiners, and the choice between a letter and a picture. */
const joining: ReadonlySet<string> = new Set(["\u200c", "\u200d", "\ufe0e", "\ufe0f"]);

/**
 * A text that somebody has written, as an assistant is told it: at most `shownCharsMax` characters, and � for each that a person
 * would not see, so that a name tells an assistant no more than it tells its reader.
 */
export function shown(written: string): string {
  const visible = written
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2028\u2029]/gu, (one) =>
      joining.has(one) ? one : "\ufffd",
    );
  const characters = [...visible];
  return characters.length <= shownCharsMax ? visible : `${characters.slice(0, shownCharsMax - 1).join("")}…`;
}

/** The same of a text that may be absent, or, in Graph's answers, something else. */
export function shownOrNull(written: unknown): string | null {
  return typeof written === "string" ? shown(written) : null;
}

/** How old what a tool tells is. */
export const ageSchema = z
  .looseObject({
    asOf: textOrNull.describe(
      "All that is told was so in Microsoft 365 at this time or later. Null: it was never read.",
    ),
    seconds: numberOrNull.describe("How long ago that was."),
  })
  .describe("How old this answer's data is. Say so when it matters.");
export type Age = z.infer<typeof ageSchema>;

/** @param asOf ISO 8601. */
export function ageOf(asOf: string | null, nowMs: number): Age {
  return { asOf, seconds: asOf === null ? null : Math.max(0, Math.round((nowMs - Date.parse(asOf)) / 1000)) };
}

export const mailboxSchema = z.looseObject({
  id: text.describe("The object id of its user. Name the mailbox by it in other tools."),
  name: textOrNull,
  address: textOrNull.describe("The userPrincipalName."),
  kind: z.enum(mailboxKinds).describe("What the mailbox is for."),
  state: z
    .enum(mailboxStates)
    .describe(
      "fresh: up to date. inProgress: a sync is at work. new: not read yet. waiting: asked again at a known time. held: a mass " +
        "removal is being confirmed. parked: needs attention. suspended: its user has left. removing: being removed.",
    ),
  lastSuccess: textOrNull.describe("When Microsoft Graph last answered for it."),
});
type Mailbox = z.infer<typeof mailboxSchema>;

/** A mailbox as tools tell of it. */
export function mailboxOf(
  view: Pick<MailboxView, "id" | "displayName" | "userPrincipalName" | "kind" | "state" | "lastSuccess">,
): Mailbox {
  const { id, displayName, userPrincipalName, kind, state, lastSuccess } = view;
  return { id, name: shownOrNull(displayName), address: shownOrNull(userPrincipalName), kind, state, lastSuccess };
}
