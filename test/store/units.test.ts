import { describe, expect, test } from "vitest";
import { groupSize, type Held, type PendingUnit, type StoreParts } from "../../shared/store/store.js";
import { memoryTable } from "../../shared/table/memoryTable.js";
import { added, checkpoint, row, rowsFrom, shardRow, storeOn, unit } from "../worlds/rows.js";

const held = (mailboxId: string): Held => ({ checkpoint: checkpoint(mailboxId), etag: "e" });
const sized = (...sizes: readonly number[]) =>
  sizes.map((size, index) => unit(held(`m${index}`), "x", rowsFrom(0, size)));

/** How many of the units share the first transaction, beside the shard's row. */
async function firstGroup(units: readonly PendingUnit[], limits?: StoreParts["limits"]): Promise<number> {
  const transactions: (readonly string[])[] = [];
  const table = memoryTable({
    onCall: (name, { moment, rowKeys }) => {
      if (name === "transact" && moment === "before") transactions.push(rowKeys);
    },
  });
  const store = storeOn(table, limits === undefined ? {} : { limits });
  await store.open();
  const mailboxes = new Map<string, Held>();
  for (const { next } of units) {
    if (!mailboxes.has(next.mailboxId)) mailboxes.set(next.mailboxId, await added(store, next.mailboxId));
  }
  const claim = await store.writeShardRow({ shard: "00", row: shardRow("run"), etag: null });
  if (claim === "superseded") throw new Error("The shard is held by another run.");
  transactions.length = 0;
  const fenced = units.map((each) => ({ ...each, held: mailboxes.get(each.next.mailboxId) ?? each.held }));
  await store.commitUnits(fenced, claim);
  return transactions[0]?.filter((rowKey) => rowKey.startsWith("mailbox|")).length ?? 0;
}

describe("packing units into one transaction", () => {
  test("each unit counts its rows, what it forgets, and its checkpoint", () => {
    expect(groupSize([])).toBe(0);
    expect(groupSize(sized(0, 3))).toBe(5);
    expect(groupSize([{ ...unit(held("m"), "x", [row("a")]), forget: ["b", "c"] }])).toBe(4);
  });

  test.each([
    ["99 quiet units fit beside the shard's row, and no more", sized(...Array.from({ length: 120 }, () => 0)), 99],
    ["units are taken whole and in order", sized(50, 40, 8), 2],
    ["a unit that fills a transaction goes alone", sized(98, 0), 1],
    ["a unit that is too large for one goes alone", sized(150, 0), 1],
    ["it also waits for its own transaction", sized(0, 150), 1],
    ["two units of one mailbox do not share a transaction", [unit(held("m"), "a"), unit(held("m"), "b")], 1],
  ])("%s", async (_, units, count) => {
    expect(await firstGroup(units)).toBe(count);
  });

  test("bytes count as well as operations", async () => {
    const big = (mailboxId: string) =>
      unit(held(mailboxId), "x", [row("c", { resource: { text: "字".repeat(200_000) } })]);
    expect(await firstGroup(["a", "b", "c", "d", "e", "f", "g", "h"].map(big))).toBe(6); // 3.5 MiB of 600 KB each.
  });

  test("limits may be made tiny", async () => {
    expect(await firstGroup(sized(0, 0, 0, 0), { operationsMax: 3, bodyBytesMax: 100_000 })).toBe(2);
  });
});
