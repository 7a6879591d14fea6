import { describe, expect, test } from "vitest";
import { applyPage } from "../../shared/rounds/applyPage.js";
import { runRounds } from "../../shared/rounds/runRounds.js";
import { logKey } from "../../shared/store/keys.js";
import { logColumns } from "../../shared/store/logRow.js";
import type { LogEntry } from "../../shared/sync/changeLog.js";
import { type FleetOptions, fitUsers, fleet } from "../worlds/fleet.js";
import { httpOf } from "../worlds/http.js";
import { tickMs } from "../worlds/parts.js";

/** A fleet in one shard, all fresh, and what its log tells after that. */
async function opened(options: FleetOptions = {}) {
  const world = fleet({
    mailboxes: 6,
    calendars: { min: 3, max: 3 },
    shards: 1,
    source: { kind: "directory" },
    ...options,
  });
  await world.store.open();
  await world.discover();
  await world.tick();
  const [id = "", other = ""] = fitUsers(world);
  const rows = async () => world.store.readLog("00", { after: 0, upTo: null, top: 1_000 });
  const entries = async (): Promise<readonly LogEntry[]> => (await rows()).flatMap((row) => row.entries);
  const told = async () =>
    (await entries()).filter(({ event, changes }) => event !== "joined" && (event !== null || changes.length > 0));
  const checkpoint = async (mailboxId = id) => (await world.store.readMailbox(mailboxId))?.checkpoint;
  return { world, http: httpOf(world), id, other, rows, entries, told, checkpoint };
}

const later = (world: Awaited<ReturnType<typeof opened>>["world"]) => {
  world.clock.ms += tickMs;
};

describe("I12: the change log", () => {
  test("tells of each mailbox once that it is served, and of nothing in a quiet tick", async () => {
    const { world, entries, rows } = await opened();
    const joined = await entries();
    expect(joined.map(({ mailboxId }) => mailboxId).sort()).toEqual([...fitUsers(world)].sort());
    for (const entry of joined)
      expect(entry).toMatchObject({ from: 0, to: 3, event: "joined", changes: [], leftOut: 0 });
    const before = (await rows()).length;
    await world.tick();
    expect(await rows()).toHaveLength(before);
    expect((await world.store.readShardRow("00"))?.row.log).toEqual({ number: before, nudgedNumber: before });
  });

  test("tells what was created, updated with before and after, and removed", async () => {
    const { world, id, told } = await opened();
    const [first, second] = world.graph.truth(id);
    const made = world.graph.createCalendar(id, { name: "Travel" });
    await world.tick();
    world.graph.updateCalendar(id, String(first?.["id"]), { name: "Renamed" });
    world.graph.deleteCalendar(id, String(second?.["id"]));
    await world.tick();
    const [created, changed] = await told();
    expect(created).toMatchObject({ mailboxId: id, from: 3, to: 4 });
    expect(created?.changes).toMatchObject([{ kind: "created", sequence: 4, calendarId: made.id, name: "Travel" }]);
    expect(changed).toMatchObject({ mailboxId: id, from: 4, to: 6, event: null });
    expect(changed?.changes).toContainEqual(
      expect.objectContaining({
        kind: "updated",
        calendarId: first?.["id"],
        before: { name: first?.["name"] },
        after: { name: "Renamed" },
      }),
    );
    expect(changed?.changes).toContainEqual(
      expect.objectContaining({ kind: "removed", calendarId: second?.["id"], name: second?.["name"] }),
    );
  });

  test("tells of a user who leaves, who comes back, and of a mailbox that is removed", async () => {
    const { world, http, id, other, told } = await opened();
    world.graph.mailboxes.remove(id);
    await world.discover();
    await world.tick();
    world.graph.mailboxes.restore(id);
    await world.discover();
    await world.tick();
    await http.remove(other);
    await world.tick();
    expect((await told()).map(({ mailboxId, event }) => [mailboxId, event])).toEqual([
      [id, "suspended"],
      [id, "resumed"],
      [other, "left"],
    ]);
  });

  test("what a page message has changed is told at once where no run has the shard in hand", async () => {
    const { world, id, told, checkpoint } = await opened();
    world.graph.createCalendar(id, { name: "Travel" });
    await applyPage({ mailbox: id, sync: "by hand" }, world.ports());
    expect(await told()).toMatchObject([{ mailboxId: id, from: 3, to: 4 }]);
    expect(await checkpoint()).toMatchObject({ loggedSequence: 4, unlogged: null });
  });

  test("and by the next run, with all that it was, where one has it in hand: that one keeps its claim", async () => {
    const { world, id, told, checkpoint } = await opened();
    const claim = await world.store.readShardRow("00");
    if (claim === null || claim.row.run === null) throw new Error("The shard has no row.");
    const run = { ...claim.row.run, runId: "at work", finishedMs: null, seenMs: world.clock.ms };
    const held = await world.store.writeShardRow({ ...claim, row: { ...claim.row, run } });
    world.graph.createCalendar(id, { name: "Travel" });
    await applyPage({ mailbox: id, sync: "by hand" }, world.ports());
    expect(await told()).toEqual([]);
    expect(await world.store.readShardRow("00")).toEqual(held);
    expect((await checkpoint())?.unlogged?.changes).toMatchObject([{ kind: "created", name: "Travel" }]);
    later(world);
    await world.tick();
    expect(await told()).toMatchObject([{ from: 3, to: 4, changes: [{ kind: "created", name: "Travel" }] }]);
  });

  test("a run whose shard's row was moved by such a message takes the shard all the same", async () => {
    const { world, id, told } = await opened();
    world.graph.createCalendar(id, { name: "Travel" });
    const { store } = world.ports();
    let isFirst = true;
    const overtaken = {
      ...store,
      writeShardRow: async (claim: Parameters<typeof store.writeShardRow>[0]) => {
        if (isFirst) {
          isFirst = false;
          await applyPage({ mailbox: id, sync: "by hand" }, world.ports());
        }
        return store.writeShardRow(claim);
      },
    };
    later(world);
    const end = await runRounds({ shard: "00", tick: "overtaken" }, { ...world.ports(), store: overtaken });
    expect(end.kind).toBe("done");
    expect(await told()).toHaveLength(1);
  });

  test("a mailbox in mid-round is left to the message that has it in hand", async () => {
    const { world, id, checkpoint, told } = await opened();
    const held = await world.store.readMailbox(id);
    if (held === null) throw new Error("There is no such mailbox.");
    const tick = "tick-x";
    const change = { kind: "created", sequence: 4, calendarId: "c", name: "C", owner: null } as const;
    const walking = {
      ...held.checkpoint,
      ...({ phase: "incremental", link: "next", roundId: "r", lastTick: tick, sequence: 4 } as const),
      unlogged: { changes: [change], leftOut: 0 },
    };
    await world.store.commitUnits([{ held, rows: [], next: walking }], null);
    const before = await world.store.readMailbox(id);
    later(world);
    await runRounds({ shard: "00", tick }, world.ports());
    expect((await world.store.readMailbox(id))?.etag).toBe(before?.etag);
    expect(await told()).toEqual([]);
    expect((await checkpoint())?.unlogged).not.toBeNull();
  });

  test("a braked run asks nobody, and tells all the same what others have done", async () => {
    const { world, id, told } = await opened();
    world.graph.mailboxes.remove(id);
    await world.discover();
    await world.store.changeBrake(() => ({
      kind: "throttled",
      codes: [],
      sinceMs: world.clock.ms,
      untilMs: world.clock.ms + 10 * tickMs,
      waitMs: 10 * tickMs,
      needsProbe: false,
      probes: 0,
      probedBy: null,
      passedOn: null,
      probesStart: false,
      unclearProbes: 0,
      ended: null,
      suspected: null,
    }));
    await world.tick();
    expect(await told()).toMatchObject([{ mailboxId: id, event: "suspended" }]);
  });

  test("goes on after its last row where an earlier release has dropped the number from the shard's row", async () => {
    const { world, id, rows, told } = await opened();
    const count = (await rows()).length;
    const claim = await world.store.readShardRow("00");
    if (claim === null) throw new Error("The shard has no row.");
    await world.store.writeShardRow({ ...claim, row: { ...claim.row, log: null } });
    world.graph.createCalendar(id, { name: "Travel" });
    await world.tick();
    expect((await rows()).map(({ number }) => number)).toEqual(Array.from({ length: count + 1 }, (_, at) => at + 1));
    expect(await told()).toHaveLength(1);
  });

  test("a purge takes out what was told of calendars; the sequences and the going stay", async () => {
    const { world, http, id, other, entries } = await opened();
    for (const mailboxId of [id, other]) world.graph.createCalendar(mailboxId, { name: `Secret of ${mailboxId}` });
    await world.tick();
    await http.remove(id);
    await world.tick();
    const text = JSON.stringify(world.table.entities().filter(({ rowKey }) => rowKey.startsWith("log|")));
    expect(text).not.toContain(`Secret of ${id}`);
    expect(text).toContain(`Secret of ${other}`);
    expect((await entries()).filter(({ mailboxId }) => mailboxId === id)).toMatchObject([
      { from: 0, to: 3, event: "joined" },
      { from: 3, to: 4, event: null, changes: [], leftOut: 1 },
      { from: 4, to: 4, event: "left" },
    ]);
  });

  test("its rows go after their days, the oldest first, and the last one stays", async () => {
    const world = fleet({ shards: 1 });
    await world.store.open();
    const entry: LogEntry = { mailboxId: "m", epoch: "e", from: 0, to: 1, event: null, changes: [], leftOut: 0 };
    const write = (number: number, atMs: number) =>
      world.table.transact("00", [{ kind: "upsert", rowKey: logKey(number), columns: logColumns(atMs, [entry]) }]);
    for (let number = 1; number <= 5; number++) await write(number, number === 3 ? 9_000 : number * 1_000);
    const left = async () =>
      (await world.store.readLog("00", { after: 0, upTo: null, top: 10 })).map(({ number }) => number);
    expect(await world.store.retireLog("00", 5_000, () => false)).toBe(2);
    expect(await left(), "a row that is younger keeps those after it").toEqual([3, 4, 5]);
    expect(await world.store.retireLog("00", 100_000, () => false)).toBe(2);
    expect(await left()).toEqual([5]);
  });

  test("a nudge whose entry may stand in the log, though nobody has heard of it, comes with the next run", async () => {
    const { world, id } = await opened();
    const sent: string[] = [];
    const nudge = async ({ mailbox }: { readonly mailbox: string }) => void sent.push(mailbox);
    const { store } = world.ports();
    // The commit came through; its answer was lost, and somebody else has moved the mailbox since.
    const unclear = {
      ...store,
      commitUnits: async (...given: Parameters<typeof store.commitUnits>) => {
        const { results, claim } = await store.commitUnits(...given);
        return { claim, results: results.map(() => ({ kind: "lostFence" }) as const) };
      },
    };
    world.graph.createCalendar(id, { name: "Travel" });
    later(world);
    await runRounds({ shard: "00", tick: "unclear" }, { ...world.ports(), nudge, store: unclear });
    expect(sent).toEqual([]);
    later(world);
    await runRounds({ shard: "00", tick: "next" }, { ...world.ports(), nudge });
    expect(sent).toEqual([id]);
  });

  test("I10: a row that cannot be read costs its nudges, and the shard goes on", async () => {
    const { world, id, other } = await opened();
    const down = { ...world.ports(), nudge: () => Promise.reject(new Error("The queue is down.")) };
    for (const mailboxId of [id, other]) {
      world.graph.createCalendar(mailboxId, { name: "Travel" });
      later(world);
      await runRounds({ shard: "00", tick: mailboxId }, down);
    }
    const { log } = (await world.store.readShardRow("00"))?.row ?? { log: null };
    const spoilt = { rowKey: logKey((log?.number ?? 0) - 1), columns: { at: "never", entries: "no JSON" } };
    await world.table.transact("00", [{ kind: "upsert", ...spoilt }]);
    const sent: string[] = [];
    const nudge = async ({ mailbox }: { readonly mailbox: string }) => void sent.push(mailbox);
    later(world);
    const end = await runRounds({ shard: "00", tick: "next" }, { ...world.ports(), nudge });
    expect([end.kind, sent]).toEqual(["done", [other]]);
  });

  test("nor do rows that other programs were not notified of, however old", async () => {
    const { world, id, rows } = await opened();
    const down = { ...world.ports(), nudge: () => Promise.reject(new Error("The queue is down.")) };
    for (const name of ["One", "Two"]) {
      world.graph.createCalendar(id, { name });
      later(world);
      await runRounds({ shard: "00", tick: name }, down);
    }
    const { log } = (await world.store.readShardRow("00"))?.row ?? { log: null };
    expect(log?.number).toBeGreaterThan((log?.nudgedNumber ?? 0) + 1);
    await world.store.retireLog("00", Number.MAX_SAFE_INTEGER, () => false);
    expect((await rows()).map(({ number }) => number).slice(1)).toEqual([(log?.number ?? 0) - 1, log?.number]);
  });
});
