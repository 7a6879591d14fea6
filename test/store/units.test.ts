import { describe, expect, test } from "vitest";
import { isMailboxKey } from "../../shared/store/keys.js";
import { type GroupLimits, groupSize, type Held } from "../../shared/store/store.js";
import { memoryTable } from "../../shared/table/memoryTable.js";
import { checkpoint, row, rowsFrom, shardRow, unit } from "../worlds/rows.js";
import { added, storeOn } from "../worlds/store.js";

const held = (mailboxId: string): Held => ({ checkpoint: checkpoint(mailboxId), etag: "e" });
const sized = (...sizes: readonly number[]) =>
  sizes.map((size, index) => unit(held(`m${index}`), "x", rowsFrom(0, size)));

/** How many units each transaction carries beside the shard's row. */
async function unitsPerTransaction(units: ReturnType<typeof sized>, limits?: GroupLimits): Promise<readonly number[]> {
  const carried: number[] = [];
  const table = memoryTable({
    onCall: (name, { moment, rowKeys }) => {
      if (name === "transact" && moment === "before") carried.push(rowKeys.filter(isMailboxKey).length);
    },
  });
  const store = storeOn(table, limits === undefined ? {} : { limits });
  await store.open();
  const stored = new Map<string, Held>();
  for (const { mailboxId } of new Set(units.map(({ next }) => next))) {
    if (!stored.has(mailboxId)) stored.set(mailboxId, await added(store, mailboxId));
  }
  const claim = await store.writeShardRow({ shard: "00", row: shardRow("run"), etag: null });
  if (claim === "superseded") throw new Error("Nobody else writes here.");
  carried.length = 0;
  await store.commitUnits(
    units.map((one) => ({ ...one, held: stored.get(one.next.mailboxId) ?? one.held })),
    claim,
  );
  return carried;
}

describe("packing units into transactions", () => {
  test("each unit counts its rows, what it forgets, and its checkpoint", () => {
    expect(groupSize([])).toBe(0);
    expect(groupSize(sized(0, 3))).toBe(5);
    expect(groupSize([{ ...unit(held("m"), "x", [row("a")]), forget: ["b", "c"] }])).toBe(4);
  });

  test.each([
    [
      "99 quiet units fit beside the shard's row, and no more",
      sized(...Array.from({ length: 120 }, () => 0)),
      [99, 21],
    ],
    ["units are taken whole and in order", sized(50, 40, 8), [2, 1]],
    ["a unit that fills a transaction goes alone", sized(98, 0), [1, 1]],
    ["a unit that is too large for one goes alone, in several", sized(150, 0), [1, 1, 1]],
    ["it also waits for its own turn", sized(0, 150), [1, 1, 1]],
    ["two units of one mailbox do not share a transaction", [unit(held("m"), "a"), unit(held("m"), "b")], [1, 1]],
  ])("%s", async (_, units, carried) => {
    expect(await unitsPerTransaction(units)).toEqual(carried);
  });

  test("bytes count as well as operations", async () => {
    const big = (mailboxId: string) =>
      unit(held(mailboxId), "x", [row("c", { resource: { text: "字".repeat(200_000) } })]);
    // 3.5 MiB of 600 KB each.
    expect(await unitsPerTransaction(["a", "b", "c", "d", "e", "f", "g", "h"].map(big))).toEqual([6, 2]);
  });

  test("limits may be made tiny", async () => {
    const limits = { operationsMax: 3, bodyBytesMax: 100_000, logUnitsMax: 100_000 };
    expect(await unitsPerTransaction(sized(0, 0, 0, 0), limits)).toEqual([2, 2]);
  });
});
