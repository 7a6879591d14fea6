import { describe, expect, test } from "vitest";
import { planOf } from "./plan.js";
import { replayCommand } from "./shrink.js";
import { simulate } from "./simulate.js";

/** More of them: `npm run sim`. */
const seeds = 500;
const perTest = 50;
const blocks = Array.from({ length: seeds / perTest }, (_, index) => index * perTest + 1);

describe("I1, I2, I3, I4, I5, I6, I7, I8, I9, I10, I11, I12 and I13 hold in any storm, and after it the mirror is the mailboxes", () => {
  test.each(blocks)(`in ${perTest} seeds from %i`, async (from) => {
    for (let seed = from; seed < from + perTest; seed++) {
      const { violation } = await simulate(planOf(seed));
      expect({ violation, replay: replayCommand(seed) }).toEqual({ violation: null, replay: replayCommand(seed) });
    }
  });

  test("the same seed is the same world", async () => {
    const traces = await Promise.all(
      [1, 2].map(async () => {
        const lines: string[] = [];
        await simulate(planOf(7), (line) => lines.push(line));
        return lines;
      }),
    );
    expect(traces[0]?.length).toBeGreaterThan(50);
    expect(traces[1]).toEqual(traces[0]);
  });
});
