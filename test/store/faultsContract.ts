import { beforeEach, describe, expect, test } from "vitest";
import type { Held, ShardClaim } from "../../shared/store/store.js";
import type { CalendarRow } from "../../shared/sync/types.js";
import { StorageError } from "../../shared/table/errors.js";
import { row, rowsFrom, shardRow, unit } from "../worlds/rows.js";
import { added, addedMany, type StoreWorld, shard, storeOn, storeWorld } from "../worlds/store.js";
import type { NewTable } from "../worlds/tables.js";

/** What every Store must do when a unit is torn or an answer is lost. */
export function faultsContract(name: string, newTable: NewTable): void {
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

  describe(`${name}: torn units`, () => {
    const rows = rowsFrom(5, 250);

    test("I1: a unit of 250 rows moves its link only with its last rows; until then there is none", async () => {
      const held = await added(store, "m", { sequence: 5, loggedSequence: 5 });
      const seen: unknown[] = [];
      interference.after = async ({ name: call }) => {
        if (call !== "transact") return;
        const now = (await store.readMailbox("m"))?.checkpoint;
        const stored = await store.readCalendars("m");
        const sequences = stored.map(({ sequence }) => sequence);
        expect(sequences, "all rows up to the checkpoint's sequence, and none beyond").toEqual(
          rows.map(({ sequence }) => sequence).filter((sequence) => sequence <= (now?.sequence ?? 0)),
        );
        seen.push([now?.phase, now?.link, now?.roundId, stored.length]);
      };
      const shuffled = [...rows].reverse();
      const [result] = await commit([unit(held, "delta-1", shuffled)], interferedStore);
      expect(seen).toEqual([
        ["initial", null, null, 99],
        ["initial", null, null, 198],
        ["idle", "delta-1", "round-1", 250],
      ]);
      expect(result).toEqual({ kind: "committed", held: await store.readMailbox("m") });
      expect(await store.readCalendars("m")).toEqual(rows);
    });

    test("I1: a crash in the middle leaves a mailbox that starts over, with the news of what it was before", async () => {
      const held = await added(store, "m", { sequence: 5, lastSuccessMs: 2_000 });
      let transactions = 0;
      interference.before = ({ name: call }) => {
        if (call === "transact") transactions += 1;
        if (transactions === 3) throw new Error("The process ended.");
      };
      const next = unit(held, "delta-1", rows);
      const fresh = { ...next, next: { ...next.next, lastSuccessMs: 99_000, lastFullRoundMs: 99_000 } };
      await expect(commit([fresh], interferedStore)).rejects.toThrow("The process ended.");
      const torn = (await store.readMailbox("m"))?.checkpoint;
      expect(torn).toMatchObject({ phase: "initial", link: null, roundId: null, roundReason: "reset", pageNumber: 0 });
      expect(torn).toMatchObject({ sequence: 203, lastSuccessMs: 2_000, lastFullRoundMs: 3_000 });
    });

    test("I2: a twin that comes in the middle stops a torn unit, and its own rows stay", async () => {
      const held = await added(store, "m", { sequence: 5 });
      let isFirst = true;
      interference.after = async ({ name: call }) => {
        if (call !== "transact" || !isFirst) return;
        isFirst = false;
        const now = (await store.readMailbox("m")) as Held;
        await commit([unit(now, "twin", [row("calendar-0255", { sequence: 900 })])]);
      };
      expect(await commit([unit(held, "late", rows)], interferedStore)).toEqual([{ kind: "lostFence" }]);
      expect(await linkOf("m")).toBe("twin");
      expect((await store.readCalendars("m")).at(-1)).toEqual(row("calendar-0255", { sequence: 900 }));
    });

    test("I1: lost answers in the middle of a torn unit are found to be its own successes", async () => {
      const held = await added(store, "m", { sequence: 5 });
      loseAnswers(3);
      const [result] = await commit([unit(held, "delta-1", rows)], interferedStore);
      expect(result).toEqual({ kind: "committed", held: await store.readMailbox("m") });
      expect(await store.readCalendars("m")).toEqual(rows);
    });

    test("I1, I10: a torn unit does not hold up the small ones around it", async () => {
      const [small, large, other] = (await addedMany(store, 3)) as [Held, Held, Held];
      const results = await commit([
        unit(small, "a", [row("x")]),
        unit(large, "b", rowsFrom(0, 130)),
        unit(other, "c"),
      ]);
      expect(results.map(({ kind }) => kind)).toEqual(["committed", "committed", "committed"]);
      expect((await store.readCalendars("m001")).length).toBe(130);
    });

    test("I1: a unit whose rows are too many bytes for one transaction is torn as well", async () => {
      const held = await added(store, "m");
      const text = "x".repeat(400_000);
      const big: readonly CalendarRow[] = rowsFrom(0, 12).map((one) => ({ ...one, resource: { text } }));
      const [result] = await commit([unit(held, "delta-1", big)]);
      expect(result?.kind).toBe("committed");
      expect(await store.readCalendars("m")).toEqual(big);
    });
  });

  describe(`${name}: lost answers`, () => {
    test("I2: a group whose answer was lost is found to be our own success, row by row", async () => {
      const held = await addedMany(store, 5);
      const claim = await claimed("run");
      loseAnswers(1);
      const { results, claim: moved } = await interferedStore.commitUnits(
        held.map((one) => unit(one, "ours", [row("work")])),
        { ...claim, row: shardRow("run", "m004") },
      );
      expect(results.map((result) => (result.kind === "committed" ? result.held : null))).toEqual(
        await Promise.all(held.map(({ checkpoint: { mailboxId } }) => store.readMailbox(mailboxId))),
      );
      expect(moved).toEqual(await store.readShardRow(shard));
    });

    test("I2: a success whose answer was lost, and which the SDK then sent again, is not taken for a twin's", async () => {
      const held = await addedMany(store, 3);
      const echo = storeOn({
        ...table,
        transact: async (partitionKey, actions) => {
          await table.transact(partitionKey, actions);
          return table.transact(partitionKey, actions);
        },
      });
      const results = await commit(
        held.map((one) => unit(one, "ours")),
        echo,
      );
      expect(results.every(({ kind }) => kind === "committed")).toBe(true);
      const claim = await claimed("run");
      const moved = await echo.writeShardRow({ ...claim, row: shardRow("run", "m002") });
      expect(moved).toEqual(await store.readShardRow(shard));
      const next = results.map((result) => (result.kind === "committed" ? result.held : held[0])) as Held[];
      const again = await echo.commitUnits(
        next.map((one) => unit(one, "again")),
        moved as ShardClaim,
      );
      expect(again.results.every(({ kind }) => kind === "committed")).toBe(true);
      expect(again.claim).toEqual(await store.readShardRow(shard));
    });

    test("I2: after a lost answer, a mailbox that a twin has moved on meanwhile is the twin's; the others are ours", async () => {
      const held = await addedMany(store, 3);
      let isFirst = true;
      interference.after = async ({ name: call }) => {
        if (call !== "transact" || !isFirst) return;
        isFirst = false;
        await commit([unit((await store.readMailbox("m001")) as Held, "twin")]);
        throw new StorageError("transaction", shard, 503, "ServerBusy");
      };
      const results = await commit(
        held.map((one) => unit(one, "ours")),
        interferedStore,
      );
      expect(results.map(({ kind }) => kind)).toEqual(["committed", "lostFence", "committed"]);
      expect(await linkOf("m001")).toBe("twin");
    });

    test("I9: after a lost answer, a shard that a newer run has taken over meanwhile stays the newer run's", async () => {
      const held = await addedMany(store, 3);
      const claim = await claimed("run-1");
      let isFirst = true;
      interference.after = async ({ name: call }) => {
        if (call !== "transact" || !isFirst) return;
        isFirst = false;
        await claimed("run-2");
        throw new StorageError("transaction", shard, null, "ECONNRESET");
      };
      const units = held.map((one) => unit(one, "ours"));
      const { results, claim: after } = await interferedStore.commitUnits(units, claim);
      expect(results.every(({ kind }) => kind === "committed")).toBe(true); // They were, before it was overtaken.
      expect(after).toBe("superseded");
      expect((await store.readShardRow(shard))?.row.run?.runId).toBe("run-2");
    });

    test("what was not applied is sent once more; twice in a row is an error that names no link", async () => {
      const held = await added(store, "m");
      let failures = 1;
      interference.before = ({ name: call }) => {
        if (call !== "transact" || failures === 0) return;
        failures -= 1;
        throw new StorageError("transaction", shard, 500, "OperationTimedOut");
      };
      const [result] = await commit([unit(held, "https://secret/link")], interferedStore);
      expect(result?.kind).toBe("committed");
      failures = 2;
      const again = (await store.readMailbox("m")) as Held;
      await expect(commit([unit(again, "https://secret/link")], interferedStore)).rejects.toThrow(
        "Table storage: transaction in partition 00 failed with status 500, code OperationTimedOut.",
      );
      expect(await store.readMailbox("m")).toEqual(again);
    });

    test("I2: a first try that lands after all while the second is under way counts once, as ours", async () => {
      const held = await addedMany(store, 2);
      let first: (() => Promise<unknown>) | null = null;
      const slow = storeOn({
        ...table,
        transact: async (partitionKey, actions) => {
          if (first === null) {
            first = () => table.transact(partitionKey, actions);
            throw new StorageError("transaction", partitionKey, null, "ETIMEDOUT");
          }
          await first();
          return table.transact(partitionKey, actions);
        },
      });
      const results = await commit(
        held.map((one) => unit(one, "ours", [row("work")])),
        slow,
      );
      expect(results).toEqual([
        { kind: "committed", held: await store.readMailbox("m000") },
        { kind: "committed", held: await store.readMailbox("m001") },
      ]);
    });

    test("I10: where the table does not say which action failed, halves find the one", async () => {
      const held = await addedMany(store, 9);
      await commit([unit(held[6] as Held, "twin")]);
      const claim = await claimed("run");
      const silent = storeOn({
        ...table,
        transact: async (partitionKey, actions) => {
          const answer = await table.transact(partitionKey, actions);
          return answer.kind === "refused" ? { ...answer, index: null } : answer;
        },
      });
      const { results, claim: moved } = await silent.commitUnits(
        held.map((one) => unit(one, "ours")),
        claim,
      );
      expect(results.flatMap(({ kind }, index) => (kind === "lostFence" ? index : []))).toEqual([6]);
      expect(moved).toEqual(await store.readShardRow(shard));
      await claimed("newer run");
      const after = results.flatMap((result) => (result.kind === "committed" ? [result.held] : []));
      const late = await silent.commitUnits(
        after.map((one) => unit(one, "late")),
        moved as ShardClaim,
      );
      expect(late.claim).toBe("superseded");
      expect(await linkOf("m000")).toBe("ours");
    });
  });
}
