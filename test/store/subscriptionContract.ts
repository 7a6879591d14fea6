import { beforeEach, describe, expect, test } from "vitest";
import { pushPartition, subscriptionKey } from "../../shared/store/keys.js";
import { RowError } from "../../shared/store/store.js";
import { StorageError } from "../../shared/table/errors.js";
import { type StoreWorld, storeOn, storeWorld } from "../worlds/store.js";
import { subscriptionOf } from "../worlds/subscriptions.js";
import type { NewTable } from "../worlds/tables.js";

/** What every Store must do with subscriptions. */
export function subscriptionContract(name: string, newTable: NewTable): void {
  let world: StoreWorld;
  beforeEach(async () => {
    world = await storeWorld(newTable);
  });
  const id = (number: number) => `3f0c0000-0000-4000-8000-${String(number).padStart(12, "0")}`;
  const subscription = subscriptionOf({ subscriptionId: id(1) });

  describe(`${name}: subscriptions`, () => {
    test("come back as they were written, all fields of them, and null is for one that is not there", async () => {
      const full = subscriptionOf({
        subscriptionId: id(2),
        mailboxId: "mailbox-1",
        changeTypes: ["created", "deleted"],
        lifecycleNotificationUrl: "https://receiver.example/life?code=1",
        clientState: "state \ud83d\ude00",
        latestSupportedTlsVersion: "v1_2",
        format: "cloudEventsBatch",
        position: { "00": { number: 7, entries: 3, sent: 2 } },
        pausedReason: "gone",
        failuresInARow: 4,
        notBeforeMs: 5_000,
        refusedSinceMs: 4_000,
        lastAnswerMs: 4_500,
        lastAnswer: "410",
        claimedBy: "delivery",
        claimedUntilMs: 9_000,
        missedMs: 6_000,
        lastMissedMs: 6_000,
        lastMissedWhy: "Row 1 is gone.",
        askedToRenewMs: 8_000,
        lifecycleNotBeforeMs: 7_000,
      });
      for (const one of [subscription, full]) {
        const held = await world.store.writeSubscription(one, null);
        expect(await world.store.readSubscription(one.subscriptionId)).toEqual(held);
        expect(held).toMatchObject({ subscription: one });
      }
      expect(await world.store.readSubscription(id(3))).toBeNull();
    });

    test("places in 256 logs fit", async () => {
      const place = { number: 123_456_789_012, entries: 98, sent: 15_999 };
      const shards = Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, "0"));
      const position = Object.fromEntries(shards.map((shard) => [shard, place]));
      await world.store.writeSubscription({ ...subscription, position }, null);
      expect((await world.store.readSubscription(id(1)))?.subscription.position).toEqual(position);
    });

    test("are listed in the order of their ids; one that nobody can read is reported and harms no other (I10)", async () => {
      for (const number of [3, 1, 2]) {
        await world.store.writeSubscription(subscriptionOf({ subscriptionId: id(number) }), null);
      }
      const columns = { secret: "c2VjcmV0" };
      await world.table.transact(pushPartition, [{ kind: "upsert", rowKey: subscriptionKey(id(2)), columns }]);
      const reported: string[] = [];
      const store = storeOn(world.table, { onUnreadable: (error) => reported.push(error.message) });
      const ids = (await store.readSubscriptions()).map((held) => held.subscription.subscriptionId);
      expect(ids).toEqual([id(1), id(3)]);
      expect(reported).toEqual([expect.stringMatching(/cannot be read: column subscriptionId is missing/)]);
      expect(reported.join()).not.toContain("c2VjcmV0");
      await expect(storeOn(world.table).readSubscriptions()).rejects.toThrow(RowError);
    });

    test.each([
      ["notificationUrl", "receiver.example/hook", "holds no URL"],
      ["lifecycleNotificationUrl", "", "holds no URL"],
      ["changeType", "created,update", "holds none of created, updated, deleted"],
      ["changeType", "", "holds none of created, updated, deleted"],
      ["position", "{}", "holds no places"],
      ["position", '{"00":[1,0]}', "holds no places"],
    ])(
      "I15: whose %s was changed by hand to %j is not taken for one that wants nothing",
      async (column, value, what) => {
        await world.store.writeSubscription(subscription, null);
        const key = { partitionKey: pushPartition, rowKey: subscriptionKey(id(1)) };
        const stored = await world.table.get(key.partitionKey, key.rowKey);
        const columns = { ...stored?.columns, [column]: value };
        await world.table.transact(pushPartition, [{ kind: "upsert", rowKey: key.rowKey, columns }]);
        const read = world.store.readSubscription(id(1));
        await expect(read).rejects.toThrow(new RegExp(`cannot be read: column ${column} ${what}\\.$`));
      },
    );

    test("I2: of two who write one, the late one writes nothing, and nobody creates one twice", async () => {
      const held = await world.store.writeSubscription(subscription, null);
      if (held === "superseded") throw new Error("It was there before.");
      const early = await world.store.writeSubscription({ ...subscription, failuresInARow: 1 }, held.etag);
      expect(await world.store.writeSubscription({ ...subscription, failuresInARow: 2 }, held.etag)).toBe("superseded");
      expect(await world.store.writeSubscription(subscription, null)).toBe("superseded");
      expect(await world.store.readSubscription(id(1))).toEqual(early);
    });

    test("an own success is found after a lost answer, and is told from a twin's equal write", async () => {
      const held = await world.store.writeSubscription(subscription, null);
      if (held === "superseded") throw new Error("It was there before.");
      world.loseAnswers(1);
      const next = { ...subscription, failuresInARow: 1 };
      const written = await world.interferedStore.writeSubscription(next, held.etag);
      expect(written).toEqual(await world.store.readSubscription(id(1)));
      expect(await world.store.writeSubscription(next, held.etag)).toBe("superseded");
      world.loseAnswers(2);
      if (written === "superseded") throw new Error("It was lost.");
      await expect(world.interferedStore.writeSubscription(subscription, written.etag)).rejects.toThrow(StorageError);
    });

    test("are deleted in the state that was read, or in any", async () => {
      const held = await world.store.writeSubscription(subscription, null);
      if (held === "superseded") throw new Error("It was there before.");
      await world.store.writeSubscription({ ...subscription, failuresInARow: 1 }, held.etag);
      expect(await world.store.deleteSubscription(id(1), held.etag)).toBe(false);
      expect(await world.store.deleteSubscription(id(1), "*")).toBe(true);
      expect(await world.store.deleteSubscription(id(1), "*")).toBe(false);
      expect(await world.store.readSubscriptions()).toEqual([]);
    });
  });
}
