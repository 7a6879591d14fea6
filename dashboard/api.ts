import type { Lifted, MailboxPage, Released } from "../shared/http/openapi/operators.js";
import type { HistoryPage } from "../shared/views/historySchema.js";
import type { MailboxView } from "../shared/views/mailbox.js";
import type { MailboxCalendarsView } from "../shared/views/mailboxCalendars.js";
import type { RosterView } from "../shared/views/roster.js";
import type { Status } from "../shared/views/status.js";

export type { HistoryPage, MailboxCalendarsView, MailboxView, Status };

/** The mirror refused, or could not be reached (status 0). The message is for people. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** The other routes are beside this page, whatever its address. */
const base = new URL(".", location.href);
/** From the page's own address, or typed in. It is kept in this variable only. */
let key = new URLSearchParams(location.search).get("code");

/** Sends this function key from now on. */
export function useKey(typed: string): void {
  key = typed;
}

const timeoutMs = 20_000;

async function call<Body>(method: "GET" | "POST", path: string): Promise<Body> {
  return bodyOf<Body>(await send(method, path));
}

async function send(method: "GET" | "POST", path: string, more: Record<string, string> = {}): Promise<Response> {
  const headers: Record<string, string> = key === null ? more : { ...more, "x-functions-key": key };
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    return await fetch(new URL(path, base), { method, headers, signal, cache: "no-store" });
  } catch {
    throw new ApiError(0, "The mirror cannot be reached."); // A browser does not let a page know why.
  }
}

async function bodyOf<Body>(response: Response): Promise<Body> {
  const text = await response.text();
  if (!response.ok) throw new ApiError(response.status, messageIn(text) ?? `The mirror answered ${response.status}.`);
  try {
    return JSON.parse(text) as Body;
  } catch {
    throw new ApiError(response.status, "Something else than the mirror has answered."); // A proxy, or a sign-in page.
  }
}

function messageIn(text: string): string | null {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } };
    return typeof error?.message === "string" ? error.message : null;
  } catch {
    return null; // Not one of the mirror's own answers.
  }
}

/** The status as it came last, with its version and when it came. */
let lastStatus: { readonly etag: string; readonly status: Status; readonly readAtMs: number } | null = null;

/** The status. Of one that is not new only the time goes on: by far the most are like this, and such an answer is empty. */
async function readStatus(): Promise<Status> {
  const had = lastStatus;
  const response = await send("GET", "status", had === null ? {} : { "if-none-match": had.etag });
  if (response.status === 304 && had !== null) {
    return { ...had.status, now: new Date(Date.parse(had.status.now) + Date.now() - had.readAtMs).toISOString() };
  }
  const status = await bodyOf<Status>(response);
  const etag = response.headers.get("etag");
  lastStatus = etag === null ? null : { etag, status, readAtMs: Date.now() };
  return status;
}

/** Items of the history that are read at once. */
const changesAtOnce = 10;

function historyQuery(cursor: string | null): string {
  const query = new URLSearchParams({ top: String(changesAtOnce) });
  if (cursor !== null) query.set("cursor", cursor);
  return `history?${query}`;
}

const mailboxPath = (id: string) => `mailboxes/${encodeURIComponent(id)}`;

/** What is looked for; an empty text is any. */
export type MailboxSearch = { readonly search: string; readonly state: string; readonly kind: string };

/** The routes that the page calls. @throws ApiError */
export const api = {
  /** A path is relative to the page: `mailboxes?top=50`. */
  get: <Body>(path: string) => call<Body>("GET", path),
  post: <Body>(path: string) => call<Body>("POST", path),
  status: readStatus,
  mailboxes: ({ search, state, kind }: MailboxSearch, cursor: string | null) => {
    const query = new URLSearchParams({ top: "50" });
    if (search !== "") query.set("search", search);
    if (state !== "") query.set("state", state);
    if (kind !== "") query.set("kind", kind);
    if (cursor !== null) query.set("cursor", cursor);
    return call<MailboxPage>("GET", `mailboxes?${query}`);
  },
  mailbox: (id: string) => call<MailboxView>("GET", mailboxPath(id)),
  calendars: (id: string) => call<MailboxCalendarsView>("GET", `${mailboxPath(id)}/calendars`),
  history: (cursor: string | null) => call<HistoryPage>("GET", historyQuery(cursor)),
  mailboxHistory: (id: string, cursor: string | null) =>
    call<HistoryPage>("GET", `${mailboxPath(id)}/${historyQuery(cursor)}`),
  act: (id: string, action: "sync" | "resync" | "release") => call<MailboxView>("POST", `${mailboxPath(id)}/${action}`),
  releaseAll: (reason: string, cursor: string | null) => {
    const query = new URLSearchParams({ reason });
    if (cursor !== null) query.set("cursor", cursor);
    return call<Released>("POST", `mailboxes/release?${query}`);
  },
  liftBrake: () => call<Lifted>("POST", "brake/release"),
  roster: (action: "discover" | "release") => call<RosterView>("POST", `roster/${action}`),
};
