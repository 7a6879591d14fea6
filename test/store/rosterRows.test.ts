import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkpointColumns } from "../../shared/store/checkpointRow.js";
import { mailboxKey } from "../../shared/store/keys.js";
import { newRosterRow } from "../../shared/store/rosterRows.js";
import { createStore, type RosterEntry, type RosterRow } from "../../shared/store/store.js";
import { newCheckpoint } from "../../shared/sync/checkpoint.js";
import { newDirectory } from "../../shared/sync/directory.js";
import { StorageError } from "../../shared/table/errors.js";
import { memoryTable } from "../../shared/table/memoryTable.js";
import { shardRow } from "../worlds/rows.js";
import { storeOn } from "../worlds/store.js";
import { azuriteTables, type Interference, interfered, type NewTable } from "../worlds/tables.js";

const row = (mailboxId: string, more: Partial<RosterRow> = {}): RosterRow => ({
  ...newRosterRow(mailboxId, "directory"),
  generation: 1,
  step: 1,
  userPrincipalName: "a.b@contoso.example",
  displayName: "A \ud83d\ude00 B",
  mailboxKind: "room",
  kindAskedMs: 2_000,
  accountEnabled: false,
  sinceMs: 1_000,
  ...more,
});
const added = (mailboxId: string, more: Partial<RosterRow> = {}): RosterEntry => ({
  row: row(mailboxId, more),
  etag: null,
  checkpoint: { next: newCheckpoint(mailboxId, "epoch", null), etag: null },
});

async function opened(newTable: NewTable, shards = 1, table = newTable()) {
  let ids = 0;
  const store = createStore({ table, shards, newCommitId: () => `commit-${++ids}` });
  await store.open();
  return store;
}

function rosterContract(name: string, newTable: NewTable): void {
  describe(`${name}: the roster's rows`, () => {
    test("come back as they were written, with their checkpoints, over all shards", async () => {
      const store = await opened(newTable, 4);
      const ids = Array.from({ length: 230 }, (_, index) => `mailbox-${index}`);
      expect(new Set(await store.roster.commit(ids.map((id) => added(id))))).toEqual(new Set(["committed"]));
      expect((await store.roster.read("mailbox-7"))?.row).toEqual(row("mailbox-7"));
      expect((await store.readMailbox("mailbox-7"))?.checkpoint).toEqual(newCheckpoint("mailbox-7", "epoch", null));
      const found: string[] = [];
      for (const shard of ["00", "01", "02", "03"]) {
        for await (const page of store.roster.pages(shard)) found.push(...page.map((held) => held.row.mailboxId));
      }
      expect(found.sort()).toEqual([...ids].sort());
    });

    test("I2, I10: an entry that somebody else took is lost with both its rows, and harms no other", async () => {
      const table = newTable();
      const store = await opened(newTable, 1, table);
      const columns = checkpointColumns(newCheckpoint("taken", "earlier", null));
      await table.transact("00", [{ kind: "create", rowKey: mailboxKey("taken"), columns }]);
      const results = await store.roster.commit([added("one"), added("taken"), added("two")]);
      expect(results).toEqual(["committed", "lostFence", "committed"]);
      expect(await store.roster.read("taken")).toBeNull();
      expect((await store.readMailbox("taken"))?.checkpoint.epoch).toBe("earlier");
      const held = await store.roster.read("one");
      const moved = { row: row("one", { step: 2 }), etag: held?.etag ?? "", checkpoint: null };
      expect(await store.roster.commit([moved])).toEqual(["committed"]);
      expect(await store.roster.commit([moved])).toEqual(["lostFence"]);
    });

    test("I2: entries whose answer was lost are found to be our own successes, all of them or none", async () => {
      const table = newTable();
      const store = storeOn(table);
      await store.open();
      let failure: "beforeIt" | "afterIt" | null = "afterIt";
      const failing = storeOn({
        ...table,
        transact: async (partitionKey, actions) => {
          const how = failure;
          failure = null;
          if (how !== "beforeIt") await table.transact(partitionKey, actions);
          if (how === null) return table.transact(partitionKey, actions); // The SDK sends a success again.
          throw new StorageError("transaction", partitionKey, null, "ECONNRESET");
        },
      });
      expect(await failing.roster.commit([added("one"), added("two")])).toEqual(["committed", "committed"]);
      expect(await failing.roster.commit([added("three"), added("four")])).toEqual(["committed", "committed"]);
      failure = "beforeIt";
      expect(await failing.roster.commit([added("one"), added("five")])).toEqual(["lostFence", "committed"]);
      expect((await store.readMailbox("five"))?.checkpoint).toEqual(newCheckpoint("five", "epoch", null));
    });

    test("I10: where the table does not say which action failed, halves find the entries", async () => {
      const table = newTable();
      const silent = storeOn({
        ...table,
        transact: async (partitionKey, actions) => {
          const answer = await table.transact(partitionKey, actions);
          return answer.kind === "refused" ? { ...answer, index: null } : answer;
        },
      });
      await silent.open();
      await silent.roster.commit([added("m3"), added("m4")]);
      const results = await silent.roster.commit(Array.from({ length: 9 }, (_, index) => added(`m${index}`)));
      expect(results.flatMap((result, index) => (result === "lostFence" ? index : []))).toEqual([3, 4]);
    });

    test("I10: an entry that the table refuses is an error, and the others are written", async () => {
      const table = newTable();
      const store = storeOn({
        ...table,
        transact: (partitionKey, actions) => {
          const index = actions.findIndex(({ rowKey }) => rowKey === "mailbox|huge");
          if (index === -1) return table.transact(partitionKey, actions);
          return Promise.resolve({ kind: "refused", index, reason: "tooLarge", code: "EntityTooLarge" });
        },
      });
      await store.open();
      await expect(store.roster.commit(["one", "huge", "two"].map((id) => added(id)))).rejects.toThrow(
        "Table storage: write roster in partition 00 failed with status 400, code EntityTooLarge.",
      );
      expect(await store.roster.read("two")).not.toBeNull();
      expect(await store.readMailbox("huge")).toBeNull();
    });

    test("a shard that fails is thrown once the other shards have ended: nothing is left running", async () => {
      const table = newTable();
      let running = 0;
      const store = storeOn(
        {
          ...table,
          transact: async (partitionKey, actions) => {
            if (partitionKey === "00") throw new StorageError("transaction", partitionKey, null, "ECONNRESET");
            running += 1;
            await new Promise((resolve) => setImmediate(resolve)); // The shard that fails is quicker.
            return table.transact(partitionKey, actions).finally(() => {
              running -= 1;
            });
          },
        },
        { shards: 4 },
      );
      await store.open();
      const ids = Array.from({ length: 230 }, (_, index) => `mailbox-${index}`);
      await expect(store.roster.commit(ids.map((id) => added(id)))).rejects.toThrow("ECONNRESET");
      expect(running).toBe(0);
      const others = ids.filter((id) => store.shardOf(id) !== "00");
      expect(await Promise.all(others.map((id) => store.roster.read(id)))).not.toContain(null);
    });

    test("go in several transactions where their bytes are too many for one", async () => {
      const store = await opened(newTable);
      const long = Array.from({ length: 30 }, (_, index) => added(`m${index}`, { displayName: "字".repeat(60_000) }));
      expect(new Set(await store.roster.commit(long))).toEqual(new Set(["committed"]));
      expect((await store.roster.read("m29"))?.row).toEqual(long[29]?.row);
    });

    test("I14: are found by a name, whatever it looks like, by its own text alone and in any case", async () => {
      const store = await opened(newTable, 2);
      const unit = fc.oneof(
        fc.constantFrom("'", "''", "%", "#", "&", "+", ")", "\\", "/", "?", "ß", "İ", "𝒜"),
        fc.string({ unit: "grapheme-ascii" }),
      );
      const name = fc
        .array(unit, { minLength: 1, maxLength: 12 })
        .map((units) => `${units.join("").replaceAll(/\s/g, "")}@contoso.example`);
      let written = 0;
      await fc.assert(
        fc.asyncProperty(name, async (userPrincipalName) => {
          written += 1;
          const mailboxId = `named-${written}`;
          const before = (await store.roster.named(userPrincipalName)).map(({ row: { mailboxId: id } }) => id);
          await store.roster.commit([added(mailboxId, { userPrincipalName })]);
          for (const asked of [userPrincipalName, userPrincipalName.toLowerCase()]) {
            const found = (await store.roster.named(asked)).map(({ row: { mailboxId: id } }) => id);
            expect(found.sort()).toEqual([...before, mailboxId].sort());
          }
          expect(await store.roster.named(`${userPrincipalName}'`)).toEqual([]);
          await store.purgeMailbox(mailboxId);
        }),
        { numRuns: 50, seed: 1 },
      );
    });

    test("are found by the time from which they may be purged", async () => {
      const store = await opened(newTable);
      await store.roster.commit([
        added("stays"),
        added("due", { state: "suspended", purgeAfterMs: 9_999 }),
        added("later", { state: "suspended", purgeAfterMs: 10_000 }),
      ]);
      const found: string[] = [];
      for await (const page of store.roster.purgeable("00", 10_000)) found.push(...page);
      expect(found).toEqual(["due"]);
    });

    test("go with their mailbox", async () => {
      const store = await opened(newTable);
      await store.roster.commit([added("m")]);
      expect(await store.purgeMailbox("m", { onlyLeaving: true })).toBe("kept");
      expect(await store.purgeMailbox("m")).toBe("purged");
      expect(await store.roster.read("m")).toBeNull();
    });
  });

  describe(`${name}: the roster's checkpoint and the figures`, () => {
    test("I2: the checkpoint moves under its ETag, and who comes late is refused", async () => {
      const store = await opened(newTable);
      expect(await store.readDirectory()).toBeNull();
      const hold = { leaving: 7, of: 9, sinceMs: 5_000, generation: 3, needsRelease: true };
      const state = { ...newDirectory("directory"), link: "https://graph.example/x?$skiptoken=y", hold, step: 4 };
      const first = await store.writeDirectory(state, null);
      expect(await store.readDirectory()).toEqual(first);
      expect(await store.writeDirectory(state, null)).toBe("superseded");
      expect(await store.writeDirectory(state, first === "superseded" ? null : first.etag)).not.toBe("superseded");
      expect(await store.writeDirectory(state, first === "superseded" ? null : first.etag)).toBe("superseded");
    });

    test("I2: a lost answer does not supersede the discoverer that wrote the checkpoint", async () => {
      const table = newTable();
      const interference: Interference = {};
      const store = storeOn(interfered(table, interference));
      await store.open();
      let failures = 1;
      interference.after = ({ name: call }) => {
        if (call !== "transact" || failures-- <= 0) return;
        throw new StorageError("transaction", "~meta", null, "ECONNRESET");
      };
      const first = await store.writeDirectory(newDirectory("directory"), null);
      expect(first).toEqual(await store.readDirectory());
    });

    test("figures are written with the shard's row, or not at all", async () => {
      const store = await opened(newTable);
      expect(await store.readFigures("00")).toBeNull();
      const figures = { text: "x".repeat(100_000) };
      const first = await store.writeShardRow({ shard: "00", row: shardRow("run"), etag: null, figures });
      expect(first).not.toBe("superseded");
      expect(await store.readFigures("00")).toEqual(figures);
      const late = { shard: "00", row: shardRow("late"), etag: null, figures: { late: true } };
      expect(await store.writeShardRow(late)).toBe("superseded");
      expect(await store.readFigures("00")).toEqual(figures);
    });
  });
}

rosterContract("memory", () => memoryTable());
describe("on Azurite", () => {
  rosterContract("Azurite", azuriteTables());
});
