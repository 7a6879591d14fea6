import type { AccountsPerHundred } from "./accounts.js";
import type { Clock, Random } from "./random.js";

/** The versions of Graph that are served. */
export const VERSIONS = ["beta", "v1.0"] as const;
/** One of those versions. */
export type Version = (typeof VERSIONS)[number];

/** One HTTP request. `url`: absolute, or path and query. Header names in lower case. */
export type GraphRequest = {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body?: string | undefined;
};

/** One HTTP response. Header names in lower case. */
export type GraphResponse = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** How long the answer should take. The core does not wait; the HTTP server does. */
  readonly delayMs: number;
  /** The connection breaks instead of answering; the request had its effect all the same. */
  readonly connectionReset?: true;
};

/** A calendar as beta shows it. The four properties that may be absent are not in v1.0. */
export type Calendar = {
  readonly id: string;
  readonly name: string;
  readonly color: string;
  readonly hexColor: string;
  readonly groupClassId?: string;
  readonly isDefaultCalendar: boolean;
  readonly changeKey: string;
  readonly canShare: boolean;
  readonly canViewPrivateItems: boolean;
  readonly isShared?: boolean;
  readonly isSharedWithMe?: boolean;
  readonly canEdit: boolean;
  readonly calendarGroupId?: string | null;
  readonly allowedOnlineMeetingProviders: readonly string[];
  readonly defaultOnlineMeetingProvider: string;
  readonly isTallyingResponses: boolean;
  readonly isRemovable: boolean;
  readonly owner: { readonly name: string; readonly address: string };
};

/** Properties to set; names that Graph does not know are allowed, since it adds undeclared ones itself. */
export type CalendarChanges = Readonly<Record<string, unknown>>;

/** The shape of `{error: ...}`; the request ids are filled in when the answer leaves. */
export type GraphError = { readonly code: string; readonly message: string };

/** What a handler answers, before the envelope (ids, date) is put around it. `body`: JSON text, or "" for none. */
export type Answer = {
  readonly status: number;
  readonly body: string | GraphError;
  readonly headers?: Readonly<Record<string, string>>;
  readonly delayMs?: number;
};

/** How calendar delta answers in a version: it works, or is refused in one of the ways seen where it is not offered. */
export type DeltaAvailability = "available" | "notTracked" | "unknownSegment" | "readAsId";

/** How many calendars a mailbox gets: a fixed number, or one between two bounds. */
export type CalendarCount = number | { readonly min: number; readonly max: number };

/** What a simulator is made of. */
export type GraphOptions = {
  readonly clock: Clock;
  readonly random: Random;
  /** Ids and contents follow from it. Default 1. */
  readonly seed?: number;
  /** Mailboxes at the start. Default 1. */
  readonly mailboxes?: number;
  /** What the accounts are, those added later too. Default null: people only, of whom every seventeenth has left. */
  readonly perHundred?: AccountsPerHundred | null;
  /** Calendars per mailbox at the start, at least 1. Default 3. */
  readonly calendars?: CalendarCount;
  /** Root of links, without version. Default `https://graph.microsoft.com`. */
  readonly publicRoot?: string;
  /** The only bearer token that is taken; null takes any. Default null. */
  readonly token?: string | null;
  /** The index of the mailbox behind `/me`; null means an app-only token, which has none. Default 0. */
  readonly me?: number | null;
  /** How many links of a mailbox stay valid, the newest ones; each page makes one. Default 3. */
  readonly generationsKept?: number;
  /** `escaped` tokens hold `%2B` and `%3D`, and only the very same bytes are taken back. Default `plain`. */
  readonly tokenStyle?: "plain" | "escaped";
  /** `keyed` links spell the mailbox as `users('id')`. Default `asSent`. */
  readonly linkStyle?: "asSent" | "keyed";
  /** Time per request or batch item: from `minMs` to `maxMs`, evenly. Default none. */
  readonly latency?: { readonly minMs: number; readonly maxMs: number };
  /** Where calendar delta works. Default: in both versions. */
  readonly delta?: Partial<Record<Version, DeltaAvailability>>;
};

/** One request for one resource: an HTTP request of its own, or an item of a batch. */
export type ResourceRequest = {
  readonly method: string;
  readonly version: Version;
  /** Without version and query, and without a slash in front. */
  readonly path: string;
  /** Raw, without the question mark. */
  readonly query: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
};
