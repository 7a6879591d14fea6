import fc from "fast-check";
import { expect, test } from "vitest";
import { createFeed } from "../../shared/feed/feed.js";
import { readOptionsOf } from "../../shared/http/beta/queryOptions.js";
import type { Json } from "../../shared/sync/types.js";
import { type Edit, key, type MailboxWorld, mailboxId, worldWith } from "../worlds/mailbox.js";
import { storeOn } from "../worlds/store.js";
import { interfered } from "../worlds/tables.js";
import { ListReader, type Names, Reader } from "./reader.js";

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
      // So many that a position of an earlier epoch fits in: only the epoch differs.
      return world.fullRound(Object.fromEntries([..."abcdegh"].map((each) => [each, "anew"])));
  }
}

/** The steps of a reader: how large its next page is, and what happens before each of the table calls of that step. */
const steps = fc.array(
  fc.record({ pageSize: fc.integer({ min: 1, max: 5 }), during: fc.array(fc.array(happening, { maxLength: 2 })) }),
  { maxLength: 12 },
);

/** A step in which nothing happens. */
const atOnce = { pageSize: 5, during: [] };

/** A mailbox to which things happen before each of a reader's calls to the table. */
async function eventful(first: Readonly<Record<string, string>>, before: readonly Happening[]) {
  // Few operations per transaction tear many units; small pages make every query a walk of its own.
  const store = { limits: { operationsMax: 4, bodyBytesMax: 100_000, logUnitsMax: 100_000 } };
  const world = await worldWith(first, { table: { pageSize: 2 }, store });
  for (const what of before) await happen(world, what);
  const pending: (readonly Happening[])[] = [];
  const observer: { note: (now: Awaited<ReturnType<MailboxWorld["alive"]>>) => void } = { note: () => undefined };
  const step = async () => {
    for (const what of pending.shift() ?? []) {
      await happen(world, what);
      observer.note(await world.alive());
    }
  };
  const feed = createFeed({ store: storeOn(interfered(world.table, { before: step })), key });
  const sequence = async () => (await world.store.readMailbox(mailboxId))?.checkpoint.sequence ?? null;
  /** What happens before the next calls, and nothing else. */
  const expect = (during: readonly (readonly Happening[])[]) => void pending.splice(0, pending.length, ...during);
  return { world, feed, observer, mirror: { sequence, alive: world.alive }, expect };
}

test("I6: a reader that starts at any time and pages with any size, while all goes on, ends each walk with the mirror at one moment of it, and at last with exactly the mirror", async () => {
  let expired = 0;
  await fc.assert(
    fc.asyncProperty(names, fc.array(happening, { maxLength: 4 }), steps, async (first, before, story) => {
      const { world, feed, observer, mirror, expect: next } = await eventful(first, before);
      const reader = new Reader(mailboxId, mirror);
      observer.note = (now) => reader.note(now);
      for (const { pageSize, during } of story) {
        next(during);
        await reader.step(feed, pageSize);
      }
      // Calm: an unfinished round ends, and the reader follows the feed to its end.
      next([]);
      await world.page([]);
      reader.note(await world.alive());
      let steps = 0;
      while (!(await reader.step(feed, 2))) {
        steps += 1;
        if (steps > 50) throw new Error("The feed does not end.");
      }
      await reader.step(feed, 2); // The deltaLink that it ended with may have been given before the calm.
      expect(reader.copy).toEqual(await world.alive());
      expect(reader.faults).toEqual([]);
      expired += reader.expired;
    }),
    { numRuns: 300, examples: [[{ a: "x" }, [], [atOnce, { pageSize: 5, during: [[{ kind: "replace" }]] }, atOnce]]] },
  );
  expect(expired, "some readers had to start over").toBeGreaterThan(0);
});

const byId = (names: Names): readonly (readonly [string, Json])[] =>
  [...names].sort(([one], [other]) => (one < other ? -1 : 1));
const isNotX = ([, name]: readonly [string, Json]) => name !== "x";
const descending = (names: readonly (readonly [string, Json])[]) =>
  [...names].sort(([, one], [, other]) => (String(one) === String(other) ? 0 : String(one) < String(other) ? 1 : -1));

/** Lists by their query options, and what each shows of a mirror. */
const lists: readonly (readonly [options: string, shows: (now: Names) => readonly (readonly [string, Json])[]])[] = [
  ["", byId],
  ["$filter=name ne 'x'", (now) => byId(now).filter(isNotX)],
  ["$orderby=name desc", (now) => descending(byId(now))],
  ["$filter=name ne 'X'&$orderby=name desc&$skip=1", (now) => descending(byId(now).filter(isNotX)).slice(1)],
  ["$skip=2", (now) => byId(now).slice(2)],
];

test.each(lists)(
  "I6: a list of any number of pages that ends is the mirror at one moment of it, in its order, whatever goes on meanwhile (%s)",
  async (options, shows) => {
    const counts = { ended: 0, expired: 0 };
    const read = readOptionsOf(new URL(`https://mirror.example/?${options}`), ["$filter", "$orderby", "$skip"]);
    if ("mistake" in read) throw new Error(read.mistake);
    const asked = { query: read.query, shows: (now: Names) => new Map(shows(now)) };
    await fc.assert(
      fc.asyncProperty(names, fc.array(happening, { maxLength: 4 }), steps, async (first, before, story) => {
        const { feed, observer, mirror, expect: next } = await eventful(first, before);
        const reader = new ListReader(mailboxId, mirror, asked);
        observer.note = (now) => reader.note(now);
        for (const { pageSize, during } of story) {
          next(during);
          await reader.step(feed, pageSize);
        }
        expect(reader.faults).toEqual([]);
        counts.ended += reader.ended;
        counts.expired += reader.expired;
      }),
      {
        numRuns: options === "" ? 300 : 100,
        examples: [
          [{ a: "x" }, [], [atOnce]],
          [
            { a: "y", b: "y", c: "y", d: "y" },
            [],
            [
              { pageSize: 1, during: [] },
              { pageSize: 1, during: [[{ kind: "replace" }]] },
            ],
          ],
          // A calendar moves from what is still to come to what is past, in an order of its own.
          [
            { a: "y", b: "z", c: "y", d: "y" },
            [],
            [
              { pageSize: 1, during: [] },
              { pageSize: 5, during: [[{ kind: "page", edits: [{ id: "d", name: "zz" }], isLast: true }]] },
            ],
          ],
        ],
      },
    );
    expect(counts.ended, "some lists came to their end").toBeGreaterThan(0);
    expect(counts.expired, "some lists had to begin anew").toBeGreaterThan(0);
  },
);
