import type { Status } from "./api.js";
import { number, span } from "./words.js";

/** What the charts show of each tick. */

export type Tick = Status["activity"]["ticks"][number];

/** When it began; NaN: there is no tick, or its start is not known. */
export const startOf = (tick: Tick | undefined): number => Date.parse(tick?.started ?? "");

export type Measure = {
  readonly name: string;
  readonly means: string;
  readonly colour: string;
  /** Null where the tick does not tell. */
  of(tick: Tick, before: Tick | undefined): number | null;
  text(value: number): string;
  /** From here on somebody should look; null: there is no such line. */
  threshold(intervalSeconds: number | null): number | null;
  /** The top of the scale, at least. */
  readonly topMin: number;
};

/** The longest that a change had waited when the tick ended, in seconds: since the start of the tick before, which may have just missed it. */
function lagSeconds(tick: Tick, before: Tick | undefined): number {
  if (before === undefined || before.started === null || tick.started === null) return tick.seconds;
  return (Date.parse(tick.started) - Date.parse(before.started)) / 1000 + tick.seconds;
}

function freshPercent({ standing }: Tick): number | null {
  return standing === null || standing.mirrored === 0 ? null : (100 * standing.fresh) / standing.mirrored;
}

const whole = (value: number) => number(Math.round(value));
/** Rounded down: it says 100 only where it is. */
const percent = (value: number) => `${(Math.floor(value * 10) / 10).toLocaleString()} %`;
const none = () => null;

export const measures: readonly Measure[] = [
  {
    ...{ name: "Fresh", means: "share of mailboxes read within two ticks", colour: "--chart-2" },
    ...{ of: freshPercent, text: percent, threshold: none, topMin: 100 },
  },
  {
    ...{ name: "Need attention", means: "mailboxes parked or held", colour: "--chart-3" },
    ...{ of: ({ standing }) => standing?.attention ?? null, text: whole, threshold: none, topMin: 1 },
  },
  {
    ...{ name: "Lag", means: "how long a change waited at the most", colour: "--chart-4" },
    ...{ of: lagSeconds, text: span, topMin: 1 },
    // Two ticks: a mailbox that is read later than that is no longer fresh.
    threshold: (intervalSeconds) => (intervalSeconds === null ? null : 2 * intervalSeconds),
  },
  {
    ...{ name: "429 responses", means: "and the like, by which Graph throttles", colour: "--chart-3" },
    ...{ of: ({ throttles }) => throttles, text: whole, threshold: none, topMin: 1 },
  },
  {
    ...{ name: "Changes", means: "calendars that changed", colour: "--chart-1" },
    ...{ of: ({ changes }) => changes, text: whole, threshold: none, topMin: 1 },
  },
  {
    ...{ name: "Syncs", means: "mailboxes read in a tick (rounds)", colour: "--chart-1" },
    ...{ of: ({ rounds }) => rounds, text: whole, threshold: none, topMin: 1 },
  },
];

/**
 * Where the version of the app is another one than that of the tick before. Ticks of a release that did not tell it are passed
 * over: from which version such an upgrade came is not known, so there is no mark.
 */
export function deploymentsIn(ticks: readonly Tick[]): readonly { readonly atMs: number; readonly text: string }[] {
  let before: string | null = null;
  return ticks.flatMap(({ version, started }) => {
    if (version === null) return [];
    const was = before;
    before = version;
    const isMark = was !== null && was !== version && started !== null;
    return isMark ? [{ atMs: Date.parse(started), text: `version ${version} from here, ${was} before` }] : [];
  });
}

/** How much of the past is shown, by what the address calls it. */
export const ranges = {
  hour: { label: "Hour", ms: 3_600_000 },
  day: { label: "Day", ms: 86_400_000 },
  all: { label: "All kept", ms: Number.POSITIVE_INFINITY },
} as const;
export type Range = keyof typeof ranges;

/** The range of an address; what names none is a day. */
export function rangeOf(text: string | null): Range {
  return text !== null && Object.hasOwn(ranges, text) ? (text as Range) : "day";
}

/** Something that happened, as a line through all charts. */
export type Mark = { readonly atMs: number; readonly text: string; readonly kind: "event" | "deployment" };
/** What the charts are drawn from. */
export type Shown = {
  readonly ticks: readonly Tick[];
  readonly intervalSeconds: number | null;
  readonly marks: readonly Mark[];
  readonly range: Range;
  /** Whether all charts show, or those alone that say how things stand. */
  readonly isWhole: boolean;
};
