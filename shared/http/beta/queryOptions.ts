import { feedLimits } from "../../feed/feed.js";
import type { ListQuery } from "../../feed/query/listQuery.js";
import { parseFilter, parseOrderBy, parseSelect } from "../../feed/query/syntax.js";

/** OData's query options and headers, as Graph accepts them. */

/** A mistake of the caller: Graph's error code, and a sentence for people. */
export type Mistake = { readonly code: string; readonly mistake: string };

const knownOptions = new Set(
  ["select", "top", "skip", "filter", "orderby", "expand", "search", "count", "skiptoken", "deltatoken", "format"].map(
    (name) => `$${name}`,
  ),
);

/**
 * The system query options of a URL, by name in lower case. Graph accepts their names without the dollar sign too. Other
 * parameters, such as the function key in `code`, are ignored.
 * @internal For tests.
 */
export function optionsOf(url: URL, accepted: readonly string[]): ReadonlyMap<string, string> | Mistake {
  const options = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    const option = name.startsWith("$") ? name.toLowerCase() : `$${name.toLowerCase()}`;
    if (!name.startsWith("$") && !knownOptions.has(option)) continue;
    if (!accepted.includes(option)) return refused(`The query parameter '${option}' is not supported here.`);
    if (options.has(option)) return refused(`The query parameter '${option}' must be given once.`);
    options.set(option, value);
  }
  return options;
}

/**
 * The token of a change tracking walk; null starts a walk. Graph's client libraries never send two. `latest` starts a walk
 * too: Graph ignores it for calendars as well.
 */
export function trackingTokenOf(url: URL): { readonly token: string | null } | Mistake {
  const options = optionsOf(url, ["$deltatoken", "$skiptoken"]);
  if (!(options instanceof Map)) {
    // Graph's own words for the first of these mistakes; clients look for them.
    const all = "$orderby, $filter, $select, $expand, $search, $top, $count, $skip";
    const mistake = `The following parameters are not supported with change tracking over the 'Calendars' resource: '${all}'.`;
    return refused(`${mistake} ${"mistake" in options ? options.mistake : ""}`);
  }
  if (options.size > 1) return refused("Only one of '$deltatoken' and '$skiptoken' can be given.");
  const [token = null] = options.values();
  return { token: token === "latest" ? null : token };
}

/** The options that a list takes, and of which other reads take some, in the order in which links have them. */
export const listOptions = [
  "$filter",
  "$orderby",
  "$select",
  "$top",
  "$skip",
  "$count",
  "$format",
  "$skiptoken",
] as const;
type ReadOption = (typeof listOptions)[number];

/**
 * Our choice: the characters of all options together, percent-encoded. With the token a nextLink is then shorter than the 8 KiB
 * that the host's server takes in a request's first line.
 */
const optionsCharsMax = 6_000;

/** Options of a list or of a single read. `top`, `token`: null where not given. */
export type ReadOptions = {
  readonly query: ListQuery;
  readonly top: number | null;
  /** Whether each page says how many calendars match. */
  readonly isCounted: boolean;
  readonly token: string | null;
  /** As they were given, by name. */
  readonly given: ReadonlyMap<string, string>;
};

/** The options of a read, of those that it accepts. */
export function readOptionsOf(url: URL, accepted: readonly ReadOption[]): ReadOptions | Mistake {
  const given = optionsOf(url, accepted);
  if (!(given instanceof Map)) return given as Mistake;
  const mistake = valueMistake(given);
  if (mistake !== null) return refused(mistake);
  const query = queryOf(given);
  if ("mistake" in query) return query;
  const top = given.get("$top");
  return {
    query,
    top: top === undefined ? null : Number(top),
    isCounted: given.get("$count") === "true",
    token: given.get("$skiptoken") ?? null,
    given,
  };
}

/** What is wrong with a value that is no expression; null where nothing is. */
function valueMistake(given: ReadonlyMap<string, string>): string | null {
  const { $top = "1", $skip = "0", $count = "true", $format = "json" } = Object.fromEntries(given);
  if (!/^\d{1,3}$/.test($top) || Number($top) === 0) {
    return `'$top' must be a whole number from 1 to ${feedLimits.pageSizeMax}.`;
  }
  if (!/^\d{1,9}$/.test($skip)) return "'$skip' must be a whole number from 0 to 999999999.";
  if ($count !== "true" && $count !== "false") return "'$count' must be true or false.";
  if (!isJsonFormat($format)) return "'$format' must be json: the mirror gives no other format.";
  const chars = optionsText(given).length;
  if (chars <= optionsCharsMax) return null;
  return `The query parameters are too long: ${chars} characters when they are percent-encoded, of at most ${optionsCharsMax}.`;
}

/** Parameters of the media type that ask for what we give. */
const formatParameters =
  /^((odata\.)?metadata=minimal|(odata\.)?streaming=(true|false)|ieee754compatible=false|charset=utf-8)$/;

/** @see https://learn.microsoft.com/graph/query-parameters; OData 4.01 Part 1, 11.2.12 */
function isJsonFormat(format: string): boolean {
  const [type = "", ...parameters] = format
    .toLowerCase()
    .split(";")
    .map((part) => part.trim());
  return (type === "json" || type === "application/json") && parameters.every((part) => formatParameters.test(part));
}

function queryOf(given: ReadonlyMap<string, string>): ListQuery | Mistake {
  const [filterText, orderText, selectText] = [given.get("$filter"), given.get("$orderby"), given.get("$select")];
  const filter = filterText === undefined ? null : parseFilter(filterText);
  if (filter !== null && "mistake" in filter) return filter;
  const orderBy = orderText === undefined ? [] : parseOrderBy(orderText);
  if ("mistake" in orderBy) return orderBy;
  const select = selectText === undefined ? null : parseSelect(selectText);
  if (select !== null && "mistake" in select) return select;
  const skip = Number(given.get("$skip") ?? 0);
  const deciding = [filterText ?? null, orderText ?? null, skip];
  const isPlain = filter === null && orderBy.length === 0 && skip === 0;
  const text = isPlain ? null : JSON.stringify(deciding);
  return { filter, orderBy, skip, select, text, allText: [...given].flat() };
}

function refused(mistake: string): Mistake {
  return { code: "ErrorInvalidUrlQuery", mistake };
}

/**
 * The URL of a page of a list; of the first one without a token. It has the options of the request, as Graph's own links
 * do, but never the function key.
 */
export function listUrl(
  { origin, collection }: { readonly origin: string; readonly collection: string },
  { given }: ReadOptions,
  token: string | null,
): string {
  const text = optionsText(given);
  const all = token === null ? text : `${text}${text === "" ? "" : "&"}$skiptoken=${token}`;
  return `${origin}${collection}${all === "" ? "" : `?${all}`}`;
}

function optionsText(given: ReadonlyMap<string, string>): string {
  const options = listOptions.flatMap((name) => {
    const value = given.get(name);
    return value === undefined || name === "$skiptoken" ? [] : [`${name}=${encoded(value)}`];
  });
  return options.join("&");
}

/** Commas stand as they are, as in what most clients send. */
function encoded(value: string): string {
  return encodeURIComponent(value.toWellFormed()).replaceAll("%2C", ",");
}

/** The page size that `Prefer: odata.maxpagesize` asks for, cut to the largest page; null where it asks for none. */
export function preferredPageSize(prefer: string | null): number | null {
  const text = /(?:^|[,;])\s*(?:odata\.)?maxpagesize\s*=\s*"?(\d{1,9})"?\s*(?=[,;]|$)/i.exec(prefer ?? "")?.[1];
  const size = Number(text ?? 0);
  return size > 0 ? Math.min(size, feedLimits.pageSizeMax) : null;
}

/** The header that says which preference was applied; none where there was none. */
export function preferenceApplied(pageSize: number | null): Readonly<Record<string, string>> {
  return pageSize === null ? {} : { "preference-applied": `odata.maxpagesize=${pageSize}` };
}
