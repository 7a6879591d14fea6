import * as z from "zod";
import { feedLimits } from "../../feed/feed.js";
import { mailboxKinds } from "../../sync/mailboxKind.js";
import { mailboxStates } from "../../sync/state.js";
import type { JsonObject } from "../../sync/types.js";
import { flag, text, textOrNull, url } from "../../views/schemaParts.js";
import { header, inHeader, inPath, inQuery, json, noKey, refused } from "./parts.js";

const id = text.min(1);
const context = { "@odata.context": url };

const calendarSchema = z
  .looseObject({
    name: textOrNull,
    color: textOrNull,
    hexColor: textOrNull,
    changeKey: textOrNull,
    isDefaultCalendar: flag,
    isRemovable: flag,
    canEdit: flag,
    canShare: flag,
    canViewPrivateItems: flag,
    owner: z.looseObject({ name: textOrNull, address: textOrNull }).partial().nullable(),
  })
  .partial()
  .extend({ id })
  .meta({
    id: "Calendar",
    description: "microsoft.graph.calendar, with every property that Graph gave, also ones that are not named here.",
  });

const calendarEntitySchema = calendarSchema.extend(context).meta({ id: "CalendarEntity" });

const calendarCollectionSchema = z
  .object({ ...context, value: z.array(calendarSchema), "@odata.nextLink": url.optional() })
  .meta({ id: "CalendarCollection" });

const removedCalendarSchema = z
  .object({
    "@odata.type": z.literal("#microsoft.graph.calendar"),
    id,
    "@removed": z.object({ reason: z.literal("deleted") }),
  })
  .meta({ id: "RemovedCalendar" });

const changedCalendarSchema = calendarSchema
  .extend({ "@odata.type": text, "@removed": z.never().optional() })
  .meta({ id: "ChangedCalendar" });

const calendarDeltaPageSchema = z
  .object({
    ...context,
    value: z.array(z.union([changedCalendarSchema, removedCalendarSchema])),
    "@odata.nextLink": url.optional(),
    "@odata.deltaLink": url.optional(),
  })
  .meta({
    id: "CalendarDeltaPage",
    description: "Exactly one of the two links: more of this walk, or its end.",
    oneOf: [{ required: ["@odata.nextLink"] }, { required: ["@odata.deltaLink"] }],
  });

const ofMailbox = { userId: text.min(1) };

const tenantCalendarSchema = calendarSchema
  .extend({ ...ofMailbox, "@odata.type": text })
  .meta({ id: "TenantCalendar", description: "A calendar, with the object id of the user whose mailbox has it." });

const tenantRemovalSchema = z
  .object({
    "@odata.type": z.enum(["#microsoft.graph.calendar", "#microsoft.graph.user"]),
    id,
    ...ofMailbox,
    "@removed": z.object({ reason: z.literal("deleted") }),
  })
  .meta({
    id: "TenantRemoval",
    description:
      "A calendar that was removed; or, with the type of a user, a mailbox that is served no more, or anew: all its calendars go.",
  });

const tenantCollectionSchema = z
  .object({ ...context, value: z.array(tenantCalendarSchema), "@odata.nextLink": url.optional() })
  .meta({ id: "TenantCalendarCollection" });

const tenantDeltaSchema = z
  .object({
    ...context,
    value: z.array(z.union([tenantCalendarSchema, tenantRemovalSchema])),
    "@odata.nextLink": url.optional(),
    "@odata.deltaLink": url.optional(),
  })
  .meta({ id: "TenantCalendarDeltaPage", description: "Exactly one of the two links: more of this walk, or its end." });

const freshness: JsonObject = {
  age: header("Seconds since Graph last answered the mirror for this mailbox.", "integer"),
  "x-mirror-state": header(`State of the mailbox: ${mailboxStates.join(", ")}.`),
  "x-mirror-kind": header(`What the mailbox is for: ${mailboxKinds.join(", ")}.`),
  "x-mirror-last-success": header("When Graph last answered the mirror for this mailbox."),
};
const served: JsonObject = {
  ...freshness,
  "x-mirror-display-name": header("Its name as the directory said last, as an extended value of RFC 8187."),
  "x-mirror-user-principal-name": header("Its user's address, in the same way; absent where nobody discovered it."),
};
const versioned: JsonObject = { ...served, etag: header("The version of this answer, weak.") };
const paged: JsonObject = { "preference-applied": header("The preferred page size that was applied.") };

const prefer = inHeader("Prefer", `odata.maxpagesize=n, at most ${feedLimits.pageSizeMax}.`);
const ifNoneMatch = inHeader("If-None-Match", "The version that the caller has.");
const select = inQuery("$select", "Names of properties, separated by commas; the id is always included.");
const top = inQuery("$top", "Page size.", { type: "integer", minimum: 1, maximum: feedLimits.pageSizeMax });
const skipToken = inQuery("$skiptoken", "From a nextLink.");
const deltaToken = inQuery("$deltatoken", "From a deltaLink.");

const badOption = refused("A query parameter or token that is not accepted.");
const noMailbox = refused(
  "The mailbox is not on the roster; or it was never served, and Graph has no such mailbox.",
  freshness,
);
const denied = refused("The mailbox was never served, and Graph denies it.", freshness);
const notReady = refused(
  "The mailbox's first full round has not ended, it changed while it was read, or the storage cannot be used.",
  { ...freshness, "retry-after": header("Seconds; absent where the storage is the reason.", "integer") },
);
const expired = (description: string): JsonObject =>
  refused(description, { ...freshness, location: header("Where to start over.") });
const notSignedIn = refused("App Service Authentication has signed in nobody.");
const unchanged: JsonObject = { description: "The caller has this version.", headers: versioned };

/** The three reads below one prefix. @param who Part of the operation ids. */
function pathsBelow(prefix: string, who: string, shared: readonly JsonObject[], common: JsonObject): JsonObject {
  return {
    [prefix]: {
      parameters: shared,
      get: {
        operationId: `list${who}Calendars`,
        summary: "The calendars of a mailbox.",
        parameters: [select, top, skipToken, prefer, ifNoneMatch],
        responses: {
          "200": json("A page.", calendarCollectionSchema, { ...versioned, ...paged }),
          "304": unchanged,
          "400": badOption,
          "403": denied,
          "404": noMailbox,
          "410": expired(
            "The token is of an earlier epoch of the mailbox, or a calendar that was already returned has changed.",
          ),
          "503": notReady,
          ...common,
        },
      },
    },
    [`${prefix}/delta`]: {
      parameters: shared,
      get: {
        operationId: `delta${who}Calendars`,
        summary: "What has changed: all calendars without a token, then changes by the links of each answer.",
        parameters: [deltaToken, skipToken, prefer],
        responses: {
          "200": json("A page.", calendarDeltaPageSchema, { ...served, ...paged }),
          "400": badOption,
          "403": denied,
          "404": noMailbox,
          "410": expired("The token has expired: start over, and drop what the new walk does not contain."),
          "503": notReady,
          ...common,
        },
      },
    },
    [`${prefix}/{calendarId}`]: {
      parameters: [...shared, inPath("calendarId", "Percent-encoded once or twice.")],
      get: {
        operationId: `get${who}Calendar`,
        summary: "One calendar.",
        parameters: [select, ifNoneMatch],
        responses: {
          "200": json("The calendar.", calendarEntitySchema, versioned),
          "304": unchanged,
          "400": badOption,
          "403": denied,
          "404": refused("As for the list, or the mailbox has no such calendar.", freshness),
          "503": notReady,
          ...common,
        },
      },
    },
  };
}

const tenantUnavailable = refused("The storage cannot be used.");
const tenantPaged: JsonObject = { ...paged, "content-encoding": header("gzip, where the caller accepts it.") };

const tenantJson = json("A page.", tenantCollectionSchema, {
  ...tenantPaged,
  link: header("Of NDJSON and CSV: where the next page is, with rel=next."),
});
const tenantPage: JsonObject = {
  ...tenantJson,
  content: {
    ...(tenantJson["content"] as JsonObject),
    "application/x-ndjson": { schema: { type: "string" } },
    "text/csv": { schema: { type: "string" } },
  },
};

/** The calendars of all mailboxes. */
const tenantPaths: JsonObject = {
  "/beta/users/getAllCalendars": {
    get: {
      operationId: "listAllCalendars",
      summary:
        "The calendars of all mailboxes that are served; by Accept also as NDJSON or CSV. A page of those that is not the " +
        "last says so in its last line, and in Link.",
      parameters: [select, top, skipToken, prefer],
      responses: {
        "200": tenantPage,
        "400": badOption,
        "401": noKey,
        "503": tenantUnavailable,
      },
    },
  },
  "/beta/users/getAllCalendars/delta": {
    get: {
      operationId: "deltaAllCalendars",
      summary: "All calendars without a token, then what has changed, by the links of each answer.",
      parameters: [deltaToken, skipToken, prefer],
      responses: {
        "200": json("A page.", tenantDeltaSchema, tenantPaged),
        "400": badOption,
        "401": noKey,
        "410": refused(
          "The change log does not reach back so far: start over, and drop what the new walk does not contain.",
          {
            location: header("Where to start over."),
          },
        ),
        "503": tenantUnavailable,
      },
    },
  },
};

const mine: JsonObject = pathsBelow("/beta/me/calendars", "My", [], { "401": notSignedIn });

/** What other programs read. */
export const feedPaths: JsonObject = {
  ...tenantPaths,
  ...pathsBelow(
    "/beta/users/{id}/calendars",
    "User",
    [inPath("id", "The user's object id, or the userPrincipalName of one whom discovery follows.")],
    { "401": noKey },
  ),
  ...Object.fromEntries(Object.entries(mine).map(([path, item]) => [path, signedIn(item as JsonObject)])),
};

function signedIn(item: JsonObject): JsonObject {
  return { ...item, get: { ...(item["get"] as JsonObject), security: [{ signedIn: [] }] } };
}
