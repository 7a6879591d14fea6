import { describe, expect, test } from "vitest";
import type { FaultRule } from "../../local/graph/faults.js";
import { liftBrake } from "../../shared/actions/brake.js";
import { healthAnswers } from "../../shared/http/status.js";
import { runRounds } from "../../shared/rounds/runRounds.js";
import { brakeLimits, isBraked, throttled } from "../../shared/sync/brake.js";
import { runPoints } from "../../shared/telemetry/runTelemetry.js";
import { readHealth, type Status } from "../../shared/views/status.js";
import { type Fleet, type FleetOptions, fitUsers, fleet } from "../worlds/fleet.js";
import { httpOf } from "../worlds/http.js";
import { tickMs } from "../worlds/parts.js";
import { readStatus } from "../worlds/status.js";

/** Troubles of the whole application: they are one state, and nobody's own. */

const hourMs = 3_600_000;

/** A fleet whose calls to Graph are timed, after its roster was discovered. */
async function opened(options: FleetOptions = {}) {
  const calls: number[] = [];
  const world: Fleet = fleet({ shards: 16, onCall: () => void calls.push(world.clock.ms), ...options });
  await world.store.open();
  await world.discover();
  calls.length = 0;
  return { world, calls, total: fitUsers(world).length };
}

const statusOf = async (world: Fleet) => (await httpOf(world).status("?ticks=1")).body as Status;
const healthOf = async (world: Fleet) =>
  (await healthAnswers(world.shards, world.clock.nowMs)(async () => world.storeOf())) as {
    status: number;
    jsonBody: { reason: string };
  };
const ticks = async (world: Fleet, count: number) => {
  for (let tick = 0; tick < count; tick++) await world.tick();
};
/** The shortest time between two calls. */
const closestMs = (calls: readonly number[]) =>
  Math.min(...calls.slice(1).map((ms, index) => ms - (calls[index] ?? 0)), Number.POSITIVE_INFINITY);

describe("a refusal of the whole application", () => {
  const refusals: readonly [string, number, number, ...FaultRule[]][] = [
    ["a token older than its grant", 1_000, 24, { kind: "denied" }],
    ["a token that Graph does not take", 100, 6, { kind: "tokenRefused" }],
    ["no mailbox at all", 100, 6, { kind: "noMailbox" }],
    ["neither changes nor lists", 100, 6, { kind: "deltaNotOffered" }, { kind: "denied", on: "list" }],
  ];
  test.each(refusals)(
    "I7: %s, %i mailboxes, for %i hours: all are fresh within two ticks of its end, and Graph is asked once a minute at most meanwhile",
    async (_name, mailboxes, hours, ...rules) => {
      const { world, calls, total } = await opened({ mailboxes });
      await ticks(world, 2);
      expect((await statusOf(world)).mailboxes.byState.fresh).toBe(total);
      const since = world.clock.ms;
      for (const rule of rules) world.graph.faults.add(rule);
      await world.tick(); // Notices it.
      calls.length = 0;
      while (world.clock.ms - since < hours * hourMs) await world.tick();
      expect(calls.length).toBeGreaterThan(0);
      expect(calls.length).toBeLessThanOrEqual(hours * 60);
      expect(closestMs(calls)).toBeGreaterThanOrEqual(60_000);
      const during = await statusOf(world);
      expect(during.application?.since).toBe(new Date(since).toISOString());
      expect(Date.parse(during.application?.until ?? "") - world.clock.ms).toBeLessThanOrEqual(15 * 60_000);
      expect(during.mailboxes.freshWithinTwoTicks.count).toBe(0);
      world.graph.faults.clear();
      await ticks(world, 2);
      const after = await statusOf(world);
      expect(after.application).toBeNull();
      expect(after.mailboxes.byState.fresh).toBe(total);
      expect(after.mailboxes.freshWithinTwoTicks.count).toBe(total);
    },
  );

  test("I7: a refusal that Graph says with either of two codes is one refusal", async () => {
    const { world, total } = await opened({ mailboxes: 100, shards: 2 });
    await ticks(world, 2);
    world.graph.faults.add({ kind: "noMailbox", code: "MailboxNotSupportedForRESTAPI", rate: 0.5 });
    world.graph.faults.add({ kind: "noMailbox", code: "MailboxNotEnabledForRESTAPI" });
    await world.tick();
    expect((await statusOf(world)).application).not.toBeNull();
    await ticks(world, 60);
    world.graph.faults.clear();
    await ticks(world, 2);
    expect((await statusOf(world)).mailboxes.byState).toMatchObject({ fresh: total, parked: 0 });
  });

  test("I7: after a short one, nobody waits for what it was parked for", async () => {
    const { world, total } = await opened({ mailboxes: 100 });
    await ticks(world, 2);
    for (const count of [1, 2, 3]) {
      world.graph.faults.add({ kind: "denied" });
      await ticks(world, count);
      expect((await statusOf(world)).mailboxes.byState.parked).toBeGreaterThanOrEqual(5);
      world.graph.faults.clear();
      await ticks(world, 2);
      expect((await statusOf(world)).mailboxes.byState).toMatchObject({ fresh: total, parked: 0 });
    }
  });

  test("I7: with faster ticks Graph is still asked once a minute at most", async () => {
    const { world, calls, total } = await opened({ mailboxes: 100 });
    world.graph.faults.add({ kind: "denied" });
    const fast = async () => {
      await world.tick();
      world.clock.ms += 7_000 - tickMs;
    };
    for (let tick = 0; tick < 3; tick++) await fast();
    calls.length = 0;
    for (let tick = 0; tick < 200; tick++) await fast();
    expect(calls.length).toBeGreaterThan(10);
    expect(closestMs(calls)).toBeGreaterThanOrEqual(60_000);
    world.graph.faults.clear();
    world.clock.ms += 60_000;
    await fast();
    await fast();
    expect((await statusOf(world)).mailboxes.byState.fresh).toBe(total);
  });

  test("I7: a fleet of five in one shard is enough to notice it", async () => {
    const { world, total } = await opened({ mailboxes: 5, shards: 1 });
    await ticks(world, 2);
    world.graph.faults.add({ kind: "tokenRefused" });
    await ticks(world, 30);
    expect((await statusOf(world)).application?.code).toBe("InvalidAuthenticationToken");
    world.graph.faults.clear();
    await ticks(world, 2);
    expect((await statusOf(world)).mailboxes.byState.fresh).toBe(total);
  });

  test("I10: five that are refused by themselves hold others for a tick at most", async () => {
    const { world, total } = await opened({ mailboxes: 60 });
    const alone = [...(await world.states()).keys()].slice(0, 6); // By shard: the first ones have nobody else.
    for (const id of alone) world.graph.mailboxes.setState(id, { kind: "denied" });
    await ticks(world, 3);
    for (let tick = 0; tick < 6; tick++) {
      await world.tick();
      const { application, mailboxes } = await statusOf(world);
      expect(application).toBeNull();
      expect(mailboxes.freshWithinTwoTicks.count).toBe(total - alone.length);
    }
  });

  test("I7: from the first tick on, in shards of one or two mailboxes, it is noticed, and its end too", async () => {
    const { world, total } = await opened({ mailboxes: 24 });
    world.graph.faults.add({ kind: "denied" });
    await ticks(world, 12);
    expect((await statusOf(world)).application?.code).toBe("ErrorAccessDenied");
    world.graph.faults.clear();
    await ticks(world, 2);
    expect((await statusOf(world)).mailboxes.byState).toMatchObject({ fresh: total, parked: 0 });
  });

  test("I7: who is refused alone stays parked after it, and holds nobody", async () => {
    const { world, total } = await opened({ mailboxes: 100 });
    const alone = fitUsers(world).slice(0, 7);
    for (const id of alone) world.graph.mailboxes.setState(id, { kind: "denied" });
    await ticks(world, 3);
    expect(await statusOf(world)).toMatchObject({ application: null });
    world.graph.faults.add({ kind: "denied" });
    await ticks(world, 30);
    expect((await statusOf(world)).application).not.toBeNull();
    world.graph.faults.clear();
    await ticks(world, 2);
    const { mailboxes, application } = await statusOf(world);
    expect(mailboxes.byState).toMatchObject({ fresh: total - alone.length, parked: alone.length });
    expect(application).toBeNull();
    await ticks(world, 20);
    expect(await statusOf(world)).toMatchObject({
      application: null,
      mailboxes: { byState: { fresh: total - alone.length, parked: alone.length } },
    });
  });

  test("I10: where the app may read a few of many, those few are read", async () => {
    const { world, total } = await opened({ mailboxes: 200, shards: 4 });
    const users = fitUsers(world);
    const few = users.filter((_, index) => index % 20 === 0);
    for (const id of users) if (!few.includes(id)) world.graph.mailboxes.setState(id, { kind: "denied" });
    await ticks(world, 12);
    for (let tick = 0; tick < 6; tick++) {
      await world.tick();
      const { mailboxes, application } = await statusOf(world);
      expect(application).toBeNull();
      expect(mailboxes.byState).toMatchObject({ fresh: few.length, parked: total - few.length });
      expect(mailboxes.freshWithinTwoTicks.count).toBe(few.length);
    }
  });

  test("is reported by runs, by health once it lasts, and in the log", async () => {
    const { world } = await opened({ mailboxes: 100, shards: 1 });
    await ticks(world, 3);
    world.graph.faults.add({ kind: "denied" });
    const end = await runRounds({ shard: "00", tick: "t" }, world.ports());
    expect(end.kind).toBe("refused");
    const points = runPoints("00", end);
    expect(points).toContainEqual({ metric: "calendar_mirror.refused", value: 1, shard: "00" });
    expect(points).toContainEqual({ metric: "calendar_mirror.brake", value: 0, shard: "00" });
    expect(world.logged.join("\n")).toContain('error application refused {"code":"ErrorAccessDenied"');
    world.clock.ms += tickMs;
    expect(await healthOf(world)).toMatchObject({ status: 200 });
    await ticks(world, 5);
    const health = await healthOf(world);
    expect(health.status).toBe(503);
    expect(health.jsonBody.reason).toMatch(
      /^Graph refused nearly all mailboxes that were asked \(ErrorAccessDenied\) since /,
    );
  });
});

describe("a throttle of the whole application", () => {
  const seven: FaultRule = { kind: "throttledApplication", on: "batch", seconds: 7_200, count: 1 };

  test("I7: freshness follows the clock while it holds, and points of it are recorded", async () => {
    const { world, total } = await opened({ mailboxes: 40 });
    await ticks(world, 3);
    expect((await statusOf(world)).mailboxes.freshWithinTwoTicks.count).toBe(total);
    world.graph.faults.add({ ...seven, seconds: 3_600 });
    await ticks(world, 10);
    const { mailboxes, brake } = await statusOf(world);
    expect(brake).toMatchObject({ isOn: true, code: expect.any(String), since: expect.any(String) });
    expect(mailboxes.freshWithinTwoTicks).toMatchObject({ count: 0, of: total, share: 0 });
    const metrics: (string | number)[][] = [];
    for (const shard of world.shards) {
      const end = await runRounds({ shard, tick: "told" }, world.ports());
      expect(end.kind).toBe("braked");
      metrics.push(...runPoints(shard, end).map(({ metric, value }) => [metric, value]));
    }
    const shares = metrics.filter(([metric]) => metric === "calendar_mirror.fresh_share").map(([, value]) => value);
    expect(shares.length).toBeGreaterThan(8);
    expect(new Set(shares)).toEqual(new Set([0]));
  });

  test.each(["throttled", "throttledApplication"] as const)(
    "I7: %s: the run that meets it in the middle still counts everybody, whom it had in hand too",
    async (kind) => {
      const { world, total } = await opened({ mailboxes: 100, shards: 1 });
      await ticks(world, 2);
      const { calendars } = (await statusOf(world)).mailboxes;
      world.graph.faults.add({ kind, seconds: 3_600, ...(kind === "throttled" ? { on: "batch" } : {}) });
      for (let tick = 0; tick < 3; tick++) {
        await world.tick();
        const { mailboxes, brake } = await statusOf(world);
        expect(brake.isOn).toBe(true);
        expect(mailboxes).toMatchObject({ total, calendars, byState: { fresh: total } });
      }
    },
  );

  test("I7: freshness follows the clock when ticks stay away", async () => {
    const { world, total } = await opened({ mailboxes: 40 });
    await ticks(world, 4);
    const counts: number[] = [];
    for (let interval = 0; interval < 4; interval++) {
      counts.push((await statusOf(world)).mailboxes.freshWithinTwoTicks.count);
      world.clock.ms += tickMs;
    }
    expect(counts).toEqual([total, total, 0, 0]);
    expect((await statusOf(world)).ticks.isLate).toBe(true);
    const nightly = { ...world.facts, nextFireMs: () => null };
    const asleep = await readStatus(world.store, nightly, world.clock.ms, 1);
    expect(asleep.mailboxes.freshWithinTwoTicks.count).toBe(total);
    expect(asleep.ticks.isLate).toBe(false); // As health says: it judges by the schedule too.
  });

  test("I7: health says so of a brake that outlasts three ticks, and of none that came with the last tick of a day", async () => {
    const { world } = await opened({ mailboxes: 40 });
    await ticks(world, 3);
    world.graph.faults.add(seven);
    await world.tick();
    const tomorrow = world.clock.ms + 12 * hourMs;
    world.clock.ms += 10 * hourMs;
    const nightly = (nowMs: number) => (nowMs < tomorrow ? tomorrow : nowMs + tickMs);
    const health = () => readHealth(world.store, world.shards, world.clock.ms, nightly);
    expect(await health()).toMatchObject({ isHealthy: true, reason: expect.stringContaining("throttles the whole") });
    world.clock.ms = tomorrow;
    world.graph.faults.add({ kind: "throttled", seconds: 7_200 });
    await ticks(world, 4);
    expect(await health()).toMatchObject({ isHealthy: false, reason: expect.stringContaining("throttles the whole") });
  });

  test("I7: health names the brake while ticks come, and not their absence", async () => {
    const { world } = await opened({ mailboxes: 40 });
    await ticks(world, 3);
    world.graph.faults.add(seven);
    await ticks(world, 6);
    const { status, jsonBody } = await healthOf(world);
    expect(status).toBe(503);
    expect(jsonBody.reason).toMatch(
      /^Graph throttles the whole application \(\w+\) since .*; no mailbox is read until /,
    );
  });

  test("I7: one header holds an hour at most; then one mailbox is asked, and all if it is answered", async () => {
    const { world, calls, total } = await opened({ mailboxes: 100 });
    await ticks(world, 2);
    const days = { ...seven, seconds: 3 * 86_400 };
    world.graph.faults.add({ ...days, count: 2 });
    await world.tick();
    const { brake } = await statusOf(world);
    expect(Date.parse(brake.until ?? "")).toBe(world.clock.ms - tickMs + brakeLimits.throttleMsMax);
    calls.length = 0;
    await ticks(world, 11);
    expect(calls).toEqual([]);
    world.graph.faults.clear();
    world.graph.faults.add({ kind: "throttled", seconds: 3 * 86_400, count: 1 });
    await ticks(world, 2);
    expect(calls).toHaveLength(1); // Throttled again.
    await ticks(world, 10);
    expect(calls).toHaveLength(1);
    await ticks(world, 3);
    expect((await statusOf(world)).mailboxes.byState.fresh).toBe(total);
    expect((await statusOf(world)).brake.isOn).toBe(false);
  });

  test("I7: a probe that is told to wait holds all as long, its own mailbox too", async () => {
    const { world, calls, total } = await opened({ mailboxes: 100 });
    await ticks(world, 2);
    world.graph.faults.add({ ...seven, seconds: 3 * 86_400, count: 1 });
    await ticks(world, 12);
    world.graph.faults.clear();
    world.graph.faults.add({ kind: "unavailable", retryAfter: "integer", seconds: 600, count: 1 });
    calls.length = 0;
    await ticks(world, 2);
    expect(calls).toHaveLength(1); // 503 with Retry-After.
    await ticks(world, 3);
    expect((await statusOf(world)).mailboxes.byState.fresh).toBe(total);
    expect((await statusOf(world)).brake.isOn).toBe(false);
  });

  test("I7: an operator lifts it, and the next tick asks all", async () => {
    const { world, total } = await opened({ mailboxes: 40 });
    await ticks(world, 2);
    world.graph.faults.add(seven);
    await ticks(world, 3);
    const http = httpOf(world);
    expect(await http.liftBrake()).toMatchObject({ status: 200, body: { lifted: true, brake: { isOn: false } } });
    expect(await http.liftBrake()).toMatchObject({ status: 200, body: { lifted: false } });
    await world.tick();
    expect((await statusOf(world)).mailboxes.freshWithinTwoTicks.count).toBe(total);
    expect(world.logged.join("\n")).toContain("warn application retried by hand");
    const nowMs = world.clock.ms;
    await world.store.changeBrake((brake) => throttled(brake, "http429", 600_000, nowMs));
    await liftBrake(world.store, world.ports().log, nowMs + 500_000); // By a clock that is fast.
    expect(isBraked(await world.store.readBrake(), nowMs)).toBe(false);
  });

  test("I7: what a fast clock has added to it is taken off", async () => {
    const { world, total } = await opened({ mailboxes: 40 });
    await ticks(world, 2);
    const fastMs = world.clock.ms + 600_000;
    await world.store.changeBrake((brake) => throttled(brake, "http429", 20_000, fastMs));
    await world.tick();
    expect(Date.parse((await statusOf(world)).brake.until ?? "0") || 0).toBeLessThanOrEqual(world.clock.ms);
    await world.tick();
    expect((await statusOf(world)).mailboxes.freshWithinTwoTicks.count).toBe(total);
    expect(world.logged.join("\n")).toContain("warn throttling cut short: it was raised by a fast clock");
  });
});

describe("$batch alone in trouble", () => {
  const kinds = ["gatewayTimeout", "serverError", "unavailable", "denied", "noMailbox"] as const;
  test.each(kinds)(
    "I10: %s for each batch, and single calls are answered: all are fresh in each tick",
    async (kind) => {
      const { world, total } = await opened({ mailboxes: 60, shards: 2 });
      world.graph.faults.add({ kind, on: "batch" });
      for (let tick = 0; tick < 8; tick++) {
        await world.tick();
        expect((await statusOf(world)).mailboxes.byState.fresh).toBe(total);
      }
    },
  );
});
