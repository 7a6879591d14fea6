/** The words of the mirror as types. Pure data: no clock, network or storage is known here. */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };

/** Whether a value that JSON.parse returned is an object. (Only of such a value the type is true at every depth.) */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** How we ask a mailbox for its calendars: by `calendars/delta`, or by the plain list where delta does not work. */
export type Strategy = "delta" | "list";

/** Why a full round is walked. `changes` is an incremental round. */
export type RoundReason = "first" | "changes" | "reset" | "audit" | "confirm" | "list" | "probe";

/** What work costs and brings, for figures. */
export const counterNames = ["rounds", "pages", "changes", "graphRequests", "throttles", "transactions"] as const;
export type Counters = Readonly<Record<(typeof counterNames)[number], number>>;

/** The mailbox's own row: all that a round needs to go on after any crash. Times are epoch milliseconds. */
export type Checkpoint = {
  readonly mailboxId: string;
  /** Drawn anew when the mailbox is added: feed tokens of an earlier life of this mailbox are told apart by it. */
  readonly epoch: string;
  readonly strategy: Strategy;
  /** Number of the full round in hand, or of the last one. Every start over takes a new number. */
  readonly generation: number;
  /** +1 for each real change of a calendar. */
  readonly sequence: number;
  /** The sequence up to which other programs were nudged. */
  readonly nudgedSequence: number;
  readonly roundId: string | null;
  readonly roundReason: RoundReason;
  readonly roundStartedMs: number | null;
  /** Pages committed in the round in hand. */
  readonly pageNumber: number;
  readonly payloadHash: string | null;
  /** How many pages in a row carried the same payload (loop guard). */
  readonly payloadRepeats: number;
  /** Until then we leave the mailbox alone. Null with a parked reason: until somebody releases it. */
  readonly notBeforeMs: number | null;
  readonly lastSuccessMs: number | null;
  readonly lastChangeMs: number | null;
  readonly lastFullRoundMs: number | null;
  readonly failuresInARow: number;
  /** Links of delta lost or refused since an incremental round last succeeded: each costs a full round. */
  readonly resetsInARow: number;
  /** Rounds given up since one last ended: they went in circles, or a link of the list could not be followed. */
  readonly loopsInARow: number;
  readonly lastErrorCode: string | null;
  readonly parkedReason: string | null;
  /** Set while a mass removal waits for a second full round to confirm it: the number of calendars it would remove. */
  readonly heldRemovals: number | null;
  /** With strategy `list`: when delta is tried again. */
  readonly deltaProbeMs: number | null;
  /** Changes that audits found and delta had not told, since the mailbox was added. */
  readonly driftFound: number;
  readonly calendarCount: number;
  /** The highest sequence of a tombstone that was deleted after its retention: older feed positions have expired. */
  readonly retiredSequence: number;
  readonly displayName: string | null;
  /** The tick that last handled this mailbox: a second delivery of the same tick leaves it alone. */
  readonly lastTick: string | null;
  /** What `applyPage` did for this mailbox and no run has counted yet. Null: nothing. */
  readonly walked: Counters | null;
  /**
   * Set for a mailbox that answers slowly: it is asked by itself, never in a batch. Until then a page message has it in hand
   * and runs pass it over; a time that has passed says that it is slow, and in nobody's hand. Null: it answers in time.
   */
  readonly aloneUntilMs: number | null;
} & (
  | { readonly phase: "initial"; readonly link: null }
  | { readonly phase: "full" | "incremental"; readonly link: string }
  | { readonly phase: "idle"; readonly link: string | null } // Null with strategy `list`: a list has no deltaLink.
);

export type Phase = Checkpoint["phase"];

/** One item of a page. An absent property is unchanged: Graph promises only what did change. */
export type Item = { readonly calendarId: string; readonly removed: boolean; readonly properties: JsonObject };

/** A calendar, or the tombstone of one (`removedMs` is set): its id and the whole Graph object as last known. */
export type CalendarRow = {
  readonly calendarId: string;
  readonly resource: JsonObject;
  readonly generation: number;
  /** The mailbox's sequence at the row's last real change. */
  readonly sequence: number;
  readonly changedMs: number;
  readonly removedMs: number | null;
};

/** What one Graph answer means for one mailbox. `code` is Graph's error code chain, or our own name for the trouble. */
export type Outcome =
  | { readonly kind: "page"; readonly items: readonly Item[]; readonly link: string; readonly payloadHash: string }
  | {
      readonly kind: "lastPage";
      readonly items: readonly Item[];
      readonly link: string | null;
      readonly payloadHash: string;
    }
  | {
      /** `unreadable`: an answer without sense, a page that cannot be believed or a 404 without a word of Graph's. */
      readonly kind: "throttled" | "transient" | "unreadable";
      readonly code: string;
      readonly retryAfterMs: number | null;
    }
  | {
      readonly kind:
        | "resetSync"
        | "denied"
        | "noMailbox"
        | "mailboxFull"
        | "featureUnavailable"
        | "authConfig"
        /** By Graph, in words that are not known to concern the mailbox; or by ourselves, and then it was not asked. */
        | "linkRefused";
      readonly code: string;
    };

/** What to ask Graph for one mailbox: a round from its start, or a stored link exactly as it came. */
export type Ask = {
  readonly mailboxId: string;
  readonly strategy: Strategy;
  /** Null starts a round. */
  readonly link: string | null;
};

/**
 * What follows from one outcome.
 * `apply`: commit the items and `next` together; `ends` tells that the round is over, `sweep` that what the round did
 * not see is gone. `restart`: nothing to commit, ask again from `next`. `wait` and `park`: commit `next` alone.
 */
export type Step =
  | {
      readonly kind: "apply";
      readonly items: readonly Item[];
      readonly sweep: boolean;
      readonly ends: boolean;
      readonly next: Checkpoint;
    }
  | { readonly kind: "restart" | "wait" | "park"; readonly next: Checkpoint };

/** All row writes of one page of one mailbox with its checkpoint: committed together or not at all. */
export type Unit = {
  readonly rows: readonly CalendarRow[];
  readonly next: Checkpoint;
  /** How many real changes the rows hold. */
  readonly changes: number;
};

/** What a decision needs from outside: the time, a draw for jitter (0 up to 1), and a name for a round that starts. */
export type Moment = {
  readonly nowMs: number;
  readonly jitter: number;
  readonly roundId: string;
  readonly tick: string | null;
};

/** Ends a switch over a union: the compiler finds the missing case. The value is not printed, it may hold a link. */
export function unreachable(_value: never): never {
  throw new Error("A case that the types rule out.");
}
