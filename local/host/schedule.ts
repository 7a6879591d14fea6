import { nextLocalFire, readSchedule } from "../../shared/schedule.js";
import { HostError } from "./hostError.js";
import { readTimeSpan } from "./timeSpan.js";

/** When a timer is due next, in epoch milliseconds; infinity when never. */
export type TimerSchedule = { nextAfter(atMs: number): number; readonly isMonitorable: boolean };

const MINUTE_MS = 60_000;

/**
 * Reads a schedule as the timer extension does: NCRONTAB with five or six fields, in the process's own time zone, or else
 * a TimeSpan. One of zero or less is taken too: such a timer runs without a pause.
 * @param nowMs Epoch. A schedule that is due twice in the minute after it is not monitored.
 * @throws HostError for anything else.
 */
export function parseSchedule(text: string, nowMs: number): TimerSchedule {
  const cron = readSchedule(text);
  if (!("mistake" in cron)) {
    const nextAfter = (atMs: number) => nextLocalFire(cron, atMs) ?? Number.POSITIVE_INFINITY;
    return { nextAfter, isMonitorable: nextAfter(nextAfter(nowMs)) >= nowMs + MINUTE_MS };
  }
  const intervalMs = readTimeSpan(text);
  if (intervalMs !== null) return { nextAfter: (atMs) => atMs + intervalMs, isMonitorable: intervalMs >= MINUTE_MS };
  throw new HostError(`'${text}' is not a valid schedule: as NCRONTAB it ${cron.mistake}, and it is no TimeSpan`);
}
