import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { MUTANTS } from "./mutantList.js";

const root = join(import.meta.dirname, "..", "..");

describe("every mutant of `npm run sim:mutants`", () => {
  test.each(MUTANTS)(
    "$name: fits just one place, changes it, and names tests that exist",
    ({ file, from, to, unit = [] }) => {
      expect(readFileSync(join(root, file), "utf8").split(from)).toHaveLength(2);
      expect(to).not.toBe(from);
      // Vitest fails on a path that fits no test, which would count as a mutant that was found.
      expect(unit.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    },
  );

  test("has a name of its own", () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });
});
