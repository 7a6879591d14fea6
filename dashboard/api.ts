import type { Status } from "../shared/views/status.js";

export type { Status };

/** A mailbox as the roster's routes tell it. */
export type Mailbox = {
  readonly id: string;
  readonly displayName: string | null;
  readonly state: string;
  readonly phase: string;
  readonly strategy: string;
  readonly calendarCount: number;
  readonly sequence: number;
  readonly notBefore: string | null;
  readonly lastSuccess: string | null;
  readonly lastChange: string | null;
  readonly lastFullRound: string | null;
  readonly failuresInARow: number;
  readonly lastErrorCode: string | null;
  readonly parkedReason: string | null;
  readonly heldRemovals: number | null;
  readonly driftFound: number;
};

export type MailboxPage = { readonly value: readonly Mailbox[]; readonly cursor: string | null };

export type Calendar = {
  readonly id: string;
  readonly name: string | null;
  readonly color: string | null;
  readonly hexColor: string | null;
  readonly ownerName: string | null;
  readonly ownerAddress: string | null;
  readonly isDefaultCalendar: boolean;
  readonly changed: string;
  readonly removed: string | null;
};

export type MailboxCalendars = { readonly mailbox: Mailbox; readonly value: readonly Calendar[] };

/** The mirror said no, or could not be reached (status 0). The message is for people. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Beside this page, wherever the app stands. */
const base = new URL(".", location.href);
/** From the page's own address, or typed in. Kept in this variable alone. */
let key = new URLSearchParams(location.search).get("code");

export function useKey(typed: string): void {
  key = typed;
}

const timeoutMs = 20_000;

async function call<Body>(method: "GET" | "POST", path: string): Promise<Body> {
  const headers: Record<string, string> = key === null ? {} : { "x-functions-key": key };
  const signal = AbortSignal.timeout(timeoutMs);
  let response: Response;
  try {
    response = await fetch(new URL(path, base), { method, headers, signal, cache: "no-store" });
  } catch {
    throw new ApiError(0, "The mirror cannot be reached."); // The browser does not tell a page why.
  }
  const text = await response.text();
  if (!response.ok) throw new ApiError(response.status, messageIn(text) ?? `The mirror answered ${response.status}.`);
  try {
    return JSON.parse(text) as Body;
  } catch {
    throw new ApiError(response.status, "Something else than the mirror has answered."); // A proxy, or a page to sign in.
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

const mailboxPath = (id: string) => `mailboxes/${encodeURIComponent(id)}`;

export const api = {
  status: () => call<Status>("GET", "status"),
  mailboxes: (search: string, state: string, cursor: string | null) => {
    const query = new URLSearchParams({ top: "50" });
    if (search !== "") query.set("search", search);
    if (state !== "") query.set("state", state);
    if (cursor !== null) query.set("cursor", cursor);
    return call<MailboxPage>("GET", `mailboxes?${query}`);
  },
  calendars: (id: string) => call<MailboxCalendars>("GET", `${mailboxPath(id)}/calendars`),
  care: (id: string, action: "sync" | "resync" | "release") => call<Mailbox>("POST", `${mailboxPath(id)}/${action}`),
  releaseAll: (reason: string, cursor: string | null) => {
    const query = new URLSearchParams({ reason });
    if (cursor !== null) query.set("cursor", cursor);
    return call<{ readonly released: number; readonly cursor: string | null }>("POST", `mailboxes/release?${query}`);
  },
  liftBrake: () => call<{ readonly lifted: boolean }>("POST", "brake/release"),
  roster: (action: "discover" | "release") => call<unknown>("POST", `roster/${action}`),
};
