import * as z from "zod";
import { mailboxKinds } from "../sync/mailboxKind.js";

/**
 * What the schemas of several views share. A schema is where the shape of a view is written down: TypeScript, the OpenAPI
 * description and the dashboard take it from there. Answers are not checked at run time, so code of the app imports types
 * from these files and nothing else; only the description loads them.
 */

export const text = z.string();
export const textOrNull = text.nullable();
export const flag = z.boolean();
/** A whole number, 0 or more. */
export const count = z.int().nonnegative();
/** ISO 8601, in UTC. */
export const time = text.meta({ format: "date-time" });
export const timeOrNull = time.nullable();
/** What a mailbox is for. */
export const kind = z
  .enum(mailboxKinds)
  .describe("What the mailbox is for, as Graph calls it (`userPurpose`); `unknown`: not asked, or not told.");

/** One count under each of the names. Open, as a later release may count more. */
export function countsOf<const Name extends string>(names: readonly Name[]) {
  const counts = Object.fromEntries(names.map((name) => [name, count]));
  return z.object(counts as Record<Name, typeof count>).catchall(count);
}
