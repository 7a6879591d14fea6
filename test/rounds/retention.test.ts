import { describe, expect, test } from "vitest";
import { applyRetention, type RetentionPorts } from "../../shared/rounds/retention.js";
import { shardNames } from "../../shared/store/keys.js";
import type { Store } from "../../shared/store/store.js";
import { type MailboxWorld, mailboxId, mailboxWorld, worldWith } from "../worlds/mailbox.js";
import { row } from "../worlds/rows.js";
import { added, storeOn } from "../worlds/store.js";
import { interfered } from "../worlds/tables.js";

const dayMs = 24 * 60 * 60 * 1000;

/** Thirty days of retention, as by default. */
function ports(world: MailboxWorld, changed: Partial<RetentionPorts> = {}): RetentionPorts {
  const base = { clock: { nowMs: () => world.clock.ms }, store: world.store, shards: ["00"], log: () => undefined };
  return { ...base, tombstoneMs: 30 * dayMs, historyMs: 30 * dayMs, runMsMax: 60_000, ...changed };
}

const rowsOf = async (store: Store, id = mailboxId) =>
  (await store.readCalendars(id)).map(({ calendarId, removedMs }) =>
    removedMs === null ? calendarId : `-${calendarId}`,
  );

describe("retention", () => {
  test("deletes tombstones older than their days, keeps younger ones, and notes how far", async () => {
    const world = await worldWith({ a: "A", b: "B", c: "C" });
    await world.page([{ id: "a", name: null }]);
    const { sequence } = (await world.held()).checkpoint;
    world.clock.ms += 20 * dayMs;
    await world.page([{ id: "b", name: null }]);
    world.clock.ms += 11 * dayMs;
    expect(await applyRetention(ports(world))).toEqual({
      kind: "done",
      deleted: 1,
      actions: 0,
      logRows: 0,
      leftOver: 0,
    });
    expect(await rowsOf(world.store)).toEqual(["-b", "c"]);
    expect((await world.held()).checkpoint).toMatchObject({ retiredSequence: sequence });
    expect(await applyRetention(ports(world))).toEqual({
      kind: "done",
      deleted: 0,
      actions: 0,
      logRows: 0,
      leftOver: 0,
    });
  });

  test("deletes what operators did longer ago than the history reaches, and keeps what is younger", async () => {
    const world = await worldWith({ a: "A" });
    const noted = { actor: { kind: "nobody", name: null }, mailboxId, subject: null, count: null } as const;
    for (const days of [0, 20, 40]) {
      await world.store.noteAction({ ...noted, action: "sync", atMs: world.clock.ms + days * dayMs });
    }
    world.clock.ms += 45 * dayMs;
    expect(await applyRetention(ports(world))).toMatchObject({ kind: "done", actions: 1 });
    const { notes } = await world.store.readActions({ after: null, mailboxId: null, top: 9 });
    expect(notes).toHaveLength(2);
  });

  test("changes nothing else of the mailbox, so that nobody is notified", async () => {
    const world = await worldWith({ a: "A", b: "B" });
    await world.page([{ id: "a", name: null }]);
    const before = (await world.held()).checkpoint;
    await world.retire();
    expect((await world.held()).checkpoint).toEqual({ ...before, retiredSequence: before.sequence });
  });

  test("more tombstones than a transaction takes go in several, and no unit is torn", async () => {
    const names = Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`c${i}`, "x"]));
    const world = await worldWith(names);
    await world.page(Object.keys(names).map((id) => ({ id, name: null })));
    const { link, phase } = (await world.held()).checkpoint;
    world.clock.ms += 31 * dayMs;
    expect(await applyRetention(ports(world))).toMatchObject({ deleted: 250 });
    expect(await rowsOf(world.store)).toEqual([]);
    expect((await world.held()).checkpoint).toMatchObject({ link, phase, retiredSequence: 500 });
  });

  test("I2: a calendar that comes back meanwhile is not deleted", async () => {
    const world = await worldWith({ a: "A", b: "B" });
    await world.page([{ id: "a", name: null }]);
    world.clock.ms += 31 * dayMs;
    let times = 1;
    const store = storeOn(
      interfered(world.table, {
        before: async ({ name }) => {
          if (name === "transact" && times-- > 0) await world.page([{ id: "a", name: "again" }]);
        },
      }),
    );
    expect(await applyRetention(ports(world, { store }))).toEqual({
      kind: "done",
      deleted: 0,
      actions: 0,
      logRows: 0,
      leftOver: 0,
    });
    expect(await rowsOf(world.store)).toEqual(["a", "b"]);
  });

  test("where a worker always writes in between, the mailbox is left to the next run", async () => {
    const world = await worldWith({ a: "A", b: "B" });
    await world.page([{ id: "a", name: null }]);
    world.clock.ms += 31 * dayMs;
    const before = ({ name }: { name: string }) => (name === "transact" ? world.page([]) : undefined);
    const store = storeOn(interfered(world.table, { before }));
    expect(await applyRetention(ports(world, { store }))).toEqual({
      kind: "done",
      deleted: 0,
      actions: 0,
      logRows: 0,
      leftOver: 1,
    });
    expect(await applyRetention(ports(world))).toMatchObject({ deleted: 1, actions: 0, logRows: 0, leftOver: 0 });
  });

  test("a mailbox on its way off the roster, and rows that are nobody's, are left alone", async () => {
    const world = await worldWith({ a: "A" });
    const old = row("old", { removedMs: 1 });
    const gone = await added(world.store, "removing");
    const next = { ...gone.checkpoint, parkedReason: "removing" };
    await world.store.commitUnits([{ held: gone, rows: [old], next }], null);
    const orphan = await added(world.store, "orphan");
    await world.store.commitUnits([{ held: orphan, rows: [old], next: orphan.checkpoint }], null);
    const etag = (await world.store.readMailbox("orphan"))?.etag ?? "";
    await world.table.transact("00", [{ kind: "delete", rowKey: "mailbox|orphan", etag }]);
    expect(await applyRetention(ports(world))).toEqual({
      kind: "done",
      deleted: 0,
      actions: 0,
      logRows: 0,
      leftOver: 0,
    });
    expect(await rowsOf(world.store, "removing")).toEqual(["-old"]);
    expect(await rowsOf(world.store, "orphan")).toEqual(["-old"]);
  });

  test("I10: a mailbox that cannot be read is logged, and the others go on", async () => {
    const world = await worldWith({ a: "A", b: "B" });
    await world.page([{ id: "a", name: null }]);
    const bad = await added(world.store, "bad");
    await world.store.commitUnits([{ held: bad, rows: [row("old", { removedMs: 1 })], next: bad.checkpoint }], null);
    const stored = await world.table.get("00", "calendar|bad|old");
    const columns = { ...stored?.columns, resource: "no JSON" };
    await world.table.transact("00", [{ kind: "upsert", rowKey: "calendar|bad|old", columns }]);
    world.clock.ms += 31 * dayMs;
    const said: string[] = [];
    const end = await applyRetention(ports(world, { log: (level, message) => said.push(`${level} ${message}`) }));
    expect(end).toMatchObject({ kind: "done", deleted: 1 });
    expect(said[0]).toMatch(/^error Row calendar\|bad\|old in partition 00 cannot be read/);
  });

  test("ends when its time is over, and another shard is first on another day", async () => {
    const shards = shardNames(4);
    const world = await mailboxWorld({ store: { shards: 4 } });
    const asked: string[] = [];
    const store: Store = {
      ...world.store,
      async *mailboxesWithTombstones(shard) {
        asked.push(shard);
        world.clock.ms += 30_000;
        yield [];
      },
    };
    expect(await applyRetention(ports(world, { shards, store }))).toMatchObject({ kind: "unfinished" });
    world.clock.ms += dayMs;
    await applyRetention(ports(world, { shards, store }));
    const [first, , next] = asked;
    expect(asked.length).toBe(4);
    expect(shards.indexOf(next ?? "")).toBe((shards.indexOf(first ?? "") + 1) % 4);
  });
});
