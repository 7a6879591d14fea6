import { type MailboxKind, mailboxKinds } from "../sync/mailboxKind.js";
import { type MailboxState, mailboxStates } from "../sync/state.js";
import { type Counters, counterNames, isJsonObject, type Json, type JsonObject, type Strategy } from "../sync/types.js";
import { noCounters } from "./counters.js";

/** Mailboxes of one state for one reason, with some of them by name. */
type Trouble = {
  readonly state: MailboxState;
  readonly reason: string;
  count: number;
  readonly examples: string[];
};

/** How the mailboxes of a shard stand: each is counted once. Suspended and removed ones count in `states` and `kinds` alone. */
export type Census = {
  readonly states: Record<MailboxState, number>;
  readonly kinds: Record<MailboxKind, number>;
  readonly strategies: Record<Strategy, number>;
  calendars: number;
  driftFound: number;
  driftMailboxes: number;
  /** Mailboxes whose last success is not older than the start of the tick before. */
  freshWithinTwoTicks: number;
  /** Those of them whose last success is of the counting tick itself: they stay fresh if the next tick is missed. */
  freshInTick: number;
  neverSucceeded: number;
  oldestSuccess: { readonly atMs: number; readonly mailbox: string } | null;
  readonly troubles: Trouble[];
};

/** Mailboxes that are asked: all but those suspended or being removed. */
export function mirroredIn({ states }: Census): number {
  const total = Object.values(states).reduce((sum, count) => sum + count, 0);
  return total - states.suspended - states.removing;
}

/** How a shard's mailboxes stood when a tick had counted all of them. `attention`: parked or held. */
export type Standing = { readonly mirrored: number; readonly fresh: number; readonly attention: number };

/** What one tick has done in a shard. */
export type TickFigures = Counters & {
  readonly tick: string;
  readonly startedMs: number;
  readonly finishedMs: number;
  /** Null where the tick did not get round, and of ticks of a release before. */
  readonly standing: Standing | null;
  /** Of the product that did it, its last part where several did; null for a release that did not tell. */
  readonly version: string | null;
};

/** What a run had counted when it stopped; its census holds only where the shard's row says that it stopped. */
export type PartialFigures = TickFigures & {
  readonly cursor: string | null;
  readonly wrapped: boolean;
  readonly isWhole: boolean;
  readonly newAsked: number;
  readonly census: Census;
};

/** What the row `figures` of a shard holds. */
export type ShardFigures = {
  /** Of the last run that got round; null before the first. */
  readonly census: Census | null;
  readonly atMs: number | null;
  /** Oldest first; a day of them. */
  readonly ticks: readonly TickFigures[];
  /** When the last refusal of the application ended whose end the shard has followed; null for none. */
  readonly overMs: number | null;
  readonly partial: PartialFigures | null;
};

/** How the counted mailboxes stand. */
export function standingOf(census: Census): Standing {
  const { states, freshWithinTwoTicks } = census;
  return { mirrored: mirroredIn(census), fresh: freshWithinTwoTicks, attention: states.parked + states.held };
}

/** A census that has counted nobody yet. */
export function emptyCensus(): Census {
  return {
    states: numbersOf({}, mailboxStates),
    kinds: numbersOf({}, mailboxKinds),
    strategies: { delta: 0, list: 0 },
    calendars: 0,
    driftFound: 0,
    driftMailboxes: 0,
    freshWithinTwoTicks: 0,
    freshInTick: 0,
    neverSucceeded: 0,
    oldestSuccess: null,
    troubles: [],
  };
}

/**
 * Each tick as an array, so that a day of them stays small: name, start, milliseconds, the counters in order, as an array
 * of its own how mailboxes stood, and as a text the version.
 */
export function storedFigures({ census, atMs, ticks, overMs, partial }: ShardFigures): JsonObject {
  return {
    atMs,
    census: census as Json,
    ticks: ticks.map((tick) => {
      const { startedMs, finishedMs, standing, version } = tick;
      const stood = standing === null ? [] : [[standing.mirrored, standing.fresh, standing.attention]];
      const told = [...stood, ...(version === null ? [] : [version])];
      return [tick.tick, startedMs, finishedMs - startedMs, ...counterNames.map((name) => tick[name]), ...told];
    }),
    overMs,
    partial: partial as Json,
  };
}

/** Reads what was stored, by this release or another. What cannot be read is left out: only figures are lost. */
export function shardFiguresOf(stored: JsonObject): ShardFigures {
  const partial = objectOf(stored["partial"]);
  const partialCensus = censusOf(partial?.["census"]);
  return {
    census: censusOf(stored["census"]),
    atMs: numberOf(stored["atMs"]),
    ticks: arrayOf(stored["ticks"]).flatMap(tickOf),
    overMs: numberOf(stored["overMs"]),
    partial:
      partial === null || partialCensus === null
        ? null
        : {
            ...numbersOf(partial, counterNames),
            tick: textOf(partial["tick"]) ?? "",
            startedMs: numberOf(partial["startedMs"]) ?? 0,
            finishedMs: numberOf(partial["finishedMs"]) ?? 0,
            cursor: textOf(partial["cursor"]),
            wrapped: partial["wrapped"] === true,
            isWhole: partial["isWhole"] === true,
            newAsked: numberOf(partial["newAsked"]) ?? 0,
            standing: null,
            version: textOf(partial["version"]),
            census: partialCensus,
          },
  };
}

function tickOf(stored: Json): TickFigures[] {
  const [name, startedMs, tookMs, ...counts] = arrayOf(stored);
  const standing = standingIn(counts.find((one) => Array.isArray(one)));
  const version = textOf(counts.find((one) => typeof one === "string"));
  const [tick, start, took] = [textOf(name), numberOf(startedMs), numberOf(tookMs)];
  if (tick === null || start === null || took === null) return [];
  const read = { ...noCounters, tick, startedMs: start, finishedMs: start + took, standing, version };
  for (const [index, each] of counterNames.entries()) read[each] = numberOf(counts[index]) ?? 0;
  return [read];
}

function standingIn(stored: Json | undefined): Standing | null {
  const [mirrored, fresh, attention] = arrayOf(stored).map(numberOf);
  return mirrored == null || fresh == null || attention == null ? null : { mirrored, fresh, attention };
}

function censusOf(stored: Json | undefined): Census | null {
  const census = objectOf(stored);
  if (census === null) return null;
  const oldest = objectOf(census["oldestSuccess"]);
  const [atMs, mailbox] = [numberOf(oldest?.["atMs"]), textOf(oldest?.["mailbox"])];
  return {
    states: numbersOf(objectOf(census["states"]) ?? {}, mailboxStates),
    kinds: numbersOf(objectOf(census["kinds"]) ?? {}, mailboxKinds),
    strategies: numbersOf(objectOf(census["strategies"]) ?? {}, ["delta", "list"]),
    calendars: numberOf(census["calendars"]) ?? 0,
    driftFound: numberOf(census["driftFound"]) ?? 0,
    driftMailboxes: numberOf(census["driftMailboxes"]) ?? 0,
    freshWithinTwoTicks: numberOf(census["freshWithinTwoTicks"]) ?? 0,
    freshInTick: numberOf(census["freshInTick"]) ?? 0,
    neverSucceeded: numberOf(census["neverSucceeded"]) ?? 0,
    oldestSuccess: atMs === null || mailbox === null ? null : { atMs, mailbox },
    troubles: arrayOf(census["troubles"]).flatMap(troubleOf),
  };
}

function troubleOf(stored: Json): Trouble[] {
  const trouble = objectOf(stored);
  const state = mailboxStates.find((one) => one === trouble?.["state"]);
  const [reason, count] = [textOf(trouble?.["reason"]), numberOf(trouble?.["count"])];
  if (state === undefined || reason === null || count === null) return [];
  const examples = arrayOf(trouble?.["examples"]).flatMap((id) => textOf(id) ?? []);
  return [{ state, reason, count, examples }];
}

function objectOf(value: Json | undefined): JsonObject | null {
  return isJsonObject(value) ? value : null;
}

function arrayOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

function numberOf(value: Json | undefined): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function textOf(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
}

function numbersOf<const Names extends readonly string[]>(
  stored: JsonObject,
  names: Names,
): Record<Names[number], number> {
  return Object.fromEntries(names.map((name) => [name, numberOf(stored[name]) ?? 0])) as Record<Names[number], number>;
}
