import fc from "fast-check";
import { expect, test } from "vitest";
import { startOver } from "../../shared/sync/checkpoint.js";
import { decide } from "../../shared/sync/decide.js";
import { settle } from "../../shared/sync/settle.js";
import type { CalendarRow, Checkpoint, Item } from "../../shared/sync/types.js";
import { checkpointIn, item, lastPage, moment, nowMs, page, removal } from "../worlds/rows.js";

/** A page as a draw: the calendars that it tells of, by number, each with a name, or null where it was removed. */
const anyPage = fc.array(fc.tuple(fc.nat({ max: 9 }), fc.constantFrom("x", "y", null)), { maxLength: 6 });
/** Rounds of pages. One that is given up leaves what its pages have brought. */
const anyRounds = fc.array(
  fc.record({
    pages: fc.array(anyPage, { minLength: 1, maxLength: 4 }),
    isGivenUp: fc.boolean(),
    isFull: fc.boolean(),
    marksCharsMax: fc.constantFrom(0, 3, 6, 4_000),
  }),
  { minLength: 1, maxLength: 6 },
);

/** One mailbox: pages are decided, settled and stored, as a run does it. */
function mailbox() {
  let checkpoint: Checkpoint = checkpointIn("initial");
  const rows = new Map<string, CalendarRow>();
  let links = 0;
  return {
    rows,
    checkpoint: () => checkpoint,
    startOver: () => {
      // As confirmed: sudden mass removals have tests of their own.
      checkpoint = { ...startOver(checkpoint, "reset"), heldRemovals: 0 };
    },
    read: (items: readonly Item[], isLast: boolean, marksCharsMax: number) => {
      const link = `link-${++links}`;
      const step = decide(checkpoint, isLast ? lastPage(link, items) : page(link, items), moment);
      if (step.kind !== "apply") throw new Error(`Not applied: ${step.kind}`);
      const unit = settle(step, checkpoint, [...rows.values()], { nowMs, marksCharsMax });
      for (const row of unit.rows) rows.set(row.calendarId, row);
      checkpoint = unit.next;
      return unit;
    },
  };
}

test("I3, I4: after any rounds, of any pages, given up or not, what is alive is just what a full round saw and later ones told", () => {
  fc.assert(
    fc.property(anyRounds, (rounds) => {
      const world = mailbox();
      let truth = new Map<string, string>();
      for (const { pages, isGivenUp, isFull, marksCharsMax } of rounds) {
        const opensFull = isFull || world.checkpoint().phase === "initial";
        if (opensFull) world.startOver();
        const seen = opensFull ? new Map<string, string>() : truth;
        for (const [index, each] of pages.entries()) {
          const isLast = index === pages.length - 1;
          if (isLast && isGivenUp && opensFull) break;
          for (const [number, name] of each) {
            if (name === null) seen.delete(`c${number}`);
            else seen.set(`c${number}`, name);
          }
          const items = each.map(([id, name]) => (name === null ? removal(`c${id}`) : item(`c${id}`, { name })));
          world.read(items, isLast, marksCharsMax);
        }
        if (isGivenUp && opensFull) world.startOver();
        else truth = seen;
        if (world.checkpoint().phase !== "idle") continue;
        const alive = [...world.rows.values()].filter(({ removedMs }) => removedMs === null);
        const names = alive.map(({ calendarId, resource }) => [calendarId, resource["name"]]);
        expect(new Map(names as [string, string][])).toEqual(truth);
      }
    }),
    { numRuns: 500 },
  );
});

test.each([1, 3, 7])(
  "I5: a full round of %i pages that changes nothing writes no row, however many calendars",
  (count) => {
    const world = mailbox();
    const calendars = Array.from({ length: 700 }, (_, index) => item(`c${(index * 37) % 700}`));
    const pages = Array.from({ length: count }, (_, index) => calendars.filter((_each, at) => at % count === index));
    world.read(calendars, true, 4_000);
    world.startOver();
    const written = pages.flatMap((items, index) => world.read(items, index === count - 1, 4_000).rows);
    expect(written).toEqual([]);
    expect(world.checkpoint()).toMatchObject({ phase: "idle", calendarCount: 700, generation: 2, marks: null });
  },
);
