import { describe, expect, test } from "vitest";
import { createFeed, type DeltaPage, type MirrorFeed } from "../../shared/feed/feed.js";
import type { Table } from "../../shared/table/table.js";
import { key, type MailboxWorld, mailboxId, mailboxWorld, worldWith } from "../worlds/mailbox.js";
import { storeOn } from "../worlds/store.js";
import { interfered } from "../worlds/tables.js";

/** A page, short: `id=name` for a calendar, `-id` for a removal. */
const returned = (page: DeltaPage) =>
  page.rows.map(({ calendarId, removedMs, resource }) =>
    removedMs === null ? `${calendarId}=${resource["name"]}` : `-${calendarId}`,
  );

async function page({ feed }: MailboxWorld, token: string | null, size = 100): Promise<DeltaPage> {
  const answer = await feed.delta(mailboxId, token, size);
  if (answer.kind !== "page") throw new Error(`No page: ${answer.kind}`);
  return answer;
}

async function walk(world: MailboxWorld, from: string | null, size = 100) {
  const pages: string[][] = [];
  let token = from;
  for (;;) {
    const next = await page(world, token, size);
    pages.push(returned(next));
    token = next.token;
    if (next.link === "deltaLink") return { pages, token };
  }
}

describe("the delta feed", () => {
  test("I6: begins with all calendars, then returns only what has changed, in order", async () => {
    const world = await worldWith({ a: "A", b: "B" });
    const first = await walk(world, null);
    expect(first.pages).toEqual([["a=A", "b=B"]]);
    await world.page([{ id: "c", name: "C" }]);
    await world.page([
      { id: "a", name: "A2" },
      { id: "b", name: null },
    ]);
    const second = await walk(world, first.token);
    expect(second.pages).toEqual([["c=C", "a=A2", "-b"]]);
    expect((await walk(world, second.token)).pages).toEqual([[]]);
  });

  test("a token may be used again, and gives the same until something changes", async () => {
    const world = await worldWith({ a: "A" });
    const { token } = await walk(world, null);
    await world.page([{ id: "b", name: "B" }]);
    expect((await walk(world, token)).pages).toEqual([["b=B"]]);
    expect((await walk(world, token)).pages).toEqual([["b=B"]]);
  });

  test("a walk from nothing leaves out what was gone before it began, and returns what is removed meanwhile", async () => {
    const world = await worldWith({ a: "A", b: "B", c: "C" });
    await world.page([{ id: "b", name: null }]);
    const first = await page(world, null, 1);
    expect(returned(first)).toEqual(["a=A"]);
    await world.page([{ id: "a", name: null }]);
    expect((await walk(world, first.token, 1)).pages).toEqual([["c=C"], ["-a"]]);
  });

  test("what changes between two pages comes later again, and nothing else is lost or returned twice", async () => {
    const world = await worldWith({ a: "A", b: "B", c: "C", d: "D" });
    const first = await page(world, null, 2);
    expect(returned(first)).toEqual(["a=A", "b=B"]);
    await world.page([
      { id: "a", name: "A2" },
      { id: "c", name: "C2" },
    ]);
    expect((await walk(world, first.token, 2)).pages).toEqual([["d=D", "a=A2"], ["c=C2"]]);
  });

  test("I4: a full round that finds all as it was returns nothing, and else the net difference", async () => {
    const world = await worldWith({ a: "A", b: "B" });
    const { token } = await walk(world, null);
    await world.fullRound({ a: "A", b: "B" });
    expect((await walk(world, token)).pages).toEqual([[]]);
    await world.fullRound({ a: "A", c: "C" });
    expect((await walk(world, token)).pages).toEqual([["c=C", "-b"]]);
  });

  test("a call without news costs one request to the table, one with news three", async () => {
    const world = await worldWith({ a: "A" });
    const { token } = await walk(world, null);
    const counted = storeOn(world.table);
    const feed = createFeed({ store: counted, key });
    await feed.delta(mailboxId, token, 100);
    expect(counted.transactions()).toBe(1);
    await world.page([{ id: "a", name: "A2" }]);
    await feed.delta(mailboxId, token, 100);
    expect(counted.transactions()).toBe(4);
  });

  test("I6: a token passes no change that came after the checkpoint was read, and the walk does not end there", async () => {
    const world = await worldWith({ a: "A", b: "B" });
    let changes = 1;
    const store = storeOn(
      interfered(world.table, {
        before: async ({ name }) => {
          if (name !== "page" || changes-- <= 0) return;
          await world.page([
            { id: "a", name: "A2" },
            { id: "c", name: "C" },
          ]);
        },
      }),
    );
    const first = await page({ ...world, feed: createFeed({ store, key }) }, null);
    expect([returned(first), first.link]).toEqual([["b=B"], "nextLink"]);
    expect((await walk(world, first.token)).pages).toEqual([["a=A2", "c=C"]]);
  });

  test("I6: a walk from nothing names every calendar, also when a commit fell between its two reads", async () => {
    const world = await worldWith(Object.fromEntries([..."abcdefghi"].map((id) => [id, id])));
    let changes = 1;
    const commit = async ({ name }: { name: string }) => {
      if (name === "page" && changes-- > 0) await world.page([..."abcde"].map((id) => ({ id, name: `${id}2` })));
    };
    const feed = createFeed({ store: storeOn(interfered(world.table, { before: commit })), key });
    const { pages } = await walk({ ...world, feed }, null);
    expect(pages).toEqual([
      ["f=f", "g=g", "h=h", "i=i"],
      ["a=a2", "b=b2", "c=c2", "d=d2", "e=e2"],
    ]);
  });

  test("I1: half a unit can be read, and its other half follows", async () => {
    const world = await worldWith(
      { a: "A" },
      { store: { limits: { operationsMax: 3, bodyBytesMax: 100_000, logUnitsMax: 100_000 } } },
    );
    const { token } = await walk(world, null);
    await world.tornPage(["b", "c", "d"].map((id) => ({ id, name: id })));
    const half = await walk(world, token);
    expect(half.pages).toEqual([["b=b", "c=c"]]);
    await world.fullRound({ a: "A", b: "b", c: "c", d: "d" });
    expect((await walk(world, half.token)).pages).toEqual([["d=d"]]);
  });
});

describe("who must start over, and who must wait", () => {
  test("a token from before a retired tombstone has expired; one that has seen it goes on", async () => {
    const world = await worldWith({ a: "A", b: "B" });
    const old = (await walk(world, null)).token;
    await world.page([{ id: "b", name: null }]);
    const seen = (await walk(world, old)).token;
    await world.page([{ id: "a", name: "A2" }]);
    await world.retire();
    expect(await world.feed.delta(mailboxId, old, 100)).toMatchObject({ kind: "expired" });
    expect((await walk(world, seen)).pages).toEqual([["a=A2"]]);
    expect((await walk(world, null)).pages).toEqual([["a=A2"]]);
  });

  test("a walk in its middle outlives the retirement of what was gone before it began, and not of what went after", async () => {
    const world = await worldWith({ a: "A", b: "B", c: "C" });
    await world.page([{ id: "b", name: null }]);
    const middle = (await page(world, null, 1)).token;
    await world.retire();
    expect((await walk(world, middle)).pages).toEqual([["c=C"]]);
    await world.page([{ id: "a", name: null }]);
    await world.retire();
    expect(await world.feed.delta(mailboxId, middle, 1)).toMatchObject({ kind: "expired" });
  });

  test("a tombstone that is retired while its row is read is not passed over in silence", async () => {
    const world = await worldWith({ a: "A", b: "B" });
    const { token } = await walk(world, null);
    await world.page([{ id: "b", name: null }]);
    const store = storeOn(
      interfered(world.table, { before: ({ name }) => (name === "page" ? world.retire() : undefined) }),
    );
    expect(await createFeed({ store, key }).delta(mailboxId, token, 100)).toMatchObject({ kind: "expired" });
  });

  test("a token of an earlier epoch of the mailbox has expired", async () => {
    const world = await worldWith({ a: "A" });
    const { token } = await walk(world, null);
    await world.purge();
    expect(await world.feed.delta(mailboxId, token, 100)).toMatchObject({ kind: "unknownMailbox" });
    await world.add();
    expect(await world.feed.delta(mailboxId, token, 100)).toMatchObject({ kind: "notReady" });
    await world.fullRound({ a: "A" });
    expect(await world.feed.delta(mailboxId, token, 100)).toMatchObject({ kind: "expired" });
  });

  test("a token from a future that the table has lost has expired", async () => {
    const world = await worldWith({ a: "A" });
    const ahead = await worldWith({ a: "A" });
    await ahead.page([{ id: "b", name: "B" }]);
    expect(await world.feed.delta(mailboxId, (await walk(ahead, null)).token, 100)).toMatchObject({ kind: "expired" });
  });

  test("I3: before the first full round has ended nothing is returned, least of all an empty list", async () => {
    const world = await mailboxWorld();
    const all = () =>
      Promise.all([
        world.feed.delta(mailboxId, null, 100),
        world.feed.list(mailboxId, { token: null, pageSize: 100 }),
        world.feed.calendar(mailboxId, ["a"]),
      ]);
    expect(await all()).toMatchObject(Array(3).fill({ kind: "unknownMailbox" }));
    await world.add();
    expect(await all()).toMatchObject(Array(3).fill({ kind: "notReady" }));
    await world.page([{ id: "a", name: "A" }], false);
    expect(await all()).toMatchObject(Array(3).fill({ kind: "notReady" }));
  });

  test.each(["removing", "suspended"])("a mailbox that is %s is not served", async (parkedReason) => {
    const world = await worldWith({ a: "A" });
    const held = await world.held();
    await world.store.commitUnits([{ held, rows: [], next: { ...held.checkpoint, parkedReason } }], null);
    expect(await world.feed.list(mailboxId, { token: null, pageSize: 9 })).toMatchObject({ kind: "unknownMailbox" });
  });

  test("I3: a mailbox that is taken off the roster while its rows are read does not look empty", async () => {
    const world = await worldWith({ a: "A", b: "B" });
    const vanishing = () =>
      createFeed({
        store: storeOn(
          interfered(world.table, { before: ({ name }) => (name === "page" ? world.purge() : undefined) }),
        ),
        key,
      });
    expect(await vanishing().list(mailboxId, { token: null, pageSize: 9 })).toMatchObject({ kind: "unknownMailbox" });
    await world.add();
    await world.fullRound({ a: "A" });
    expect(await vanishing().delta(mailboxId, null, 9)).toMatchObject({ kind: "unknownMailbox" });
  });
});

describe("what a request costs the table", () => {
  /** Counts point reads and partition queries; a query of one page is one request. */
  function counted(world: MailboxWorld) {
    const counts = { reads: 0, queries: 0 };
    const table: Table = {
      ...world.table,
      get: (...given) => {
        counts.reads += 1;
        return world.table.get(...given);
      },
      pages: (...given) => {
        counts.queries += 1;
        return world.table.pages(...given);
      },
    };
    const feed = createFeed({ store: storeOn(table), key });
    const cost = async (ask: (feed: MirrorFeed) => Promise<{ readonly kind: string }>) => {
      Object.assign(counts, { reads: 0, queries: 0 });
      const { kind } = await ask(feed);
      return { kind, ...counts };
    };
    return cost;
  }

  test("is one partition query at the most, and none where nothing is new", async () => {
    const world = await worldWith({ a: "A", b: "B" });
    const cost = counted(world);
    const { token } = await page(world, null);
    const ask = { token: null, pageSize: 100 };
    const list = await world.feed.list(mailboxId, ask);
    const version = list.kind === "page" ? list.version : "";
    expect(await cost((feed) => feed.delta(mailboxId, token, 100))).toEqual({ kind: "page", reads: 1, queries: 0 });
    expect(await cost((feed) => feed.delta(mailboxId, null, 100))).toEqual({ kind: "page", reads: 2, queries: 1 });
    expect(await cost((feed) => feed.list(mailboxId, ask))).toEqual({ kind: "page", reads: 2, queries: 1 });
    expect(await cost((feed) => feed.list(mailboxId, { ...ask, holds: (held) => held === version }))).toEqual({
      kind: "unchanged",
      reads: 1,
      queries: 0,
    });
    expect(await cost((feed) => feed.calendar(mailboxId, ["a"]))).toEqual({ kind: "calendar", reads: 2, queries: 0 });
    await world.page([{ id: "a", name: "A2" }]);
    expect(await cost((feed) => feed.delta(mailboxId, token, 100))).toEqual({ kind: "page", reads: 2, queries: 1 });
  });
});
