import type { DequeuedMessageItem, QueueClient } from "@azure/storage-queue";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { HostFunction } from "../../local/host/functions.js";
import type { InvocationResult, Invoker } from "../../local/host/invoke.js";
import type { HostEvent, Reporter } from "../../local/host/log.js";
import { poisonQueueName, startQueueListener } from "../../local/host/queues.js";
import { parseRoute } from "../../local/host/routes.js";
import { parseSchedule } from "../../local/host/schedule.js";
import { type QueueSettings, readHostSettings, resolveSettings } from "../../local/host/settings.js";
import { createTimer } from "../../local/host/timers.js";
import { removeApp, writeApp } from "../worlds/hostApp.js";

const MINUTE_MS = 60_000;

beforeEach(() => vi.useFakeTimers({ now: new Date("2026-01-01T00:00:00.000") }));
afterEach(() => vi.useRealTimers());

/** Runs handlers of ours instead of an app's. */
function invokerOf(handler: () => Promise<boolean>): Invoker {
  const invoke = async (): Promise<InvocationResult> =>
    (await handler()) ? { ok: true, response: {} } : { ok: false, error: "as told" };
  return { invoke, idle: async () => undefined, runningCount: () => 0 };
}

function functionOf(trigger: Record<string, unknown>): HostFunction {
  const binding = { type: "timerTrigger", direction: "in", name: "trigger", ...trigger } as const;
  const metadata = { name: "tested", bindings: { trigger: binding } };
  return { name: "tested", metadata, trigger: binding, callback: () => undefined, queueOutputs: new Map() };
}

describe("schedules", () => {
  test.each([
    ["0 */5 * * * *", "2026-01-01T00:05:00"],
    ["30 0 9 * * MON-FRI", "2026-01-01T09:00:30"],
    ["0 0 12 * JUL sun", "2026-07-05T12:00:00"],
    ["0 0 0 13 * 5", "2026-02-13T00:00:00"], // Day of month and day of week must both fit.
    ["00:10:00", "2026-01-01T00:10:00"],
    ["1.00:00:00", "2026-01-02T00:00:00"],
    ["24:00:00", "2026-01-25T00:00:00"], // 24 days, as .NET reads it.
    ["*/5 * * * *", "2026-01-01T00:05:00"],
    ["0 0/15 * * * *", "2026-01-01T00:15:00"],
    ["0 0 22-2 * * *", "2026-01-01T02:00:00"], // Turned by the host: from 2 to 22.
  ])("'%s' is due next at %s", (text, due) => {
    expect(new Date(parseSchedule(text, Date.now()).nextAfter(Date.now()))).toEqual(new Date(due));
  });

  test.each(["0 0 0 L * *", "@daily", "0 0 0 * * MON#1", "0 0 0 * * 7", "0 99 * * * *", "soon", "24:00", ""])(
    "'%s' is refused",
    (text) => expect(() => parseSchedule(text, Date.now())).toThrow(/not a valid schedule/),
  );

  test("one that never fires is taken, as by the host", () => {
    expect(parseSchedule("0 0 0 30 2 *", Date.now()).nextAfter(Date.now())).toBe(Number.POSITIVE_INFINITY);
  });

  test("ticks missed during a run collapse into one run right after it, and runs never overlap", async () => {
    const starts: number[] = [];
    let end: () => void = () => undefined;
    const invoker = invokerOf(() => {
      starts.push(Date.now());
      return new Promise((resolve) => {
        end = () => resolve(true);
      });
    });
    const timer = createTimer(functionOf({ schedule: "0 * * * * *" }), invoker, {});
    const beganAtMs = Date.now();
    timer.start();
    await vi.advanceTimersByTimeAsync(4.5 * MINUTE_MS); // Due at 1; 2, 3 and 4 pass while it runs.
    end();
    await vi.advanceTimersByTimeAsync(0);
    end();
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    timer.stop();
    expect(starts.map((startMs) => (startMs - beganAtMs) / MINUTE_MS)).toEqual([1, 4.5, 5]);
  });
});

describe("queue listener", () => {
  const events: HostEvent[] = [];
  const reporter: Reporter = { log: () => undefined, emit: (event) => events.push(event) };
  const settings: QueueSettings = {
    batchSize: 4,
    newBatchThreshold: 2,
    maxDequeueCount: 5,
    visibilityTimeoutMs: 0,
    maxPollingIntervalMs: 2000,
    messageEncoding: "none",
  };
  const hostFunction = functionOf({ type: "queueTrigger" });
  let waiting: DequeuedMessageItem[];
  let calls: string[];

  const message = (messageId: string): DequeuedMessageItem => {
    const [insertedOn, expiresOn, nextVisibleOn] = [new Date(), new Date(), new Date()];
    const text = { messageText: "{}", dequeueCount: 1, popReceipt: "first" };
    return { messageId, insertedOn, expiresOn, nextVisibleOn, ...text };
  };
  const queue = {
    name: "fake",
    receiveMessages: async ({ numberOfMessages = 1 }) => {
      calls.push("receive");
      return { receivedMessageItems: waiting.splice(0, numberOfMessages) };
    },
    updateMessage: async (_id: string, popReceipt: string, _text: undefined, seconds: number) => {
      calls.push(`update ${popReceipt} ${seconds}`);
      return { popReceipt: `${popReceipt}+` };
    },
    deleteMessage: async (_id: string, popReceipt: string) => calls.push(`delete ${popReceipt}`),
  } as unknown as QueueClient;
  const start = (handler: () => Promise<boolean>, poisonQueue: QueueClient | null = queue) =>
    startQueueListener({ hostFunction, queue, poisonQueue, settings, invoker: invokerOf(handler), reporter });

  beforeEach(() => {
    waiting = [];
    calls = [];
  });

  test("an empty queue is asked ever less often, down to the longest interval; a notification wakes it at once", async () => {
    const listener = start(async () => true);
    await vi.advanceTimersByTimeAsync(60_000);
    const inFirstMinute = calls.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(calls.length - inFirstMinute).toBe(30);
    calls = [];
    listener.notify();
    await vi.advanceTimersByTimeAsync(0);
    expect(calls).toEqual(["receive"]);
    await listener.stop();
  });

  test("at most batchSize + newBatchThreshold messages are in hand", async () => {
    waiting = Array.from({ length: 20 }, (_, index) => message(String(index)));
    const ends: (() => void)[] = [];
    const listener = start(() => new Promise((resolve) => ends.push(() => resolve(true))));
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    expect(ends.length).toBe(4); // More than the threshold of 2: the next batch waits.
    ends.splice(0, 2).forEach((end) => {
      end();
    });
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    expect(ends.length).toBe(6);
    const stopped = listener.stop();
    for (const end of ends) end();
    await stopped;
    expect(waiting.length).toBe(12);
  });

  test("the lease is renewed at half time, and the message deleted with the newest receipt", async () => {
    waiting = [message("long")];
    let end: () => void = () => undefined;
    const listener = start(() => new Promise((resolve) => (end = () => resolve(true))));
    await vi.advanceTimersByTimeAsync(11 * MINUTE_MS);
    end();
    await vi.advanceTimersByTimeAsync(0);
    await listener.stop();
    expect(calls.filter((call) => call !== "receive")).toEqual([
      "update first 600",
      "update first+ 600",
      "delete first++",
    ]);
  });

  test("where there is no poison queue, a failed message is left to its lease", async () => {
    waiting = [message("bad")];
    const listener = start(async () => false, null);
    await vi.advanceTimersByTimeAsync(0);
    await listener.stop();
    expect(calls.filter((call) => call !== "receive")).toEqual([]);
    expect(poisonQueueName("orders-poison")).toBeNull();
    expect(poisonQueueName("q".repeat(57))).toBeNull();
    expect(poisonQueueName("orders")).toBe("orders-poison");
  });
});

describe("route templates", () => {
  test.each([
    ["{id:guid}", "/api/0b4e1b6e-8a53-4e5e-9c31-5ddba4b0f8a1", true],
    ["{id:guid}", "/api/me", false],
    ["{id:minlength(3)}", "/api/ab", false],
    ["{id:regex(^\\d{{2}}$)}", "/api/12", true],
    ["{id:regex(^\\d{{2}}$)}", "/api/123", false],
    ["{id:int:range(1,5)}/x", "/api/6/x", false],
    ["{id=5}", "/api", true],
    ["a/{id}", "/api/a//", false],
    ["a", "/api/a/", true],
    ["a/{*rest}", "/api/a", true],
    ["files/{name}.{extension}", "/api/files/one.txt", true],
  ])("'%s' and %s: %s", (template, path, fits) => {
    expect(parseRoute(template, "api").match(path) !== null).toBe(fits);
  });

  test.each(["admin/x", "/Runtime", "{id:unknown}", "{*rest}/x", "a{", "{}"])("'%s' is refused", (template) => {
    expect(() => parseRoute(template, "api")).toThrow();
  });
});

describe("time spans of host.json", () => {
  const settingsOf = (hostJson: object) => {
    const appDir = writeApp({ files: {}, hostJson });
    try {
      return readHostSettings(appDir);
    } finally {
      removeApp(appDir);
    }
  };
  const queues = (settings: object) => ({ extensions: { queues: settings } });

  test("are read as .NET reads them: what cannot be hours is days", () => {
    expect(settingsOf({ functionTimeout: "00:10:00" }).functionTimeoutMs).toBe(600_000);
    expect(settingsOf({ functionTimeout: "24:00:00" }).functionTimeoutMs).toBe(24 * 24 * 3_600_000);
    expect(settingsOf({ functionTimeout: -1 }).functionTimeoutMs).toBe(Number.POSITIVE_INFINITY);
    expect(settingsOf(queues({ visibilityTimeout: 2 })).queues.visibilityTimeoutMs).toBe(2 * 24 * 3_600_000);
  });

  test.each([
    [{ functionTimeout: "10m" }, /^host\.json: functionTimeout must be a TimeSpan .*It is "10m"\.$/],
    [{ functionTimeout: "00:00:00.5" }, /^host\.json: functionTimeout must be at least 00:00:01/],
    [{ functionTimeout: "24:00" }, /functionTimeout must be a TimeSpan/],
    [
      queues({ visibilityTimeout: true }),
      /^host\.json: extensions\.queues\.visibilityTimeout must be a TimeSpan .*It is true\.$/,
    ],
    [queues({ maxPollingInterval: "00:00:60" }), /extensions\.queues\.maxPollingInterval must be a TimeSpan/],
    [queues({ maxPollingInterval: "00:00:00.05" }), /at least 100 ms/],
  ])("that .NET or the host refuses end in one line: %j", (hostJson, line) => {
    expect(() => settingsOf(hostJson)).toThrow(line);
  });
});

test("%SETTING% is replaced within a text, whatever the letter case of its name", () => {
  expect(resolveSettings("a-%name%-%Other%", { NAME: "x", Other: "y" })).toBe("a-x-y");
  expect(() => resolveSettings("%GONE%", {})).toThrow("%GONE%");
});
