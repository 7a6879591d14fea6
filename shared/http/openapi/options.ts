import { feedLimits } from "../../feed/feed.js";
import { inHeader, inQuery, refused } from "./parts.js";

/** Query options and headers of the reads in Graph's format, and the refusals that these share. */

const text = (example: string) => ({ type: "string", example });

export const select = inQuery(
  "$select",
  "Names of properties, separated by commas; the id is always included.",
  text("name,owner"),
);
export const top = inQuery("$top", "Page size.", {
  type: "integer",
  minimum: 1,
  maximum: feedLimits.pageSizeMax,
  example: 100,
});
export const skipToken = inQuery("$skiptoken", "From a nextLink, unchanged.");
export const deltaToken = inQuery("$deltatoken", "From a deltaLink, unchanged.");
export const prefer = inHeader(
  "Prefer",
  `odata.maxpagesize=n: the page size, at most ${feedLimits.pageSizeMax}.`,
  "odata.maxpagesize=50",
);
export const ifNoneMatch = inHeader(
  "If-None-Match",
  "The version that the caller has, from the ETag of an answer: 304 if it is still the one.",
  'W/"12"',
);

/** Takes the place of `$top` and the others in whatever a list of one mailbox is asked for. */
export const filter = inQuery(
  "$filter",
  "Which calendars, as an expression of OData: comparisons, and, or, not, startswith, endswith and contains, over properties and paths such as owner/address.",
  text("canEdit eq true and startswith(name,'Team')"),
);
export const orderBy = inQuery(
  "$orderby",
  "Properties to sort by, separated by commas, each followed by asc or desc.",
  text("name desc"),
);
export const skip = inQuery("$skip", "How many to leave out at the start.", {
  type: "integer",
  minimum: 0,
  example: 10,
});
export const withCount = inQuery("$count", "Whether to count all that fit, in `@odata.count`.", {
  type: "boolean",
  example: true,
});
export const format = inQuery("$format", "json, as without it.", text("json"));

export const badOption = refused("A query parameter or token that is not accepted.", [
  "ErrorInvalidUrlQuery",
  "The query parameter '$expand' is not supported here.",
]);
