import type { Lifted, MailboxPage, Released } from "../shared/http/openapi/operators.js";
import type { HistoryPage } from "../shared/views/historySchema.js";
import type { MailboxView } from "../shared/views/mailbox.js";
import type { MailboxCalendarsView } from "../shared/views/mailboxCalendars.js";
import type { RosterView } from "../shared/views/roster.js";
import type { Status } from "../shared/views/status.js";
import { base, currentKey } from "./key.js";

export type { HistoryPage, MailboxCalendarsView, MailboxView, Status };

/** How many mailboxes of each trouble are shown. */
export const examplesShown = 5;

/** The mirror refused, or could not be reached (status 0). The message is for people. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** A search over all calendars, and a release of many, take 20 s of the mirror alone. */
const timeoutMs = 30_000;

type Method = "GET" | "POST" | "PUT" | "DELETE";
type Sent = { readonly headers?: Record<string, string>; readonly body?: unknown };

/** Sends a request. With a signal that has ended it never settles: nothing goes on for a view that is gone. */
async function send(signal: AbortSignal | null, method: Method, path: string, sent: Sent = {}): Promise<Response> {
  const key = currentKey();
  const headers = new Headers(sent.headers);
  if (key !== null) headers.set("x-functions-key", key);
  if (sent.body !== undefined) headers.set("content-type", "application/json");
  const timeout = AbortSignal.timeout(timeoutMs);
  const request: RequestInit = { method, headers, cache: "no-store" };
  request.signal = signal === null ? timeout : AbortSignal.any([signal, timeout]);
  if (sent.body !== undefined) request.body = JSON.stringify(sent.body);
  try {
    const response = await fetch(new URL(path, base), request);
    return signal?.aborted ? await never() : response;
  } catch {
    if (signal?.aborted) return never();
    throw new ApiError(0, "The mirror cannot be reached."); // A browser does not let a page know why.
  }
}

function never(): Promise<never> {
  return new Promise(() => {
    // Nobody waits for it but what is gone.
  });
}

async function textOf(response: Response): Promise<string> {
  try {
    return await response.text();
  } catch {
    throw new ApiError(0, "The mirror's answer broke off.");
  }
}

async function bodyOf<Body>(response: Response): Promise<Body> {
  const text = await textOf(response);
  if (!response.ok) throw new ApiError(response.status, messageIn(text) ?? `The mirror answered ${response.status}.`);
  if (response.status === 204) return null as Body;
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

type Kept = { readonly etag: string; readonly body: unknown };
/** What routes with an ETag answered last, by path: most readings find nothing new, and get an empty answer. */
const keptAnswers = new Map<string, Kept>();
const keptAnswersMax = 20;

async function read<Body>(signal: AbortSignal | null, path: string): Promise<Body> {
  const kept = keptAnswers.get(path);
  const response = await send(
    signal,
    "GET",
    path,
    kept === undefined ? {} : { headers: { "if-none-match": kept.etag } },
  );
  if (response.status === 304 && kept !== undefined) return kept.body as Body;
  const body = await bodyOf<Body>(response);
  const etag = response.headers.get("etag");
  keptAnswers.delete(path);
  if (etag !== null) keptAnswers.set(path, { etag, body });
  for (const oldest of [...keptAnswers.keys()].slice(0, -keptAnswersMax)) keptAnswers.delete(oldest);
  return body;
}

/** A part of the status as it came last, when, and all ticks that are known with it. */
let last: { readonly part: Status; readonly ticks: Status["activity"]["ticks"]; readonly readAtMs: number } | null =
  null;
/** Ticks that are read again: a shard may end one late. */
const ticksAgain = 3;
/** As many as the mirror keeps. */
const ticksMax = 288;

/** The status without shards, and with few examples. The history of ticks is read once, and then what is new. */
async function readStatus(): Promise<Status> {
  const query = new URLSearchParams({ examples: String(examplesShown), shards: "none" });
  const since = last?.ticks.at(-ticksAgain)?.tick;
  if (since !== undefined) query.set("since", since);
  const part = await read<Status>(null, `status?${query}`);
  if (last?.part !== part) {
    last = { part, ticks: mergedTicks(last?.ticks ?? [], part.activity.ticks), readAtMs: Date.now() };
  }
  const { ticks, readAtMs } = last;
  const now = new Date(Date.parse(part.now) + Date.now() - readAtMs).toISOString();
  return { ...part, now, activity: { ...part.activity, ticks } };
}

/** The ticks with those that came. What does not go on from them is of another table, and takes their place. */
function mergedTicks(
  known: Status["activity"]["ticks"],
  came: Status["activity"]["ticks"],
): Status["activity"]["ticks"] {
  const first = known.findIndex(({ tick }) => tick === came[0]?.tick);
  return (first === -1 ? came : [...known.slice(0, first), ...came]).slice(-ticksMax);
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

/**
 * The routes that the page calls. Each throws ApiError.
 * @param signal Ends its calls; null: they end by themselves.
 */
export function apiFor(signal: AbortSignal | null) {
  const get = <Body>(path: string) => read<Body>(signal, path);
  const post = async <Body>(path: string, body?: unknown) =>
    bodyOf<Body>(await send(signal, "POST", path, body === undefined ? {} : { body }));
  const put = async <Body>(path: string, body: unknown) => bodyOf<Body>(await send(signal, "PUT", path, { body }));
  const remove = async <Body>(path: string) => bodyOf<Body>(await send(signal, "DELETE", path));
  return {
    /** A path is relative to the page: `mailboxes?top=50`. */
    get,
    post,
    put,
    remove,
    status: readStatus,
    mailboxes: ({ search, state, kind }: MailboxSearch, cursor: string | null) => {
      const query = new URLSearchParams({ top: "50" });
      if (search !== "") query.set("search", search);
      if (state !== "") query.set("state", state);
      if (kind !== "") query.set("kind", kind);
      if (cursor !== null) query.set("cursor", cursor);
      return get<MailboxPage>(`mailboxes?${query}`);
    },
    mailbox: (id: string) => get<MailboxView>(mailboxPath(id)),
    calendars: (id: string) => get<MailboxCalendarsView>(`${mailboxPath(id)}/calendars`),
    history: (cursor: string | null) => get<HistoryPage>(historyQuery(cursor)),
    mailboxHistory: (id: string, cursor: string | null) =>
      get<HistoryPage>(`${mailboxPath(id)}/${historyQuery(cursor)}`),
    act: (id: string, action: "sync" | "resync" | "release") => post<MailboxView>(`${mailboxPath(id)}/${action}`),
    releaseAll: (reason: string, cursor: string | null) => {
      const query = new URLSearchParams({ reason });
      if (cursor !== null) query.set("cursor", cursor);
      return post<Released>(`mailboxes/release?${query}`);
    },
    liftBrake: () => post<Lifted>("brake/release"),
    roster: (action: "discover" | "release") => post<RosterView>(`roster/${action}`),
  };
}
export type Api = ReturnType<typeof apiFor>;

/** What goes on whatever view is there. */
export const api: Api = apiFor(null);
