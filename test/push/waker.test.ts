import { describe, expect, test } from "vitest";
import { handlePushMessage, type PushPorts, parkDeliveries } from "../../shared/push/pushMessages.js";
import { Waker } from "../../shared/push/waker.js";
import type { SubscriptionHeld } from "../../shared/store/store.js";
import { clockAt, keptLog, startMs } from "../worlds/parts.js";
import { entryOf, pushWorld, refused, yes } from "../worlds/push.js";
import { subscriptionOf } from "../worlds/subscriptions.js";

const held: SubscriptionHeld = { subscription: subscriptionOf(), etag: "etag" };

function waking() {
  const clock = clockAt(startMs);
  const waker = new Waker(clock.nowMs);
  const sent: string[] = [];
  const { logged, log } = keptLog();
  const world = { clock, sent, logged, looks: 0, all: [held] as readonly SubscriptionHeld[], fails: false };
  const wake = () =>
    waker.wake({
      store: {
        readSubscriptions: async () => {
          world.looks += 1;
          return world.all;
        },
      },
      newId: () => "id",
      log,
      send: async (message, delaySeconds) => {
        if (world.fails) throw new Error("no queue");
        sent.push(`${JSON.stringify(message)} in ${delaySeconds} s`);
      },
    });
  return { world, wake };
}

describe("waking deliveries", () => {
  test("one message covers all runs that end within a second, for it is seen after two", async () => {
    const { world, wake } = waking();
    await Promise.all([wake(), wake()]);
    await wake();
    world.clock.ms += 999;
    await wake();
    expect(world.sent).toEqual(['{"wake":"id"} in 2 s']);
    world.clock.ms += 1;
    await wake();
    expect(world.sent).toHaveLength(2);
  });

  test("without subscriptions it costs a look, and no message; the first one is woken at once", async () => {
    const { world, wake } = waking();
    world.all = [];
    await wake();
    expect([world.looks, world.sent]).toEqual([1, []]);
    world.all = [held];
    await wake();
    expect([world.looks, world.sent.length]).toEqual([2, 1]);
    for (let second = 0; second < 59; second++) {
      world.clock.ms += 1_000;
      await wake();
    }
    expect([world.looks, world.sent.length]).toEqual([2, 60]);
  });

  test("a queue that fails fails no run, and the next run tries anew", async () => {
    const { world, wake } = waking();
    world.fails = true;
    await wake();
    expect(world.logged.join()).toContain("warn subscribers not woken; the timer does it");
    world.fails = false;
    await wake();
    expect(world.sent).toHaveLength(1);
  });
});

describe("messages of the push queue", () => {
  async function queued() {
    const world = await pushWorld();
    const id = await world.subscribe();
    await world.tell([entryOf("m")]);
    const later: string[] = [];
    const ports: PushPorts = {
      ...world.ports(),
      store: world.store,
      send: async ({ subscription }, delaySeconds) => void later.push(`${subscription} in ${delaySeconds} s`),
    };
    return {
      world,
      id,
      later,
      handle: async (message: Parameters<typeof handlePushMessage>[0]) =>
        (await handlePushMessage(message, ports)).next,
    };
  }

  test("one that wakes becomes one for each subscription that is behind", async () => {
    const { world, id, handle } = await queued();
    expect(await handle({ wake: "w" })).toEqual([{ subscription: id }]);
    expect(await handle({ subscription: id })).toEqual([]);
    expect(world.logged.join()).toMatch(/info delivery upToDate .*"notifications":1/);
    expect(await handle({ wake: "w" })).toEqual([]);
  });

  test("after a failure it comes again when the wait is over", async () => {
    const { world, id, later, handle } = await queued();
    world.receive = () => refused(503, 60_000);
    expect(await handle({ subscription: id })).toEqual([]);
    expect(later).toEqual([`${id} in 61 s`]);
  });

  test("a delivery whose time is over goes on at once", async () => {
    const { world, id, handle } = await queued();
    await world.tell(Array.from({ length: 300 }, () => entryOf("m")));
    world.receive = () => {
      world.clock.ms += 61_000;
      return yes;
    };
    expect(await handle({ subscription: id })).toEqual([{ subscription: id }]);
  });

  test("one that failed time and again is logged, and one of a stranger's is dropped", () => {
    const { logged, log } = keptLog();
    expect(parkDeliveries({ subscription: "s" }, log)).toBe("logged");
    expect(parkDeliveries({ wake: "w" }, log)).toBe("logged");
    expect(parkDeliveries("plain text", log)).toBe("unreadable");
    expect(logged.map((line) => line.split(" ")[0])).toEqual(["error", "error", "error"]);
  });
});
