import { beforeEach, describe, expect, test } from "vitest";
import { departureAction } from "../../shared/store/departures.js";
import { departureKey, logKey } from "../../shared/store/keys.js";
import { logColumns } from "../../shared/store/logRow.js";
import type { Held, Pending, PendingUnit, ShardClaim } from "../../shared/store/store.js";
import type { LogEntry, LogRow } from "../../shared/sync/changeLog.js";
import { StorageError } from "../../shared/table/errors.js";
import type { Table } from "../../shared/table/table.js";
import { row, unit } from "../worlds/rows.js";
import { added, addedMany, type StoreWorld, shard, storeOn, storeWorld } from "../worlds/store.js";
import type { NewTable } from "../worlds/tables.js";

const entryOf = (mailboxId: string, more: Partial<LogEntry> = {}): LogEntry => ({
  mailboxId,
  epoch: "epoch-1",
  from: 0,
  to: 1,
  event: null,
  changes: [{ kind: "created", sequence: 1, calendarId: "work", name: "Work", owner: null }],
  leftOut: 0,
  ...more,
});

const loggedUnit = (held: Held, link: string): PendingUnit => ({
  ...unit(held, link, [row("work")]),
  entry: entryOf(held.checkpoint.mailboxId),
});

/** What every Store must do with the change log. */
export function logContract(name: string, newTable: NewTable): void {
  let world: StoreWorld;
  let claim: ShardClaim;
  beforeEach(async () => {
    world = await storeWorld(newTable);
    claim = await world.claimed("run");
  });

  const rows = () => world.store.readLog(shard, { after: 0, upTo: null, top: 1_000 });
  const named = (log: readonly LogRow[]) => log.map((one) => [one.number, one.entries.map((entry) => entry.mailboxId)]);
  const head = async () => (await world.store.readShardRow(shard))?.row.log?.number;

  /** Commits under the claim that the last commit left. */
  async function commit(pending: readonly Pending[], by = world.store) {
    const { results, claim: moved } = await by.commitUnits(pending, claim, 20_000);
    if (moved !== "superseded" && moved !== null) claim = moved;
    return results.map(({ kind }) => kind);
  }

  async function departed(mailboxId: string): Promise<Pending> {
    const departure = { mailboxId, epoch: "epoch-1", loggedSequence: 2, sequence: 3 };
    await world.table.transact(shard, [departureAction(departure)]);
    return { departure };
  }

  const write = (number: number, atMs: number, mailboxId = "m") =>
    world.table.transact(shard, [
      { kind: "upsert", rowKey: logKey(number), columns: logColumns(atMs, [entryOf(mailboxId)]) },
    ]);

  /** The shard's row says that the log ends there, and that all of it was notified. */
  async function logStandsAt(number: number): Promise<void> {
    const log = { number, nudgedNumber: number };
    await world.store.writeShardRow({ ...claim, row: { ...claim.row, log } });
  }

  describe(`${name}: I12: the change log`, () => {
    test("a row goes in the transaction of its units and of the shard's row, and numbers have no gaps", async () => {
      const held = await addedMany(world.store, 2);
      const sent: (readonly string[])[] = [];
      world.interference.before = ({ name: call, rowKeys }) => {
        if (call === "transact") sent.push(rowKeys);
      };
      await commit([...held.map((one) => loggedUnit(one, "a"))], world.interferedStore);
      expect(sent).toHaveLength(1);
      expect(sent[0]).toEqual(expect.arrayContaining(["shard", logKey(1), "mailbox|m000", "mailbox|m001"]));
      const [again] = [await world.store.readMailbox("m000")];
      await commit([loggedUnit(again as Held, "b")]);
      expect(named(await rows())).toEqual([
        [1, ["m000", "m001"]],
        [2, ["m000"]],
      ]);
      expect((await rows())[0]).toEqual({ number: 1, atMs: 20_000, entries: [entryOf("m000"), entryOf("m001")] });
      expect([await head(), await world.store.lastLogNumber(shard)]).toEqual([2, 2]);
    });

    test("units that tell nothing write no row", async () => {
      const [one] = await addedMany(world.store, 1);
      expect(await commit([unit(one as Held, "a")])).toEqual(["committed"]);
      expect([await rows(), await head(), await world.store.lastLogNumber(shard)]).toEqual([[], 0, 0]);
    });

    test("an entry without a claim is refused: nothing would keep numbers in order", async () => {
      const [one] = await addedMany(world.store, 1);
      await expect(world.store.commitUnits([loggedUnit(one as Held, "a")], null)).rejects.toThrow("under a claim");
      expect(await rows()).toEqual([]);
    });

    test("of a lost answer after the effect the row stands once, and the next one follows", async () => {
      const held = await addedMany(world.store, 2);
      const gone = await departed("gone");
      world.loseAnswers(1);
      const all = [gone, ...held.map((one) => loggedUnit(one, "a"))];
      expect(await commit(all, world.interferedStore)).toEqual(["departed", "committed", "committed"]);
      await commit([await departed("next")]);
      expect(named(await rows())).toEqual([
        [1, ["gone", "m000", "m001"]],
        [2, ["next"]],
      ]);
    });

    test("of departures alone a lost answer is known by the log's row", async () => {
      const all = [await departed("one"), await departed("two")];
      world.loseAnswers(1);
      expect(await commit(all, world.interferedStore)).toEqual(["departed", "departed"]);
      expect(named(await rows())).toEqual([[1, ["one", "two"]]]);
      expect(await head()).toBe(1);
    });

    test("what was not applied is sent once more, and told once", async () => {
      const [one] = await addedMany(world.store, 1);
      const gone = await departed("gone");
      let failures = 1;
      world.interference.before = ({ name: call }) => {
        if (call !== "transact" || failures === 0) return;
        failures -= 1;
        throw new StorageError("transaction", shard, 500, "OperationTimedOut");
      };
      expect(await commit([gone, loggedUnit(one as Held, "a")], world.interferedStore)).toEqual([
        "departed",
        "committed",
      ]);
      expect(named(await rows())).toEqual([[1, ["gone", "m000"]]]);
    });

    test("I10: a unit that the table refuses is not told of, and those beside it are", async () => {
      const held = await addedMany(world.store, 3);
      const units = held.map((one, index) => ({
        ...loggedUnit(one, "a"),
        rows: index === 1 ? [row("twice"), row("twice")] : [row("one")],
      }));
      expect(await commit(units)).toEqual(["committed", "tooLarge", "committed"]);
      expect(named(await rows())).toEqual([[1, ["m000", "m002"]]]);
    });

    test("I10: where halves find the one that lost, each half has a row of its own, without gaps", async () => {
      const held = await addedMany(world.store, 5);
      await world.commit([unit(held[3] as Held, "twin")]);
      const silent = storeOn({
        ...world.table,
        transact: async (partitionKey, actions) => {
          const answer = await world.table.transact(partitionKey, actions);
          return answer.kind === "refused" ? { ...answer, index: null } : answer;
        },
      });
      const all = held.map((one) => loggedUnit(one, "ours"));
      const results = await commit(all, silent);
      expect(results.flatMap((kind, index) => (kind === "lostFence" ? index : []))).toEqual([3]);
      const log = await rows();
      expect(log.map(({ number }) => number)).toEqual(log.map((_, index) => index + 1));
      const told = log.flatMap(({ entries }) => entries.map(({ mailboxId }) => mailboxId));
      expect(told).toEqual(["m000", "m001", "m002", "m004"]);
      expect(await head()).toBe(log.length);
    });

    test("a departure goes in the transaction that tells of it", async () => {
      await commit([await departed("gone")]);
      expect(await world.table.get(shard, departureKey("gone", "epoch-1"))).toBeNull();
      expect((await rows())[0]?.entries).toEqual([entryOf("gone", { from: 2, to: 3, event: "left", changes: [] })]);
    });

    test("I2: a stale twin's unit is not told of; those beside it are, in one row", async () => {
      const [first, second, third] = (await addedMany(world.store, 3)) as [Held, Held, Held];
      await world.commit([unit(second, "twin")]);
      expect(await commit([first, second, third].map((one) => loggedUnit(one, "ours")))).toEqual([
        "committed",
        "lostFence",
        "committed",
      ]);
      expect(named(await rows())).toEqual([[1, ["m000", "m002"]]]);
    });

    test("a run that was superseded tells nothing more", async () => {
      const [one] = await addedMany(world.store, 1);
      const taken = await world.claimed("other");
      const { claim: moved } = await world.store.commitUnits([loggedUnit(one as Held, "a")], claim);
      expect([moved, await rows()]).toEqual(["superseded", []]);
      expect(await world.store.readShardRow(shard)).toEqual(taken);
    });

    test.each([
      ["operations", { operationsMax: 5 }],
      ["units of the log", { logUnitsMax: 300 }],
    ])("a group that is full by %s goes on in the next row", async (_by, changed) => {
      const limits = { operationsMax: 100, bodyBytesMax: 3_000_000, logUnitsMax: 400_000, ...changed };
      const sizes: number[] = [];
      const watched: Table = {
        ...world.table,
        transact: (partitionKey, actions) => {
          sizes.push(actions.length);
          return world.table.transact(partitionKey, actions);
        },
      };
      const small = storeOn(watched, { limits });
      const held = await addedMany(world.store, 5);
      expect(
        new Set(
          await commit(
            held.map((one) => loggedUnit(one, "a")),
            small,
          ),
        ),
      ).toEqual(new Set(["committed"]));
      const log = await rows();
      expect(log.length).toBeGreaterThan(1);
      expect(Math.max(...sizes), "the shard's row and the log's row are counted").toBeLessThanOrEqual(
        limits.operationsMax,
      );
      expect(log.map(({ number }) => number)).toEqual(log.map((_, index) => index + 1));
      expect(log.flatMap(({ entries }) => entries.map(({ mailboxId }) => mailboxId))).toEqual(
        held.map(({ checkpoint }) => checkpoint.mailboxId),
      );
    });

    test("a purge takes out what the log tells of calendars, and leaves what readers follow", async () => {
      const loggedState = "served";
      const [purged, kept] = [await added(world.store, "m", { loggedState }), await added(world.store, "other")];
      await commit([purged, kept].map((one) => loggedUnit(one, "a")));
      await world.store.purgeMailbox("m");
      expect((await rows())[0]?.entries).toEqual([entryOf("m", { changes: [], leftOut: 1 }), entryOf("other")]);
    });

    test("a purge takes out with its own also what cannot be read of a row that names it", async () => {
      const purged = await added(world.store, "m", { loggedState: "served" });
      await commit([loggedUnit(purged, "a"), loggedUnit(await added(world.store, "other"), "a")]);
      const stored = await world.table.get(shard, logKey(1));
      const columns = { ...stored?.columns, changes: "no JSON, of m" };
      await world.table.transact(shard, [{ kind: "upsert", rowKey: logKey(1), columns }]);
      await world.store.purgeMailbox("m");
      expect(named(await rows())).toEqual([[1, ["m", "other"]]]);
      expect(JSON.stringify(await world.table.get(shard, logKey(1)))).not.toContain("of m");
    });

    test("retention does not stop for ever at a row whose time cannot be read", async () => {
      for (const [number, atMs] of [1_000, 2_000, 3_000, 9_000].entries()) await write(number + 1, atMs);
      await logStandsAt(4);
      const columns = { at: "never" };
      await world.table.transact(shard, [{ kind: "upsert", rowKey: logKey(2), columns }]);
      expect(await world.store.retireLog(shard, 5_000, () => false)).toBe(3);
      expect((await rows()).map(({ number }) => number)).toEqual([4]);
    });

    test("retention takes rows in the order of numbers, stops at the first young one, and keeps the last", async () => {
      for (const [number, atMs] of [1_000, 2_000, 9_000, 3_000, 4_000].entries()) await write(number + 1, atMs);
      await logStandsAt(5);
      expect(await world.store.retireLog(shard, 5_000, () => false)).toBe(2);
      expect((await rows()).map(({ number }) => number)).toEqual([3, 4, 5]);
      expect(await world.store.retireLog(shard, 99_000, () => false)).toBe(2);
      expect((await rows()).map(({ number }) => number)).toEqual([5]);
      expect(await world.store.lastLogNumber(shard)).toBe(5);
    });

    test("is read from a number up to a number, so many at a time, and without details where they are not asked", async () => {
      for (let number = 1; number <= 12; number++) await write(number, 1_000);
      const some = await world.store.readLog(shard, { after: 3, upTo: 11, top: 9, headsOnly: true });
      expect(some.map(({ number }) => number)).toEqual([4, 5, 6, 7, 8, 9, 10, 11]);
      expect(some[0]?.entries).toEqual([entryOf("m", { changes: [] })]);
      const few = await world.store.readLog(shard, { after: 8, upTo: null, top: 2 });
      expect(few.map(({ number }) => number)).toEqual([9, 10]);
    });
  });
}
