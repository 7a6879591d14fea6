import { describe, expect, test } from "vitest";
import { groupSize, type Held, packGroup } from "../../shared/store/store.js";
import { checkpoint, row, rowsFrom, unit } from "../worlds/rows.js";

const held = (mailboxId: string): Held => ({ checkpoint: checkpoint(mailboxId), etag: "e" });
const sized = (...sizes: readonly number[]) =>
  sizes.map((size, index) => unit(held(`m${index}`), "x", rowsFrom(0, size)));

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
    ["it also waits for its own turn", sized(0, 150), 1],
    ["two units of one mailbox do not share a transaction", [unit(held("m"), "a"), unit(held("m"), "b")], 1],
  ])("%s", (_, units, count) => {
    expect(packGroup(units)).toBe(count);
  });

  test("bytes count as well as operations", () => {
    const big = (mailboxId: string) =>
      unit(held(mailboxId), "x", [row("c", { resource: { text: "字".repeat(200_000) } })]);
    expect(packGroup(["a", "b", "c", "d", "e", "f", "g", "h"].map(big))).toBe(6); // 3.5 MiB of 600 KB each.
  });

  test("limits may be made tiny", () => {
    expect(packGroup(sized(0, 0, 0, 0), { operationsMax: 3, bodyBytesMax: 100_000 })).toBe(2);
  });
});
