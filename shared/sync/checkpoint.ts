import type { LoggedState, Unlogged } from "./changeLog.js";
import type { MailboxKind } from "./mailboxKind.js";

/** How we ask a mailbox for its calendars: by `calendars/delta`, or by the plain list where delta does not work. */
export type Strategy = "delta" | "list";

/** Why a full round is made. `changes` is an incremental round. */
export const roundReasons = ["first", "changes", "reset", "audit", "confirm", "list", "probe"] as const;
export type RoundReason = (typeof roundReasons)[number];

/**
 * Whether the mailbox is mirrored. `suspended`: its user has left the roster; it is kept, but neither asked nor served.
 * `removing`: it is taken off the roster, and its rows are on their way out.
 */
export type Lifecycle = "active" | "suspended" | "removing";

/** What work costs and brings, for figures. */
export const counterNames = ["rounds", "pages", "changes", "graphRequests", "throttles", "transactions"] as const;
export type Counters = Readonly<Record<(typeof counterNames)[number], number>>;

/**
 * The mailbox's own row: all that a round needs to go on after any crash. Times are epoch milliseconds. What is not said
 * of a field here, its column says (`checkpointTable` in `store/checkpointRow.ts`).
 */
export type Checkpoint = {
  readonly mailboxId: string;
  /** Drawn anew when the mailbox is added: feed tokens of an earlier epoch are refused. */
  readonly epoch: string;
  readonly lifecycle: Lifecycle;
  readonly strategy: Strategy;
  /** Number of the full round in hand, or of the last one. Every start over takes a new number. */
  readonly generation: number;
  readonly sequence: number;
  /** How the change log last told of the mailbox; null: a release before it has written the row. */
  readonly loggedState: LoggedState | null;
  readonly loggedSequence: number;
  readonly unlogged: Unlogged | null;
  readonly roundId: string | null;
  readonly roundReason: RoundReason;
  readonly roundStartedMs: number | null;
  readonly pageNumber: number;
  readonly payloadHash: string | null;
  readonly payloadRepeats: number;
  /** Of a full round in hand: the calendars that it has seen, and left as they are (`marks.ts`). */
  readonly marks: string | null;
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
  /** Null: it does not fail, or began to under a release that did not keep this. A page ends it, whatever code stays in sight. */
  readonly failingSinceMs: number | null;
  readonly lastRequestId: string | null;
  readonly parkedReason: string | null;
  /** Set while a mass removal waits for a second full round to confirm it: the number of calendars it would remove. */
  readonly heldRemovals: number | null;
  readonly deltaProbeMs: number | null;
  readonly driftFound: number;
  readonly calendarCount: number;
  readonly retiredSequence: number;
  readonly displayName: string | null;
  /** The user's, as the directory said last; null for a mailbox that was put on the roster by hand. */
  readonly userPrincipalName: string | null;
  readonly mailboxKind: MailboxKind;
  readonly lastTick: string | null;
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

/** What to ask Graph for one mailbox: a round from its start, or a stored link exactly as it came. */
export type Ask = {
  readonly mailboxId: string;
  readonly strategy: Strategy;
  /** Null starts a round. */
  readonly link: string | null;
};

/** The checkpoint of a mailbox that was just put on the roster. @param epoch A new id. */
export function newCheckpoint(mailboxId: string, epoch: string, displayName: string | null): Checkpoint {
  return {
    mailboxId,
    epoch,
    lifecycle: "active",
    strategy: "delta",
    phase: "initial",
    link: null,
    generation: 0,
    sequence: 0,
    loggedState: "unserved",
    loggedSequence: 0,
    unlogged: null,
    roundId: null,
    roundReason: "first",
    roundStartedMs: null,
    pageNumber: 0,
    payloadHash: null,
    payloadRepeats: 0,
    marks: null,
    notBeforeMs: null,
    lastSuccessMs: null,
    lastChangeMs: null,
    lastFullRoundMs: null,
    failuresInARow: 0,
    resetsInARow: 0,
    loopsInARow: 0,
    lastErrorCode: null,
    failingSinceMs: null,
    lastRequestId: null,
    parkedReason: null,
    heldRemovals: null,
    deltaProbeMs: null,
    driftFound: 0,
    calendarCount: 0,
    retiredSequence: 0,
    displayName,
    userPrincipalName: null,
    mailboxKind: "unknown",
    lastTick: null,
    walked: null,
    aloneUntilMs: null,
  };
}

/** Forgets the link: the next request opens a full round. Rows stay as they are and are served meanwhile (I4). */
export function startOver(checkpoint: Checkpoint, roundReason: RoundReason): Checkpoint {
  return {
    ...checkpoint,
    phase: "initial",
    link: null,
    roundId: null,
    roundReason,
    roundStartedMs: null,
    pageNumber: 0,
    payloadHash: null,
    payloadRepeats: 0,
    marks: null,
  };
}

/** Whether a page that comes now belongs to a full round. Every round of the list strategy is a full one. */
export function isFullRound(checkpoint: Checkpoint): boolean {
  return checkpoint.phase === "initial" || checkpoint.phase === "full" || checkpoint.strategy === "list";
}

/** Whether there is a copy to serve: a full round has ended since the mailbox was added. Until then readers are told to wait. */
export function isServed(checkpoint: Checkpoint): boolean {
  return checkpoint.lastFullRoundMs !== null;
}

/** Whether the next request opens a round. */
export function opensRound(checkpoint: Checkpoint): boolean {
  return checkpoint.phase === "initial" || checkpoint.phase === "idle";
}

/** What to ask Graph next. */
export function askOf(checkpoint: Checkpoint): Ask {
  return { mailboxId: checkpoint.mailboxId, strategy: checkpoint.strategy, link: checkpoint.link };
}
