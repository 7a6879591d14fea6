import { describe, expect, test } from "vitest";
import { checkpointColumns } from "../../shared/store/entities.js";
import { mailboxKey } from "../../shared/store/keys.js";
import { createStore, type RosterRow, type Seat } from "../../shared/store/store.js";
import { newCheckpoint } from "../../shared/sync/checkpoint.js";
import { newDirectory } from "../../shared/sync/directory.js";
import { memoryTable } from "../../shared/table/memoryTable.js";
import { azuriteTables, type NewTable } from "../worlds/tables.js";

const row = (mailboxId: string, more: Partial<RosterRow> = {}): RosterRow => ({
  mailboxId,
  source: "directory",
  state: "active",
  generation: 1,
  step: 1,
  userPrincipalName: "a.b@contoso.example",
  displayName: "A \ud83d\ude00 B",
  leaveReason: null,
  sinceMs: 1_000,
  purgeAfterMs: null,
  ...more,
});
const added = (mailboxId: string, more: Partial<RosterRow> = {}): Seat => ({
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
      expect(new Set(await store.roster.commit(ids.map((id) => added(id))))).toEqual(new Set(["seated"]));
      expect((await store.roster.read("mailbox-7"))?.row).toEqual(row("mailbox-7"));
      expect((await store.readMailbox("mailbox-7"))?.checkpoint).toEqual(newCheckpoint("mailbox-7", "epoch", null));
      const found: string[] = [];
      for (const shard of ["00", "01", "02", "03"]) {
        for await (const page of store.roster.pages(shard)) found.push(...page.map((held) => held.row.mailboxId));
      }
      expect(found.sort()).toEqual([...ids].sort());
    });

    test("I2, I10: a seat that somebody else took is lost with both its rows, and harms no other", async () => {
      const table = newTable();
      const store = await opened(newTable, 1, table);
      const columns = checkpointColumns(newCheckpoint("taken", "earlier", null));
      await table.transact("00", [{ kind: "create", rowKey: mailboxKey("taken"), columns }]);
      const results = await store.roster.commit([added("one"), added("taken"), added("two")]);
      expect(results).toEqual(["seated", "lost", "seated"]);
      expect(await store.roster.read("taken")).toBeNull();
      expect((await store.readMailbox("taken"))?.checkpoint.epoch).toBe("earlier");
      const held = await store.roster.read("one");
      const moved = { row: row("one", { step: 2 }), etag: held?.etag ?? "", checkpoint: null };
      expect(await store.roster.commit([moved])).toEqual(["seated"]);
      expect(await store.roster.commit([moved])).toEqual(["lost"]);
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
    test("I2: the checkpoint moves under its ETag, and who comes late is told", async () => {
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

    test("figures are written with the shard's row, or not at all", async () => {
      const store = await opened(newTable);
      expect(await store.readFigures("00")).toBeNull();
      const figures = { text: "x".repeat(100_000) };
      const first = await store.writeShardRow({ shard: "00", row: { run: null }, etag: null, figures });
      expect(first).not.toBe("superseded");
      expect(await store.readFigures("00")).toEqual(figures);
      const late = { shard: "00", row: { run: null }, etag: null, figures: { late: true } };
      expect(await store.writeShardRow(late)).toBe("superseded");
      expect(await store.readFigures("00")).toEqual(figures);
    });
  });
}

rosterContract("memory", () => memoryTable());
describe("on Azurite", () => {
  rosterContract("Azurite", azuriteTables());
});
