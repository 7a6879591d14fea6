import { backoffMs } from "./backoff.js";
import { dayMs } from "./time.js";

/**
 * Phases of a pass. It walks the directory's pages; where mailboxes leave, it then counts them and suspends them, shard by
 * shard. The words are stored.
 */
export const directoryPhases = ["idle", "walking", "counting", "suspending"] as const;

/** A pass that would suspend too many: it waits for a full roster round to confirm it, or for an operator. */
export type RosterHold = {
  readonly leaving: number;
  /** Discovered mailboxes in all, at that count. */
  readonly of: number;
  readonly sinceMs: number;
  /** The round that found it. Whoever that round had seen, and the next one misses, is not confirmed by it. */
  readonly generation: number;
  /** Next to nobody would be left: no second reading confirms that, only an operator does. */
  readonly needsRelease: boolean;
};

/** Accounts that a full roster round left out, by reason. `notLookedAt`: disabled, and their kind could not be asked. */
export const leftOutReasons = ["disabled", "guest", "noMail", "kind", "notLookedAt"] as const;
export type LeftOut = Readonly<Record<(typeof leftOutReasons)[number], number>>;
export const nobodyLeftOut: LeftOut = { disabled: 0, guest: 0, noMail: 0, kind: 0, notLookedAt: 0 };

/** The roster's own checkpoint: how far discovery has come, and all that it needs to go on after any crash. Pure data. */
export type DirectoryState = {
  /** `directory` or `group:<object id>`. Another one than before means a full round. */
  readonly source: string;
  readonly phase: (typeof directoryPhases)[number];
  /** Of the pass in hand or the last one. */
  readonly isFull: boolean;
  /** Walking: what to ask next, null for the start. Idle: the deltaLink, null when the next pass must be full. A secret. */
  readonly link: string | null;
  /** Number of the full round in hand or of the last one; rows that it found carry it. */
  readonly generation: number;
  /** +1 for each write of this state. Rows carry the step that wrote them: a late twin finds that it was overtaken. */
  readonly step: number;
  /** The pass in hand or the last one, by name. */
  readonly pass: string;
  readonly passStartedMs: number;
  readonly pages: number;
  readonly seen: number;
  readonly added: number;
  readonly resumed: number;
  readonly suspended: number;
  /** Users of this pass whose properties Graph left out: they stay as they were. */
  readonly untold: number;
  /** Accounts that the full round in hand, or the last one that began, has left out so far. */
  readonly leftOutSoFar: LeftOut;
  /** The same of the last full round that ended; null before the first. */
  readonly leftOut: LeftOut | null;
  /** Requests for the kinds of mailboxes in this pass. */
  readonly kindRequests: number;
  /** An account whose kind could not be asked for want of the permission: it is tried first the next time. */
  readonly kindProbe: string | null;
  /** Kinds that the roster takes, by name in order. Others than before mean a full round. */
  readonly kinds: string;
  /** Disabled accounts were left as they are, for Graph did not say their kind: a full round tries again, once a day. */
  readonly areKindsLeft: boolean;
  /** A full round was opened by a release that writes names so that they are found in any case of letters: else the next pass is one. */
  readonly areNamesFolded: boolean;
  /** Sync states that this pass has lost. */
  readonly resets: number;
  /** Counting and suspending: the shard that comes next. */
  readonly sweepShard: number;
  /** Walking: leavers that the pass has found so far; with any, it goes on to count them. */
  readonly leaving: number;
  /** Those of them that no earlier reading missed. */
  readonly leavingNew: number;
  readonly counted: number;
  /** Mailboxes suspended within the window before this pass: a shrink may come in parts. */
  readonly leftLately: number;
  /** Mailboxes suspended before then were confirmed, and don't count as part of a shrink any more. */
  readonly leftCountedFromMs: number | null;
  readonly hold: RosterHold | null;
  readonly notBeforeMs: number | null;
  /** Until when Graph itself asked to be left alone; null: the wait is our own. */
  readonly retryAfterUntilMs: number | null;
  readonly failuresInARow: number;
  readonly lastErrorCode: string | null;
  readonly lastSuccessMs: number | null;
  readonly lastFullRoundMs: number | null;
  /** Discovered mailboxes that are mirrored: counted by each full round, moved on by the passes between. */
  readonly discovered: number;
};

/** Bounds of discovery. */
const rosterLimits = {
  /** Fewer than this are never held. */
  heldLeavingMin: 3,
  /** A pass that would suspend more than this share of the discovered roster is held (I11). */
  heldLeavingShare: 0.2,
  /** Our choice: leavers within this time are counted together, whatever passes they left in. */
  leavingWindowMs: dayMs,
  /** Our choice: where less than this share would be left, a second reading is no proof. */
  nearlyNobodyShare: 0.1,
  /** Our choice: 100,000 users are 200 pages of 500. A pass this long is a loop. */
  pagesPerPassMax: 20_000,
  /** A sync state that is lost again and again within a pass is a fault, and waits for the next pass. */
  resetsPerPassMax: 2,
  /** Our choice: a link that has failed so often, which takes hours, is dropped for a full round. */
  linkFailuresMax: 20,
} as const;

/** Users came with an id and without their properties: the permission to read them is missing. */
export const propertiesHidden = "directoryPropertiesHidden";
/** A full round ended without a single user. */
const directoryEmpty = "directoryEmpty";

const noCount = { sweepShard: 0, leaving: 0, leavingNew: 0, counted: 0, leftLately: 0 };
const nothingYet = {
  ...noCount,
  pages: 0,
  seen: 0,
  added: 0,
  resumed: 0,
  suspended: 0,
  untold: 0,
  resets: 0,
  kindRequests: 0,
};

/** The state of a roster that was never discovered. */
export function newDirectory(source: string): DirectoryState {
  return {
    source,
    phase: "idle",
    isFull: true,
    link: null,
    generation: 0,
    step: 0,
    pass: "",
    passStartedMs: 0,
    ...nothingYet,
    leftOutSoFar: nobodyLeftOut,
    leftOut: null,
    kindProbe: null,
    kinds: "",
    areKindsLeft: false,
    areNamesFolded: false,
    hold: null,
    leftCountedFromMs: null,
    notBeforeMs: null,
    retryAfterUntilMs: null,
    failuresInARow: 0,
    lastErrorCode: null,
    lastSuccessMs: null,
    lastFullRoundMs: null,
    discovered: 0,
  };
}

/** What the settings say of the roster. `kinds`: those it takes, by name in order. `auditMs`: how old a full round may be. */
export type RosterAims = { readonly source: string; readonly kinds: string; readonly auditMs: number };

/**
 * The state with a pass open: the one in hand, or a new one, which is full without a link, after a hold, for another source
 * or other kinds, after a release whose rows cannot be found by name, and when the last full one is too old: the directory does
 * not tell when a mailbox is converted.
 */
export function opened(state: DirectoryState, aims: RosterAims, pass: string, nowMs: number): DirectoryState {
  const { source, kinds, auditMs } = aims;
  const isOther = state.source !== source;
  if (state.phase !== "idle" && !isOther) return state;
  const isAuditDue = nowMs - (state.lastFullRoundMs ?? 0) >= (state.areKindsLeft ? Math.min(auditMs, dayMs) : auditMs);
  const isOld = state.kinds !== kinds || !state.areNamesFolded || isAuditDue;
  const isFull = isOther || state.link === null || state.hold !== null || isOld;
  return {
    ...state,
    ...nothingYet,
    source,
    kinds,
    areKindsLeft: !isFull && state.areKindsLeft,
    areNamesFolded: true,
    leftOutSoFar: isFull ? nobodyLeftOut : state.leftOutSoFar,
    phase: "walking",
    isFull,
    link: isFull ? null : state.link,
    generation: isFull ? state.generation + 1 : state.generation,
    pass,
    passStartedMs: nowMs,
    hold: isOther ? null : state.hold,
  };
}

/** What one page came to. */
export type PageTally = {
  readonly seen: number;
  readonly added: number;
  readonly resumed: number;
  /** Mirrored users that are to be mirrored no more. They are suspended, or held, at the end of the pass. */
  readonly leaving: number;
  readonly untold: number;
  readonly leftOut: LeftOut;
  readonly asked: KindTally;
};

/** What asking for kinds came to on one page. */
export type KindTally = {
  readonly requests: number;
  /** The account to try first from now on; null: the permission is there, as far as is known. */
  readonly probe: string | null;
  /** Whether accounts were passed over which only a full round brings again: it is the next one. */
  readonly isFullDue: boolean;
  /** Whether disabled accounts were left as they are, for Graph did not say their kind. */
  readonly areKindsLeft: boolean;
};

/** The state after a page whose rows are written. `link`: the next page's, or the deltaLink of the last one. */
export function afterPage(
  state: DirectoryState,
  page: { readonly link: string | null; readonly isLast: boolean },
  tally: PageTally,
  nowMs: number,
): DirectoryState {
  const next: DirectoryState = {
    ...state,
    link: page.link,
    pages: state.pages + 1,
    seen: state.seen + tally.seen,
    added: state.added + tally.added,
    resumed: state.resumed + tally.resumed,
    leaving: state.leaving + tally.leaving,
    untold: state.untold + tally.untold,
    leftOutSoFar: state.isFull ? sumOf(state.leftOutSoFar, tally.leftOut) : state.leftOutSoFar,
    kindRequests: state.kindRequests + tally.asked.requests,
    kindProbe: tally.asked.probe,
    kinds: tally.asked.isFullDue ? "" : state.kinds,
    areKindsLeft: state.areKindsLeft || tally.asked.areKindsLeft,
    discovered: state.discovered + tally.added + tally.resumed,
    notBeforeMs: null,
    retryAfterUntilMs: null,
    failuresInARow: 0,
    lastErrorCode: state.untold + tally.untold > 0 ? propertiesHidden : null,
  };
  if (!page.isLast && page.link === state.link) return abandoned(next, "loopSameLink", nowMs);
  if (next.pages >= rosterLimits.pagesPerPassMax) return abandoned(next, "loopTooManyPages", nowMs);
  if (!page.isLast) return next;
  // The deltaLink will not bring again users whose properties were left out: only a full round does.
  const link = next.untold === 0 ? page.link : null;
  const read = { ...next, link, leftOut: state.isFull ? next.leftOutSoFar : state.leftOut };
  if (state.isFull || next.leaving > 0) return { ...read, ...noCount, phase: "counting" };
  return { ...read, phase: "idle", lastSuccessMs: nowMs };
}

function sumOf(before: LeftOut, more: LeftOut): LeftOut {
  return Object.fromEntries(leftOutReasons.map((reason) => [reason, before[reason] + more[reason]])) as LeftOut;
}

/** Gives a pass up. A pass that did not end suspends nobody; the next one is full. */
function abandoned(state: DirectoryState, code: string, nowMs: number): DirectoryState {
  return afterFailure({ ...state, phase: "idle", link: null }, code, null, { nowMs, jitter: 1 });
}

/** The state after a lost sync state: a full round from the start, at once unless this pass has lost too many. */
export function afterReset(state: DirectoryState, code: string, nowMs: number): DirectoryState {
  const resets = state.resets + 1;
  // Without a link there is nothing to reset: asking again at once would loop.
  if (state.link === null || resets > rosterLimits.resetsPerPassMax) return abandoned(state, code, nowMs);
  return {
    ...state,
    ...nothingYet,
    resets,
    kindRequests: state.kindRequests,
    leftOutSoFar: nobodyLeftOut,
    phase: "walking",
    isFull: true,
    link: null,
    generation: state.generation + 1,
    lastErrorCode: code,
  };
}

/** The state after an error: waits as long as Graph asked, else by our own growing wait. An error suspends nobody. */
export function afterFailure(
  state: DirectoryState,
  code: string,
  retryAfterMs: number | null,
  { nowMs, jitter }: { readonly nowMs: number; readonly jitter: number },
): DirectoryState {
  const failuresInARow = state.failuresInARow + 1;
  const notBeforeMs = nowMs + (retryAfterMs ?? backoffMs(failuresInARow, jitter));
  const retryAfterUntilMs = retryAfterMs === null ? null : notBeforeMs;
  const failed = { ...state, failuresInARow, lastErrorCode: code, notBeforeMs, retryAfterUntilMs };
  const isLinkDead = retryAfterMs === null && failuresInARow >= rosterLimits.linkFailuresMax;
  return isLinkDead && state.phase === "walking" ? { ...failed, phase: "idle", link: null } : failed;
}

/**
 * The state after an operator has asked for a pass now: a wait of our own is over, and the link that has failed is dropped.
 * A wait that Graph asked for stays. Null: nothing of ours stands in the way.
 */
export function discoveredNow(state: DirectoryState, nowMs: number): DirectoryState | null {
  const isWaiting = state.failuresInARow > 0 && (state.phase === "walking" || state.phase === "idle");
  if (!isWaiting || (state.retryAfterUntilMs ?? 0) > nowMs) return null;
  return { ...state, phase: "idle", link: null, notBeforeMs: null, retryAfterUntilMs: null };
}

/** What counting one shard came to. */
export type ShardCount = {
  readonly leaving: number;
  readonly leavingNew: number;
  readonly counted: number;
  readonly leftLately: number;
};

/** The state after one more shard is counted. The last one decides whether the leavers are suspended, or held (I11). */
export function afterCount(state: DirectoryState, shard: ShardCount, shards: number, nowMs: number): DirectoryState {
  const next = {
    ...state,
    leaving: state.leaving + shard.leaving,
    leavingNew: state.leavingNew + shard.leavingNew,
    counted: state.counted + shard.counted,
    leftLately: state.leftLately + shard.leftLately,
    sweepShard: state.sweepShard + 1,
  };
  if (next.sweepShard < shards) return next;
  const isEmpty = state.isFull && state.seen === 0;
  const lastErrorCode = isEmpty ? directoryEmpty : state.lastErrorCode;
  const done = { ...next, sweepShard: 0, discovered: next.counted, lastErrorCode };
  const needsRelease = isNearlyNobodyLeft(next.leaving, next.counted) || (isEmpty && next.counted > 0);
  if (!needsRelease && !isTooMany(next)) return { ...done, phase: "suspending" };
  return { ...done, phase: "idle", lastSuccessMs: nowMs, hold: heldBy(next, needsRelease, nowMs) };
}

function heldBy(state: DirectoryState, needsRelease: boolean, nowMs: number): RosterHold {
  return {
    leaving: state.leaving,
    of: state.counted,
    sinceMs: state.hold?.sinceMs ?? nowMs,
    // A reading of next to nobody is no first reading: the next one must not count as its confirmation.
    generation: needsRelease ? (state.hold?.generation ?? 0) : state.generation,
    needsRelease,
  };
}

/** The state after one more shard is swept. After the last one the pass is over. */
export function afterSweep(state: DirectoryState, suspended: number, shards: number, nowMs: number): DirectoryState {
  const next = {
    ...state,
    suspended: state.suspended + suspended,
    discovered: Math.max(0, state.discovered - suspended),
    sweepShard: state.sweepShard + 1,
  };
  if (next.sweepShard < shards) return next;
  return {
    ...next,
    phase: "idle",
    sweepShard: 0,
    lastSuccessMs: nowMs,
    lastFullRoundMs: state.isFull ? nowMs : state.lastFullRoundMs,
    // The deltaLink will not bring again users who were spared for another look.
    link: areNewSpared(state) ? null : state.link,
    hold: null,
    leftCountedFromMs: state.hold === null ? state.leftCountedFromMs : nowMs,
  };
}

/** Suspending: rows go that were last found by a full round older than this. */
export function suspendedBelow(state: DirectoryState): number {
  return areNewSpared(state) ? (state.hold?.generation ?? state.generation) : state.generation;
}

/** Whether those missed for the first time are spared: a reading that confirms a hold suspends only whom both have missed. */
function areNewSpared({ hold, leavingNew }: DirectoryState): boolean {
  return hold !== null && leavingNew > 0;
}

/** From when on leavers count as part of a shrink that goes on. */
export function leftLatelyFromMs(state: DirectoryState, nowMs: number): number {
  return Math.max(nowMs - rosterLimits.leavingWindowMs, state.leftCountedFromMs ?? 0);
}

/** The state after an operator has confirmed what is held: it is applied now. Null: nothing is held. */
export function releasedHold(state: DirectoryState): DirectoryState | null {
  if (state.hold === null || state.phase !== "idle") return null;
  return { ...state, phase: "suspending", sweepShard: 0, leavingNew: 0 };
}

/** Whether those missed for the first time, with those who left lately, are too many (I11). The others are confirmed. */
function isTooMany({ leavingNew, leftLately, counted }: DirectoryState): boolean {
  if (leavingNew === 0) return false;
  const [leaving, of] = [leavingNew + leftLately, counted + leftLately];
  return leaving >= rosterLimits.heldLeavingMin && leaving > of * rosterLimits.heldLeavingShare;
}

function isNearlyNobodyLeft(leaving: number, of: number): boolean {
  return leaving >= rosterLimits.heldLeavingMin && of - leaving < of * rosterLimits.nearlyNobodyShare;
}
