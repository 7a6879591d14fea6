import type { App } from "./app.js";

/** A request that is refused, and what a client must read out of the answer beside a code and a message. */
export type Refusal = {
  readonly what: string;
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Below the base, or a whole link. */
  readonly path: string;
  readonly status: number;
  readonly message: RegExp;
};

/** The routes of a mailbox below `users/{id}/`. `mistake`: query options that each must refuse. */
const routes = [
  { route: "calendars", mistake: "$select=nme", says: /Could not find a property named 'nme'/ },
  { route: "calendars/$count", mistake: "$filter=nme eq 'x'", says: /Could not find a property named 'nme'/ },
  { route: "calendars/{calendar}", mistake: "$select=nme", says: /Could not find a property named 'nme'/ },
  { route: "calendars/delta", mistake: "$deltatoken=none", says: /./ },
  { route: "calendar", mistake: "$select=nme", says: /Could not find a property named 'nme'/ },
  { route: "calendarGroups", mistake: "$select=nme", says: /nme|\$select/ },
] as const;
const nobody = "3f0c0000-0000-4000-8000-00000000dead";

/** Every route, refused in every way that it can be. */
export function refusalsOf(app: App): readonly Refusal[] {
  const [calendar] = app.truth();
  const of = (mailbox: string, route: string) =>
    `/users/${mailbox}/${route.replace("{calendar}", encodeURIComponent(calendar?.id ?? ""))}`;
  const get = (status: number, path: string, message = /./): Refusal => ({
    what: `${status} of GET ${shown(app, path)}`,
    method: "GET",
    path,
    status,
    message,
  });
  const ofSubscription = (status: number, method: Refusal["method"], path: string, message: RegExp): Refusal => ({
    what: `${status} of ${method} ${path}`,
    method,
    path,
    status,
    message,
  });
  const write = (method: "POST" | "PATCH" | "DELETE", path: string): Refusal => ({
    what: `405 of ${method} ${shown(app, path)}`,
    method,
    path,
    status: 405,
    message: /read-only/i,
  });
  return [
    ...routes.flatMap(({ route, mistake, says }) => [
      get(404, of(nobody, route)),
      get(403, of(app.denied, route)),
      get(503, of(app.unread, route)),
      get(400, `${of(app.mailbox, route)}?${mistake.replaceAll(" ", "%20")}`, says),
      write("POST", of(app.mailbox, route)),
    ]),
    get(404, of(app.mailbox, "calendars/none")),
    get(404, of(app.mailbox, "messages")),
    get(404, of(app.mailbox, "calendars/{calendar}/events"), /mirror/i),
    get(404, "/groups"),
    get(400, of(app.mailbox, "calendars?$filter=name%20eq")),
    get(400, "/users/getAllCalendars/delta?$deltatoken=none"),
    get(401, "/me/calendars", /App Service Authentication/),
    ...app.expiredLinks.map((link) => get(410, link, /start over/)),
    write("PATCH", of(app.mailbox, "calendars/{calendar}")),
    write("DELETE", of(app.mailbox, "calendars/{calendar}")),
    write("POST", "/users/getAllCalendars"),
    write("POST", "/users/getAllCalendars/delta"),
    ofSubscription(400, "POST", "/subscriptions", /^changeType is a required property/),
    ofSubscription(405, "DELETE", "/subscriptions", /not allowed/),
    ofSubscription(404, "GET", `/subscriptions/${nobody}`, /not found/),
    ofSubscription(404, "PATCH", `/subscriptions/${nobody}`, /not found/),
    ofSubscription(404, "DELETE", `/subscriptions/${nobody}`, /not found/),
    ofSubscription(404, "POST", `/subscriptions/${nobody}/reauthorize`, /not found/),
    ofSubscription(405, "GET", `/subscriptions/${nobody}/reauthorize`, /not allowed/),
  ];
}

function shown({ mailbox, unread, denied, base }: App, path: string): string {
  const names: readonly (readonly [string, string])[] = [
    [mailbox, "{id}"],
    [unread, "{not read yet}"],
    [denied, "{denied}"],
    [nobody, "{nobody}"],
    [base, ""],
  ];
  const named = names.reduce((text, [id, name]) => text.replace(id, name), path);
  return named.replace(/calendars\/AAMk[^/?]+/, "calendars/{calendar}").replace(/(token=)[\w.-]{20,}/, "$1…");
}
