import { describe, expect, test } from "vitest";
import { actOnSubscriber } from "../../shared/actions/subscriber.js";
import { LogTimes } from "../../shared/push/behind.js";
import { logKey, shardRowKey } from "../../shared/store/keys.js";
import type { Subscription } from "../../shared/sync/subscription.js";
import type { ColumnValue } from "../../shared/table/table.js";
import { subscriberCounter } from "../../shared/views/subscribers.js";
import { minuteMs, startMs } from "../worlds/parts.js";
import { entryOf, inWords, pushWorld } from "../worlds/push.js";

/** Rows of a log that a foreign hand has spoilt or deleted: what becomes of those who are told of it. */

const url = "https://receiver.example/hook";
const life = "https://life.example";

/** A log of so many rows, each about a calendar of its own, and a subscriber to all of it. */
async function told(rows: number, changed: Partial<Subscription> = {}) {
  const world = await pushWorld({ shareLimits: { rowsMax: 3 } });
  const id = await world.subscribe({ lifecycleNotificationUrl: life, ...changed });
  for (let number = 1; number <= rows; number++) await world.tell([entryOf("m", `c${number}`)]);
  const spoil = async (number: number, columns: Readonly<Record<string, ColumnValue>>) => {
    const rowKey = logKey(number);
    const stored = await world.table.get("00", rowKey);
    await world.table.transact("00", [{ kind: "upsert", rowKey, columns: { ...stored?.columns, ...columns } }]);
  };
  const remove = (number: number) =>
    world.table.transact("00", [{ kind: "delete", rowKey: logKey(number), etag: "*" }]);
  const lifecycle = () => world.got.flatMap((one) => one.lifecycle ?? []);
  return { world, id, spoil, remove, lifecycle, words: () => inWords(world.keptBy(url)) };
}
const created = (...numbers: readonly number[]) => numbers.map((number) => `created m/c${number}`);
const nothing = { entries: "no JSON" };

describe("I15: a row of a log that cannot be read stops nobody", () => {
  test.each<[string, Readonly<Record<string, ColumnValue>>, string]>([
    ["has no time", { at: "never" }, "column at"],
    ["names no mailboxes", nothing, "column entries holds no list"],
    ["names mailboxes in another way", { entries: "[7]" }, "column entries holds something that is no entry"],
  ])("that %s: missed is sent, all others are told, and the log says which it was", async (_how, columns, why) => {
    const { world, id, spoil, lifecycle, words } = await told(9);
    await spoil(4, columns);
    await spoil(5, columns);
    expect(await world.deliver(id)).toMatchObject({ kind: "upToDate" });
    expect(words()).toEqual(created(1, 2, 3, 6, 7, 8, 9));
    expect(lifecycle()).toEqual(["missed"]);
    const line = world.logged.find((one) => one.includes("a subscriber has missed what a log held")) ?? "";
    expect(line).toContain(`"row":4,"why":"Row ${logKey(4)} in partition 00 cannot be read: ${why}`);
    expect(await world.held(id)).toMatchObject({ position: world.position(9), missedMs: null, lastMissedMs: startMs });
  });

  test("that still names its mailboxes: their calendars are told as a whole, and nobody else has missed anything", async () => {
    const { world, id, spoil, lifecycle, words } = await told(3);
    const other = await world.subscribe({
      ...{
        subscriptionId: "3f0c0000-0000-4000-8000-000000000001",
        mailboxId: "other",
        notificationUrl: "https://other",
      },
    });
    for (const changes of ["no JSON", "[7]", '[{"changes":[{"kind":"new","calendarId":"a"}],"leftOut":0}]']) {
      await spoil(2, { changes });
      await world.deliver(id);
      await world.deliver(other);
      expect(words()).toEqual(["created m/c1", "updated m/*", "created m/c3"]);
      expect([lifecycle(), world.keptBy("https://other")]).toEqual([[], []]);
    }
    expect(await world.held(other)).toMatchObject({ position: world.position(3), lastMissedMs: null });
  });

  test.each([[[1]], [[4]], [[4, 5, 6]], [[9]], [[1, 2, 3, 4, 5, 6, 7, 8]]])(
    "rows %j that were deleted by hand are missed, once, and those behind them are told",
    async (gone) => {
      const { world, id, remove, lifecycle, words } = await told(9);
      for (const number of gone) await remove(number);
      expect(await world.deliver(id)).toMatchObject({ kind: "upToDate" });
      const left = [1, 2, 3, 4, 5, 6, 7, 8, 9].filter((number) => !gone.includes(number));
      expect(words()).toEqual(created(...left));
      expect(lifecycle()).toEqual(["missed"]);
    },
  );

  test("whoever stands within the row when it is spoilt goes on behind it", async () => {
    const { world, id, spoil, lifecycle, words } = await told(2, {
      position: { "00": { number: 0, entries: 1, sent: 0 } },
    });
    await spoil(1, nothing);
    await world.deliver(id);
    expect([words(), lifecycle()]).toEqual([created(2), ["missed"]]);
  });

  test("a shard's row that cannot be read hides no end of its log, from this shard or another", async () => {
    const { world, id, words } = await told(3);
    const columns = { log: "no JSON", logNumber: "x", run: "no JSON" };
    const stored = await world.table.get("00", shardRowKey);
    await world.table.transact("00", [
      {
        kind: "upsert",
        rowKey: shardRowKey,
        columns: {
          ...Object.fromEntries(Object.keys(stored?.columns ?? {}).map((name) => [name, "spoilt"])),
          ...columns,
        },
      },
    ]);
    await expect(world.store.readShardRow("00")).rejects.toThrow("cannot be read");
    expect(await world.due()).toEqual([id]);
    await world.deliver(id);
    expect(words()).toEqual(created(1, 2, 3));
  });
});

describe("operators", () => {
  test("see when a subscriber last missed something, and which row it was, also after it was told so", async () => {
    const { world, id, spoil } = await told(3, { lifecycleNotificationUrl: null });
    await spoil(2, nothing);
    await world.deliver(id);
    const { lastMissed } = await subscriberCounter(new LogTimes())(world.store, { "00": 3 }, startMs);
    expect((await world.held(id))?.missedMs).toBeNull(); // There is no address to tell it so.
    expect(lastMissed).toEqual({
      ...{ at: new Date(startMs).toISOString(), subscriber: id },
      why: `Row ${logKey(2)} in partition 00 cannot be read: column entries holds no list.`,
    });
  });

  test("replay over a row that cannot be read: it is found by those beside it, and missed anew", async () => {
    const { world, id, spoil, words, lifecycle } = await told(5);
    await world.deliver(id);
    for (const number of [1, 3]) await spoil(number, nothing);
    world.clock.ms += minuteMs;
    const replay = { action: "replay", sinceMs: startMs } as const;
    expect(await actOnSubscriber(id, replay, world.store, world.clock.ms)).not.toBeNull();
    await world.deliver(id);
    expect(words()).toEqual([...created(1, 2, 3, 4, 5), ...created(2, 4, 5)]);
    expect(lifecycle()).toEqual(["missed"]);
  });
});
