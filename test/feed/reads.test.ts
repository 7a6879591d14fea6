import { describe, expect, test } from "vitest";
import { createFeed, type ListPage } from "../../shared/feed/feed.js";
import { key, type MailboxWorld, mailboxId, worldWith } from "../worlds/mailbox.js";
import { storeOn } from "../worlds/store.js";
import { interfered } from "../worlds/tables.js";

describe("single calendars", () => {
  test("I3: one is not missing because its mailbox left while its row was read", async () => {
    const world = await worldWith({ a: "A" });
    // The row is read beside the checkpoint: by then the mailbox has gone, and perhaps is back and in its first round.
    const store = { ...world.store, readCalendar: async () => null };
    const leaving = (after: () => Promise<void>) =>
      createFeed({
        key,
        store: {
          ...store,
          readCalendar: async () => {
            await world.purge();
            await after();
            return null;
          },
        },
      }).calendar(mailboxId, ["a"]);
    expect(await leaving(async () => undefined)).toMatchObject({ kind: "unknownMailbox" });
    await world.add();
    await world.fullRound({ a: "A" });
    expect(await leaving(world.add)).toMatchObject({ kind: "notReady" });
    await world.fullRound({ a: "A" });
    const back = async () => {
      await world.add();
      await world.fullRound({ a: "A" });
    };
    expect(await leaving(back)).toMatchObject({ kind: "unsettled" });
    expect(await createFeed({ key, store }).calendar(mailboxId, ["a"])).toMatchObject({ kind: "unknownCalendar" });
  });

  test("their version differs between two epochs of a mailbox, even by a row that was read beside the other's checkpoint", async () => {
    const world = await worldWith({ a: "A" });
    const old = await world.store.readCalendar(mailboxId, "a");
    await world.purge();
    world.clock.ms += 1;
    await world.add();
    await world.fullRound({ a: "another" });
    const mixed = createFeed({ key, store: { ...world.store, readCalendar: async () => old } });
    const [stale, now] = await Promise.all([mixed, world.feed].map((feed) => feed.calendar(mailboxId, ["a"])));
    if (stale?.kind !== "calendar" || now?.kind !== "calendar") throw new Error("No calendar.");
    expect(stale.row.sequence).toBe(now.row.sequence);
    expect(stale.version).not.toBe(now.version);
  });
});

describe("lists", () => {
  const list = async ({ feed }: MailboxWorld, token: string | null, pageSize = 2): Promise<ListPage> => {
    const answer = await feed.list(mailboxId, { token, pageSize });
    if (answer.kind !== "page") throw new Error(`No page: ${answer.kind}`);
    return answer;
  };
  const ids = ({ rows }: ListPage) => rows.map(({ calendarId }) => calendarId);

  test("I6: page in the order of ids, and return what is still to come as it is then", async () => {
    const world = await worldWith({ a: "A", b: "B", c: "C", d: "D" });
    const first = await list(world, null);
    await world.page([
      { id: "c", name: "C2" },
      { id: "d", name: null },
      { id: "e", name: "E" },
    ]);
    const second = await list(world, first.token);
    expect([ids(first), ids(second), second.token]).toEqual([["a", "b"], ["c", "e"], null]);
    expect(second.rows[0]?.resource["name"]).toBe("C2");
  });

  test.each([
    ["changes", [{ id: "b", name: "B2" }]],
    ["is removed", [{ id: "a", name: null }]],
    ["appears before its place", [{ id: "aa", name: "AA" }]],
  ])("I6: begin anew when a calendar of earlier pages %s", async (_what, edits) => {
    const world = await worldWith({ a: "A", b: "B", c: "C" });
    const { token } = await list(world, null);
    await world.page(edits);
    expect(await world.feed.list(mailboxId, { token, pageSize: 2 })).toMatchObject({ kind: "expired" });
    expect(ids(await list(world, null, 9))).toEqual([...(await world.alive()).keys()]);
  });

  test("I6: begin anew when the tombstone of a returned calendar was deleted", async () => {
    const world = await worldWith({ a: "A", b: "B", c: "C" });
    const { token } = await list(world, null);
    await world.page([{ id: "a", name: null }]);
    await world.retire();
    expect(await world.feed.list(mailboxId, { token, pageSize: 2 })).toMatchObject({ kind: "expired" });
  });

  test("a list's token of an earlier epoch of the mailbox has expired", async () => {
    const world = await worldWith({ a: "A", b: "B", c: "C" });
    const { token } = await list(world, null);
    await world.purge();
    await world.add();
    await world.fullRound({ a: "A", b: "B", c: "C" });
    expect(await world.feed.list(mailboxId, { token, pageSize: 2 })).toMatchObject({ kind: "expired" });
    const any = { token, pageSize: 2, holds: () => true };
    expect(await world.feed.list(mailboxId, any)).toMatchObject({ kind: "expired" });
  });

  test("I6: rows that changed while they were read are read again, and not for ever", async () => {
    const world = await worldWith({ a: "A", b: "B" });
    const changing = (times: number) => {
      let left = times;
      const change = async ({ name }: { name: string }) => {
        if (name === "page" && left-- > 0) await world.page([{ id: "a", name: `A${left}` }]);
      };
      return createFeed({ store: storeOn(interfered(world.table, { before: change })), key });
    };
    const settled = await changing(2).list(mailboxId, { token: null, pageSize: 9 });
    expect(settled).toMatchObject({ kind: "page", checkpoint: { sequence: 4 } });
    const ask = { token: null, pageSize: 9 };
    expect(await changing(99).list(mailboxId, ask)).toMatchObject({ kind: "unsettled" });
  });

  test("their version moves with every real change, and with nothing else", async () => {
    const world = await worldWith({ a: "A", b: "B" });
    const { version } = await list(world, null);
    await world.fullRound({ a: "A", b: "B" });
    expect((await list(world, null)).version).toBe(version);
    expect((await list(world, null, 9)).version).not.toBe(version);
    await world.page([{ id: "a", name: "A2" }]);
    expect((await list(world, null)).version).not.toBe(version);
  });

  test("a reader that holds the version costs one request to the table, a list three", async () => {
    const world = await worldWith({ a: "A" });
    const { version } = await list(world, null);
    const counted = storeOn(world.table);
    const feed = createFeed({ store: counted, key });
    const unchanged = await feed.list(mailboxId, { token: null, pageSize: 2, holds: (held) => held === version });
    expect([unchanged.kind, counted.transactions()]).toEqual(["unchanged", 1]);
    await feed.list(mailboxId, { token: null, pageSize: 2 });
    expect(counted.transactions()).toBe(4);
  });
});
