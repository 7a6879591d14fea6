import * as z from "zod";
import { historyKinds } from "./historyKinds.js";
import { count, text, textOrNull, time, timeOrNull } from "./schemaParts.js";

/** Properties of a calendar by name, as Graph has them. */
const properties = z.record(text, z.unknown());

const historyItemSchema = z
  .object({
    id: text.describe("Names the item; no other one has it."),
    time: time.describe(
      "When it was logged: with the transaction that found it, or, where a page message or an operator did, by the run after it.",
    ),
    mailbox: z.object({
      id: text,
      displayName: textOrNull.describe("As the directory says by now; null where the mailbox is gone."),
      userPrincipalName: textOrNull.describe("The same."),
    }),
    kind: z
      .enum(historyKinds)
      .describe(
        "created, updated, removed: a calendar. replaced: another id stands for the same calendar. joined, suspended, resumed, " +
          "left: the mailbox. leftOut: changes that are only counted, for there were too many, or a purge took their details.",
      ),
    calendar: z
      .object({ id: text, name: textOrNull, owner: textOrNull.describe("The owner's address.") })
      .nullable()
      .describe("As it stood after the change. Of `replaced`: the one that came. Null where a mailbox is told of."),
    replacedId: textOrNull.describe("Of `replaced`: the id of the calendar that went."),
    before: properties
      .nullable()
      .describe(
        "Of `updated`: the properties that changed, before. One that came is not in it. Null where they are not kept.",
      ),
    after: properties.nullable().describe("The same after the change. One that went is not in it."),
    leftOut: count.describe("Of `leftOut`: how many changes. 0 of all else."),
  })
  .meta({ id: "HistoryItem" });
export type HistoryItem = z.infer<typeof historyItemSchema>;

/** A page of the history, newest first. */
export const historyPageSchema = z
  .object({
    value: z.array(historyItemSchema),
    lookedBackTo: timeOrNull.describe("All that is newer than this has been told. Null: so has everything."),
    cursor: textOrNull.describe("Where to go on; null: there is no more."),
  })
  .meta({ id: "HistoryPage" });
export type HistoryPage = z.infer<typeof historyPageSchema>;
