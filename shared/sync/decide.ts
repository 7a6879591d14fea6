import { backoffMs, reprobeMs, spreadWaitMs } from "./backoff.js";
import { isFullRound, opensRound, startOver } from "./checkpoint.js";
import { syncLimits } from "./limits.js";
import { type Checkpoint, type Moment, type Outcome, type RoundReason, type Step, unreachable } from "./types.js";

type PageOutcome = Extract<Outcome, { kind: "page" | "lastPage" }>;

/**
 * What one Graph answer means for one mailbox. Pure.
 * `checkpoint` is the one that was asked from; `moment.roundId` names the round if this page opens one.
 */
export function decide(checkpoint: Checkpoint, outcome: Outcome, moment: Moment): Step {
  const seen: Checkpoint = { ...checkpoint, lastTick: moment.tick ?? checkpoint.lastTick };
  switch (outcome.kind) {
    case "page":
    case "lastPage":
      return decidePage(seen, outcome, moment);
    case "throttled":
    case "transient":
      return waitFor(seen, outcome.code, outcome.retryAfterMs, moment);
    case "authConfig":
      return failed(seen, outcome.code, {
        notBeforeMs:
          moment.nowMs + Math.min(backoffMs(seen.failuresInARow + 1, moment.jitter), syncLimits.authBackoffMaxMs),
      });
    case "resetSync":
    case "linkRefused":
      return decideReset(seen, outcome.code, moment);
    case "mailboxFull":
    case "featureUnavailable":
      if (seen.strategy === "list") return park(seen, `${outcome.kind}:${outcome.code}`, outcome.code, moment);
      return { kind: "restart", next: { ...fallBackToList(seen, moment), lastErrorCode: outcome.code } };
    case "denied":
    case "noMailbox":
      return park(seen, `${outcome.kind}:${outcome.code}`, outcome.code, moment);
    default:
      return unreachable(outcome);
  }
}

/** Stops work on a mailbox for a stated reason. It is looked at again ever more slowly, or when somebody releases it. */
export function park(checkpoint: Checkpoint, reason: string, code: string, moment: Moment): Step {
  const failuresInARow = checkpoint.failuresInARow + 1;
  const notBeforeMs = moment.nowMs + reprobeMs(failuresInARow, moment.jitter);
  return {
    kind: "park",
    next: { ...checkpoint, failuresInARow, lastErrorCode: code, parkedReason: reason, notBeforeMs },
  };
}

function decidePage(checkpoint: Checkpoint, outcome: PageOutcome, moment: Moment): Step {
  const counted = countedIn(checkpoint, outcome, moment);
  const isFull = isFullRound(checkpoint);
  if (outcome.kind === "page") {
    const next: Checkpoint = { ...counted, phase: isFull ? "full" : "incremental", link: outcome.link };
    const loop = loopOf(checkpoint, next, moment);
    if (loop !== null) return abandon(checkpoint, loop, moment);
    return { kind: "apply", items: outcome.items, sweep: false, ends: false, next };
  }
  const next: Checkpoint = {
    ...counted,
    phase: "idle",
    link: outcome.link,
    lastSuccessMs: moment.nowMs,
    lastFullRoundMs: isFull ? moment.nowMs : counted.lastFullRoundMs,
    resetsInARow: isFull ? counted.resetsInARow : 0,
    loopsInARow: 0,
    payloadHash: null,
    payloadRepeats: 0,
  };
  return { kind: "apply", items: outcome.items, sweep: isFull, ends: true, next };
}

/** The checkpoint with the page counted in; its link has not moved yet. */
function countedIn(checkpoint: Checkpoint, outcome: PageOutcome, moment: Moment): Checkpoint {
  const opens = opensRound(checkpoint);
  const isFull = isFullRound(checkpoint);
  const repeats = !opens && outcome.items.length > 0 && outcome.payloadHash === checkpoint.payloadHash;
  return {
    ...checkpoint,
    generation: opens && isFull ? checkpoint.generation + 1 : checkpoint.generation,
    roundId: opens ? moment.roundId : checkpoint.roundId,
    roundReason: opens ? openingReason(checkpoint) : checkpoint.roundReason,
    roundStartedMs: opens ? moment.nowMs : checkpoint.roundStartedMs,
    pageNumber: opens ? 1 : checkpoint.pageNumber + 1,
    payloadHash: outcome.items.length > 0 ? outcome.payloadHash : checkpoint.payloadHash,
    payloadRepeats: repeats ? checkpoint.payloadRepeats + 1 : 0,
    notBeforeMs: null,
    failuresInARow: 0,
    // Why delta gave way to the list stays in sight for as long as it does.
    lastErrorCode: checkpoint.strategy === "list" ? checkpoint.lastErrorCode : null,
    parkedReason: null,
    deltaProbeMs: checkpoint.strategy === "list" ? checkpoint.deltaProbeMs : null,
  };
}

function openingReason(checkpoint: Checkpoint): RoundReason {
  if (checkpoint.phase === "initial") return checkpoint.roundReason;
  return checkpoint.strategy === "list" ? "list" : "changes";
}

/** Why this round will not end, or null. Empty pages in a row are normal; the page cap bounds them. */
function loopOf(checkpoint: Checkpoint, next: Checkpoint, moment: Moment): string | null {
  if (next.link === checkpoint.link) return "loopSameLink";
  if (next.payloadRepeats >= syncLimits.payloadRepeatsMax) return "loopSamePayload";
  if (next.pageNumber >= syncLimits.pagesPerRoundMax) return "loopTooManyPages";
  if (moment.nowMs - (next.roundStartedMs ?? moment.nowMs) > syncLimits.roundMaxMs) return "loopTooLong";
  return null;
}

/** Gives a round up and keeps what is served. A delta that loops time after time gives way to the list. */
function abandon(checkpoint: Checkpoint, code: string, moment: Moment): Step {
  const loopsInARow = checkpoint.loopsInARow + 1;
  const fresh = { ...startOver(checkpoint, "reset"), loopsInARow };
  const isHopeless = loopsInARow >= syncLimits.loopsBeforeList && checkpoint.strategy === "delta";
  return waitFor(isHopeless ? fallBackToList(fresh, moment) : fresh, code, null, moment);
}

function fallBackToList(checkpoint: Checkpoint, moment: Moment): Checkpoint {
  const deltaProbeMs = moment.nowMs + Math.round(syncLimits.deltaProbeMs * (0.75 + moment.jitter / 4));
  return { ...startOver(checkpoint, "list"), strategy: "list", deltaProbeMs };
}

function decideReset(checkpoint: Checkpoint, code: string, moment: Moment): Step {
  // Without a link there is nothing to reset: asking again at once would loop.
  if (checkpoint.phase === "initial") return waitFor(checkpoint, code, null, moment);
  const resetsInARow = checkpoint.resetsInARow + 1;
  const next: Checkpoint = { ...startOver(checkpoint, "reset"), resetsInARow, lastErrorCode: code };
  if (resetsInARow <= syncLimits.resetsUnpacedMax) return { kind: "restart", next };
  const resetsPaced = resetsInARow - syncLimits.resetsUnpacedMax;
  const paceMs = spreadWaitMs(syncLimits.resetPaceBaseMs, syncLimits.reprobeMaxMs, resetsPaced, moment.jitter);
  return { kind: "wait", next: { ...next, notBeforeMs: moment.nowMs + paceMs } };
}

/** Leaves the mailbox alone: for as long as Graph asked, however long, else by our own growing wait. */
function waitFor(checkpoint: Checkpoint, code: string, retryAfterMs: number | null, moment: Moment): Step {
  const waitMs = retryAfterMs ?? backoffMs(checkpoint.failuresInARow + 1, moment.jitter);
  return failed(checkpoint, code, { notBeforeMs: moment.nowMs + waitMs });
}

function failed(checkpoint: Checkpoint, code: string, wait: { readonly notBeforeMs: number }): Step {
  const failuresInARow = checkpoint.failuresInARow + 1;
  return { kind: "wait", next: { ...checkpoint, failuresInARow, lastErrorCode: code, ...wait } };
}
