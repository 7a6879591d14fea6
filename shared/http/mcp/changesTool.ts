import * as z from "zod";
import { historyKinds } from "../../views/historyKinds.js";
import type { HistoryItem, HistoryPage } from "../../views/historySchema.js";
import type { MailboxView } from "../../views/mailboxSchema.js";
import { cursor, fitting, mailbox, nextCursor, toolOf, top } from "./mirror.js";
import { ageOf, ageSchema, number, shown, shownOrNull, text, textOrNull } from "./shapes.js";

/** Our choice: of a change, so many properties are shown. Graph has a score of them. */
const propertiesMax = 8;

const changeSchema = z.looseObject({
  time: text.describe("When the mirror noticed it."),
  kind: z
    .enum(historyKinds)
    .describe(
      "created, updated, removed: a calendar. replaced: the same calendar has another id. joined, suspended, resumed, left: the " +
        "mailbox. leftOut: changes that were too many to keep, only counted.",
    ),
  mailbox: z.looseObject({ id: text, name: textOrNull, address: textOrNull }).describe("In whose list of calendars."),
  calendar: z
    .looseObject({ id: text, name: textOrNull, ownerAddress: textOrNull })
    .nullable()
    .describe("As it was after the change; null where the mailbox itself is told of."),
  replacedId: textOrNull.describe("Of replaced: the id that went."),
  changed: z
    .array(z.looseObject({ property: text, before: textOrNull, after: textOrNull }))
    .describe("Of updated: the properties that changed, as text or JSON. Null: it was not there."),
  notShown: number.describe("Further properties that changed."),
  leftOut: number.describe("Of leftOut: how many changes."),
});

const timeGiven = z.iso.datetime({ offset: true }).optional();

export const changesTool = toolOf({
  name: "list_changes",
  title: "List recent changes",
  description:
    "What changed in the calendar lists, newest first: calendars that were created, renamed, shared, removed, with the values " +
    "before and after; mailboxes that joined or left. Of all mailboxes or of one. It tells in whose list a change was seen, not who made it.",
  input: z.strictObject({
    mailbox: mailbox.optional().describe("Only of this mailbox: the object id of its user, or the userPrincipalName."),
    since: timeGiven.describe("Only what was noticed then or later: ISO 8601 with Z or an offset."),
    until: timeGiven.describe("Only what was noticed before then: ISO 8601 with Z or an offset."),
    kind: z.enum(historyKinds).optional().describe("Only changes of this kind."),
    owner: z
      .string()
      .min(1)
      .max(320)
      .optional()
      .describe("Only calendars of the owner with this address, now or before."),
    top,
    cursor,
  }),
  output: z.looseObject({
    changes: z.array(changeSchema),
    lookedBackTo: textOrNull.describe("All changes that are newer were told; null: all there are."),
    cursor: nextCursor,
    age: ageSchema,
  }),
  answer: async ({ mailbox: asked, top: most, ...query }, mirror) => {
    const asOf =
      asked === undefined
        ? await mirror.oldestSuccess()
        : ((await mirror.getOrNull<MailboxView>("mailbox", {}, asked))?.lastSuccess ?? null); // It may have left.
    return fitting(most, async (few) => {
      const route = asked === undefined ? "history" : "mailboxHistory";
      const page = await mirror.get<HistoryPage>(route, { ...query, top: few }, asked);
      return {
        changes: page.value.map(changeOf),
        lookedBackTo: page.lookedBackTo,
        cursor: page.cursor,
        age: ageOf(asOf, mirror.nowMs),
      };
    });
  },
});

function changeOf(item: HistoryItem): z.infer<typeof changeSchema> {
  const { calendar, mailbox: whose, before, after } = item;
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  return {
    time: item.time,
    kind: item.kind,
    mailbox: { id: whose.id, name: shownOrNull(whose.displayName), address: shownOrNull(whose.userPrincipalName) },
    calendar:
      calendar === null
        ? null
        : { id: calendar.id, name: shownOrNull(calendar.name), ownerAddress: shownOrNull(calendar.owner) },
    replacedId: item.replacedId,
    changed: names.slice(0, propertiesMax).map((name) => ({
      property: shown(name),
      before: valueIn(before, name),
      after: valueIn(after, name),
    })),
    notShown: Math.max(0, names.length - propertiesMax),
    leftOut: item.leftOut,
  };
}

function valueIn(properties: HistoryItem["before"], name: string): string | null {
  if (properties === null || !Object.hasOwn(properties, name)) return null;
  const value = properties[name];
  return shown(typeof value === "string" ? value : JSON.stringify(value));
}
