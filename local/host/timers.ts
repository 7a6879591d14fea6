import type { HostFunction } from "./functions.js";
import type { InvocationResult, Invoker } from "./invoke.js";
import { parseSchedule } from "./schedule.js";
import { type Environment, resolveSettings } from "./settings.js";
import type { RetryContext, RetryOptions, RpcTypedData } from "./types.js";

const WAIT_MS_MAX = 24 * 86_400_000; // setTimeout's limit is a little more; longer waits are chained, as in the extension.

/** The schedule of one function. */
export type Timer = {
  start(): void;
  /** No more runs. One that is under way ends by itself. */
  stop(): void;
  /** The handler's input for a run outside the schedule. */
  input(): RpcTypedData;
};

/**
 * Prepares the timer of one function. Runs never overlap, and ticks missed during a run become one run right after it.
 * The schedule's status is kept in memory: the real host keeps it in a blob and makes up for ticks missed while it was
 * down by one run with `isPastDue`. In a development host such runs would only surprise, so `isPastDue` is always false
 * here. There is no singleton lock either, for there is one host with one listener.
 */
export function createTimer(hostFunction: HostFunction, invoker: Invoker, environment: Environment): Timer {
  const { trigger } = hostFunction;
  const nowMs = Date.now();
  const schedule = parseSchedule(resolveSettings(String(trigger["schedule"] ?? ""), environment), nowMs);
  const isMonitored = trigger["useMonitor"] !== false && schedule.isMonitorable;
  const status = { lastMs: null as number | null, nextMs: schedule.nextAfter(nowMs), updatedMs: nowMs };
  let armed: NodeJS.Timeout | undefined;
  let isStopped = false;

  const input = () => timerInput(isMonitored ? status : null);
  const wait = (dueMs: number): void => {
    if (isStopped) return;
    const restMs = Math.max(0, dueMs - Date.now());
    const step = restMs > WAIT_MS_MAX ? () => wait(dueMs) : () => void tick(dueMs);
    armed = setTimeout(step, Math.min(restMs, WAIT_MS_MAX));
  };
  const tick = async (dueMs: number): Promise<void> => {
    const startMs = Math.max(Date.now(), dueMs); // A timeout may come a moment early: then its tick is not yet past.
    await runWithRetries(hostFunction, invoker, input, () => isStopped);
    Object.assign(status, { lastMs: startMs, nextMs: schedule.nextAfter(startMs), updatedMs: Date.now() });
    wait(status.nextMs);
  };
  return {
    input,
    start() {
      if (trigger["runOnStartup"] === true) void tick(Date.now());
      else wait(status.nextMs);
    },
    stop() {
      isStopped = true;
      clearTimeout(armed);
    },
  };
}

/** Retries a failed run by the function's retry policy, if it has one; the timer is busy meanwhile. */
async function runWithRetries(
  hostFunction: HostFunction,
  invoker: Invoker,
  input: () => RpcTypedData,
  isStopped: () => boolean,
): Promise<void> {
  const retry = hostFunction.metadata.retryOptions;
  let retryContext: RetryContext | undefined;
  for (let retryCount = 0; ; retryCount++) {
    const request = { cause: "timer", data: input(), ...(retryContext === undefined ? {} : { retryContext }) } as const;
    const result: InvocationResult = await invoker.invoke(hostFunction, request);
    if (result.ok || retry === undefined || isStopped()) return;
    if (retry.maxRetryCount !== -1 && retryCount >= retry.maxRetryCount) return;
    const { maxRetryCount } = retry;
    retryContext = { retryCount: retryCount + 1, maxRetryCount, exception: { message: result.error } };
    await new Promise((resolve) => setTimeout(resolve, retryDelayMs(retry, retryCount)).unref());
    if (isStopped()) return;
  }
}

function retryDelayMs(retry: RetryOptions, retryCount: number): number {
  const ms = (duration: { readonly seconds?: number } | undefined) => (duration?.seconds ?? 0) * 1000;
  if (retry.retryStrategy === "fixedDelay") return ms(retry.delayInterval);
  return Math.min(ms(retry.minimumInterval) * 2 ** Math.min(retryCount, 30), ms(retry.maximumInterval));
}

type Status = { readonly lastMs: number | null; readonly nextMs: number; readonly updatedMs: number };

function timerInput(status: Status | null): RpcTypedData {
  const scheduleStatus = status && {
    Last: status.lastMs === null ? "0001-01-01T00:00:00" : localIso(status.lastMs), // .NET's default(DateTime).
    LastUpdated: localIso(status.updatedMs),
    Next: localIso(status.nextMs),
  };
  const schedule = { AdjustForDST: true };
  return { json: JSON.stringify({ Schedule: schedule, ScheduleStatus: scheduleStatus, IsPastDue: false }) };
}

/** ISO 8601 with the local offset, as .NET prints local times. */
function localIso(atMs: number): string {
  if (!Number.isFinite(atMs)) return "9999-12-31T23:59:59+00:00";
  const offsetMinutes = -new Date(atMs).getTimezoneOffset();
  const local = new Date(atMs + offsetMinutes * 60_000).toISOString().slice(0, -1);
  const pad = (value: number) => String(value).padStart(2, "0");
  const size = Math.abs(offsetMinutes);
  return `${local}${offsetMinutes < 0 ? "-" : "+"}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
}
