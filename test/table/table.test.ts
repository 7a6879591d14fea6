import { describe, expect, test } from "vitest";
import { StorageError } from "../../shared/table/errors.js";
import { memoryTable, type TableCallDetail } from "../../shared/table/memoryTable.js";
import type { Action } from "../../shared/table/table.js";
import { azuriteTables } from "../worlds/tables.js";
import { collect, tableContract } from "./tableContract.js";

describe("table in memory", () => {
  tableContract("memory", () => memoryTable());
  tableContract("memory with small and empty pages", () => memoryTable({ pageSize: 3, emptyPages: true }));
});

describe("table on Azurite", () => {
  tableContract("Azurite", azuriteTables());
});

// Rules of the service that Azurite does not keep, or answers with 500.
describe("table in memory, as strict as Azure", () => {
  const create = (
    rowKey: string,
    columns: Action extends infer A ? (A extends { columns: infer C } ? C : never) : never,
  ): Action => {
    return { kind: "create", rowKey, columns };
  };

  test.each(["a/b", "a\\b", "a#b", "a?b", "a\u0000b", "a\u009fb", "x".repeat(513)])(
    "the key %j is refused as invalid",
    async (rowKey) => {
      const table = memoryTable();
      await table.createIfMissing();
      expect(await table.transact("p", [create(rowKey, {})])).toMatchObject({ index: 0, reason: "invalid" });
    },
  );

  test("an entity over 1 MiB by UTF-16 count and one of 253 properties are refused as too large", async () => {
    const table = memoryTable();
    await table.createIfMissing();
    const big = Object.fromEntries(Array.from({ length: 18 }, (_, i) => [`c${i}`, "x".repeat(30_000)]));
    expect(await table.transact("p", [create("a", big)])).toMatchObject({ reason: "tooLarge", code: "EntityTooLarge" });
    const wide = Object.fromEntries(Array.from({ length: 253 }, (_, i) => [`c${i}`, 1]));
    expect(await table.transact("p", [create("a", wide)])).toMatchObject({ reason: "tooLarge" });
    expect(table.entities()).toEqual([]);
  });

  test("calls are announced before and after; a throw before keeps it from happening, one after loses the answer", async () => {
    const seen: string[] = [];
    let fault: TableCallDetail["moment"] | null = null;
    const table = memoryTable({
      onCall: (name, { moment, rowKeys }) => {
        seen.push([name, moment, ...rowKeys].join(" "));
        if (name === "transact" && moment === fault) throw new StorageError("transaction", "p", null, "ECONNRESET");
      },
    });
    await table.createIfMissing();
    fault = "before";
    await expect(table.transact("p", [create("a", {})])).rejects.toBeInstanceOf(StorageError);
    expect(await table.get("p", "a")).toBeNull();
    fault = "after";
    await expect(table.transact("p", [create("a", {})])).rejects.toBeInstanceOf(StorageError);
    expect((await collect(table.pages("p", { after: "A", upTo: "z" }, 10))).length).toBe(1);
    expect(seen).toContain("transact before a");
    expect(seen).toContain("transact after a");
    expect(seen.slice(-2)).toEqual(["page before", "page after"]);
  });
});
