import { describe, expect, test } from "vitest";
import { readdressed, renewed } from "../../shared/push/decide.js";
import { type DeliverPorts, deliver } from "../../shared/push/deliver.js";
import type { Subscription } from "../../shared/sync/subscription.js";
import { minuteMs, startMs } from "../worlds/parts.js";
import { entryOf, inWords, Killed, late, lost, pushWorld, refused, yes } from "../worlds/push.js";

const url = "https://receiver.example/hook";
const life = "https://life.example";
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** A world with one subscriber to all. */
async function subscribed(options: Parameters<typeof pushWorld>[0] = {}, changed: Partial<Subscription> = {}) {
  const world = await pushWorld(options);
  const id = await world.subscribe(changed);
  return { world, id, told: (at = url) => inWords(world.keptBy(at)) };
}
const many = (count: number, mailboxId = "m") =>
  Array.from({ length: count }, (_, index) => entryOf(mailboxId, `c${index}`));
const namesOf = (count: number, mailboxId = "m") =>
  Array.from({ length: count }, (_, index) => `created ${mailboxId}/c${index}`);

describe("I15: a subscriber is told all that the logs tell after its position", () => {
  test("of all shards, in requests of 100 at most, each with the next ones in their order", async () => {
    const { world, id, told } = await subscribed({ shards: 8 });
    for (const shard of world.shards) for (const entry of many(40, `m${shard}`)) await world.tell([entry], shard);
    expect(await world.deliver(id)).toEqual({ kind: "upToDate", requests: 4, notifications: 320, againSeconds: null });
    expect(world.got.map((one) => one.told.length)).toEqual([100, 100, 100, 20]);
    for (const shard of world.shards) {
      expect(told().filter((one) => one.includes(`m${shard}/`))).toEqual(namesOf(40, `m${shard}`));
    }
    expect(await world.held(id)).toMatchObject({ position: world.position(40), claimedBy: null, lastAnswer: "202" });
  });

  test("nothing is sent, and nothing written, where nothing is new", async () => {
    const { world, id } = await subscribed();
    const before = await world.store.readSubscription(id);
    expect(await world.deliver(id)).toEqual({ kind: "upToDate", requests: 0, notifications: 0, againSeconds: null });
    expect(await world.store.readSubscription(id)).toEqual(before);
  });

  test("what its shard tells of others is passed over without a request, and is not read again", async () => {
    const { world, id } = await subscribed({}, { mailboxId: "mine" });
    await world.tell(many(150, "other"));
    expect(await world.deliver(id)).toMatchObject({ kind: "upToDate", requests: 0 });
    expect(await world.held(id)).toMatchObject({ position: world.position(1), lastAnswer: null });
    await world.tell([...many(3, "other"), ...many(2, "mine")]);
    expect(await world.deliver(id)).toMatchObject({ notifications: 2 });
    expect(inWords(world.keptBy(url))).toEqual(namesOf(2, "mine"));
  });

  test("a row of the log with more than a request takes is gone on with where it stopped", async () => {
    const { world, id, told } = await subscribed();
    await world.tell(many(250));
    let left = 2;
    world.receive = () => (left-- > 0 ? yes : refused(503));
    expect(await world.deliver(id)).toMatchObject({ kind: "failed", notifications: 200 });
    expect((await world.held(id))?.position).toEqual({ "00": { number: 0, entries: 200, sent: 0 } });
    world.receive = () => yes;
    await world.calm();
    expect(told()).toEqual(namesOf(250));
  });

  test("where notifications go one by one, those that were accepted before a failure are not repeated", async () => {
    const { world, id, told } = await subscribed({ perRequest: 1 });
    await world.tell(many(9));
    let left = 4;
    world.receive = () => (left-- > 0 ? yes : lost);
    expect(await world.deliver(id)).toMatchObject({ kind: "failed", requests: 5, notifications: 4 });
    world.receive = () => yes;
    await world.calm();
    expect(told()).toEqual(namesOf(9));
  });

  test("what is logged while it is being told is told by the same delivery, though its message found a claim", async () => {
    const { world, id, told } = await subscribed();
    await world.tell([entryOf("m", "c0")]);
    let left = 2;
    world.receive = async () => {
      if (left-- > 0) {
        await world.tell([entryOf("m", `c${2 - left}`)]);
        expect(await world.due()).toEqual([]);
        expect(await world.deliver(id)).toMatchObject({ kind: "claimed", requests: 0 });
      }
      return yes;
    };
    expect(await world.deliver(id)).toMatchObject({ kind: "upToDate", requests: 3 });
    expect(told()).toHaveLength(3);
  });

  test("a delivery ends after its time, and says that it is to go on", async () => {
    const { world, id, told } = await subscribed();
    await world.tell(many(950));
    world.receive = () => {
      world.clock.ms += 9_000;
      return yes;
    };
    expect(await world.deliver(id)).toMatchObject({ kind: "unfinished", notifications: 700, againSeconds: 0 });
    expect(await world.held(id)).toMatchObject({ claimedBy: null });
    expect(await world.deliver(id)).toMatchObject({ kind: "upToDate" });
    expect(told()).toEqual(namesOf(950));
  });

  test("a delivery ends after its time, also where notifications go one by one to somebody slow", async () => {
    const { world, id, told } = await subscribed({ perRequest: 1 });
    await world.tell(many(20));
    world.receive = () => {
      world.clock.ms += 9_000;
      return yes;
    };
    expect(await world.deliver(id)).toMatchObject({ kind: "unfinished", notifications: 7, againSeconds: 0 });
    expect(await world.held(id)).toMatchObject({ claimedBy: null, position: { "00": { number: 0, entries: 7 } } });
    await world.deliver(id);
    expect(await world.deliver(id)).toMatchObject({ kind: "upToDate", notifications: 6 });
    expect(told()).toEqual(namesOf(20));
  });
});

describe("a subscriber that does not say yes", () => {
  test("is left alone until its wait is over, and the delivery says when to come again", async () => {
    const { world, id, told } = await subscribed();
    await world.tell(many(1));
    world.receive = () => refused(429, 90_000);
    expect(await world.deliver(id)).toEqual({ kind: "failed", requests: 1, notifications: 0, againSeconds: 91 });
    world.clock.ms += 89_000;
    expect(await world.due()).toEqual([]);
    expect(await world.deliver(id)).toMatchObject({ kind: "waiting", requests: 0 });
    world.clock.ms += 1_000;
    expect(await world.due()).toEqual([id]);
    world.receive = () => yes;
    expect(await world.deliver(id)).toMatchObject({ kind: "upToDate" });
    expect(told()).toEqual(namesOf(1));
    expect(world.logged.join()).toMatch(/warn subscriber has not accepted .*"answer":"429"/);
  });

  test("I15: days of silence lose nothing", async () => {
    const { world, id, told } = await subscribed();
    world.receive = () => lost;
    for (let day = 0; day < 5; day++) {
      await world.tell([entryOf("m", `c${day}`)]);
      await world.calm(dayMs);
    }
    expect(told()).toEqual([]);
    expect(world.got.length).toBeLessThan(5 * 40); // An hour between, at the end.
    world.receive = () => yes;
    await world.calm(hourMs + minuteMs);
    expect(told()).toEqual(namesOf(5));
    expect(await world.held(id)).toMatchObject({ pausedReason: null, failuresInARow: 0 });
  });

  test("whose 200 comes too late is told again, the same under the same ids", async () => {
    const { world, id } = await subscribed();
    await world.tell(many(2));
    world.receive = () => late;
    await world.deliver(id);
    world.receive = () => yes;
    await world.calm();
    const ids = world.keptBy(url).map((one) => one.id);
    expect(ids).toHaveLength(4);
    expect(ids.slice(2)).toEqual(ids.slice(0, 2));
  });

  test("which answers 410 for a day is paused, keeps its place, and goes on after a renewal", async () => {
    const { world, id, told } = await subscribed();
    await world.tell(many(1));
    world.receive = () => refused(410);
    await world.calm(dayMs + hourMs);
    expect(await world.held(id)).toMatchObject({ pausedReason: "gone", position: world.position(0) });
    expect(await world.due()).toEqual([]);
    expect(await world.deliver(id)).toMatchObject({ kind: "paused" });
    expect(world.logged.filter((line) => line.startsWith("error subscription paused"))).toHaveLength(1);
    const held = await world.store.readSubscription(id);
    if (held === null) throw new Error("It has gone.");
    world.receive = () => yes;
    await world.store.writeSubscription(renewed(held.subscription, world.clock.ms + dayMs, world.clock.ms), held.etag);
    await world.calm(minuteMs);
    expect(told()).toEqual(namesOf(1));
  });

  test("costs others nothing: each is delivered to by a message of its own", async () => {
    const world = await pushWorld();
    const other = "https://other.example";
    const broken = await world.subscribe();
    const well = await world.subscribe({
      subscriptionId: "3f0c0000-0000-4000-8000-0000000000d2",
      notificationUrl: other,
    });
    world.receive = (one) => (one.url === url ? lost : yes);
    await world.tell(many(3));
    expect(await world.due()).toEqual([broken, well]);
    await Promise.all([world.deliver(broken), world.deliver(well)]);
    expect(inWords(world.keptBy(other))).toEqual(namesOf(3));
  });
});

describe("kills, twins and owners", () => {
  test("I15: killed between the yes and the write, it is told again once the claim has ended", async () => {
    const { world, id, told } = await subscribed();
    await world.tell(many(2));
    world.receive = () => ({ ...yes, kills: true });
    await expect(world.deliver(id)).rejects.toThrow(Killed);
    world.receive = () => yes;
    expect(await world.deliver(id)).toMatchObject({ kind: "claimed" });
    world.clock.ms += minuteMs;
    expect(await world.deliver(id)).toMatchObject({ kind: "upToDate" });
    expect(told()).toEqual([...namesOf(2), ...namesOf(2)]);
  });

  test("whoever was overtaken after its claim had ended writes nothing, and goes away", async () => {
    const { world, id } = await subscribed();
    await world.tell(many(1));
    let isFirst = true;
    world.receive = async () => {
      if (!isFirst) return yes;
      isFirst = false;
      world.clock.ms += 2 * minuteMs;
      expect(await world.deliver(id)).toMatchObject({ kind: "upToDate", notifications: 1 });
      return lost;
    };
    expect(await world.deliver(id)).toMatchObject({ kind: "lost" });
    expect(await world.held(id)).toMatchObject({ position: world.position(1), failuresInARow: 0, claimedBy: null });
  });

  test("an owner who renews meanwhile costs no repeat, and keeps the new expiration", async () => {
    const { world, id, told } = await subscribed();
    await world.tell(many(1));
    const expiresMs = startMs + 6 * dayMs;
    world.receive = async () => {
      const held = await world.store.readSubscription(id);
      if (held !== null) await world.store.writeSubscription({ ...held.subscription, expiresMs }, held.etag);
      return yes;
    };
    expect(await world.deliver(id)).toMatchObject({ kind: "upToDate" });
    expect(await world.held(id)).toMatchObject({ expiresMs, position: world.position(1) });
    expect(told()).toEqual(namesOf(1));
  });

  test("an operator who pauses meanwhile ends the sending with the request in hand", async () => {
    const { world, id, told } = await subscribed();
    await world.tell(many(350));
    world.receive = async () => {
      const held = await world.store.readSubscription(id);
      if (held !== null)
        await world.store.writeSubscription({ ...held.subscription, pausedReason: "byHand" }, held.etag);
      return yes;
    };
    expect(await world.deliver(id)).toMatchObject({ kind: "paused", requests: 1 });
    expect(told()).toEqual(namesOf(350).slice(0, 100));
  });

  test("moved to another address meanwhile, it is told the rest there, and the old one's refusal delays nothing", async () => {
    const { world, id, told } = await subscribed({ perRequest: 1, limits: { unwrittenMsMax: 1 } });
    await world.tell(many(5));
    let left = 2;
    const moved = "https://moved.example";
    world.receive = async ({ url: at }) => {
      world.clock.ms += 1;
      if (at === moved || left-- > 0) return yes;
      const held = await world.store.readSubscription(id);
      if (held !== null) await world.store.writeSubscription(readdressed(held.subscription, moved), held.etag);
      return refused(410);
    };
    expect(await world.deliver(id)).toMatchObject({ kind: "upToDate", requests: 6, notifications: 5 });
    expect([told(), told(moved)]).toEqual([namesOf(5).slice(0, 2), namesOf(5).slice(2)]);
    expect(await world.held(id)).toMatchObject({ failuresInARow: 0, refusedSinceMs: null, lastAnswer: "202" });
  });

  test("moved while its old address says yes, it is told the rest at the new one", async () => {
    const { world, id, told } = await subscribed({ perRequest: 1, limits: { unwrittenMsMax: 1 } });
    await world.tell(many(5));
    const moved = "https://moved.example";
    world.receive = async ({ url: at }) => {
      world.clock.ms += 1;
      const held = await world.store.readSubscription(id);
      if (held !== null && at !== moved)
        await world.store.writeSubscription(readdressed(held.subscription, moved), held.etag);
      return yes;
    };
    expect(await world.deliver(id)).toMatchObject({ kind: "upToDate", requests: 5 });
    expect([told(), told(moved)]).toEqual([namesOf(5).slice(0, 1), namesOf(5).slice(1)]);
  });

  test("deleted meanwhile, it is told no more", async () => {
    const { world, id } = await subscribed();
    await world.tell(many(350));
    world.receive = async () => {
      await world.store.deleteSubscription(id, "*");
      return yes;
    };
    expect(await world.deliver(id)).toMatchObject({ kind: "lost", requests: 1 });
    expect(await world.deliver(id)).toMatchObject({ kind: "gone" });
  });

  test("expired, it is deleted; renewed at the same moment, it stays", async () => {
    const { world, id } = await subscribed({}, { expiresMs: startMs + hourMs });
    await world.tell(many(1));
    world.clock.ms += hourMs;
    expect(await world.due()).toEqual([id]);
    expect(await world.deliver(id)).toMatchObject({ kind: "expired", requests: 0 });
    expect(await world.held(id)).toBeUndefined();
  });

  test("renewed at the moment of its expiration, it stays, and the same delivery tells what it is owed", async () => {
    const { world, id, told } = await subscribed({}, { expiresMs: startMs + hourMs });
    await world.tell(many(1));
    world.clock.ms += hourMs;
    const ports = world.ports();
    const store: DeliverPorts["store"] = {
      ...ports.store,
      deleteSubscription: async (...deleted) => {
        const held = await world.store.readSubscription(id);
        const now = world.clock.ms;
        if (held !== null) await world.store.writeSubscription(renewed(held.subscription, now + dayMs, now), held.etag);
        return ports.store.deleteSubscription(...deleted);
      },
    };
    expect(await deliver(id, { ...ports, store })).toMatchObject({ kind: "upToDate", notifications: 1 });
    expect(told()).toEqual(namesOf(1));
  });
});

describe("lifecycle notifications", () => {
  test("missed is sent where the log no longer reaches back, and the rest of the log follows", async () => {
    const { world, id, told } = await subscribed({}, { lifecycleNotificationUrl: life });
    for (let number = 0; number < 6; number++) await world.tell([entryOf("m", `c${number}`)]);
    await world.retire(4);
    await world.deliver(id);
    expect(told()).toEqual(["created m/c4", "created m/c5"]);
    expect(world.got.map(({ lifecycle }) => lifecycle)).toEqual([null, "missed"]);
    expect(await world.held(id)).toMatchObject({ missedMs: null, position: world.position(6) });
    expect(world.logged.join()).toMatch(/error a subscriber has missed what a log held/);
  });

  test("one that is not accepted is tried again, and keeps no change from the subscriber", async () => {
    const { world, id, told } = await subscribed({}, { lifecycleNotificationUrl: life, missedMs: startMs });
    world.receive = ({ lifecycle }) => (lifecycle === null ? yes : refused(500));
    await world.tell(many(2));
    expect(await world.deliver(id)).toMatchObject({ kind: "upToDate", requests: 2, notifications: 2 });
    expect(told()).toEqual(namesOf(2));
    expect(await world.due()).toEqual([]);
    world.clock.ms += 5 * minuteMs;
    world.receive = () => yes;
    expect(await world.due()).toEqual([id]);
    expect(await world.deliver(id)).toMatchObject({ requests: 1 });
    expect(await world.held(id)).toMatchObject({ missedMs: null });
  });

  test("comes also while changes wait, and ends no wait", async () => {
    const notBeforeMs = startMs + hourMs;
    const { world, id } = await subscribed({}, { lifecycleNotificationUrl: life, missedMs: startMs, notBeforeMs });
    await world.tell(many(1));
    expect(await world.deliver(id)).toMatchObject({ kind: "waiting", requests: 1, notifications: 0 });
    expect(await world.held(id)).toMatchObject({ notBeforeMs, missedMs: null, claimedBy: null });
  });

  test("who renews upon reauthorizationRequired, before it answers, is asked again before the new end", async () => {
    const { world, id } = await subscribed({}, { lifecycleNotificationUrl: life });
    world.receive = async () => {
      const held = await world.store.readSubscription(id);
      const expiresMs = world.clock.ms + 7 * dayMs;
      if (held !== null) await world.store.writeSubscription(renewed(held.subscription, expiresMs, 0), held.etag);
      return yes;
    };
    await world.calm(14 * dayMs);
    expect(world.got.map(({ lifecycle }) => lifecycle)).toEqual(["reauthorizationRequired", "reauthorizationRequired"]);
  });

  test("reauthorizationRequired is sent once before the expiration", async () => {
    const { world } = await subscribed({}, { lifecycleNotificationUrl: life });
    await world.calm(7 * dayMs - minuteMs);
    expect(world.got.map(({ lifecycle }) => lifecycle)).toEqual(["reauthorizationRequired"]);
  });
});
