import fc from "fast-check";
import { expect, test } from "vitest";
import { createFeed } from "../../shared/feed/feed.js";
import { storeOn } from "../store/builders.js";
import { between, type Edit, key, type MailboxWorld, mailboxId, worldWith } from "./mailboxWorld.js";
import { Reader } from "./reader.js";

/** Something that happens in the mailbox or to its rows. */
type Happening =
  | { readonly kind: "page" | "tornPage"; readonly edits: readonly Edit[]; readonly isLast: boolean }
  | { readonly kind: "fullRound"; readonly names: Readonly<Record<string, string>> }
  | { readonly kind: "retire" | "replace" };

const id = fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h");
const edits = fc.array(fc.record({ id, name: fc.oneof(fc.constantFrom("x", "y"), fc.constant(null)) }), {
  minLength: 1,
  maxLength: 6,
});
const names = fc.dictionary(id, fc.constantFrom("x", "y", "z"), { maxKeys: 8 });
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("page" as const), edits, isLast: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("tornPage" as const), edits, isLast: fc.constant(true) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("fullRound" as const), names }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("retire" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("replace" as const) }) },
);

async function happen(world: MailboxWorld, what: Happening): Promise<void> {
  switch (what.kind) {
    case "page":
      return world.page(what.edits, what.isLast);
    case "tornPage":
      return world.tornPage(what.edits);
    case "fullRound":
      return world.fullRound(what.names);
    case "retire":
      return world.retire();
    case "replace":
      await world.purge();
      await world.add();
      // So many that an earlier life's position fits in: only the epoch tells the two lives apart.
      return world.fullRound(Object.fromEntries([..."abcdegh"].map((each) => [each, "anew"])));
  }
}

/** The turns of a reader: how large its next page is, and what happens before each of the table calls of that turn. */
const turns = fc.array(
  fc.record({ pageSize: fc.integer({ min: 1, max: 5 }), during: fc.array(fc.array(happening, { maxLength: 2 })) }),
  { maxLength: 12 },
);

/** A turn in which nothing happens. */
const atOnce = { pageSize: 5, during: [] };

test("I6: a reader that starts at any time and pages with any size, while all goes on, ends with exactly the mirror", async () => {
  let expired = 0;
  await fc.assert(
    fc.asyncProperty(names, fc.array(happening, { maxLength: 4 }), turns, async (first, before, story) => {
      // Few operations per transaction tear many units; small pages make every query a walk of its own.
      const store = { limits: { operationsMax: 4, bodyBytesMax: 100_000 } };
      const world = await worldWith(first, { table: { pageSize: 2 }, store });
      for (const what of before) await happen(world, what);

      let pending: readonly (readonly Happening[])[] = [];
      const step = async () => {
        const [next = [], ...rest] = pending;
        pending = rest;
        for (const what of next) await happen(world, what);
      };
      const watched = storeOn(between(world.table, step));
      const feed = createFeed({ store: watched, key });
      const sequence = async () => (await world.store.readMailbox(mailboxId))?.checkpoint.sequence ?? null;
      const reader = new Reader(mailboxId, sequence);
      for (const { pageSize, during } of story) {
        pending = during;
        await reader.step(feed, pageSize);
      }
      // Calm: an unfinished round ends, and the reader follows the feed to its end.
      pending = [];
      await world.page([]);
      let steps = 0;
      while (!(await reader.step(feed, 2))) {
        steps += 1;
        if (steps > 50) throw new Error("The feed does not end.");
      }
      expect(reader.copy).toEqual(await world.alive());
      expect(reader.faults).toEqual([]);
      expired += reader.expired;
    }),
    { numRuns: 300, examples: [[{ a: "x" }, [], [atOnce, { pageSize: 5, during: [[{ kind: "replace" }]] }, atOnce]]] },
  );
  expect(expired, "some readers had to start over").toBeGreaterThan(0);
});
