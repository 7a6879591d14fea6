import type { FeedRefusal } from "../../feed/feed.js";
import type { Checkpoint } from "../../sync/types.js";
import { type Answer, refusal } from "../handler.js";
import { freshnessOf } from "./freshness.js";

/** Our choice: when to ask again for a mailbox whose first full round is still to come. Most take seconds, some wait for a tick. */
const firstRoundRetrySeconds = 30;

/** Our choice: the longest `Retry-After`, as an operator or Graph may help a mailbox sooner. */
const retrySecondsMax = 3_600;

/** Our choice, for a mailbox that changed again and again while it was read. */
const unsettledRetrySeconds = 1;

/**
 * A refusal of the feed with Graph's status, code and words, and with the freshness headers where the mailbox is known.
 * Only what passes by waiting is a 503: Graph's clients repeat a request after one, and then give up with an error that
 * does not say why.
 * @param startUrl Where to start over.
 */
export function feedRefusal(refused: FeedRefusal, startUrl: string, nowMs: number): Answer {
  const freshness =
    "checkpoint" in refused && refused.checkpoint !== null ? freshnessOf(refused.checkpoint, nowMs) : {};
  switch (refused.kind) {
    case "unknownMailbox":
      return unknownMailbox("The mailbox is not on the mirror's roster.", freshness);
    case "notReady":
      return notServedYet(refused.checkpoint, freshness, nowMs);
    case "unsettled":
      return unavailable("The mailbox changed while it was read: try again.", unsettledRetrySeconds, freshness);
    case "badToken":
      return refusal(400, "syncStateInvalid", "Badly formed token.");
    case "badQuery":
      return refusal(400, refused.code, refused.mistake, freshness);
    case "expired": {
      const message = "The sync state is no longer found: start over, and drop what the new walk does not contain.";
      return refusal(410, "syncStateNotFound", message, { ...freshness, location: startUrl });
    }
  }
}

/** The 404 of a mailbox that is not on the roster. @param why A sentence for people. */
export function unknownMailbox(why: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return refusal(404, "ResourceNotFound", `Resource could not be discovered. ${why}`, headers);
}

/** A mailbox of which no full round has ended: Graph's own code where Graph refuses it, else when to ask again. */
function notServedYet(checkpoint: Checkpoint, freshness: Readonly<Record<string, string>>, nowMs: number): Answer {
  // The parked reason, and not the last error code: a later try may have failed for a reason that passes.
  const [, kind, code = ""] = /^(noMailbox|denied):(.*)$/.exec(checkpoint.parkedReason ?? "") ?? [];
  switch (kind) {
    case "noMailbox":
      return refusal(
        404,
        graphCode(code) ?? "ResourceNotFound",
        "Graph has no such mailbox for the mirror.",
        freshness,
      );
    case "denied":
      return refusal(403, graphCode(code) ?? "ErrorAccessDenied", "Graph denies the mirror this mailbox.", freshness);
    default:
      return unavailable(firstRoundOf(checkpoint), firstRoundSeconds(checkpoint, nowMs), freshness);
  }
}

function firstRoundSeconds({ notBeforeMs, parkedReason }: Checkpoint, nowMs: number): number {
  if (notBeforeMs === null) return parkedReason === null ? firstRoundRetrySeconds : retrySecondsMax;
  if (notBeforeMs <= nowMs) return firstRoundRetrySeconds; // The next tick asks.
  return Math.min(Math.ceil((notBeforeMs - nowMs) / 1_000), retrySecondsMax);
}

/** Null for the names that we give to answers without a code, such as `http404`. */
function graphCode(code: string): string | null {
  return code === "" || /^http\d+$/.test(code) ? null : code;
}

function firstRoundOf({ parkedReason, notBeforeMs, lastErrorCode }: Checkpoint): string {
  const what = "The mailbox's first full sync has not ended";
  if (parkedReason !== null) return `${what}: the mirror has stopped work on it for now (${parkedReason}).`;
  if (notBeforeMs !== null && lastErrorCode !== null) return `${what}: it waits because of ${lastErrorCode}.`;
  return `${what}: try again soon.`;
}

function unavailable(message: string, retryAfterSeconds: number, freshness: Readonly<Record<string, string>>): Answer {
  const headers = { ...freshness, "retry-after": String(retryAfterSeconds) };
  return refusal(503, "serviceNotAvailable", message, headers);
}
