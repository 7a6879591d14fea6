import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { noCounters } from "../../shared/figures/counters.js";
import { calendarKey } from "../../shared/store/keys.js";
import { type Held, RowError, type Store } from "../../shared/store/store.js";
import type { Action } from "../../shared/table/table.js";
import { checkpoint, row, rowsFrom, unit } from "../worlds/rows.js";
import { added, addedMany, type StoreWorld, shard, storeOn, storeWorld } from "../worlds/store.js";
import type { NewTable } from "../worlds/tables.js";

/** What every Store must do with mailboxes and units, whatever table it stands on. */
export function unitsContract(name: string, newTable: NewTable): void {
  let table: StoreWorld["table"];
  let store: StoreWorld["store"];
  let commit: StoreWorld["commit"];
  let linkOf: StoreWorld["linkOf"];
  let claimed: StoreWorld["claimed"];
  beforeEach(async () => {
    ({ table, store, commit, linkOf, claimed } = await storeWorld(newTable));
  });

  describe(`${name}: mailboxes`, () => {
    test("a mailbox is added once, read back as it was, and null is for one that is not there", async () => {
      const held = await added(store, "m");
      expect(await store.readMailbox("m")).toEqual(held);
      expect(held.checkpoint).toEqual(checkpoint("m"));
      await expect(added(store, "m", { epoch: "other" })).rejects.toThrow("was not added");
      expect(await store.readMailbox("m")).toEqual(held);
      expect(await store.readMailbox("M")).toBeNull();
      expect(await store.readCalendars("m")).toEqual([]);
    });

    test("a shard's mailboxes come in key order, from after one up to and including another", async () => {
      for (const id of ["b", "a", "a b", "c", "B"]) await added(store, id);
      await commit([unit((await store.readMailbox("b")) as Held, "x", [row("work")])]);
      const ids = async (after: string | null, upTo: string | null) => {
        const found: string[] = [];
        for await (const page of store.readMailboxes(shard, { after, upTo })) {
          found.push(...page.map((held) => held.checkpoint.mailboxId));
        }
        return found;
      };
      expect(await ids(null, null)).toEqual(["B", "a", "a b", "b", "c"]);
      expect(await ids("a", "b")).toEqual(["a b", "b"]);
      expect(await ids("c", null)).toEqual([]);
    });

    test("I10: a checkpoint that nobody can read is reported, and the others of the shard are read", async () => {
      await addedMany(store, 2);
      await table.transact(shard, [{ kind: "upsert", rowKey: "mailbox|m0005", columns: { link: "secret-link" } }]);
      const read = async (by: Store) => {
        const found: string[] = [];
        for await (const page of by.readMailboxes(shard, { after: null, upTo: null })) {
          found.push(...page.map((held) => held.checkpoint.mailboxId));
        }
        return found;
      };
      const messages: string[] = [];
      expect(await read(storeOn(table, { onUnreadable: (error) => messages.push(error.message) }))).toEqual([
        "m000",
        "m001",
      ]);
      expect(messages).toEqual(["Row mailbox|m0005 in partition 00 cannot be read: column mailboxId is missing."]);
      await expect(read(store)).rejects.toThrow("column mailboxId is missing");
    });
  });

  describe(`${name}: units`, () => {
    test("I1: the checkpoint is stored as the unit has it, whichever columns come, change and go", async () => {
      const moments = fc.option(fc.integer({ min: 0, max: 4e12 }));
      const change = fc.record({
        notBeforeMs: moments,
        lastSuccessMs: moments,
        failuresInARow: fc.constantFrom(0, 1, 2 ** 31, 2 ** 40),
        parkedReason: fc.option(fc.constantFrom("denied:x", "x".repeat(70_000))),
        displayName: fc.option(fc.string()),
        walked: fc.option(fc.constant(noCounters)),
      });
      let held = await added(store, "m");
      await fc.assert(
        fc.asyncProperty(change, async (changed) => {
          const next = { ...held.checkpoint, ...changed };
          const [result] = await commit([{ held, rows: [], next }]);
          const stored = await store.readMailbox("m");
          expect(stored?.checkpoint).toEqual(next);
          expect(result).toEqual({ kind: "committed", held: stored });
          held = stored as Held;
        }),
        { numRuns: 40, endOnFailure: true },
      );
    });

    test("I1: rows and checkpoint of a unit are seen together, tombstones included", async () => {
      const held = await added(store, "m");
      const rows = [row("work", { sequence: 1 }), row("old", { sequence: 2, removedMs: 6_000 })];
      const [result] = await commit([unit(held, "delta-1", rows)]);
      expect(result).toEqual({ kind: "committed", held: await store.readMailbox("m") });
      expect(await linkOf("m")).toBe("delta-1");
      expect(await store.readCalendars("m")).toEqual([rows[1], rows[0]]); // In key order.
    });

    test("I2: a late twin is refused whole, and the newer rows stay", async () => {
      const held = await added(store, "m");
      await commit([unit(held, "delta-2", [row("work", { resource: { name: "v2" } })])]);
      const late = unit(held, "delta-1", [row("work", { resource: { name: "v1" } }), row("ghost")]);
      expect(await commit([late])).toEqual([{ kind: "lostFence" }]);
      expect(await store.readCalendars("m")).toEqual([row("work", { resource: { name: "v2" } })]);
      expect(await linkOf("m")).toBe("delta-2");
    });

    test("rows of one mailbox are never read as another's, however alike their ids are", async () => {
      const ids = ["m", "m|x", "m}", "m ", "M"];
      for (const id of ids) {
        const held = await added(store, id);
        await commit([unit(held, "x", [row("work", { resource: { of: id } }), row("a|b", { sequence: 2 })])]);
      }
      for (const id of ids) {
        const rows = await store.readCalendars(id);
        expect(rows.map(({ calendarId }) => calendarId)).toEqual(["a|b", "work"]);
        expect(rows[1]?.resource).toEqual({ of: id });
      }
    });

    test("rows of several mailboxes are read by one query as they are one by one, whoever stands between them", async () => {
      const ids = ["a", "m", "m|x", "m}", "m ", "M", "none", "z"];
      const long = { name: "long", text: "x".repeat(70_000) };
      for (const id of ids.filter((id) => id !== "none")) {
        const held = await added(store, id);
        const rows = [
          row("work", { resource: { of: id } }),
          row("b", { sequence: 2, resource: id === "m " ? long : {} }),
        ];
        await commit([unit(held, "x", [...rows, row("gone", { sequence: 3, removedMs: 7_000 })])]);
      }
      for (const wanted of [["m", "m|x", "m}", "m ", "M"], ["none", "m"], ["a"], []]) {
        const found = await store.readCalendarsOf(wanted);
        expect([...found.keys()].sort()).toEqual([...wanted].sort());
        for (const id of wanted) expect(found.get(id)).toEqual(await store.readCalendars(id));
      }
    });

    test("I10: a row that cannot be read keeps its mailbox from being read, and no other", async () => {
      for (const id of ["m", "n"]) await commit([unit(await added(store, id), "x", [row("work")])]);
      const spoilt: Action = { kind: "upsert", rowKey: calendarKey("m", "work"), columns: { calendarId: "work" } };
      await table.transact(shard, [spoilt]);
      const found = await store.readCalendarsOf(["m", "n"]);
      expect(found.get("m")).toBeInstanceOf(RowError);
      expect(found.get("n")).toEqual([row("work")]);
    });

    test("a tombstone is forgotten together with its checkpoint's move, under its fence", async () => {
      const held = await added(store, "m");
      const [first] = await commit([unit(held, "a", [row("old", { removedMs: 9 }), row("new", { sequence: 2 })])]);
      const now = first?.kind === "committed" ? first.held : held;
      expect(await commit([{ held, rows: [], forget: ["old"], next: now.checkpoint }])).toEqual([
        { kind: "lostFence" },
      ]);
      expect((await store.readCalendars("m")).length).toBe(2);
      const [second] = await commit([{ held: now, rows: [], forget: ["old"], next: now.checkpoint }]);
      expect(second?.kind).toBe("committed");
      expect((await store.readCalendars("m")).map(({ calendarId }) => calendarId)).toEqual(["new"]);
    });

    test("99 quiet units are one transaction with the shard's row, and units of all sizes arrive whole", async () => {
      const held = await addedMany(store, 99);
      const claim = await claimed("run");
      const counted = storeOn(table);
      const { results } = await counted.commitUnits(
        held.map((one) => unit(one, "quiet")),
        claim,
      );
      expect(results.every(({ kind }) => kind === "committed")).toBe(true);
      expect(counted.transactions()).toBe(1);
      const moved = results.map((result) => (result.kind === "committed" ? result.held : held[0])) as Held[];
      const sizes = [0, 1, 40, 58, 98, 99, 3, 150, 0, 97];
      const units = sizes.map((size, index) => unit(moved[index] as Held, "sized", rowsFrom(0, size)));
      const sized = storeOn(table);
      expect((await commit(units, sized)).every(({ kind }) => kind === "committed")).toBe(true);
      expect(sized.transactions()).toBeLessThanOrEqual(8); // [0 1 40 (58)] [98] [99] [3] [150 in two] [0 97], or less.
      for (const [index, size] of sizes.entries()) {
        const mailboxId = (moved[index] as Held).checkpoint.mailboxId;
        expect(await store.readCalendars(mailboxId)).toEqual(rowsFrom(0, size));
        expect(await linkOf(mailboxId)).toBe("sized");
      }
    });

    test("I10: one unit that lost its fence harms no other of its transaction", async () => {
      const held = await addedMany(store, 12);
      const lost = [3, 4, 7];
      await commit(lost.map((index) => unit(held[index] as Held, "twin")));
      const results = await commit(held.map((one) => unit(one, "ours", [row("work")])));
      expect(results.flatMap(({ kind }, index) => (kind === "lostFence" ? index : []))).toEqual(lost);
      for (const [index, one] of held.entries()) {
        const { mailboxId } = one.checkpoint;
        expect(await linkOf(mailboxId)).toBe(lost.includes(index) ? "twin" : "ours");
        expect((await store.readCalendars(mailboxId)).length).toBe(lost.includes(index) ? 0 : 1);
      }
    });

    test("I2, I10: where a twin moved all of a group, all lose, at a price that does not grow with each", async () => {
      const held = await addedMany(store, 60);
      await commit(held.map((one) => unit(one, "twin")));
      const late = storeOn(table);
      const results = await commit(
        held.map((one) => unit(one, "late", [row("ghost")])),
        late,
      );
      expect(results.every(({ kind }) => kind === "lostFence")).toBe(true);
      expect(late.transactions()).toBeLessThanOrEqual(4 + 60);
      expect(await linkOf("m000")).toBe("twin");
    });

    test("I10: a unit that cannot fit the table is reported as too large, writes nothing, and the others go on", async () => {
      const held = await addedMany(store, 3);
      const huge = row("huge", { resource: { text: "x".repeat(600_000) } });
      const units = held.map((one, index) => unit(one, "next", index === 1 ? [row("small"), huge] : [row("work")]));
      const results = await commit(units);
      expect(results.map(({ kind }) => kind)).toEqual(["committed", "tooLarge", "committed"]);
      expect(results[1]).toMatchObject({ why: expect.stringMatching(/^calendar: row of \d+ bytes, at most \d+ fit$/) });
      expect(await store.readMailbox("m001")).toEqual(held[1]);
      expect(await store.readCalendars("m001")).toEqual([]);
    });

    test("I10: a unit that the table refuses for another reason is reported, and the others go on", async () => {
      const held = await addedMany(store, 3);
      const units = held.map((one, index) =>
        unit(one, "next", index === 1 ? [row("twice"), row("twice")] : [row("one")]),
      );
      const results = await commit(units);
      expect(results.map(({ kind }) => kind)).toEqual(["committed", "tooLarge", "committed"]);
      expect(results[1]).toEqual({ kind: "tooLarge", why: "refused by the table: InvalidDuplicateRow" });
      expect(await store.readMailbox("m001")).toEqual(held[1]);
    });

    test("two units of one mailbox in one call: the first counts, the second lost its fence", async () => {
      const held = await added(store, "m");
      const results = await commit([unit(held, "first"), unit(held, "second")]);
      expect(results.map(({ kind }) => kind)).toEqual(["committed", "lostFence"]);
      expect(await linkOf("m")).toBe("first");
    });

    test("a resource of 600 KB and a name of 10,000 characters come back whole", async () => {
      const held = await added(store, "m");
      const resource = { name: "é".repeat(10_000), text: `${"😀\u2028".repeat(70_000)}\ud800` };
      const [result] = await commit([unit(held, "x", [row("work", { resource })])]);
      expect(result?.kind).toBe("committed");
      expect(await store.readCalendars("m")).toEqual([row("work", { resource })]);
    });

    test("units of several shards in one call are our mistake, and nothing is written", async () => {
      const wide = storeOn(table, { shards: 256 });
      const two = [await added(wide, "a"), await added(wide, "b")];
      expect(() =>
        wide.commitUnits(
          two.map((held) => unit(held, "x")),
          null,
        ),
      ).toThrow(RangeError);
      expect(await store.commitUnits([], null)).toEqual({ results: [], claim: null });
    });
  });
}
