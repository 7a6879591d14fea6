import { describe, expect, test } from "vitest";
import { type PaceOptions, paceTick } from "../../bench/paceWorld.js";

/**
 * A million mailboxes in virtual time, under Graph's limit for an application of 130,000 requests in 10 s. One mailbox
 * stands for ten: a batch holds 2 and the limit is 13,000, so all ratios are those of the million.
 * `npm run bench:pace` does the same with every mailbox.
 */
const million = {
  mailboxes: 1_000_000,
  shards: 256,
  isPaced: true,
  graphMsPerItem: 120,
  tickMs: 300_000,
  standsFor: 10,
} as const;

const tick = (options: Partial<PaceOptions> & Pick<PaceOptions, "instances">) => paceTick({ ...million, ...options });

describe("a tick of a million mailboxes in 256 shards", () => {
  test.each([8, 16])(
    "with %i instances: asks for all of them, and Graph never throttles",
    { timeout: 120_000 },
    async (instances) => {
      const end = await tick({ instances });
      expect(end).toMatchObject({ throttledAfterSeconds: null, runsDone: 256, answered: 1_000_000 });
      expect(end.peakShare).toBeLessThan(0.75);
      expect(end.seconds).toBeLessThan(300);
    },
  );

  test.each([8, 16])(
    "with %i instances: whose runs all begin together meets the limit within seconds",
    { timeout: 120_000 },
    async (instances) => {
      const end = await tick({ instances, isPaced: false });
      expect(end.throttledAfterSeconds).toBeLessThan(15);
      expect(end.peakShare).toBeGreaterThanOrEqual(1);
    },
  );
});
