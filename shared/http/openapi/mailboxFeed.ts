import { mailboxKinds } from "../../sync/mailboxKind.js";
import { mailboxStates } from "../../sync/state.js";
import type { JsonObject } from "../../sync/types.js";
import {
  calendarId,
  collectionExample,
  deltaPageExample,
  entityExample,
  groupCalendarsExample,
  groupExample,
  groupId,
  groupsExample,
} from "./calendarExamples.js";
import {
  calendarCollectionSchema,
  calendarDeltaPageSchema,
  calendarEntitySchema,
  calendarGroupCollectionSchema,
  calendarGroupEntitySchema,
} from "./calendarSchemas.js";
import * as options from "./options.js";
import { empty, header, inPath, json, noKey, refused } from "./parts.js";

/** What other programs read of one mailbox, by its id or as that of the user who is signed in. */

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

const expired = (description: string): JsonObject =>
  refused(
    description,
    [
      "syncStateNotFound",
      "The sync state is no longer found: start over, and drop what the new walk does not contain.",
    ],
    { ...freshness, location: header("Where to start over.") },
  );
const unchanged = empty("The caller has this version.", versioned);

/** What every read of a mailbox may answer beside 200. @param missing When 404. @param unauthorized The 401. */
const refusals = (missing: JsonObject, unauthorized: JsonObject): JsonObject => ({
  "400": options.badOption,
  "401": unauthorized,
  "403": refused(
    "The mailbox was never served, and Graph denies it.",
    ["ErrorAccessDenied", "Graph denies the mirror this mailbox."],
    freshness,
  ),
  "404": missing,
  "503": refused(
    "The mailbox's first full sync has not ended, it changed while it was read, or the storage cannot be used.",
    ["serviceNotAvailable", "The mailbox's first full sync has not ended: try again soon."],
    { ...freshness, "retry-after": header("Seconds; absent where the storage is the reason.", "integer") },
  ),
});

const noMailbox = refused(
  "The mailbox is not on the roster; or it was never served, and Graph has no such mailbox.",
  ["ResourceNotFound", "Resource could not be discovered. The mailbox is not on the mirror's roster."],
  freshness,
);
const noCalendar = refused(
  "As for the list, or the mailbox has no such calendar.",
  ["ErrorItemNotFound", "The specified object was not found in the store."],
  freshness,
);

/** Whose mailbox, and how its routes are told apart. */
type Whose = {
  /** Where its paths begin. */
  readonly prefix: string;
  /** Part of the operation ids. */
  readonly who: string;
  /** As summaries call it. */
  readonly of: string;
  readonly shared: readonly JsonObject[];
  /** Of each operation: tags, and security where it is another. */
  readonly common: JsonObject;
  readonly unauthorized: JsonObject;
};

const ofUser: Whose = {
  prefix: "/beta/users/{id}",
  who: "User",
  of: "a mailbox",
  shared: [
    inPath(
      "id",
      "The user's object id; or the userPrincipalName of one whom discovery follows, in upper or lower case.",
      "6e7b768e-07e2-4810-8459-485f84f8f204",
    ),
  ],
  common: { tags: ["Calendars of a mailbox"] },
  unauthorized: noKey,
};

const ofMe: Whose = {
  prefix: "/beta/me",
  who: "My",
  of: "my mailbox",
  shared: [],
  common: { tags: ["My calendars"], security: [{ signedIn: [] }] },
  unauthorized: refused("App Service Authentication has signed in nobody.", [
    "InvalidAuthenticationToken",
    "Access to me needs a user whom App Service Authentication signed in with Microsoft Entra ID.",
  ]),
};

function list({ who, of, common, unauthorized }: Whose): JsonObject {
  return {
    operationId: `list${who}Calendars`,
    summary: `List the calendars of ${of}`,
    description: "The existing calendars, page by page. A walk whose calendars change before its end answers 410.",
    ...common,
    parameters: [
      options.select,
      options.filter,
      options.orderBy,
      options.top,
      options.skip,
      options.withCount,
      options.format,
      options.skipToken,
      options.prefer,
      options.ifNoneMatch,
    ],
    responses: {
      "200": json("A page.", calendarCollectionSchema, collectionExample, { ...versioned, ...paged }),
      "304": unchanged,
      ...refusals(noMailbox, unauthorized),
      "410": expired(
        "The token is of an earlier epoch of the mailbox, or of another mailbox that had this name; or a calendar that was already returned has changed.",
      ),
    },
  };
}

function count({ who, of, common, unauthorized }: Whose): JsonObject {
  return {
    operationId: `count${who}Calendars`,
    summary: `Count the calendars of ${of}`,
    description: "The number of calendars, of those that fit the filter where there is one, as plain text.",
    ...common,
    parameters: [options.filter, options.ifNoneMatch],
    responses: {
      "304": unchanged,
      "200": {
        ...empty("The number.", versioned),
        content: { "text/plain": { schema: { type: "string" }, example: "3" } },
      },
      ...refusals(noMailbox, unauthorized),
    },
  };
}

function delta({ who, of, common, unauthorized }: Whose): JsonObject {
  return {
    operationId: `delta${who}Calendars`,
    summary: `Follow the calendars of ${of}`,
    description:
      "All calendars without a token, then what has changed, by the link of each answer: follow `@odata.nextLink` until an " +
      "answer has `@odata.deltaLink`, and ask that one later.",
    ...common,
    parameters: [options.deltaToken, options.skipToken, options.prefer],
    responses: {
      "200": json("A page.", calendarDeltaPageSchema, deltaPageExample, { ...served, ...paged }),
      ...refusals(noMailbox, unauthorized),
      "410": expired(
        "The token has expired, or is of another mailbox that had this name: start over, and drop what the new walk does not contain.",
      ),
    },
  };
}

function one(
  operationId: string,
  summary: string,
  description: string,
  whose: Whose,
  parameters: readonly JsonObject[] = [options.select, options.format, options.ifNoneMatch],
): JsonObject {
  return {
    operationId,
    summary,
    description,
    ...whose.common,
    parameters,
    responses: {
      "200": json("The calendar.", calendarEntitySchema, entityExample, versioned),
      "304": unchanged,
      ...refusals(noCalendar, whose.unauthorized),
    },
  };
}

const noGroup = refused(
  "As for the list; or Graph has told the mirror of no such group, or of none at all in this mailbox.",
  ["ErrorItemNotFound", "The specified object was not found in the store."],
  freshness,
);

function groups({ who, of, common, unauthorized }: Whose): JsonObject {
  return {
    operationId: `list${who}CalendarGroups`,
    summary: `List the calendar groups of ${of}`,
    description: "The groups that its calendars name in `calendarGroupId`. Graph's calendars tell no more of a group.",
    ...common,
    parameters: [options.format, options.ifNoneMatch],
    responses: {
      "200": json("The groups.", calendarGroupCollectionSchema, groupsExample, versioned),
      "304": unchanged,
      ...refusals(noGroup, unauthorized),
    },
  };
}

function group({ who, of, common, unauthorized }: Whose): JsonObject {
  return {
    operationId: `get${who}CalendarGroup`,
    summary: `Get a calendar group of ${of}`,
    description: "A group that a calendar names in `calendarGroupId`, which is all that the mirror knows of it.",
    ...common,
    parameters: [options.format, options.ifNoneMatch],
    responses: {
      "200": json("The group.", calendarGroupEntitySchema, groupExample, versioned),
      "304": unchanged,
      ...refusals(noGroup, unauthorized),
    },
  };
}

function groupCalendars({ who, of, common, unauthorized }: Whose): JsonObject {
  return {
    operationId: `list${who}CalendarGroupCalendars`,
    summary: `List the calendars in a calendar group of ${of}`,
    description: "The calendars that name the group, on one page.",
    ...common,
    parameters: [options.select, options.format, options.ifNoneMatch],
    responses: {
      "200": json("The calendars.", calendarCollectionSchema, groupCalendarsExample, versioned),
      "304": unchanged,
      ...refusals(noGroup, unauthorized),
    },
  };
}

function pathsOf(whose: Whose): JsonObject {
  const { prefix, who, of, shared } = whose;
  const at = (operation: JsonObject, more: readonly JsonObject[] = []): JsonObject => {
    const parameters = [...shared, ...more];
    return { ...(parameters.length === 0 ? {} : { parameters }), get: operation };
  };
  const calendarInPath = inPath(
    "calendarId",
    "The calendar's id. It may be percent-encoded twice, for front ends that decode it once.",
    calendarId,
  );
  const groupInPath = inPath("groupId", "The `calendarGroupId` of a calendar, encoded likewise.", groupId);
  const byId = one(`get${who}Calendar`, `Get a calendar of ${of}`, "One calendar, by its id.", whose);
  const inGroup = one(
    `get${who}CalendarGroupCalendar`,
    `Get a calendar in a calendar group of ${of}`,
    "One calendar that names the group, by its id.",
    whose,
    [options.select, options.format, options.ifNoneMatch],
  );
  const defaultCalendar = one(
    `get${who}DefaultCalendar`,
    `Get the default calendar of ${of}`,
    "The calendar that Graph calls the default one of its user.",
    whose,
  );
  return {
    [`${prefix}/calendar`]: at(defaultCalendar),
    [`${prefix}/calendars`]: at(list(whose)),
    [`${prefix}/calendars/$count`]: at(count(whose)),
    [`${prefix}/calendars/delta`]: at(delta(whose)),
    [`${prefix}/calendars/{calendarId}`]: at(byId, [calendarInPath]),
    [`${prefix}/calendarGroups`]: at(groups(whose)),
    [`${prefix}/calendarGroups/{groupId}`]: at(group(whose), [groupInPath]),
    [`${prefix}/calendarGroups/{groupId}/calendars`]: at(groupCalendars(whose), [groupInPath]),
    [`${prefix}/calendarGroups/{groupId}/calendars/{calendarId}`]: at(inGroup, [groupInPath, calendarInPath]),
  };
}

export const mailboxFeedPaths: JsonObject = { ...pathsOf(ofUser), ...pathsOf(ofMe) };
