import fc from "fast-check";
import { expect, test } from "vitest";
import { areMarks, isMarkedBy, withMarks } from "../../shared/sync/marks.js";

const sequences = fc.array(fc.oneof(fc.nat({ max: 40 }), fc.maxSafeNat()), { minLength: 1, maxLength: 20 });

test("I3: marks are just the sequences that were marked, in whatever order and number of pages", () => {
  fc.assert(
    fc.property(fc.array(sequences, { minLength: 1, maxLength: 5 }), (pages) => {
      let marks: string | null = null;
      for (const page of pages) marks = withMarks(marks, page, 10_000);
      const all = new Set(pages.flat());
      const isMarked = isMarkedBy(marks);
      expect(areMarks(marks ?? "")).toBe(true);
      for (const one of all) for (const near of [one - 1, one, one + 1]) expect(isMarked(near)).toBe(all.has(near));
    }),
  );
});

test("neighbours share a range, and what would not fit is refused whole", () => {
  expect(withMarks("2-4", [7, 5, 9, 1], 7)).toBe("1-5,7,9");
  expect(withMarks("2-4", [7, 5, 9, 1], 6)).toBeNull();
  expect(isMarkedBy(null)(1)).toBe(false);
});

test.each(["", "x", "1-", "3-2", "5,4", "1-5,5", "1,,2", "1 ", "-1", "1e3", "99999999999999999"])(
  "I3: %j holds no marks, and nobody guesses at what it means",
  (text) => {
    expect(areMarks(text)).toBe(false);
    expect(() => isMarkedBy(text)).toThrow();
  },
);
