import { z } from "zod";
import { GONE_CODES, LINK_REFUSALS } from "./mailbox.js";
import type { Random } from "./random.js";

/**
 * What a fault is injected into: `list` means all plain reads of calendars, `settings` those of a mailbox's settings,
 * `batch` the outer request of a batch.
 */
const FAULT_TARGETS = ["delta", "list", "write", "directory", "settings", "batch"] as const;
/** One of those places. */
export type FaultTarget = (typeof FAULT_TARGETS)[number];

/** Faults that answer instead of the service. Each names what the caller sees. */
export const REFUSALS = [
  "throttled", // 429 for one request or batch item; `retryAfter`, `seconds`
  "unavailable", // 503, empty body; `retryAfter` (default none)
  "mailboxInfoStale", // 503
  "gatewayTimeout", // 504, UnknownError
  "serverError", // 500
  "claimsChallenge", // 401 with claims to fetch
  "tokenRefused", // 401 InvalidAuthenticationToken
  "resetSync", // 410, only where there is a link to lose; `code`
  "linksForgotten", // the mailbox loses all its links for good, so this one gives 410
  "linkRefused", // the mailbox's delta links so far answer 404 UnknownError for good, or as `code` says
  "mailboxFull", // 403, delta only
  "deltaNotOffered", // 400, delta only: as a cloud without this route answers
  "denied", // 403 ErrorAccessDenied
  "noMailbox", // 404; `code`
  "directoryLinkDead", // 404 UnknownError, only where a link of the directory is asked
] as const;

/** Faults of the connection: they affect a whole HTTP request, never a single item of a batch. */
const CONNECTION_FAULTS = [
  "throttledApplication", // 429 for the whole HTTP request
  "truncatedBody", // JSON that breaks off half way
  "connectionReset", // the request has its effect, the answer never comes
] as const;

/** Faults that distort an answer which is otherwise good. */
const DISTORTIONS = [
  "latency", // `latencyMs` more
  "emptyPages", // `pages` empty pages, then the real one
  "repeatedItems", // `form` "page": a row comes twice; "round": a row of an earlier page of a full round
  "partialItems", // incremental rounds give id and changed properties only; of users, id and displayName
  "replays", // incremental rounds also return up to `items` rows that came before the link already
  "oversizedPage", // up to `items` rows, whatever was asked
  "halvedList", // every second calendar is missing from lists and full rounds, on `directory` every second user
  "propertiesHidden", // users come with an id and nothing else, and are refused when looked up
  "toldAgainInPart", // a page of a full directory round ends with its first user again: id and displayName
  "nobodyListed", // a full directory round, or a group, lists nobody
  "endlessLinks", // `form` "rotating": a new link over the same payload, or "same": one link, until the rule is removed
  "poisonedLink", // `form` "host", "user" (another mailbox), "emptyUser", "scheme" or "longerPath" (a segment more)
  "batchNotJson",
  "batchMissingItem",
  "batchDoubledItem",
] as const;

/**
 * All faults that the simulator can inject.
 * @internal For tests.
 */
export const FAULT_KINDS = [...REFUSALS, ...CONNECTION_FAULTS, ...DISTORTIONS] as const;
/** The name of a fault, as rules and `injected` spell it. */
export type FaultKind = (typeof FAULT_KINDS)[number];

/** What to inject, where, and how often. */
export const faultRuleSchema = z.strictObject({
  kind: z.enum(FAULT_KINDS),
  /** Default: wherever the kind makes sense. */
  on: z.enum(FAULT_TARGETS).optional(),
  /** Default: every mailbox. */
  mailboxId: z.string().optional(),
  /** Probability per opportunity, 0 to 1. Default 1. */
  rate: z.number().min(0).max(1).optional(),
  /** Injected this many times, then no more. Default: no end. */
  count: z.int().min(1).optional(),
  /** How Retry-After is written. Default `integer` for 429, `none` for 503. */
  retryAfter: z.enum(["integer", "fraction", "date", "none"]).optional(),
  /** The wait that Retry-After asks for. Default 2. */
  seconds: z.number().min(0).optional(),
  latencyMs: z.number().min(0).optional(),
  /** Of a 404, 410, or a link that is refused. */
  code: z
    .union([
      z.enum(GONE_CODES),
      z.enum(LINK_REFUSALS),
      z.enum(["SyncStateNotFound", "SyncStateInvalid", "resyncRequired"]),
    ])
    .optional(),
  pages: z.int().min(1).optional(),
  items: z.int().min(1).optional(),
  form: z.enum(["page", "round", "rotating", "same", "host", "user", "emptyUser", "scheme", "longerPath"]).optional(),
});
/** A rule as the control API and tests give it. */
export type FaultRule = z.infer<typeof faultRuleSchema>;
/** A rule in force. `left`: how often it will still be injected; null: without end. */
export type ActiveRule = FaultRule & { readonly id: number; readonly left: number | null };

/** Switches faults on and off, and counts those that were injected. */
export type Faults = {
  /** Returns the rule's id. Throws on a rule that is not well formed. */
  add(rule: FaultRule): number;
  remove(id: number): boolean;
  clear(): void;
  rules(): readonly ActiveRule[];
  /** Puts rules in force that were read from another simulator, in place of all others. */
  restore(rules: readonly ActiveRule[]): void;
  injected(): Readonly<Record<FaultKind, number>>;
  /** True while there is no rule: the fast path past all questions below. */
  isCalm(): boolean;
  /** True while there is a rule of that kind, used up or not. */
  has(kind: FaultKind): boolean;
  /** The first rule of one of `kinds` that applies now, counted as injected; null: none. Call it only where the fault can take effect. */
  inject(kinds: FaultKind | ReadonlySet<FaultKind>, target: FaultTarget, mailboxId: string | null): FaultRule | null;
};

const REFUSING: ReadonlySet<FaultKind> = new Set(REFUSALS);

/** Refusals affect the items of a batch; the batch itself only when a rule names it. */
function isForItems(kind: FaultKind, target: FaultTarget): boolean {
  return target === "batch" && REFUSING.has(kind);
}

/** No rules yet. @param random Decides about rules with a `rate`. */
export function createFaults(random: Random): Faults {
  let rules: { readonly id: number; readonly rule: FaultRule; left: number | null }[] = [];
  let lastId = 0;
  const injected = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as Record<FaultKind, number>;
  return {
    add(rule) {
      const parsed = faultRuleSchema.parse(rule);
      rules.push({ id: ++lastId, rule: parsed, left: parsed.count ?? null });
      return lastId;
    },
    remove(id) {
      const before = rules.length;
      rules = rules.filter((active) => active.id !== id);
      return rules.length < before;
    },
    clear() {
      rules = [];
    },
    rules: () => rules.map(({ id, rule, left }) => ({ ...rule, id, left })),
    restore(saved) {
      rules = saved.map(({ id, left, ...rule }) => ({ id, left, rule: faultRuleSchema.parse(rule) }));
      lastId = Math.max(lastId, ...rules.map(({ id }) => id));
    },
    injected: () => ({ ...injected }),
    isCalm: () => rules.length === 0,
    has: (kind) => rules.some((active) => active.rule.kind === kind),
    inject(kinds, target, mailboxId) {
      for (const active of rules) {
        const { rule } = active;
        if (typeof kinds === "string" ? rule.kind !== kinds : !kinds.has(rule.kind)) continue;
        if (rule.on === undefined ? isForItems(rule.kind, target) : rule.on !== target) continue;
        if (rule.mailboxId !== undefined && rule.mailboxId !== mailboxId) continue;
        if (active.left === 0) continue;
        if (rule.rate !== undefined && random.next() >= rule.rate) continue;
        if (active.left !== null) active.left--;
        injected[rule.kind]++;
        return rule;
      }
      return null;
    },
  };
}
