import { describe, expect, test, vi } from "vitest";
import { Looks, type SendWake } from "../../shared/push/looks.js";
import { handlePushMessage, type PushPorts, parkDeliveries } from "../../shared/push/pushMessages.js";
import { Waker } from "../../shared/push/waker.js";
import type { SubscriptionHeld } from "../../shared/store/store.js";
import { clockAt, keptLog, startMs } from "../worlds/parts.js";
import { entryOf, Killed, lost, type PushWorld, pushWorld, refused, yes } from "../worlds/push.js";
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

  test("a clock that is set back keeps nobody asleep, and believes nothing longer", async () => {
    const { world, wake } = waking();
    await wake();
    world.clock.ms -= 60 * 60_000;
    await wake();
    expect([world.sent.length, world.looks]).toEqual([2, 2]);
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
    const looks = new Looks(world.clock.nowMs);
    const send: SendWake = async (_message, delaySeconds) => void later.push(`wake in ${delaySeconds} s`);
    const ports: PushPorts = {
      ...world.ports(),
      store: world.store,
      lookBetween: (earliestMs, latestMs) => looks.between(earliestMs, latestMs, send, () => "look"),
    };
    return {
      world,
      id,
      later,
      /** As the function does. */
      handle: async (message: Parameters<typeof handlePushMessage>[0]) => {
        const { next, failure } = await handlePushMessage(message, ports);
        if (failure !== null) throw failure.reason;
        return next;
      },
      ends: async (message: Parameters<typeof handlePushMessage>[0]) => handlePushMessage(message, ports),
    };
  }
  const url = (number: number) => `https://${number}.example`;
  const idOf = (number: number) => `3f0c0000-0000-4000-8000-${String(number).padStart(12, "0")}`;
  /** So many more subscribers, each with an address of its own. */
  async function more(world: PushWorld, count: number) {
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    return Promise.all(numbers.map((one) => world.subscribe({ subscriptionId: idOf(one), notificationUrl: url(one) })));
  }

  test("one that wakes becomes one for all subscriptions that are behind, or one for 25", async () => {
    const { world, id, handle } = await queued();
    expect(await handle({ wake: "w" })).toEqual([{ subscriptions: [id] }]);
    expect(await handle({ subscriptions: [id] })).toEqual([]);
    expect(world.logged.join()).toMatch(/info delivery upToDate .*"notifications":1/);
    expect(await handle({ wake: "w" })).toEqual([]);
    await more(world, 60);
    await world.tell([entryOf("m")]);
    const messages = await handle({ wake: "w" });
    expect(messages.map((one) => ("subscriptions" in one ? one.subscriptions.length : 0))).toEqual([25, 25, 11]);
  });

  test("after a failure it is looked again when the wait is over", async () => {
    const { world, id, later, handle } = await queued();
    world.receive = () => refused(503, 90_000);
    expect(await handle({ subscriptions: [id] })).toEqual([]);
    expect(later).toEqual(["wake in 61 s", "wake in 96 s"]);
    world.clock.ms += 96_000;
    expect(await handle({ wake: "w" })).toEqual([{ subscriptions: [id] }]);
  });

  test("those that wait for about the same time are looked for by one message", async () => {
    const { world, later, handle } = await queued();
    const ids = await more(world, 20);
    world.receive = () => refused(503, 600_000);
    await handle({ subscriptions: ids });
    expect(later).toEqual(["wake in 61 s", "wake in 606 s"]);
  });

  test("a delivery whose time is over goes on at once, and those beside it have ended", async () => {
    const { world, id, handle } = await queued();
    const [other = ""] = await more(world, 1);
    await world.tell(Array.from({ length: 300 }, () => entryOf("m")));
    world.receive = (one) => {
      if (one.url !== url(1)) world.clock.ms += 61_000;
      return yes;
    };
    expect(await handle({ subscriptions: [other] })).toEqual([]);
    expect(await handle({ subscriptions: [id] })).toEqual([{ subscriptions: [id] }]);
  });

  test("I15: one that never answers delays nobody who is in the same message", async () => {
    const { world, id, handle } = await queued();
    const others = await more(world, 24);
    let giveUp: () => void = () => undefined;
    const silence = new Promise<void>((resolve) => {
      giveUp = resolve;
    });
    world.receive = async (one) => {
      if (one.url === url(7)) await silence;
      return one.url === url(7) ? lost : yes;
    };
    let hasEnded = false;
    const handled = handle({ subscriptions: [id, ...others] }).finally(() => {
      hasEnded = true;
    });
    const living = others.filter((one) => one !== idOf(7));
    await vi.waitFor(async () => {
      const held = await Promise.all([id, ...living].map((one) => world.held(one)));
      expect(held.every((one) => one?.position["00"]?.number === 1 && one.claimedBy === null)).toBe(true);
    });
    expect(hasEnded).toBe(false);
    giveUp();
    expect(await handled).toEqual([]);
  });

  test("I15: where one of them meets a fault, the others are told, and the message comes again", async () => {
    const { world, id, handle } = await queued();
    const [other = ""] = await more(world, 1);
    world.receive = ({ url: at }) => {
      if (at === url(1)) throw new Error("a fault");
      return yes;
    };
    await expect(handle({ subscriptions: [other, id] })).rejects.toThrow("a fault");
    expect(await world.held(id)).toMatchObject({ position: world.position(1), claimedBy: null });
  });

  test("each that fails by an error is named in the log, with its own error", async () => {
    const { world, id, handle } = await queued();
    const others = await more(world, 2);
    world.receive = ({ url: at }) => {
      if (at === url(1) || at === url(2)) throw new Error(`fault ${at.slice(8, 9)}`);
      return yes;
    };
    await expect(handle({ subscriptions: [...others, id] })).rejects.toThrow("fault 1");
    const errors = world.logged.filter((line) => line.startsWith("error delivery broke off"));
    expect(errors).toHaveLength(2);
    for (const number of [1, 2]) {
      expect(errors[number - 1]).toContain(idOf(number));
      expect(errors[number - 1]).toContain(`fault ${number}`);
    }
  });

  test("what was accepted is counted, though the same delivery, or another of the message, fails afterwards", async () => {
    const { world, id, ends } = await queued();
    const [, fails = ""] = await more(world, 2);
    await world.tell(Array.from({ length: 150 }, (_, index) => entryOf("m", `c${index}`)));
    let left = 1;
    world.receive = ({ url: at }) => {
      if (at === url(2) && left-- === 0) throw new Error("fault");
      return yes;
    };
    const { ends: ended, failure } = await ends({ subscriptions: [fails, id, idOf(1)] });
    expect(failure).toMatchObject({ reason: { message: "fault" } });
    expect(ended.map(({ notifications }) => notifications)).toEqual([151, 151]);
    expect(world.accepted).toBe(151 + 151 + 100);
  });

  test("I15: a delivery that was killed goes on once its claim has ended, though its message is lost with it", async () => {
    const { world, id, later, handle } = await queued();
    world.receive = () => ({ ...yes, kills: true });
    await expect(handle({ subscriptions: [id] })).rejects.toThrow(Killed);
    expect(later).toEqual(["wake in 61 s"]);
    world.receive = () => yes;
    world.clock.ms += 61_000;
    expect(await handle({ wake: "look" })).toEqual([{ subscriptions: [id] }]);
    expect(await handle({ subscriptions: [id] })).toEqual([]);
    expect(await world.held(id)).toMatchObject({ position: world.position(1) });
  });

  test("a look that comes while a claim stands is followed by one when it ends", async () => {
    const { world, id, later, handle } = await queued();
    world.receive = async () => {
      world.clock.ms += 61_000;
      const held = await world.store.readSubscription(id);
      const claimedUntilMs = world.clock.ms + 20_000;
      if (held !== null) await world.store.writeSubscription({ ...held.subscription, claimedUntilMs }, held.etag);
      expect(await handle({ wake: "look" })).toEqual([]);
      return yes;
    };
    await handle({ subscriptions: [id] });
    expect(later).toEqual(["wake in 61 s", "wake in 26 s"]);
  });

  test("a look that finds a claim looks again when it ends; one that finds nobody is the last", async () => {
    const { world, id, later, handle } = await queued();
    world.clock.ms += 1_000;
    world.receive = async () => {
      world.clock.ms += 5_000;
      expect(await handle({ wake: "w" })).toEqual([]);
      expect(await handle({ wake: "w" })).toEqual([]);
      return yes;
    };
    await handle({ subscriptions: [id] });
    // 61 s from the beginning serve for the claim, which has 55 s left.
    expect(later).toEqual(["wake in 61 s"]);
    world.clock.ms += 70_000;
    expect(await handle({ wake: "look" })).toEqual([]);
    expect(later).toHaveLength(1);
  });

  test("one that failed time and again is logged, and one of a stranger's is dropped", () => {
    const { logged, log } = keptLog();
    expect(parkDeliveries({ subscriptions: ["s"] }, log)).toBe("logged");
    expect(parkDeliveries({ wake: "w" }, log)).toBe("logged");
    expect(parkDeliveries("plain text", log)).toBe("unreadable");
    expect(logged.map((line) => line.split(" ")[0])).toEqual(["error", "error", "error"]);
  });
});
