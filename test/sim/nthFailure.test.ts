import { describe, expect, test } from "vitest";
import { sweep, TROUBLES } from "./sweep.js";

describe("I1 to I9 hold whichever call of a scenario goes wrong, and the mirror comes right again", () => {
  test.each(Object.keys(TROUBLES))("when the n-th call %s", async (trouble) => {
    let nth = 1;
    for (;;) {
      const { injected, calls, violation } = await sweep(trouble, nth);
      expect({ nth, violation }).toEqual({ nth, violation: null });
      if (!injected) break;
      expect(calls).toBeGreaterThanOrEqual(nth);
      nth += 1;
    }
    expect(nth).toBeGreaterThan(20); // A scenario that makes no calls would prove nothing.
  });
});
