import { dayMs, minuteMs } from "./sync/time.js";

/**
 * Schedules of timers, read as the Functions host reads them: NCRONTAB with six fields, `{second} {minute} {hour} {day}
 * {month} {day of week}`, or with the last five. The rules are those of the parser in the host (NCrontab.Signed), which
 * differ from other crons: a reversed range is turned, weekday 7 is refused, `5/20` is "from 5 on, each 20th".
 * `test/schedule/ncrontab.tsv` holds what that parser answered.
 * @see https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
 */
export type Schedule = {
  readonly text: string;
  /** The values that fit, in ascending order. A day must fit by day of month **and** day of week. */
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: readonly number[];
  readonly months: readonly number[];
  readonly weekdays: readonly number[];
  /** The ranges whose end comes before their start, and what the host makes of them without a word. */
  readonly reversed: readonly ReversedRange[];
};

type ReversedRange = {
  readonly field: string;
  readonly range: string;
  readonly readAs: string;
  /** The same, written so that it goes round: `22-2` hours as `22-23,0-2`. */
  readonly around: string;
};

/** Why the host would refuse the text. Only its timer would then stop, while the rest of the app runs on. */
export type ScheduleError = { readonly mistake: string };

type Field = { readonly name: string; readonly min: number; readonly max: number; readonly names?: readonly string[] };

const fields: readonly Field[] = [
  { name: "second", min: 0, max: 59 },
  { name: "minute", min: 0, max: 59 },
  { name: "hour", min: 0, max: 23 },
  { name: "day", min: 1, max: 31 },
  {
    name: "month",
    min: 1,
    max: 12,
    names: "january february march april may june july august september october november december".split(" "),
  },
  {
    name: "day of week",
    min: 0,
    max: 6,
    names: "sunday monday tuesday wednesday thursday friday saturday".split(" "),
  },
];

/** After so many days the calendar repeats itself, weekdays included: what has not fired by then never does. */
const calendarCycleDays = 146_097;
/** A whole number as .NET's `int.Parse` takes it: with blanks around it, and a sign. */
const int32 = /^[\t-\r ]*([+-]?\d+)[\t-\r ]*$/;
const int32Max = 2_147_483_647;

/** Reads a schedule. A refusal is a value that says what is wrong and where. */
export function readSchedule(text: string): Schedule | ScheduleError {
  const parts = text.split(" ").filter((part) => part !== ""); // Blanks alone divide fields: a tab does not.
  if (parts.length !== 5 && parts.length !== 6) {
    const count = parts.length === 1 ? "1 field" : `${parts.length} fields`;
    return { mistake: `has ${count} where ${fields.length} are wanted, divided by blanks` };
  }
  const texts = parts.length === 5 ? ["0", ...parts] : parts;
  const read = fields.map((field, index) => readField(texts[index] ?? "", field));
  const wrong = read.find((field): field is ScheduleError => "mistake" in field);
  if (wrong !== undefined) return wrong;
  const [seconds = [], minutes = [], hours = [], days = [], months = [], weekdays = []] = (read as FieldValues[]).map(
    ({ values }) => values,
  );
  const reversed = (read as FieldValues[]).flatMap((field) => field.reversed);
  return { text, seconds, minutes, hours, days, months, weekdays, reversed };
}

/**
 * When the schedule fires next.
 * @param afterMs Epoch; the answer is later than this. Fields are read in UTC, as in Azure.
 * @returns Epoch, or null if it never fires: 30 February.
 */
export function nextFire(schedule: Schedule, afterMs: number): number | null {
  const fromMs = Math.floor(afterMs / 1000) * 1000 + 1000;
  const firstDay = Math.floor(fromMs / dayMs);
  let day = firstDay;
  while (day <= firstDay + calendarCycleDays) {
    const date = new Date(day * dayMs);
    if (!schedule.months.includes(date.getUTCMonth() + 1)) {
      day = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) / dayMs;
      continue;
    }
    const isDay = schedule.days.includes(date.getUTCDate()) && schedule.weekdays.includes(date.getUTCDay());
    const second = isDay ? timeOfDay(schedule, day === firstDay ? (fromMs % dayMs) / 1000 : 0) : null;
    if (second !== null) return day * dayMs + second * 1000;
    day += 1;
  }
  return null;
}

/**
 * When the schedule fires next where fields are read in the time zone of this process, as the host reads them. A time
 * that the clock skips comes as long after the change as it would have without one; one that it shows twice, the second time.
 * @param afterMs Epoch.
 * @returns Epoch, or null if it never fires.
 */
export function nextLocalFire(schedule: Schedule, afterMs: number): number | null {
  const wallMs = nextFire(schedule, afterMs + offsetMs(afterMs));
  if (wallMs === null) return null;
  const [before, after] = [wallMs - offsetMs(wallMs - dayMs), wallMs - offsetMs(wallMs + dayMs)];
  return after + offsetMs(after) === wallMs ? after : before;
}

/** What the clock on the wall shows more than UTC. */
const offsetMs = (atMs: number): number => -new Date(atMs).getTimezoneOffset() * minuteMs;

/** The first time of day that fits, in seconds, not before `from`; null when there is none on that day. */
function timeOfDay({ hours, minutes, seconds }: Schedule, from: number): number | null {
  for (const hour of hours) {
    if (hour * 3600 + 3599 < from) continue;
    for (const minute of minutes) {
      const start = hour * 3600 + minute * 60;
      const second = seconds.find((candidate) => start + candidate >= from);
      if (second !== undefined) return start + second;
    }
  }
  return null;
}

type FieldValues = { readonly values: readonly number[]; readonly reversed: readonly ReversedRange[] };

/** A list of `*`, values and ranges, each perhaps with a step. */
function readField(text: string, field: Field): FieldValues | ScheduleError {
  const values = new Set<number>();
  const reversed: ReversedRange[] = [];
  for (const part of text.split(",")) {
    const read = readPart(part, field);
    if (typeof read === "string") {
      return { mistake: `has the ${field.name} ${JSON.stringify(text.slice(0, 40))}, and ${read}` };
    }
    for (let value = read.first; value <= read.last; value += read.step) values.add(value);
    if (read.isReversed) reversed.push(reversedRange(part, read, field));
  }
  return { values: [...values].sort((one, other) => one - other), reversed };
}

function reversedRange(range: string, { first, last, step }: Part, { name, min, max }: Field): ReversedRange {
  const each = step === 1 ? "" : `/${step}`;
  const [readAs, around] = [`${first}-${last}${each}`, `${last}-${max}${each},${min}-${first}${each}`];
  return { field: name, range, readAs, around };
}

type Part = { readonly first: number; readonly last: number; readonly step: number; readonly isReversed: boolean };

/** What is wrong comes back as text. */
function readPart(text: string, field: Field): Part | string {
  const { min, max } = field;
  const slash = text.indexOf("/");
  const step = slash > 0 ? readInt32(text.slice(slash + 1)) : null;
  if (slash > 0 && step === null) return `${JSON.stringify(text)} has no whole number as its step`;
  const range = slash > 0 ? text.slice(0, slash) : text;
  const dash = range.indexOf("-");
  const start = range === "*" ? min : readValue(dash > 0 ? range.slice(0, dash) : range, field);
  if (typeof start === "string") return start;
  const onlyOne = step === null ? start : max;
  const end = range === "*" ? max : dash > 0 ? readValue(range.slice(dash + 1), field) : onlyOne;
  if (typeof end === "string") return end;
  const first = Math.min(start, end);
  const last = Math.max(start, end);
  if (first < min || last > max) return `${JSON.stringify(text)} is not within ${min} to ${max}`;
  const stride = Math.max(1, step ?? 1); // The host takes 0 and less for 1.
  if (first - min + stride > int32Max) return `${JSON.stringify(text)} has too large a step`;
  return { first, last, step: stride, isReversed: dash > 0 && start > end };
}

/** A number, or the beginning of a name: `s`, `su` and `sunday` are all Sunday, and `j` is January. */
function readValue(text: string, { names = [], min, max }: Field): number | string {
  if (/^\d/.test(text)) return readInt32(text) ?? `${JSON.stringify(text)} is not a whole number in range`;
  const name = text === "" ? -1 : names.findIndex((candidate) => candidate.startsWith(asciiLower(text)));
  if (name >= 0) return name + min;
  const orName = names.length === 0 ? "" : `, or the beginning of a name such as ${names[1]?.slice(0, 3)}`;
  return `${JSON.stringify(text)} is not a number from ${min} to ${max}${orName}`;
}

/** Null where .NET refuses it or it does not fit. */
function readInt32(text: string): number | null {
  const digits = int32.exec(text)?.[1];
  const value = Number(digits);
  return digits === undefined || value > int32Max || value < -int32Max - 1 ? null : value;
}

/** Letters of other alphabets never become ours. */
const asciiLower = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
