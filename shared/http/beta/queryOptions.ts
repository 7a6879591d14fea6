import { feedLimits } from "../../feed/feed.js";

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

/** Options of a list or of a single read. `select`: names of properties, null for all. `top`, `token`: null where not given. */
export type ReadOptions = {
  readonly select: readonly string[] | null;
  readonly top: number | null;
  readonly token: string | null;
};

/** The options of a read, of those that it accepts. */
export function readOptionsOf(
  url: URL,
  accepted: readonly ("$select" | "$top" | "$skiptoken")[],
): ReadOptions | Mistake {
  const options = optionsOf(url, accepted);
  if (!(options instanceof Map)) return options as Mistake;
  const select = selectOf(options.get("$select"));
  if (select === "malformed") {
    return {
      code: "RequestBroker--ParseUri",
      mistake: "Parsing OData Select failed: names of properties are expected.",
    };
  }
  const top = options.get("$top");
  const isWithinLimits = top === undefined || (/^\d{1,3}$/.test(top) && Number(top) > 0);
  if (!isWithinLimits) return refused(`'$top' must be a whole number from 1 to ${feedLimits.pageSizeMax}.`);
  return { select, top: top === undefined ? null : Number(top), token: options.get("$skiptoken") ?? null };
}

function selectOf(text: string | undefined): readonly string[] | null | "malformed" {
  if (text === undefined || text.trim() === "*") return null;
  const names = text.split(",").map((name) => name.trim());
  return names.every((name) => /^[A-Za-z_]\w{0,127}$/.test(name)) ? names : "malformed";
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
  { select, top }: ReadOptions,
  token: string | null,
): string {
  const options = [
    ...(select === null ? [] : [`$select=${select.join(",")}`]),
    ...(top === null ? [] : [`$top=${top}`]),
    ...(token === null ? [] : [`$skiptoken=${token}`]),
  ];
  return `${origin}${collection}${options.length === 0 ? "" : `?${options.join("&")}`}`;
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
