import { describe, expect, test } from "vitest";
import type { RoundsMessage } from "../../shared/messages.js";
import { runRounds } from "../../shared/rounds/runRounds.js";
import type { MetricName } from "../../shared/telemetry/metrics.js";
import { runPoints } from "../../shared/telemetry/runTelemetry.js";
import type { Point } from "../../shared/telemetry/telemetry.js";
import { type Fleet, type FleetOptions, fitUsers, fleet } from "../worlds/fleet.js";
import { tickMs } from "../worlds/parts.js";
import { readStatus } from "../worlds/status.js";

/** The metrics of runs, beside the figures in the status of the same runs. */

/** @param callMs How long a call to Graph takes. */
async function opened(options: FleetOptions, callMs = 0): Promise<Fleet> {
  const onCall = () => {
    world.clock.ms += callMs;
  };
  const world: Fleet = fleet({ shards: 1, onCall, ...options });
  await world.store.open();
  await world.discover();
  return world;
}

/** One tick of the only shard: what each of its invocations reports. */
async function tick(world: Fleet): Promise<readonly (readonly Point[])[]> {
  const reported: (readonly Point[])[] = [];
  let next: RoundsMessage | null = { shard: "00", tick: world.newId() };
  while (next !== null) {
    const end = await runRounds(next, world.ports());
    reported.push(runPoints("00", end));
    next = end.continuation;
  }
  world.clock.ms += tickMs;
  return reported;
}

const valuesOf = (points: readonly Point[], name: MetricName) =>
  points.flatMap(({ metric, value }) => (metric === name ? [value] : []));

describe("what runs report", () => {
  test("a tick in pieces is counted once, and how the shard stands only when all is counted", async () => {
    const run = { runMsMax: 2, batchesInFlightMax: 1 };
    const world = await opened({ mailboxes: 300, run, table: { pageSize: 50 } }, 1);
    const reported = await tick(world);
    expect(reported.length).toBeGreaterThan(2);
    const { activity } = await readStatus(world.store, world.facts, 0, 288);
    for (const counter of ["rounds", "pages", "changes", "throttles", "transactions"] as const) {
      const values = valuesOf(reported.flat(), `calendar_mirror.${counter}`);
      expect([counter, values.reduce((sum, value) => sum + value, 0)]).toEqual([counter, activity.total[counter]]);
    }
    expect(valuesOf(reported.flat(), "calendar_mirror.rounds").length).toBe(reported.length);
    expect(reported.map((points) => valuesOf(points, "calendar_mirror.fresh_share"))).toEqual([
      ...reported.slice(1).map(() => []),
      [1],
    ]);
    expect(valuesOf(reported.flat(), "calendar_mirror.parked")).toEqual([0]);
  });

  test("the lag is the age of the oldest success; a parked mailbox is counted, and makes the shard less fresh", async () => {
    const world = await opened({ mailboxes: 10 });
    const users = fitUsers(world);
    const [denied = ""] = users;
    await tick(world);
    world.graph.faults.add({ kind: "denied", mailboxId: denied });
    await tick(world);
    const reported = (await tick(world)).flat();
    expect(valuesOf(reported, "calendar_mirror.parked")).toEqual([1]);
    expect(valuesOf(reported, "calendar_mirror.lag")).toEqual([(2 * tickMs) / 1000]);
    expect(valuesOf(reported, "calendar_mirror.fresh_share")).toEqual([1 - 1 / users.length]);
  });

  test("the brake is on in the run that meets it and in those that it stops, then off", async () => {
    const world = await opened({ mailboxes: 30 });
    world.graph.faults.add({ kind: "throttledApplication", on: "batch", seconds: 400, count: 1 });
    const brakes: number[][] = [];
    for (let count = 0; count < 3; count++) brakes.push(valuesOf((await tick(world)).flat(), "calendar_mirror.brake"));
    expect(brakes).toEqual([[1], [1], [0]]);
  });

  test("a shard without mailboxes has no lag and no share; a run that was overtaken reports nothing", async () => {
    const world = await opened({ mailboxes: 1, source: null });
    const reported = (await tick(world)).flat();
    expect(valuesOf(reported, "calendar_mirror.parked")).toEqual([0]);
    expect(valuesOf(reported, "calendar_mirror.lag")).toEqual([]);
    expect(valuesOf(reported, "calendar_mirror.fresh_share")).toEqual([]);
    const end = { kind: "superseded", pages: [], continuation: null, figures: null, hasLogged: false } as const;
    expect(runPoints("00", end)).toEqual([]);
  });
});
