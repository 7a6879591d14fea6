import { hourMs, minuteMs } from "./time.js";
import type { Outcome } from "./types.js";

/**
 * The application's own state, which all instances obey: Graph throttles it, or refuses it whatever mailbox is asked.
 * Pure; times are epoch milliseconds.
 */
export type Brake = {
  readonly kind: "throttled" | "refused";
  /** Why: codes of Graph, the newest first. Empty: raised by a release that did not keep them. */
  readonly codes: readonly string[];
  readonly sinceMs: number | null;
  /** Nobody asks before then. */
  readonly untilMs: number;
  /** The wait that `untilMs` was set for. Null: raised by a release that did not keep it. */
  readonly waitMs: number | null;
  /** After `untilMs` one mailbox is asked, by one instance, and its answer decides whether the others are asked. */
  readonly needsProbe: boolean;
  /** Probes so far: each takes the next mailbox of its shard. */
  readonly probes: number;
  /** The last probe asked a link and was refused, which may be the link's fault: the next one asks a start. */
  readonly probesStart: boolean;
  /** Probes in a row that met a mailbox which Graph does not know, which says nothing of the refusal. */
  readonly unclearProbes: number;
  /** The shard of the last probe. */
  readonly probedBy: string | null;
  /** The shard that left a probe to others last, while nobody has taken it. */
  readonly passedOn: string | null;
  /** The last refusal that ended: mailboxes that were refused with these codes meanwhile are asked again at once. */
  readonly ended: { readonly codes: readonly string[]; readonly atMs: number } | null;
  /** Refusals of shards that are too small to judge by themselves. */
  readonly suspected: Suspicion | null;
};

/** Refusals of small shards so far: with enough of them it is the application that is refused. */
type Suspicion = { readonly codes: readonly string[]; readonly count: number; readonly sinceMs: number };

/** How a mailbox was refused. Graph has more than one code for the same refusal, so kinds are compared, not codes. */
export type Refusal = { readonly kind: Outcome["kind"]; readonly code: string };

/**
 * All are our own choice.
 * @internal For tests.
 */
export const brakeLimits = {
  /** The longest `Retry-After` that is believed in full; after that one mailbox is asked. */
  throttleMsMax: hourMs,
  /** How often a refused application is tried: one mailbox. */
  probeMs: minuteMs,
  /** The longest between two such tries, whatever Graph says meanwhile. */
  refusalMsMax: 15 * minuteMs,
  /** How much good clocks differ. A time that is further ahead than its own wait was written by a fast clock. */
  clockSkewMsMax: 30_000,
  refusedShareMin: 0.9,
  /** How long refusals of small shards are added up. */
  suspicionMs: 15 * minuteMs,
  /** For so long after a refusal has ended, one mailbox that is answered shows that others are refused for themselves. */
  strictMs: hourMs,
  unclearProbesMax: 5,
  /** Codes kept of one refusal. */
  codesMax: 8,
} as const;

const idle: Brake = {
  kind: "throttled",
  codes: [],
  sinceMs: null,
  untilMs: 0,
  waitMs: null,
  needsProbe: false,
  probes: 0,
  probesStart: false,
  unclearProbes: 0,
  probedBy: null,
  passedOn: null,
  ended: null,
  suspected: null,
};

/** Whether all instances leave Graph alone now, but for a probe where the brake needs one. */
export function isBraked(brake: Brake | null, nowMs: number): boolean {
  return brake !== null && (brake.untilMs > nowMs || brake.needsProbe);
}

/** The brake without what a fast clock has added to it; the same object if it has added nothing. */
export function believed(brake: Brake, nowMs: number): Brake {
  const waitMs = Math.min(brake.waitMs ?? brakeLimits.throttleMsMax, brakeLimits.throttleMsMax);
  const isTooFar = brake.untilMs > nowMs + waitMs + brakeLimits.clockSkewMsMax;
  return isTooFar ? { ...brake, untilMs: nowMs + waitMs } : brake;
}

/**
 * Until when discovery leaves Graph alone; 0 if it need not. A refusal of mailboxes says nothing of the directory, which is
 * another permission.
 */
export function throttledUntilMs(brake: Brake | null, nowMs: number): number {
  return brake?.kind === "throttled" ? believed(brake, nowMs).untilMs : 0;
}

/** The brake when Graph throttles the application. Null: one holds as long already. A long wait is cut, and ends with a probe. */
export function throttled(before: Brake | null, code: string, askedMs: number, nowMs: number): Brake | null {
  const waitMs = Math.min(Math.max(askedMs, 0), brakeLimits.throttleMsMax);
  const untilMs = nowMs + waitMs;
  const needsProbe = askedMs > brakeLimits.throttleMsMax;
  if (before === null || !isBraked(before, nowMs)) {
    return { ...(before ?? idle), kind: "throttled", codes: [code], sinceMs: nowMs, untilMs, waitMs, needsProbe };
  }
  if (before.untilMs >= untilMs) return null;
  return { ...before, untilMs, waitMs, needsProbe: before.needsProbe || needsProbe };
}

/** The brake when Graph refuses the application. Null: that is known. */
export function refused(before: Brake | null, codes: readonly string[], nowMs: number): Brake | null {
  if (isBraked(before, nowMs)) return null;
  const waitMs = brakeLimits.probeMs;
  return {
    ...(before ?? idle),
    kind: "refused",
    codes: codes.slice(0, brakeLimits.codesMax),
    sinceMs: nowMs,
    untilMs: nowMs + waitMs,
    waitMs,
    needsProbe: true,
    suspected: null,
  };
}

/** The brake after all of a small shard were refused; `enough` refusals together are the application's. Null: nothing to write. */
export function suspected(before: Brake | null, { codes, count }: Shared, enough: number, nowMs: number): Brake | null {
  if (isBraked(before, nowMs)) return null;
  const earlier = before?.suspected ?? null;
  const goesOn = earlier !== null && Math.abs(nowMs - earlier.sinceMs) < brakeLimits.suspicionMs;
  const sum = count + (goesOn ? earlier.count : 0);
  const all = [...new Set([...codes, ...(goesOn ? earlier.codes : [])])].slice(0, brakeLimits.codesMax);
  if (sum >= enough) return refused(before, all, nowMs);
  const sinceMs = goesOn ? earlier.sinceMs : nowMs;
  return { ...(before ?? idle), suspected: { codes: all, count: sum, sinceMs } };
}

/** The brake with the right to probe taken by one shard, until the wait is over. Null: too early, or another shard has it. */
export function probing(brake: Brake | null, shard: string, nowMs: number): Brake | null {
  if (brake === null || !brake.needsProbe || brake.untilMs > nowMs) return null;
  return {
    ...brake,
    untilMs: nowMs + brakeLimits.probeMs,
    waitMs: brakeLimits.probeMs,
    probes: brake.probes + 1,
    probedBy: shard,
    passedOn: null,
  };
}

/** The brake after its probe was answered. */
export function probed(before: Brake, outcome: Outcome, nowMs: number): Brake {
  const brake = { ...before, unclearProbes: 0 };
  const wait = (askedMs: number | null, maxMs: number): Brake => {
    const waitMs = Math.min(Math.max(askedMs ?? 0, brakeLimits.probeMs), maxMs);
    return { ...brake, untilMs: nowMs + waitMs, waitMs };
  };
  if (brake.kind === "throttled") {
    // A 503 with Retry-After is one as well: the mailbox that was asked would be asked again at once with all others.
    const askedMs = "retryAfterMs" in outcome ? outcome.retryAfterMs : null;
    const goesOn = outcome.kind === "throttled" || (askedMs ?? 0) > 0;
    return goesOn ? wait(askedMs, brakeLimits.throttleMsMax) : lifted(brake, nowMs);
  }
  switch (outcome.kind) {
    case "throttled":
    case "transient":
    case "unreadable": // Says nothing of what was refused.
      return wait(outcome.retryAfterMs, brakeLimits.refusalMsMax);
    case "denied":
    case "authConfig":
    case "featureUnavailable": {
      const others = brake.codes.filter((code) => code !== outcome.code);
      return {
        ...wait(null, brakeLimits.refusalMsMax),
        codes: [outcome.code, ...others].slice(0, brakeLimits.codesMax),
        probesStart: !before.probesStart,
      };
    }
    case "linkRefused":
      return { ...wait(null, brakeLimits.refusalMsMax), probesStart: true };
    case "noMailbox": {
      if (brake.codes.includes(outcome.code)) return wait(null, brakeLimits.refusalMsMax);
      // Perhaps this mailbox alone, so the next probe takes another one. Time after time, it is not the application's refusal.
      const unclearProbes = before.unclearProbes + 1;
      if (unclearProbes >= brakeLimits.unclearProbesMax) return lifted(brake, nowMs);
      return { ...wait(null, brakeLimits.refusalMsMax), unclearProbes };
    }
    default:
      return lifted(brake, nowMs);
  }
}

/** The brake after it has ended or was lifted by an operator. It keeps no time of this clock: another may be behind. */
export function lifted(brake: Brake, nowMs: number): Brake {
  const ended = brake.kind === "refused" ? { codes: brake.codes, atMs: nowMs } : brake.ended;
  return {
    ...brake,
    untilMs: 0,
    waitMs: null,
    needsProbe: false,
    probesStart: false,
    passedOn: null,
    ended,
    suspected: null,
  };
}

/** Refusals of one kind, and their codes, the most frequent first. */
type Shared = { readonly codes: readonly string[]; readonly count: number };

/** What a run was answered for mailboxes, without those refused with the same code before, which are nothing new. */
export class Refusals {
  readonly #byKind = new Map<Refusal["kind"], string[]>();
  #answered = 0;
  #answeredSince = 0;

  /** @param refusal Null: Graph answered for the mailbox. */
  add(refusal: Refusal | null): void {
    if (refusal === null) {
      this.#answered += 1;
      if (this.#byKind.size > 0) this.#answeredSince += 1;
    } else this.#byKind.set(refusal.kind, [...(this.#byKind.get(refusal.kind) ?? []), refusal.code]);
  }

  /** Mailboxes that Graph answered for. */
  get answered(): number {
    return this.#answered;
  }

  /**
   * The refusal that nearly all share; null where there is none. Answers before the first refusal do not count against it:
   * it may have begun just then.
   */
  shared(ended: Brake["ended"], nowMs: number): Shared | null {
    const [most = []] = [...this.#byKind.values()].sort((one, other) => other.length - one.length);
    if (most.length === 0) return null;
    const refusals = [...this.#byKind.values()].flat().length;
    const isEnded = ended?.codes.some((code) => most.includes(code)) === true;
    const hasJustEnded = isEnded && nowMs - ended.atMs < brakeLimits.strictMs;
    if (hasJustEnded && this.#answeredSince > 0) return null;
    if (most.length < brakeLimits.refusedShareMin * (refusals + this.#answeredSince)) return null;
    return { codes: byFrequency(most), count: most.length };
  }
}

function byFrequency(codes: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].sort(([, one], [, other]) => other - one).map(([code]) => code);
}
