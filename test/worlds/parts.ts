import type { Log } from "../../shared/log.js";
import { type Ports, runLimits } from "../../shared/rounds/ports.js";
import type { After } from "../../shared/timer.js";

/** What worlds are made of, whichever of their parts are real: time, ids, a log, and the ports of runs over them. */

export const startMs = Date.UTC(2026, 9, 8, 12);
export const minuteMs = 60_000;
export const tickMs = 5 * minuteMs;
export const dayMs = 86_400_000;

/** For worlds whose calls are answered at once, or whose time stands still: nothing ever falls due. */
export const noTimers: After = () => () => undefined;

/** A clock that stands still until the test moves its `ms`. To sleep is to move it. */
export function clockAt(ms: number) {
  const clock = {
    ms,
    nowMs: () => clock.ms,
    sleep: async (sleptMs: number) => {
      clock.ms += sleptMs;
    },
    after: noTimers,
  };
  return clock;
}

/** GUIDs that count up. */
export function countingIds(): () => string {
  let count = 0;
  return () => `00000000-0000-4000-8000-${String(++count).padStart(12, "0")}`;
}

/** A log, and its lines so far: level, message, and fields as JSON. */
export function keptLog() {
  const logged: string[] = [];
  const log: Log = (level, message, fields) => logged.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
  return { logged, log };
}

/** The settings of a Graph client, as they are by default. */
export function graphSettings(root: string) {
  return { root, version: "beta", pageSize: 50, batchSize: 20 };
}

/** Ports of runs over the parts of a world: defaults for the rest, chance at its upper end, and nobody to notify. */
export function runPorts(parts: Pick<Ports, "clock" | "newId" | "graph" | "store" | "log"> & Partial<Ports>): Ports {
  return {
    random: { next: () => 1 },
    nudge: null,
    limits: runLimits,
    batchSize: 20,
    auditMs: 7 * dayMs,
    ...parts,
  };
}
