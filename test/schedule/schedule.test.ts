import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { HostError } from "../../local/host/hostError.js";
import { parseSchedule } from "../../local/host/schedule.js";
import { readTimeSpan } from "../../local/host/timeSpan.js";
import { nextFire, nextLocalFire, readSchedule, type Schedule } from "../../shared/schedule.js";
import { readSettings, SettingsError } from "../../shared/settings.js";

/** What the real parsers answered: how that was found out stands at the top of each table. */

const tableOf = (name: string): (readonly [string, string, string])[] =>
  readFileSync(join(import.meta.dirname, name), "utf8")
    .trim()
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .map((line) => {
      const [text = "", answer = "", more = ""] = line.split("\t");
      return [JSON.parse(text) as string, answer, more];
    });

const ncrontab = tableOf("ncrontab.tsv");
const starts = ["2026-01-01T00:00:00Z", "2027-12-31T23:59:58Z", "2028-02-28T12:34:56Z"].map((text) => Date.parse(text));

function scheduleOf(text: string): Schedule {
  const schedule = readSchedule(text);
  if ("mistake" in schedule) throw new Error(`${text} ${schedule.mistake}`);
  return schedule;
}

/** In the words of the table. */
function firings(text: string): string {
  const schedule = readSchedule(text);
  if ("mistake" in schedule) return "refused";
  const fired = starts.flatMap((startMs) => {
    const firstMs = nextFire(schedule, startMs);
    return firstMs === null ? [null] : [firstMs, nextFire(schedule, firstMs)];
  });
  return fired.map((ms) => (ms === null ? "never" : new Date(ms).toISOString().slice(0, 19))).join(" ");
}

describe("I7: no timer stands still because a schedule is read otherwise than by the host", () => {
  test("the table is large, and of each kind", () => {
    const counts = (answer: string) => ncrontab.filter((row) => row[1] === answer).length;
    expect(ncrontab.length).toBeGreaterThan(2_800);
    expect(counts("cron")).toBeGreaterThan(1_500);
    expect(counts("refused")).toBeGreaterThan(1_200);
  });

  test("each schedule of the table is taken, refused and due as by the real parser", () => {
    const real = ncrontab.map(([text, answer, times]) => [text, answer === "cron" ? times : "refused"]);
    expect(ncrontab.map(([text]) => [text, firings(text)])).toEqual(real);
  });

  test("the host stand-in takes and refuses what the real host does, and time spans have its length", () => {
    const own = ncrontab.map(([text]) => {
      try {
        const { nextAfter } = parseSchedule(text, 0);
        return "mistake" in readSchedule(text) ? ["every", String(nextAfter(0))] : ["cron", ""];
      } catch (error) {
        if (error instanceof HostError) return ["refused", ""];
        throw error;
      }
    });
    expect(own).toEqual(ncrontab.map(([, answer, more]) => (answer === "every" ? [answer, more] : [answer, ""])));
  });

  test("settings take what the host takes and fires, and no range that it would reverse", () => {
    const wrong = ncrontab.filter(([text, answer, times]) => {
      const schedule = readSchedule(text);
      const isReversed = !("mistake" in schedule) && schedule.reversed.length > 0;
      const isGood = answer === "cron" && !times.includes("never") && !isReversed;
      const isLeftOut = text.trim() === ""; // Counts as not set.
      return isTaken(text) !== (isGood || isLeftOut);
    });
    expect(wrong).toEqual([]);
  });
});

function isTaken(SYNC_SCHEDULE: string): boolean {
  try {
    readSettings({ AzureWebJobsStorage: "UseDevelopmentStorage=true", SYNC_SCHEDULE });
    return true;
  } catch (error) {
    if (error instanceof SettingsError) return false;
    throw error;
  }
}

test("a reversed range is refused: the message says what the host makes of it, and how to write what goes round", () => {
  expect(scheduleOf("0 0 22-2 * * fri-mon/2").reversed).toEqual([
    { field: "hour", range: "22-2", readAs: "2-22", around: "22-23,0-2" },
    { field: "day of week", range: "fri-mon/2", readAs: "1-5/2", around: "5-6/2,0-1/2" },
  ]);
});

test("I7: an uneven schedule says itself that no tick is due at night and at the weekend", () => {
  const uneven = scheduleOf("0 */5 8-18 * * mon-fri");
  const after = (time: string) => new Date(nextFire(uneven, Date.parse(time)) ?? 0).toISOString();
  expect(after("2026-11-26T18:55:00Z")).toBe("2026-11-27T08:00:00.000Z");
  expect(after("2026-11-27T18:55:00.500Z")).toBe("2026-11-30T08:00:00.000Z");
  expect(after("2026-11-30T08:00:00Z")).toBe("2026-11-30T08:05:00.000Z");
});

test("each time span of the table is read as .NET reads it", () => {
  const timeSpans = tableOf("timespan.tsv");
  expect(timeSpans.length).toBeGreaterThan(600);
  const real = timeSpans.map(([text, ticks]) => [text, ticks === "refused" ? null : Number(ticks) / 10_000]);
  expect(timeSpans.map(([text]) => [text, readTimeSpan(text)])).toEqual(real);
});

describe("in the time zone of the process", () => {
  const zone = process.env["TZ"];
  afterEach(() => {
    if (zone === undefined) delete process.env["TZ"];
    else process.env["TZ"] = zone;
  });

  test.each([
    ["UTC", "0 30 2 * * *", "2026-03-29T00:00:00Z", "2026-03-29T02:30:00Z"],
    ["Europe/Berlin", "0 30 9 * * *", "2026-01-15T00:00:00Z", "2026-01-15T08:30:00Z"],
    ["Europe/Berlin", "0 30 9 * * *", "2026-07-15T00:00:00Z", "2026-07-15T07:30:00Z"],
    ["Europe/Berlin", "0 30 2 * * *", "2026-03-29T00:00:00Z", "2026-03-29T01:30:00Z"], // Skipped by the clock.
    ["Europe/Berlin", "0 30 2 * * *", "2026-10-25T00:00:00Z", "2026-10-25T01:30:00Z"], // Shown twice by the clock.
    ["America/New_York", "0 0 0 1 1 *", "2026-06-01T00:00:00Z", "2027-01-01T05:00:00Z"],
    ["Asia/Kolkata", "0 0 9 * * mon", "2026-11-27T00:00:00Z", "2026-11-30T03:30:00Z"],
  ])("%s: '%s' after %s is due at %s", (timeZone, text, after, due) => {
    process.env["TZ"] = timeZone;
    const ms = nextLocalFire(scheduleOf(text), Date.parse(after));
    expect(new Date(ms ?? 0).toISOString()).toBe(due.replace("Z", ".000Z"));
  });
});
