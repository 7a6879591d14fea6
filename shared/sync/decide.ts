import { backoffMs, reprobeMs } from "./backoff.js";
import { isFullRound, opensRound, startOver } from "./checkpoint.js";
import { syncLimits } from "./limits.js";
import { type Checkpoint, type Moment, type Outcome, type RoundReason, type Step, unreachable } from "./types.js";

type PageOutcome = Extract<Outcome, { kind: "page" | "lastPage" }>;

/**
 * What follows from one outcome for one mailbox: the next step, with the checkpoint that it leads to. Pure.
 * `checkpoint` is the one that was asked from; `moment.roundId` names the round if this page opens one.
 */
export function decide(checkpoint: Checkpoint, outcome: Outcome, moment: Moment): Step {
  const seen: Checkpoint = { ...checkpoint, lastTick: moment.tick ?? checkpoint.lastTick };
  const requestId = "requestId" in outcome ? outcome.requestId : undefined;
  return noted(decideStep(seen, outcome, moment), checkpoint, requestId, moment);
}

/**
 * The step with since when the mailbox fails, and the answer that its error code stems from. The first failure's time stays
 * until a page; where an earlier release has seen the first one, nobody knows it.
 */
function noted(step: Step, before: Checkpoint, requestId: string | undefined, { nowMs }: Moment): Step {
  const { next } = step;
  if (step.kind === "apply") {
    // The code that stays in sight with the list keeps its answer.
    const lastRequestId = next.lastErrorCode === null ? null : next.lastRequestId;
    return { ...step, next: { ...next, failingSinceMs: null, lastRequestId } };
  }
  const failingSinceMs = before.failingSinceMs ?? (before.failuresInARow > 0 ? null : nowMs);
  return { ...step, next: { ...next, failingSinceMs, lastRequestId: requestId ?? null } };
}

function decideStep(seen: Checkpoint, outcome: Outcome, moment: Moment): Step {
  switch (outcome.kind) {
    case "page":
    case "lastPage":
      return decidePage(seen, outcome, moment);
    case "throttled":
      return waitFor(seen, outcome.code, outcome.retryAfterMs, moment);
    case "transient":
      return decideTrouble(seen, outcome, syncLimits.transientBeforeList, moment);
    case "unreadable":
      return decideTrouble(seen, outcome, areLinksInDoubt(seen) ? 1 : syncLimits.unreadableBeforeList, moment);
    case "authConfig":
      return decideRefusedToken(seen, outcome.code, moment);
    case "resetSync":
    case "linkRefused":
      return dropLink(seen, outcome.code, moment);
    case "mailboxFull":
    case "featureUnavailable":
      if (seen.strategy === "list") return parked(seen, `${outcome.kind}:${outcome.code}`, outcome.code, moment);
      return giveWayToList(seen, outcome.code, moment);
    case "denied":
      if (areLinksInDoubt(seen) || isDeniedAgain(seen)) return dropLink(seen, outcome.code, moment);
      return parked(seen, `${outcome.kind}:${outcome.code}`, outcome.code, moment);
    case "noMailbox":
      return parked(seen, `${outcome.kind}:${outcome.code}`, outcome.code, moment);
    default:
      return unreachable(outcome);
  }
}

/**
 * Stops work on a mailbox for a stated reason of our own. It is looked at again ever more slowly, or when somebody
 * releases it.
 */
export function park(checkpoint: Checkpoint, reason: string, code: string, moment: Moment): Step {
  return noted(parked(checkpoint, reason, code, moment), checkpoint, undefined, moment);
}

function parked(checkpoint: Checkpoint, reason: string, code: string, moment: Moment): Step {
  const failuresInARow = checkpoint.failuresInARow + 1;
  const notBeforeMs = moment.nowMs + reprobeMs(failuresInARow, moment.jitter);
  return {
    kind: "park",
    next: { ...checkpoint, failuresInARow, lastErrorCode: code, parkedReason: reason, notBeforeMs },
  };
}

/** Whether a link is asked, and links have led nowhere lately: then this one is suspected sooner. */
function areLinksInDoubt({ link, resetsInARow }: Checkpoint): boolean {
  return link !== null && resetsInARow > 0;
}

/**
 * Whether a link was denied at the look before, too. The first denial is taken for one of the mailbox, or of the whole
 * application, and keeps the link; but a link alone may be denied, as with another person's mailbox and a delegated token.
 */
function isDeniedAgain({ link, parkedReason }: Checkpoint): boolean {
  return link !== null && parkedReason?.startsWith("denied:") === true;
}

/**
 * Leaves the mailbox alone for a while, after a failure that says nothing of mailbox or link.
 * @param failure Its code, kept, and the request id of the answer, if it stems from one.
 */
export function wait(checkpoint: Checkpoint, { code, requestId }: Failure, moment: Moment): Step {
  const seen = { ...checkpoint, lastTick: moment.tick ?? checkpoint.lastTick };
  return noted(waitFor(seen, code, null, moment), checkpoint, requestId, moment);
}
type Failure = { readonly code: string; readonly requestId?: string };

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
    marks: null,
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
  const payloadHash = outcome.kind === "page" ? outcome.payloadHash : null;
  const repeats = !opens && payloadHash !== null && payloadHash === checkpoint.payloadHash;
  return {
    ...checkpoint,
    generation: opens && isFull ? checkpoint.generation + 1 : checkpoint.generation,
    roundId: opens ? moment.roundId : checkpoint.roundId,
    roundReason: opens ? openingReason(checkpoint) : checkpoint.roundReason,
    roundStartedMs: opens ? moment.nowMs : checkpoint.roundStartedMs,
    pageNumber: opens ? 1 : checkpoint.pageNumber + 1,
    payloadHash: payloadHash ?? checkpoint.payloadHash,
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
  const isHopeless = loopsInARow >= syncLimits.loopsBeforeList || checkpoint.roundReason === "probe";
  const next = isHopeless && checkpoint.strategy === "delta" ? fallBackToList(fresh, moment) : fresh;
  // Pages in between end a row of failures: rounds that come to nothing in a row make the wait longer, too.
  const failuresInARow = Math.max(checkpoint.failuresInARow, checkpoint.loopsInARow);
  return waitFor({ ...next, failuresInARow }, code, null, moment);
}

/** Reads the list instead, at once, and tries delta again in a day. */
function giveWayToList(checkpoint: Checkpoint, code: string, moment: Moment): Step {
  return { kind: "restart", next: { ...fallBackToList(checkpoint, moment), lastErrorCode: code } };
}

function fallBackToList(checkpoint: Checkpoint, moment: Moment): Checkpoint {
  const deltaProbeMs = moment.nowMs + Math.round(syncLimits.deltaProbeMs * (0.75 + moment.jitter / 4));
  return { ...startOver(checkpoint, "list"), strategy: "list", deltaProbeMs };
}

/**
 * Drops a link that is lost or refused, and asks the start, whose answer shows whether it was the link or the mailbox. A
 * delta whose links lead nowhere time after time gives way to the list.
 */
function dropLink(checkpoint: Checkpoint, code: string, moment: Moment): Step {
  if (checkpoint.strategy === "list") {
    if (checkpoint.link === null || checkpoint.loopsInARow > 0) return abandon(checkpoint, code, moment);
    return { kind: "restart", next: { ...startOver(checkpoint, "list"), loopsInARow: 1, lastErrorCode: code } };
  }
  const resetsInARow = checkpoint.resetsInARow + 1;
  if (resetsInARow >= syncLimits.resetsBeforeList) {
    return giveWayToList({ ...checkpoint, resetsInARow }, code, moment);
  }
  // Without a link there is nothing to drop: asking again at once would loop.
  if (checkpoint.link === null) return waitFor({ ...checkpoint, resetsInARow }, code, null, moment);
  return { kind: "restart", next: { ...startOver(checkpoint, "reset"), resetsInARow, lastErrorCode: code } };
}

type Trouble = { readonly code: string; readonly retryAfterMs: number | null };

/** Waits. After `patience` failures in a row the link is dropped, and without a link delta gives way to the list. */
function decideTrouble(checkpoint: Checkpoint, trouble: Trouble, patience: number, moment: Moment): Step {
  const { code, retryAfterMs } = trouble;
  if (checkpoint.failuresInARow + 1 >= patience) {
    if (checkpoint.link !== null) return dropLink(checkpoint, code, moment);
    if (checkpoint.strategy === "delta") return giveWayToList(checkpoint, code, moment);
  }
  return waitFor(checkpoint, code, retryAfterMs, moment);
}

/**
 * Waits a quarter of an hour at most: as a rule the refusal concerns the application. But it may concern the link alone, so
 * after hours the link is dropped; not where the identity gave no token, for then nothing was asked.
 */
function decideRefusedToken(checkpoint: Checkpoint, code: string, moment: Moment): Step {
  const failures = checkpoint.failuresInARow + 1;
  const isLinkInDoubt = failures >= syncLimits.transientBeforeList && code !== "tokenUnavailable";
  if (checkpoint.link !== null && isLinkInDoubt) return dropLink(checkpoint, code, moment);
  const waitMs = Math.min(backoffMs(failures, moment.jitter), syncLimits.authBackoffMaxMs);
  return failed(checkpoint, code, { notBeforeMs: moment.nowMs + waitMs });
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
