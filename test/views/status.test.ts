import { describe, expect, test } from "vitest";
import { healthAnswers } from "../../shared/http/status.js";
import { applyPage } from "../../shared/rounds/applyPage.js";
import { runRounds } from "../../shared/rounds/runRounds.js";
import { mailboxKey } from "../../shared/store/keys.js";
import { newRosterRow } from "../../shared/store/rosterRows.js";
import { createStore, StorageError } from "../../shared/store/store.js";
import { newCheckpoint } from "../../shared/sync/checkpoint.js";
import type { Checkpoint } from "../../shared/sync/types.js";
import { readHealth, type Status } from "../../shared/views/status.js";
import { discovered, type Fleet, type FleetOptions, fitUsers, fleet } from "../worlds/fleet.js";
import { httpOf } from "../worlds/http.js";
import { dayMs, tickMs } from "../worlds/parts.js";
import { readStatus } from "../worlds/status.js";

const opened = (options: FleetOptions = {}) => discovered({ mailboxes: 40, ...options });

const statusOf = async (world: Fleet) => (await httpOf(world).status()).body as Status;

describe("GET status", () => {
  test("I7: counts every mailbox in exactly one state, by what the shards' runs saw", async () => {
    const world = await opened();
    const total = fitUsers(world).length;
    const [denied = "", throttled = "", held = "", left = ""] = fitUsers(world);
    await world.tick();
    world.graph.mailboxes.setState(denied, { kind: "denied" });
    world.graph.faults.add({ kind: "throttled", mailboxId: throttled, seconds: 3600 });
    for (const { id } of world.graph.truth(held)) world.graph.deleteCalendar(held, id);
    world.graph.mailboxes.forgetLinks(held);
    world.graph.mailboxes.updateUser(left, { accountEnabled: false });
    await world.discover();
    await world.tick();
    const { mailboxes, troubles } = await statusOf(world);
    expect(mailboxes).toMatchObject({
      total,
      mirrored: total - 1,
      byState: { fresh: total - 4, parked: 1, waiting: 1, held: 1, suspended: 1, new: 0, removing: 0, inProgress: 0 },
      byStrategy: { delta: total - 1, list: 0 },
      calendars: 3 * (total - 1),
      neverSucceeded: 0,
    });
    expect(troubles).toEqual({
      parked: [{ reason: "denied:ErrorAccessDenied", count: 1, examples: [denied] }],
      waiting: [{ reason: "ApplicationThrottled", count: 1, examples: [throttled] }],
      held: [{ reason: "massRemoval", count: 1, examples: [held] }],
      suspended: [{ reason: "disabled", count: 1, examples: [left] }],
    });
  });

  test("I7: a mailbox whose checkpoint nobody can read is passed over in sight, and counted once however runs are cut", async () => {
    const cut = fleet({
      mailboxes: 60,
      shards: 1,
      run: { runMsMax: 1, batchesInFlightMax: 1 },
      onCall: () => {
        cut.clock.ms += 1;
      },
    });
    await cut.store.open();
    await cut.discover();
    await cut.tick();
    const everyone = [...fitUsers(cut)].sort();
    const broken = [everyone[0], everyone[25], everyone.at(-1)].map(String);
    const edit = (rowKey: string) => cut.table.transact("00", [{ kind: "upsert", rowKey, columns: { phase: "none" } }]);
    for (const id of broken) await edit(mailboxKey(id));
    await edit("mailbox|!"); // Nobody's.
    await cut.tick();
    const { mailboxes, troubles } = await statusOf(cut);
    const fresh = everyone.length - broken.length;
    expect(mailboxes).toMatchObject({ total: everyone.length, byState: { fresh, parked: broken.length } });
    expect(troubles.parked).toEqual([{ reason: "rowUnreadable", count: broken.length, examples: broken }]);
    expect(cut.logged).toContain(
      `error Row mailbox|${broken[1]} in partition 00 cannot be read: column mailboxId is missing. {}`,
    );
  });

  test("where delta is not offered the lists are mirrored, and the status says so", async () => {
    const world = await opened({ mailboxes: 8 });
    world.graph.faults.add({ kind: "deltaNotOffered" });
    await world.tick();
    const everyone = fitUsers(world);
    const { mailboxes } = await statusOf(world);
    expect(mailboxes).toMatchObject({
      byState: { fresh: everyone.length },
      byStrategy: { delta: 0, list: everyone.length },
      calendars: 3 * everyone.length,
      strategyNote: `Delta is not offered here: the whole list is read for ${everyone.length} of ${everyone.length}, and delta is tried again every day.`,
    });
    world.graph.faults.clear();
    world.clock.ms += dayMs;
    await world.tick();
    expect((await statusOf(world)).mailboxes).toMatchObject({ byStrategy: { list: 0 }, strategyNote: null });
  });

  test("a full mailbox among others is reported as one", async () => {
    const world = await opened({ mailboxes: 8 });
    const [full = ""] = fitUsers(world);
    world.graph.faults.add({ kind: "mailboxFull", mailboxId: full });
    await world.tick();
    const { strategyNote } = (await statusOf(world)).mailboxes;
    expect(strategyNote).toMatch(/^Delta is refused for some mailboxes: the whole list is read for 1 of /);
    const undocumented = { ...world.facts, isDeltaDocumented: false };
    const elsewhere = await readStatus(world.store, undocumented, world.clock.ms, 1);
    expect(elsewhere.mailboxes.strategyNote).toMatch(/^Delta is not offered here: /);
  });

  test("reports the share that was fresh within two ticks, and the oldest success by name", async () => {
    const world = await opened({ mailboxes: 8, shards: 1 });
    const [late = ""] = fitUsers(world);
    await world.tick();
    const firstMs = world.clock.ms - tickMs;
    world.graph.faults.add({ kind: "throttled", mailboxId: late, seconds: 3600 });
    await world.tick();
    expect((await statusOf(world)).mailboxes.freshWithinTwoTicks).toMatchObject({ count: 8, of: 8, share: 1 });
    await world.tick();
    const { mailboxes } = await statusOf(world);
    expect(mailboxes.freshWithinTwoTicks).toMatchObject({ count: 7, of: 8, share: 7 / 8 });
    expect(mailboxes.oldestSuccess).toEqual({ at: new Date(firstMs).toISOString(), mailbox: late });
  });

  test("I7: a shard that begins late in each tick is as fresh as it was until its turn has come, and gone", async () => {
    const world = await opened({ mailboxes: 8, shards: 1 });
    const [late = ""] = fitUsers(world);
    const nextFireMs = (afterMs: number) => (Math.floor(afterMs / tickMs) + 1) * tickMs;
    world.clock.ms += 190_000; // Its place in each tick.
    await world.tick();
    world.graph.faults.add({ kind: "throttled", mailboxId: late, seconds: 3600 });
    await world.tick();
    const dueMs = nextFireMs(world.clock.ms - tickMs);
    const facts = { ...world.facts, nextFireMs };
    const freshAt = async (nowMs: number) =>
      (await readStatus(world.store, facts, nowMs, 1)).mailboxes.freshWithinTwoTicks.count;
    expect(await freshAt(dueMs + 190_000 + 60_000)).toBe(8);
    expect(await freshAt(dueMs + tickMs - 1)).toBe(7);
  });

  test("reports what each tick did, over all shards, and in sum", async () => {
    const world = await opened();
    const users = fitUsers(world).length;
    world.graph.resetStats();
    await world.tick();
    await world.tick();
    const { activity, ticks } = await statusOf(world);
    expect(activity.ticks).toHaveLength(2);
    expect(activity.ticks[0]).toMatchObject({
      rounds: users,
      pages: users,
      changes: 3 * users,
      shards: 4,
      throttles: 0,
    });
    expect(activity.ticks[1]).toMatchObject({ rounds: users, changes: 0 });
    expect(activity.total.graphRequests).toBe(world.graph.stats().httpRequests);
    expect(activity.total.rounds).toBe(2 * users);
    expect(ticks).toMatchObject({ intervalSeconds: tickMs / 1000, isLate: false });
    expect(((await httpOf(world).status("?ticks=1")).body as Status).activity.ticks).toHaveLength(1);
    expect((await httpOf(world).status("?ticks=0")).status).toBe(400);
  });

  test("pages, requests and transactions of applyPage are counted once, by the next run over the shard", async () => {
    const world = await opened({ mailboxes: 4, calendars: 120, shards: 1 });
    world.graph.resetStats();
    let transactions = 0;
    const counting = { ...world.ports() };
    const tick = "tick-1";
    const end = await runRounds({ shard: "00", tick }, counting);
    transactions += counting.store.transactions();
    for (const page of end.pages) {
      const ports = world.ports();
      const walked = await applyPage(page, ports);
      expect(walked).toMatchObject({ kind: "roundEnded", pages: 2 });
      transactions += ports.store.transactions();
    }
    const before = (await readStatus(world.store, world.facts, 0, 288)).activity.total;
    expect(before).toMatchObject({ rounds: 0, pages: 4 });
    world.clock.ms += tickMs;
    await world.tick();
    const { total } = (await readStatus(world.store, world.facts, 0, 288)).activity;
    expect(total).toMatchObject({ rounds: 8, pages: 4 + 8 + 4, changes: 480 });
    expect(total.graphRequests).toBe(world.graph.stats().httpRequests);
    expect(total.transactions).toBeGreaterThanOrEqual(transactions);
    await world.tick();
    const later = (await readStatus(world.store, world.facts, 0, 288)).activity.total;
    expect(later).toMatchObject({ rounds: 12, changes: 480 });
  });

  test("a run that is cut into several counts each mailbox once, and each request", async () => {
    const cut = fleet({
      mailboxes: 300,
      shards: 1,
      run: { runMsMax: 2, batchesInFlightMax: 1 },
      table: { pageSize: 50 },
      onCall: () => {
        cut.clock.ms += 1;
      },
    });
    await cut.store.open();
    await cut.discover();
    cut.graph.resetStats();
    await cut.tick();
    const { mailboxes, activity } = await readStatus(cut.store, cut.facts, 0, 288);
    const users = fitUsers(cut).length;
    expect(mailboxes.byState.fresh).toBe(users);
    expect(activity.ticks).toHaveLength(1);
    expect(activity.total).toMatchObject({ rounds: users, graphRequests: Math.ceil(users / 20) });
  });

  test("the figures of a tick that the brake ended are kept", async () => {
    const world = await opened({ mailboxes: 30, shards: 1 });
    world.graph.faults.add({ kind: "throttledApplication", on: "batch", seconds: 60, count: 1 });
    await world.tick();
    const { brake } = await statusOf(world);
    expect(brake.isOn).toBe(false);
    await world.tick();
    const { activity } = await statusOf(world);
    expect(activity.total.throttles).toBeGreaterThan(0);
    expect(activity.ticks).toHaveLength(2);
  });

  test("keeps a day of ticks and no more, and the shard's own row stays small", async () => {
    const world = await opened({ mailboxes: 1, shards: 1 });
    for (let tick = 0; tick < 295; tick++) await world.tick();
    const { activity } = await statusOf(world);
    expect(activity.ticks).toHaveLength(288);
    const shard = world.table.entities().find(({ rowKey }) => rowKey === "shard");
    expect(JSON.stringify(shard?.columns).length).toBeLessThan(500);
  });

  test("reports drift that audits found", async () => {
    const world = await opened({ mailboxes: 6, shards: 1 });
    await world.tick();
    const [id = ""] = fitUsers(world);
    const held = await world.store.readMailbox(id);
    if (held === null) throw new Error("The mailbox is not there.");
    const next: Checkpoint = { ...held.checkpoint, driftFound: 3 };
    await world.store.commitUnits([{ held, rows: [], next }], null);
    await world.tick();
    expect((await statusOf(world)).drift).toEqual({ changes: 3, mailboxes: 1 });
  });

  test("an audit that follows its round counts its mailbox once", async () => {
    const world = await opened({ mailboxes: 6, shards: 1 });
    await world.tick();
    world.clock.ms += 8 * 86_400_000;
    await world.tick();
    const { mailboxes, activity } = await statusOf(world);
    expect(mailboxes.total).toBe(fitUsers(world).length);
    expect(activity.ticks.at(-1)).toMatchObject({ rounds: 12 });
  });

  test("costs as many table requests for 10,000 mailboxes as for ten", async () => {
    const costs: number[] = [];
    for (const count of [10, 10_000]) {
      const world = fleet({ mailboxes: 1, shards: 16, source: null });
      await world.store.open();
      const entries = Array.from({ length: count }, (_, index) => {
        const mailboxId = `00000000-0000-4000-9000-${String(index).padStart(12, "0")}`;
        const row = { ...newRosterRow(mailboxId, "manual"), sinceMs: 0 };
        return { row, etag: null, checkpoint: { next: newCheckpoint(mailboxId, "epoch", null), etag: null } };
      });
      await world.store.roster.commit(entries);
      const ports = world.ports();
      const unknown = { ...ports, limits: { ...ports.limits, newMailboxesPerTickMax: 0 } };
      for (const shard of world.shards) await runRounds({ shard, tick: "tick-1" }, unknown);
      const store = world.storeOf();
      const status = await readStatus(store, world.facts, 0, 288);
      expect(status.mailboxes).toMatchObject({ total: count, byState: { new: count } });
      costs.push(store.transactions());
    }
    expect(costs).toEqual([2 * 16 + 3, 2 * 16 + 3]);
  });

  test("never tells a link, and tells the roster", async () => {
    const world = await opened();
    await world.tick();
    const status = await statusOf(world);
    expect(JSON.stringify(status)).not.toMatch(/deltatoken|skiptoken|graph\.microsoft/);
    expect(status.roster).toMatchObject({
      source: "directory",
      state: "idle",
      discovered: fitUsers(world).length,
      held: null,
    });
  });
});

describe("GET health", () => {
  const healthOf = async (world: Fleet) =>
    (await healthAnswers(world.shards, world.clock.nowMs)(async () => world.storeOf())) as {
      status: number;
      jsonBody: { status: string; reason: string };
    };

  test("is 200 before the first ticks, when nobody can say how often they come", async () => {
    const world = await opened({ mailboxes: 3 });
    expect((await healthOf(world)).status).toBe(200);
    await world.tick();
    world.clock.ms += 100 * tickMs;
    expect(await healthOf(world)).toMatchObject({ status: 200, jsonBody: { status: "healthy" } });
  });

  test("is 200 while ticks come in time, and 503 with a reason once three are missing", async () => {
    const world = await opened({ mailboxes: 3 });
    for (let tick = 0; tick < 4; tick++) await world.tick();
    world.clock.ms += 2 * tickMs;
    expect((await healthOf(world)).status).toBe(200);
    world.clock.ms += 1_000;
    expect(await healthOf(world)).toMatchObject({
      status: 503,
      jsonBody: { status: "unhealthy", reason: "The last tick started 901 s ago; they come every 300 s." },
    });
  });

  test("I7: knows the schedule: a night without ticks is healthy, and three that are missed by day are not", async () => {
    const world = await opened({ mailboxes: 3 });
    for (let tick = 0; tick < 4; tick++) await world.tick();
    const lastMs = world.clock.ms - tickMs;
    const morningMs = lastMs + 12 * 3_600_000;
    const nextFireMs = (afterMs: number) =>
      Math.max(morningMs, morningMs + tickMs * (1 + Math.floor((afterMs - morningMs) / tickMs)));
    const healthAt = (nowMs: number) => readHealth(world.storeOf(), world.shards, nowMs, nextFireMs);
    expect(await healthAt(morningMs + tickMs)).toMatchObject({ isHealthy: true });
    expect(await healthAt(morningMs + 2 * tickMs)).toMatchObject({ isHealthy: true });
    expect(await healthAt(morningMs + 2 * tickMs + 1_000)).toEqual({
      isHealthy: false,
      reason: "The last tick started 43801 s ago; 3 more were due since.",
    });
    expect(await readHealth(world.storeOf(), world.shards, morningMs, () => null)).toMatchObject({ isHealthy: true });
    const facts = { ...world.facts, nextFireMs };
    const { count, of } = (await readStatus(world.store, facts, morningMs, 1)).mailboxes.freshWithinTwoTicks;
    expect(count).toBe(of);
  });

  test("is 503 when the storage does not answer, without saying more", async () => {
    const world = await opened({ mailboxes: 1 });
    const answers = healthAnswers(world.shards, world.clock.nowMs);
    const broken = async () => {
      throw new StorageError("get", "00", null, "ECONNREFUSED");
    };
    expect(await answers(broken)).toMatchObject({ status: 503, jsonBody: { reason: "The storage cannot be used." } });
  });

  test("reads sixteen shards at most, and once for all who ask within five seconds", async () => {
    const world = await opened({ mailboxes: 3, shards: 64 });
    await world.tick();
    const store = createStore({ table: world.table, shards: 64, newCommitId: world.newId });
    await readHealth(store, world.shards, world.clock.ms);
    expect(store.transactions()).toBe(18);
    const answers = healthAnswers(world.shards, world.clock.nowMs);
    const counted = world.storeOf();
    for (let ask = 0; ask < 50; ask++) await answers(async () => counted);
    expect(counted.transactions()).toBe(18);
  });
});
