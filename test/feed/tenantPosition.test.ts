import { describe, expect, test } from "vitest";
import { followed } from "../../shared/feed/tenantPosition.js";
import type { LogRow } from "../../shared/sync/changeLog.js";

const rows = (...numbers: readonly number[]): readonly LogRow[] =>
  numbers.map((number) => ({ number, atMs: number, entries: [] }));
const numbers = (read: readonly LogRow[] | null) => read?.map(({ number }) => number) ?? null;

describe("I13: a position in a log", () => {
  test.each([
    ["whose own row stands", 3, [3, 4, 5], [4, 5]],
    ["whose own row is gone, and the next one stands", 3, [4, 5], [4, 5]],
    ["that is the last one", 3, [3], []],
    ["before the first row", 0, [1, 2], [1, 2]],
    ["of a log without rows", 0, [], []],
  ])("%s is valid", (_what, number, read, expected) => {
    expect(numbers(followed(number, rows(...read)))).toEqual(expected);
  });

  test.each([
    ["whose next row is gone", 3, [5, 6]],
    ["above the last one, as after a restore", 3, []],
    ["before the first row, where the first rows are gone", 0, [2, 3]],
    ["from which on rows went between two pages of the query", 3, [3, 4, 7, 8]],
  ])("%s has expired", (_what, number, read) => {
    expect(followed(number, rows(...read))).toBeNull();
  });

  test("I13: a row that cannot be read is as good as gone behind the position, and is enough where the position stands on it", () => {
    const unreadable = { number: 4, unreadable: "No list." };
    expect(followed(3, [...rows(3), unreadable, ...rows(5)])).toBeNull();
    expect(numbers(followed(4, [unreadable, ...rows(5, 6)]))).toEqual([5, 6]);
    expect(numbers(followed(4, [unreadable]))).toEqual([]);
  });
});
