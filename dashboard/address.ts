/** Addresses of views: `#/mailboxes?state=parked`. They hold what is looked at, never a key. */

/** The routes of views; `:id` stands for one segment. */
export type RoutePath =
  | "/"
  | "/mailboxes"
  | "/mailboxes/:id"
  | "/changes"
  | "/calendars"
  | "/subscribers"
  | "/actions"
  | "/guide";

export type Address = {
  /** As it stands after the `#`, without the query: `/mailboxes/1234`. */
  readonly path: string;
  readonly query: URLSearchParams;
};

/** The address that the browser shows. An empty one is the first view's. */
export function addressOf(hash: string): Address {
  const text = hash.replace(/^#/, "");
  const [path = "", query = ""] = text.split(/\?(.*)/s);
  return { path: path === "" ? "/" : path, query: new URLSearchParams(query) };
}

/** The `:id` of a path that has the form of this route, null for a route without one; undefined where it has another form. */
export function idIn(route: RoutePath, path: string): string | null | undefined {
  const [wanted, given] = [route.split("/"), path.split("/")];
  if (wanted.length !== given.length) return undefined;
  let id: string | null = null;
  for (const [index, part] of wanted.entries()) {
    if (part === ":id") id = decoded(given[index] ?? "");
    else if (part !== given[index]) return undefined;
  }
  return wanted.includes(":id") && (id === null || id === "") ? undefined : id;
}

/** Null for what is not well encoded. */
function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** The link to a view. Empty values of the query are left out. */
export function hrefTo(
  route: Exclude<RoutePath, "/mailboxes/:id">,
  query: Readonly<Record<string, string>> = {},
): string {
  const given = Object.entries(query).filter(([, value]) => value !== "");
  return `#${route}${given.length === 0 ? "" : `?${new URLSearchParams(given)}`}`;
}

/** The link to a mailbox's own view. */
export function mailboxHref(id: string): string {
  return `#/mailboxes/${encodeURIComponent(id)}`;
}

/** Goes to a view; back leads to the one before. With `replace` it takes the place of the one before, as for each letter of a search. */
export function goTo(href: string, replace = false): void {
  if (!replace) {
    location.hash = href;
    return;
  }
  history.replaceState(history.state, "", href);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}
