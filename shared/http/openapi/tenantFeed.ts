import type { JsonObject } from "../../sync/types.js";
import { csvExample, ndjsonExample, tenantCollectionExample, tenantDeltaExample } from "./calendarExamples.js";
import { tenantCollectionSchema, tenantDeltaSchema } from "./calendarSchemas.js";
import * as options from "./options.js";
import { header, json, noKey, refused } from "./parts.js";

/** What other programs read of all mailboxes. */

const common: JsonObject = { tags: ["Calendars of all mailboxes"] };

const paged: JsonObject = {
  "preference-applied": header("The preferred page size that was applied."),
  "content-encoding": header("gzip, where the caller accepts it."),
};
const unavailable = refused("The storage cannot be used.", [
  "serviceNotAvailable",
  "The mirror's storage cannot be used now. Its log says why.",
]);

const page = json("A page.", tenantCollectionSchema, tenantCollectionExample, {
  ...paged,
  link: header("Of NDJSON and CSV: where the next page is, with rel=next."),
});
const pageInAllFormats: JsonObject = {
  ...page,
  content: {
    ...(page["content"] as JsonObject),
    "application/x-ndjson": { schema: { type: "string" }, example: ndjsonExample },
    "text/csv": { schema: { type: "string" }, example: csvExample },
  },
};

export const tenantFeedPaths: JsonObject = {
  "/beta/users/getAllCalendars": {
    get: {
      operationId: "listAllCalendars",
      summary: "List the calendars of all mailboxes",
      description:
        "The calendars of all mailboxes that are served; by Accept also as NDJSON or CSV. A page of those that is not the " +
        "last says so in its last line, and in Link.",
      ...common,
      parameters: [options.select, options.top, options.skipToken, options.prefer],
      responses: {
        "200": pageInAllFormats,
        "400": options.badOption,
        "401": noKey,
        "503": unavailable,
      },
    },
  },
  "/beta/users/getAllCalendars/delta": {
    get: {
      operationId: "deltaAllCalendars",
      summary: "Follow the calendars of all mailboxes",
      description: "All calendars without a token, then what has changed, by the links of each answer.",
      ...common,
      parameters: [options.deltaToken, options.skipToken, options.prefer],
      responses: {
        "200": json("A page.", tenantDeltaSchema, tenantDeltaExample, paged),
        "400": options.badOption,
        "401": noKey,
        "410": refused(
          "The change log does not reach back so far: start over, and drop what the new walk does not contain.",
          [
            "syncStateNotFound",
            "The change log does not reach back so far: start over, and drop what the new walk does not contain.",
          ],
          { location: header("Where to start over.") },
        ),
        "503": unavailable,
      },
    },
  },
};
