import * as z from "zod";
import { calendarSchema } from "../../views/calendarSchema.js";
import { text } from "../../views/schemaParts.js";

/**
 * The shapes of answers in Graph's format. A shape that builds on another refers to it by `allOf`, and none leaves a choice
 * between several: generators of clients make one class of each then, and nothing that they read gets lost.
 */

const id = text.min(1);
// Without the format `uri`: .NET's `Uri`, which generators make of it, decodes a link where it is passed on as text.
const context = text.describe("What the answer holds, as the metadata document names it.");
const nextLink = text.describe("Where the next page is, to be asked for as it stands.");
const deltaLink = text.describe("Where to ask for what changes from now on. Keep it as it stands.");

export const calendarEntitySchema = z.intersection(calendarSchema, z.looseObject({ "@odata.context": context })).meta({
  id: "CalendarEntity",
  description: "One calendar, as an answer of its own.",
});

const countAnnotation = z
  .int()
  .nonnegative()
  .describe("How many fit the filter, on all pages. With `$count=true` alone.");

export const calendarCollectionSchema = z
  .object({
    "@odata.context": context,
    "@odata.count": countAnnotation.optional(),
    value: z.array(calendarSchema),
    "@odata.nextLink": nextLink.optional().describe("Where the next page is; absent on the last."),
  })
  .meta({ id: "CalendarCollection", description: "A page of calendars." });

const removedSchema = z
  .object({ reason: z.literal("deleted") })
  .meta({ id: "Removed", description: "Says that an item is gone." });

// Text: a class of its own for one value, with signs in its name, is no good to anybody.
const calendarType = text.describe("`#microsoft.graph.calendar`.");

const deltaCalendarSchema = z
  .intersection(calendarSchema, z.looseObject({ "@odata.type": calendarType, "@removed": removedSchema.optional() }))
  .meta({
    id: "DeltaCalendar",
    description:
      "A calendar as it is now. Or, where it has `@removed`, one that is gone: then nothing but its id is told.",
  });

const links = { "@odata.nextLink": nextLink.optional(), "@odata.deltaLink": deltaLink.optional() };
const oneLink =
  "It has exactly one of the two links: `@odata.nextLink` to more of this walk, or `@odata.deltaLink` at its end.";

export const calendarDeltaPageSchema = z
  .object({ "@odata.context": context, value: z.array(deltaCalendarSchema), ...links })
  .meta({ id: "CalendarDeltaPage", description: `A page of changes. ${oneLink}` });

const userId = text.min(1).describe("The object id of the user whose mailbox has it.");

const tenantCalendarSchema = z
  .intersection(calendarSchema, z.looseObject({ "@odata.type": calendarType, userId }))
  .meta({ id: "TenantCalendar", description: "A calendar, and whose it is." });

export const tenantCollectionSchema = z
  .object({
    "@odata.context": context,
    value: z.array(tenantCalendarSchema),
    "@odata.nextLink": nextLink.optional().describe("Where the next page is; absent on the last."),
  })
  .meta({ id: "TenantCalendarCollection", description: "A page of the calendars of all mailboxes." });

const tenantDeltaCalendarSchema = z
  .intersection(
    calendarSchema,
    z.looseObject({
      "@odata.type": text.describe(
        "`#microsoft.graph.calendar`; of a mailbox that is served no more `#microsoft.graph.user`.",
      ),
      userId,
      "@removed": removedSchema.optional(),
    }),
  )
  .meta({
    id: "TenantDeltaCalendar",
    description:
      "A calendar as it is now, and whose it is. Or, where it has `@removed`, one that is gone; with the type of a user, a " +
      "mailbox that is served no more, or anew: all its calendars go.",
  });

export const tenantDeltaSchema = z
  .object({ "@odata.context": context, value: z.array(tenantDeltaCalendarSchema), ...links })
  .meta({ id: "TenantCalendarDeltaPage", description: `A page of changes in all mailboxes. ${oneLink}` });

const calendarGroupSchema = z
  .looseObject({ id })
  .meta({ id: "CalendarGroup", description: "microsoft.graph.calendarGroup, of which the mirror knows the id." });

export const calendarGroupEntitySchema = z
  .intersection(calendarGroupSchema, z.looseObject({ "@odata.context": context }))
  .meta({ id: "CalendarGroupEntity", description: "One calendar group, as an answer of its own." });

export const calendarGroupCollectionSchema = z
  .object({ "@odata.context": context, value: z.array(calendarGroupSchema) })
  .meta({ id: "CalendarGroupCollection", description: "The calendar groups of a mailbox." });
