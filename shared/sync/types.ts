/** The words of the mirror as types. Pure data: no clock, network or storage is known here. */

import type { Checkpoint } from "./checkpoint.js";
import type { JsonObject } from "./json.js";

export {
  type Ask,
  type Checkpoint,
  type Counters,
  counterNames,
  type Lifecycle,
  type Phase,
  type RoundReason,
  type Strategy,
} from "./checkpoint.js";

export { isJsonObject, type Json, type JsonObject } from "./json.js";

/** One item of a page. An absent property is unchanged: Graph promises only what did change. */
export type Item = { readonly calendarId: string; readonly removed: boolean; readonly properties: JsonObject };

/** A calendar, or the tombstone of one (`removedMs` is set): its id and the whole Graph object as last known. */
export type CalendarRow = {
  readonly calendarId: string;
  readonly resource: JsonObject;
  /** Of the last round that wrote the row: a full round leaves a row that it sees unchanged as it is. */
  readonly generation: number;
  /** The mailbox's sequence at the row's last real change. */
  readonly sequence: number;
  readonly changedMs: number;
  readonly removedMs: number | null;
};

/**
 * What one Graph answer means for one mailbox. `code` is Graph's error code chain, or our own name for the trouble;
 * `requestId` is Graph's of the answer, and absent where there was none or it named none.
 */
export type Outcome =
  | {
      readonly kind: "page";
      readonly items: readonly Item[];
      readonly link: string;
      /** Equal for equal items, for the loop guard. Null: the page holds none. A last page ends the round, and needs none. */
      readonly payloadHash: string | null;
    }
  | { readonly kind: "lastPage"; readonly items: readonly Item[]; readonly link: string | null }
  | {
      /** `unreadable`: an answer without sense, a page that cannot be believed or a 404 without a word of Graph's. */
      readonly kind: "throttled" | "transient" | "unreadable";
      readonly code: string;
      readonly requestId?: string;
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
      readonly requestId?: string;
    };

/**
 * What follows from one outcome.
 * `apply`: commit the items and `next` together; `ends` says that the round is over, `sweep` that what the round did
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

/**
 * What one step writes for one mailbox, its rows and its checkpoint: visible together or not at all. Of a page; or the checkpoint
 * alone, of a wait, a park, a note.
 */
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
