import { beforeEach, describe, expect, test } from "vitest";
import { isDepartureKey } from "../../shared/store/keys.js";
import { type Brake, throttled } from "../../shared/sync/brake.js";
import { StorageError } from "../../shared/table/errors.js";
import { row, rowsFrom, shardRow, unit } from "../worlds/rows.js";
import { added, addedMany, type StoreWorld, shard, storeOn, storeWorld } from "../worlds/store.js";
import { interfered, type NewTable } from "../worlds/tables.js";

/** What every Store must do with the shard's row, the layout, the brake, and mailboxes that go. */
export function housekeepingContract(name: string, newTable: NewTable): void {
  let table: StoreWorld["table"];
  let store: StoreWorld["store"];
  let interference: StoreWorld["interference"];
  let interferedStore: StoreWorld["interferedStore"];
  let commit: StoreWorld["commit"];
  let linkOf: StoreWorld["linkOf"];
  let loseAnswers: StoreWorld["loseAnswers"];
  let claimed: StoreWorld["claimed"];
  beforeEach(async () => {
    ({ table, store, interference, interferedStore, commit, linkOf, loseAnswers, claimed } =
      await storeWorld(newTable));
  });

  describe(`${name}: the shard's row`, () => {
    test("is created once, moves under its ETag, and a run that was superseded learns it", async () => {
      expect(await store.readShardRow(shard)).toBeNull();
      const first = await claimed("run-1");
      expect(await store.readShardRow(shard)).toEqual(first);
      expect(await store.writeShardRow({ shard, row: shardRow("late"), etag: null })).toBe("superseded");
      const second = await claimed("run-2");
      expect(await store.writeShardRow({ ...first, row: shardRow("run-1", "m") })).toBe("superseded");
      expect(await store.readShardRow(shard)).toEqual(second);
    });

    test("long figures and a row without a run come back whole", async () => {
      const figures = { text: "x".repeat(100_000), ticks: [1, null, { deep: true }] };
      const fresh = await store.writeShardRow({ shard, row: { run: null, log: null }, etag: null, figures });
      expect(await store.readShardRow(shard)).toEqual(fresh);
      expect(await store.readFigures(shard)).toEqual(figures);
    });

    test("the newest ticks of the figures stand apart, with all else, and long ones come back whole", async () => {
      const ticks = Array.from({ length: 288 }, (_, tick) => [`tick-${tick}`, tick]);
      const figures = { census: { text: "x".repeat(100_000) }, ticks };
      expect(await store.readNewestFigures(shard)).toBeNull();
      await store.writeShardRow({ shard, row: { run: null, log: null }, etag: null, figures });
      expect(await store.readNewestFigures(shard)).toEqual({ ...figures, ticks: ticks.slice(-13) });
      expect(await store.readFigures(shard)).toEqual(figures);
    });

    test("a lost answer does not supersede the run that wrote it", async () => {
      loseAnswers(1);
      const claim = await interferedStore.writeShardRow({ shard, row: shardRow("run"), etag: null });
      expect(claim).toEqual(await store.readShardRow(shard));
    });

    test("a run that was superseded writes nothing more, and does not even try", async () => {
      const held = await addedMany(store, 30);
      const claim = await claimed("run-1");
      let transactions = 0;
      interference.before = async ({ name: call }) => {
        if (call !== "transact") return;
        transactions += 1;
        if (transactions === 2) await claimed("run-2");
      };
      const small = storeOn(interfered(table, interference), {
        limits: { operationsMax: 11, bodyBytesMax: 100_000, logUnitsMax: 100_000 },
      });
      const { results, claim: after } = await small.commitUnits(
        held.map((one) => unit(one, "late")),
        claim,
      );
      expect(after).toBe("superseded");
      expect(transactions).toBe(2);
      expect(results.map(({ kind }) => kind)).toEqual([
        ...Array.from({ length: 10 }, () => "committed"),
        ...Array.from({ length: 20 }, () => "lostFence"),
      ]);
      expect(await linkOf("m009")).toBe("late");
      expect(await store.readMailbox("m010")).toEqual(held[10]);
      expect((await store.readShardRow(shard))?.row.run?.runId).toBe("run-2");
    });

    test("goes along with every transaction of a torn unit", async () => {
      const held = await added(store, "m");
      const claim = { ...(await claimed("run")), row: shardRow("run", "m") };
      const { claim: after } = await store.commitUnits([unit(held, "x", rowsFrom(0, 200))], claim);
      expect(after).toEqual(await store.readShardRow(shard));
      expect((await store.readCalendars("m")).length).toBe(200);
    });
  });

  describe(`${name}: layout and brake`, () => {
    test("a start with another SHARDS is refused in one clear sentence", async () => {
      await storeOn(table).open();
      await expect(storeOn(table, { shards: 16 }).open()).rejects.toThrow(
        "The table was laid out with SHARDS=1 and SHARDS is now 16: set it back to 1, or set MIRROR_TABLE to a new name.",
      );
      await expect(storeOn(table, { shards: 16 }).open()).rejects.toMatchObject({ name: "LayoutError" });
    });

    test("another layout version is refused; a process that has checked does not ask again", async () => {
      const again = storeOn(table);
      await again.open();
      expect(again.transactions()).toBe(0);
      const columns = { version: 2, shards: 1 };
      await table.transact("~meta", [{ kind: "upsert", rowKey: "layout", columns }]);
      const elsewhere = storeOn({ ...table }); // Another process would hold another object.
      await expect(elsewhere.open()).rejects.toThrow("layout version 2");
    });

    test("many instances may open a new table at once", async () => {
      const fresh = newTable();
      await Promise.all([1, 2, 3, 4].map(() => storeOn({ ...fresh }).open()));
      await storeOn({ ...fresh }).open();
    });

    test("the brake is null at first, is raised, and reads back as it was written", async () => {
      expect(await store.readBrake()).toBeNull();
      const brake: Brake = {
        kind: "refused",
        codes: ["ErrorAccessDenied", "http401"],
        sinceMs: 4_000,
        untilMs: 9_000,
        waitMs: 5_000,
        needsProbe: true,
        probes: 7,
        probedBy: "0b",
        passedOn: "0a",
        probesStart: true,
        unclearProbes: 3,
        ended: { codes: ["http403"], atMs: 3_000 },
        suspected: { codes: ["http403", "100%20 of two words"], count: 3, sinceMs: 2_000 },
      };
      expect(await store.changeBrake(() => brake)).toEqual(brake);
      expect(await store.readBrake()).toEqual(brake);
      const plain: Brake = { ...brake, ended: null, suspected: null, waitMs: null, sinceMs: null, codes: [] };
      await store.changeBrake(() => plain);
      expect(await store.readBrake()).toEqual(plain);
      expect(await store.changeBrake(() => null)).toBeNull();
      expect(await store.readBrake()).toEqual(plain);
    });

    test("of many that raise the brake at once the longest wait stays", async () => {
      const raise = (waitMs: number) => storeOn(table).changeBrake((now) => throttled(now, "http429", waitMs, 0));
      await Promise.all([4_000, 9_000, 2_000, 7_000].map(raise));
      expect((await store.readBrake())?.untilMs).toBe(9_000);
    });

    test("a brake that an earlier release has raised is read", async () => {
      const columns = { until: new Date(9_000) };
      await table.transact("~meta", [{ kind: "create", rowKey: "brake", columns }]);
      expect(await store.readBrake()).toMatchObject({
        kind: "throttled",
        untilMs: 9_000,
        waitMs: null,
        needsProbe: false,
      });
    });
  });

  describe(`${name}: purge`, () => {
    const filled = async (count: number) => {
      const held = await added(store, "m");
      const [result] = await commit([unit(held, "x", rowsFrom(0, count))]);
      if (result?.kind !== "committed") throw new Error("Not filled.");
      return result.held;
    };
    const keysLeft = async (isWanted: (rowKey: string) => boolean) => {
      const keys: string[] = [];
      for await (const page of table.pages(shard, { after: " ", upTo: "~" }, 1_000)) {
        keys.push(...page.map(({ rowKey }) => rowKey).filter(isWanted));
      }
      return keys;
    };
    const rowsLeft = () => keysLeft((rowKey) => !isDepartureKey(rowKey));

    test("removes a mailbox of 250 calendars and nothing of its neighbours", async () => {
      await filled(250);
      const neighbour = await added(store, "m2");
      await commit([unit(neighbour, "x", [row("work")])]);
      expect(await store.purgeMailbox("m")).toBe("purged");
      expect(await rowsLeft()).toEqual(["calendar|m2|work", "mailbox|m2", "roster|m2"]);
      expect(await keysLeft(isDepartureKey), "I12: for the change log").toEqual(["mailbox|m|epoch-1"]);
      expect(await store.purgeMailbox("m")).toBe("unknown");
    });

    test("I2: a worker in mid-round is fenced off, and cannot bring rows back", async () => {
      const held = await filled(3);
      await store.purgeMailbox("m");
      expect(await commit([unit(held, "late", [row("ghost")])])).toEqual([{ kind: "lostFence" }]);
      await added(store, "m", { epoch: "epoch-2" });
      expect(await commit([unit(held, "late", [row("ghost")])])).toEqual([{ kind: "lostFence" }]);
      expect(await store.readCalendars("m")).toEqual([]);
    });

    test("a crash at any point leaves a mailbox on its way out, and doing it again completes it", async () => {
      for (let crashAt = 1; crashAt <= 5; crashAt++) {
        await filled(250);
        let transactions = 0;
        interference.before = ({ name: call }) => {
          if (call === "transact") transactions += 1;
          if (transactions === crashAt) throw new Error("The process ended.");
        };
        await expect(interferedStore.purgeMailbox("m")).rejects.toThrow("The process ended.");
        const left = (await store.readMailbox("m"))?.checkpoint;
        if (crashAt > 1)
          expect(left).toMatchObject({ lifecycle: "removing", parkedReason: null, phase: "initial", link: null });
        expect(await store.purgeMailbox("m")).toBe("purged");
        expect(await rowsLeft()).toEqual([]);
      }
    });

    test("a worker that commits in between is overtaken: the purge looks again and completes", async () => {
      await filled(3);
      let moves = 0;
      interference.before = async ({ name: call, rowKeys }) => {
        if (call !== "transact" || moves >= 3) return;
        moves += 1;
        const now = await store.readMailbox("m");
        if (now !== null && rowKeys.includes("mailbox|m"))
          await commit([unit(now, `w${moves}`, [row(`late-${moves}`)])]);
      };
      expect(await interferedStore.purgeMailbox("m")).toBe("purged");
      expect(await rowsLeft()).toEqual([]);
    });

    test("two purges at once both end, and so does one that loses any of its answers", async () => {
      await filled(120);
      const both = await Promise.all([store.purgeMailbox("m"), storeOn(table).purgeMailbox("m")]);
      expect(both).toContain("purged");
      expect(await rowsLeft()).toEqual([]);
      for (let lost = 1; lost <= 3; lost++) {
        await filled(1);
        let transactions = 0;
        loseAnswers(1, () => ++transactions === lost);
        expect(await interferedStore.purgeMailbox("m")).toBe("purged");
        expect(transactions).toBe(lost);
        expect(await rowsLeft()).toEqual([]);
      }
    });

    test("a mailbox that is added anew while the last answer is lost stays", async () => {
      await filled(3);
      let isAddedAnew = false;
      interference.after = async ({ name: call }) => {
        if (call !== "transact" || isAddedAnew || (await store.readMailbox("m")) !== null) return;
        isAddedAnew = true;
        await added(store, "m", { epoch: "epoch-2" });
        throw new StorageError("transaction", shard, null, "ECONNRESET");
      };
      expect(await interferedStore.purgeMailbox("m")).toBe("purged");
      expect((await store.readMailbox("m"))?.checkpoint).toMatchObject({ epoch: "epoch-2", lifecycle: "active" });
      expect(await rowsLeft()).toEqual(["mailbox|m", "roster|m"]);
    });

    test("a mailbox whose checkpoint nobody can read can still be removed", async () => {
      await filled(2);
      await table.transact(shard, [{ kind: "upsert", rowKey: "mailbox|m", columns: { odd: 1 } }]);
      await expect(store.readMailbox("m")).rejects.toThrow("column mailboxId is missing");
      expect(await store.purgeMailbox("m")).toBe("purged");
      expect(await rowsLeft()).toEqual([]);
    });
  });
}
