import type { HttpRequest } from "@azure/functions";
import { selectOf } from "../../feed/query/listQuery.js";
import { type TenantItem, type TenantRefusal, tenantLimits } from "../../feed/tenant.js";
import { tenantItem } from "../../feed/wire.js";
import { type Answer, type HttpPorts, refusal } from "../handler.js";
import { pageFormatOf, textPage } from "./calendarText.js";
import { badRequest, collectionOf, contextOf, odataHeaders } from "./odata.js";
import type { AllCalendarsPath } from "./paths.js";
import {
  listUrl,
  preferenceApplied,
  preferredPageSize,
  type ReadOptions,
  readOptionsOf,
  trackingTokenOf,
} from "./queryOptions.js";

/**
 * `GET /api/beta/users/getAllCalendars` and `…/delta`: the calendars of all mailboxes that are served, in the manner of Graph's
 * own `getAllMessages`: paged by links, the mailbox in `userId`. The list is given as NDJSON or CSV too.
 */
export async function answerAllCalendars(
  path: AllCalendarsPath,
  request: HttpRequest,
  ports: HttpPorts,
): Promise<Answer> {
  return path.isDelta ? answerDelta(request, path, ports) : answerList(request, path, ports);
}

async function answerDelta(request: HttpRequest, path: AllCalendarsPath, ports: HttpPorts): Promise<Answer> {
  const tracking = trackingTokenOf(new URL(request.url));
  if ("mistake" in tracking) return badRequest(tracking);
  const preferred = preferredPageSize(request.headers.get("prefer"));
  const url = `${path.origin}${path.collection}/delta`;
  const feed = await ports.tenant();
  const page = await feed.delta(tracking.token, preferred ?? tenantLimits.pageSizeDefault);
  if (page.kind !== "page") return tenantRefusal(page, url);
  const name = page.link === "nextLink" ? "$skiptoken" : "$deltatoken";
  const body = {
    "@odata.context": contextOf(path, collectionOf("entity")),
    value: page.items.map((item) => tenantItem(item)),
    [`@odata.${page.link}`]: `${url}?${name}=${page.token}`,
  };
  return { status: 200, jsonBody: body, headers: headersOf(preferred) };
}

async function answerList(request: HttpRequest, path: AllCalendarsPath, ports: HttpPorts): Promise<Answer> {
  const options = readOptionsOf(new URL(request.url), ["$select", "$top", "$skiptoken"]);
  if ("mistake" in options) return badRequest(options);
  const preferred = preferredPageSize(request.headers.get("prefer"));
  const sizes = [options.top, preferred].filter((size) => size !== null);
  const feed = await ports.tenant();
  const page = await feed.list(options.token, Math.min(tenantLimits.pageSizeDefault, ...sizes));
  if (page.kind !== "page") return tenantRefusal(page, listUrl(path, options, null));
  const found = selectAmong(page.items, options);
  if ("mistake" in found) return badRequest(found);
  const value = page.items.map((item) => tenantItem(item, found.select));
  const nextLink = page.token === null ? null : listUrl(path, options, page.token);
  const format = pageFormatOf(request.headers.get("accept"));
  if (format !== "json") {
    const { headers, ...text } = textPage(format, value, nextLink);
    return { ...text, headers: { ...headersOf(preferred), ...headers } };
  }
  const next = nextLink === null ? {} : { "@odata.nextLink": nextLink };
  const body = { "@odata.context": contextOf(path, collectionOf("calendar")), value, ...next };
  return { status: 200, jsonBody: body, headers: { ...headersOf(preferred), vary: "Accept" } };
}

/**
 * The properties that `$select` names. Known are those that Graph declares, `userId`, and those of the first page's calendars. On a
 * later page a name that none of its calendars has is passed over: it need not stand in each mailbox, and the first
 * page has refused what is unknown.
 */
function selectAmong(items: readonly TenantItem[], { query, token }: ReadOptions): ReturnType<typeof selectOf> {
  const alive = items.flatMap(({ row }) => (row === null || row.removedMs !== null ? [] : [row.resource]));
  const resources = [{ userId: "" }, ...alive];
  if (token === null || query.select === null) return selectOf(query.select, resources);
  const known = query.select.filter((path) => !("mistake" in selectOf([path], resources)));
  return selectOf(known, resources);
}

function tenantRefusal({ kind }: TenantRefusal, startUrl: string): Answer {
  if (kind === "badToken") return refusal(400, "syncStateInvalid", "Badly formed token.");
  const message = "The change log does not reach back so far: start over, and drop what the new walk does not contain.";
  return refusal(410, "syncStateNotFound", message, { location: startUrl });
}

function headersOf(preferred: number | null): Record<string, string> {
  return {
    ...odataHeaders,
    "cache-control": "no-store",
    ...preferenceApplied(preferred),
  };
}
