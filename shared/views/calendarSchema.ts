import * as z from "zod";
import { flag, text, textOrNull } from "./schemaParts.js";

const flagOrNull = flag.nullable();

const owner = z.looseObject({ name: textOrNull, address: textOrNull }).partial().nullable();

/** A calendar in Graph's own format. All but the id may be null, as in Graph's own metadata. */
export const calendarSchema = z
  .looseObject({
    name: textOrNull,
    color: textOrNull,
    hexColor: textOrNull,
    changeKey: textOrNull.describe("Another one whenever the calendar has changed."),
    calendarGroupId: textOrNull,
    isDefaultCalendar: flagOrNull,
    isRemovable: flagOrNull,
    isShared: flagOrNull.describe("Whether its user has shared it with others."),
    isSharedWithMe: flagOrNull,
    canEdit: flagOrNull,
    canShare: flagOrNull,
    canViewPrivateItems: flagOrNull,
    isTallyingResponses: flagOrNull,
    allowedOnlineMeetingProviders: z.array(text).nullable(),
    defaultOnlineMeetingProvider: textOrNull,
    owner: owner.describe("Who created it, or added it."),
  })
  .partial()
  .extend({ id: text.min(1) })
  .meta({
    id: "Calendar",
    description: "microsoft.graph.calendar, with every property that Graph gave, also ones that are not named here.",
  });
