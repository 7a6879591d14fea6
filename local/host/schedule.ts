import { Cron } from "croner";
import { HostError, messageOf } from "./hostError.js";
import { parseTimeSpan } from "./settings.js";

/** When a timer is due next. Times are epoch milliseconds; cron fields are read in the process's own time zone. */
export type Schedule = { nextAfter(atMs: number): number; readonly isMonitorable: boolean };

const MINUTE_MS = 60_000;

/**
 * Reads a schedule as the timer extension does: NCRONTAB with six fields, or a TimeSpan.
 * @throws HostError for anything else, five fields included.
 */
export function parseSchedule(text: string): Schedule {
  const intervalMs = text.includes(":") ? parseTimeSpan(text.trim()) : null;
  if (intervalMs !== null) {
    if (intervalMs <= 0) throw new HostError(`'${text}' is not a valid schedule`);
    return { nextAfter: (atMs) => atMs + intervalMs, isMonitorable: intervalMs >= MINUTE_MS };
  }
  const fields = text.trim().split(/\s+/);
  // Croner knows more than NCRONTAB does (L, W, #, ?, @daily): what Azure refuses must not work here.
  if (fields.length !== 6 || !fields.every((field) => /^(?:[\d*/,-]|[a-z]{3})+$/i.test(field))) {
    throw new HostError(
      `'${text}' is not a valid schedule: six fields are wanted, {sec} {min} {hour} {day} {month} {dow}`,
    );
  }
  let cron: Cron;
  try {
    // NCRONTAB wants day of month and day of week to match both.
    cron = new Cron(fields.join(" "), { mode: "6-part", domAndDow: true, paused: true });
  } catch (error) {
    throw new HostError(`'${text}' is not a valid schedule: ${messageOf(error)}`);
  }
  const nextAfter = (atMs: number) => cron.nextRun(new Date(atMs))?.getTime() ?? Number.POSITIVE_INFINITY;
  const now = Date.now();
  return { nextAfter, isMonitorable: nextAfter(nextAfter(now)) > now + MINUTE_MS };
}
