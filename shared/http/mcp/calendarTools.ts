import * as z from "zod";
import { mailboxKinds } from "../../sync/mailboxKind.js";
import { findLimits } from "../../views/findCalendars.js";
import type { FoundView } from "../../views/foundSchema.js";
import type { CalendarView, MailboxCalendarsView } from "../../views/mailboxSchema.js";
import type { FoundPage } from "../openapi/operators.js";
import { cursor, fitting, mailbox, nextCursor, ToolRefusal, toolOf, top } from "./mirror.js";
import { ageOf, ageSchema, flag, mailboxOf, mailboxSchema, number, shownOrNull, text, textOrNull } from "./shapes.js";

const flagOrNull = flag.nullable();
const textGiven = z.string().min(1).max(findLimits.textMax).optional();

const foundSchema = z.looseObject({
  mailbox: mailboxSchema.describe("In whose list of calendars it is."),
  calendar: z.looseObject({
    id: text,
    name: textOrNull,
    ownerName: textOrNull,
    ownerAddress: textOrNull.describe("Another than the mailbox's own: somebody shares it with the mailbox."),
    isDefaultCalendar: flagOrNull,
    isShared: flagOrNull.describe("Its user has shared it with others."),
    canEdit: flagOrNull,
  }),
});

export const findCalendarsTool = toolOf({
  name: "find_calendars",
  title: "Find calendars",
  description:
    "Finds calendars in the calendar lists of all mailboxes. Answers: which calendars has somebody shared, and with whom " +
    "(owner, the person's address); who has a calendar of some name; which are rooms' calendars. All that is given must hold. In no order.",
  input: z.strictObject({
    owner: textGiven.describe("The owner's whole address. Finds the calendar in the lists of all who have it."),
    name: textGiven.describe("A part of the calendar's name, in upper or lower case."),
    shared: flag.optional().describe("Whether its user has shared it with others."),
    editable: flag.optional().describe("Whether the user of the mailbox may change it."),
    default: flag.optional().describe("Whether it is the default calendar of the mailbox."),
    kind: z.enum(mailboxKinds).optional().describe("Only in mailboxes of this kind."),
    top,
    cursor,
  }),
  output: z.looseObject({
    calendars: z.array(foundSchema),
    notShown: number.describe(
      "Further calendars of the last mailbox that match and are not shown: list_mailbox_calendars shows them.",
    ),
    cursor: nextCursor,
    age: ageSchema,
  }),
  answer: ({ top: most, ...query }, mirror) =>
    fitting(most, async (few) => {
      const { value, oldestSuccess, cursor: next } = await mirror.get<FoundPage>("calendars", { ...query, top: few });
      // Those of a mailbox come together: what is too many is all of one.
      return {
        calendars: value.slice(0, few).map(foundOf),
        notShown: Math.max(0, value.length - few),
        cursor: next,
        age: ageOf(oldestSuccess, mirror.nowMs),
      };
    }),
});

function foundOf({ mailbox: whose, calendar }: FoundView): z.infer<typeof foundSchema> {
  const { id, name, owner, isDefaultCalendar = null, isShared = null, canEdit = null } = calendar;
  return {
    mailbox: mailboxOf(whose),
    calendar: {
      id,
      name: shownOrNull(name),
      ownerName: shownOrNull(owner?.name),
      ownerAddress: shownOrNull(owner?.address),
      isDefaultCalendar,
      isShared,
      canEdit,
    },
  };
}

const calendarSchema = z.looseObject({
  id: text,
  name: textOrNull,
  ownerName: textOrNull,
  ownerAddress: textOrNull,
  isDefaultCalendar: flag,
  changed: text.describe("When the mirror last saw it change."),
  removed: textOrNull.describe("When it was found removed; null: it exists."),
});

export const mailboxCalendarsTool = toolOf({
  name: "list_mailbox_calendars",
  title: "List the calendars of a mailbox",
  description:
    "The calendar list of one mailbox by name: its own calendars, and those that others share with it. With removed, the " +
    "calendars that vanished from it instead, the latest first, as far back as the mirror keeps them.",
  input: z.strictObject({
    mailbox,
    removed: flag.default(false).describe("Those that were removed, instead of those that exist."),
    top,
    cursor: z.string().max(1_024).optional().describe("The cursor of the answer before, unchanged."),
  }),
  output: z.looseObject({
    mailbox: mailboxSchema,
    total: number.describe("How many there are in all, shown or not."),
    calendars: z.array(calendarSchema),
    cursor: nextCursor,
    age: ageSchema,
  }),
  answer: async ({ mailbox: asked, removed, top: most, cursor: from }, mirror) => {
    const view = await mirror.get<MailboxCalendarsView>("mailboxCalendars", {}, asked);
    const all = view.value.filter((calendar) => (calendar.removed !== null) === removed);
    const start = from === undefined ? 0 : all.findIndex(({ id }) => id === from) + 1;
    if (from !== undefined && start === 0) {
      throw new ToolRefusal(
        "The calendar after which this page begins is not in the list any more. Begin again without cursor.",
      );
    }
    return fitting(most, async (few) => {
      const calendars = all.slice(start, start + few);
      const isEnd = start + few >= all.length;
      return {
        mailbox: mailboxOf(view.mailbox),
        total: all.length,
        calendars: calendars.map(listedOf),
        cursor: isEnd ? null : (calendars.at(-1)?.id ?? null),
        age: ageOf(view.mailbox.lastSuccess, mirror.nowMs),
      };
    });
  },
});

function listedOf(calendar: CalendarView): z.infer<typeof calendarSchema> {
  const { id, name, ownerName, ownerAddress, isDefaultCalendar, changed, removed } = calendar;
  return {
    id,
    name: shownOrNull(name),
    ownerName: shownOrNull(ownerName),
    ownerAddress: shownOrNull(ownerAddress),
    isDefaultCalendar,
    changed,
    removed,
  };
}
