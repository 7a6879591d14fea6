import { describe, expect, test } from "vitest";
import { actOnSubscriber } from "../../shared/actions/subscriber.js";
import { afterFailure, claimed, paused, replayed, resumed, standingOf } from "../../shared/push/decide.js";
import { placesSince } from "../../shared/push/placesSince.js";
import { minuteMs, startMs } from "../worlds/parts.js";
import { entryOf, inWords, pushWorld, refused, yes } from "../worlds/push.js";
import { subscriptionOf } from "../worlds/subscriptions.js";

const url = "https://receiver.example/hook";
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** A world with a subscriber to all, who has been told of rows that came an hour apart, the first at `startMs`. */
async function told(rows: number, options: Parameters<typeof pushWorld>[0] = {}) {
  const world = await pushWorld(options);
  const id = await world.subscribe();
  for (let row = 0; row < rows; row++) {
    for (const shard of world.shards) await world.tell([entryOf(`m${shard}`, `c${row}`)], shard);
    await world.deliver(id);
    world.clock.ms += hourMs;
  }
  const act = (action: "pause" | "resume") => actOnSubscriber(id, { action }, world.store, world.clock.ms);
  const replay = (sinceMs: number) => actOnSubscriber(id, { action: "replay", sinceMs }, world.store, world.clock.ms);
  return { world, id, act, replay, told: () => inWords(world.keptBy(url)) };
}
const names = (...rows: readonly number[]) => rows.map((row) => `created m00/c${row}`);

describe("what an operator pauses", () => {
  test("is sent nothing until it is resumed by hand, and then all that it is owed (I15)", async () => {
    const { world, id, act, told: heard } = await told(1);
    expect((await act("pause"))?.subscription).toMatchObject({ pausedReason: "byHand", pausedMs: world.clock.ms });
    await world.tell([entryOf("m00", "c1")]);
    await world.calm(2 * hourMs);
    expect(await world.deliver(id)).toMatchObject({ kind: "paused", requests: 0 });
    expect(heard()).toEqual(names(0));
    await act("resume");
    await world.calm(minuteMs);
    expect(heard()).toEqual(names(0, 1));
  });

  test("stops a delivery that runs at its next write, and what it was told until then counts", async () => {
    const { world, id, act, told: heard } = await told(0, { perRequest: 1, limits: { unwrittenMsMax: 5_000 } });
    await world.tell(Array.from({ length: 50 }, (_, index) => entryOf("m00", `c${index}`)));
    world.receive = async () => {
      world.clock.ms += 2_000;
      if (heard().length === 3) await act("pause");
      return yes;
    };
    expect(await world.deliver(id)).toMatchObject({ kind: "paused" });
    const before = heard().length;
    expect(before).toBeLessThan(10);
    expect(await world.held(id)).toMatchObject({
      ...{ pausedReason: "byHand", claimedBy: null },
      position: { "00": { number: 0, entries: before, sent: 0 } },
    });
    await act("resume");
    await world.calm();
    expect(heard()).toEqual(Array.from({ length: 50 }, (_, index) => `created m00/c${index}`));
  });

  test("stays so, whatever its subscriber answers meanwhile; and what has gone may be paused by hand, too", () => {
    const byHand = { ...paused(subscriptionOf(), "byHand", startMs), refusedSinceMs: startMs };
    const later = afterFailure(
      byHand,
      { kind: "refused", status: 410, retryAfterMs: null },
      { nowMs: startMs + dayMs, jitter: 1 },
    );
    expect(later).toMatchObject({ pausedReason: "byHand", pausedMs: startMs });
    const gone = paused(subscriptionOf(), "gone", startMs);
    expect(paused(gone, "gone", startMs + 1)).toBe(gone);
    expect(paused(gone, "byHand", startMs + 1)).toMatchObject({ pausedReason: "byHand", pausedMs: startMs + 1 });
    expect(paused(byHand, "byHand", startMs + 1)).toBe(byHand);
  });
});

describe("what an operator resumes", () => {
  test("goes on at once, though it was gone, or waits", async () => {
    const { world, id, act, told: heard } = await told(0);
    world.receive = () => refused(410);
    await world.tell([entryOf("m00", "c0")]);
    await world.calm(dayMs + 2 * hourMs);
    expect(await world.held(id)).toMatchObject({ pausedReason: "gone" });
    await act("resume");
    expect(await world.deliver(id)).toMatchObject({ kind: "failed" });
    expect(await world.held(id)).toMatchObject({ failuresInARow: 1, pausedReason: null });
    expect(await world.deliver(id)).toMatchObject({ kind: "waiting" });
    world.receive = () => yes;
    await act("resume");
    expect(await world.deliver(id)).toMatchObject({ kind: "upToDate", notifications: 1 });
    expect(heard()).toEqual(names(0));
  });

  test("is neither paused nor waiting, with all else as it was", () => {
    const before = subscriptionOf({ failuresInARow: 9, notBeforeMs: startMs + hourMs, refusedSinceMs: 1, missedMs: 4 });
    expect(resumed(paused(before, "byHand", startMs))).toEqual({
      ...before,
      ...{ failuresInARow: 0, notBeforeMs: null, refusedSinceMs: null },
    });
  });
});

describe("a replay", () => {
  test("tells all since then once more, in the order and under the ids of the first time", async () => {
    const { world, replay, told: heard } = await told(6, { shards: 2 });
    const before = world.keptBy(url).slice(6);
    expect(await replay(startMs + 3 * hourMs)).toMatchObject({ goesBackToMs: null });
    await world.calm(minuteMs);
    const again = world.keptBy(url).slice(12);
    const of = (shard: string) => (one: (typeof again)[number]) => one.subject.mailboxId === `m${shard}`;
    for (const shard of world.shards) expect(again.filter(of(shard))).toEqual(before.filter(of(shard)));
    expect(heard()).toHaveLength(18);
  });

  test("begins some minutes early: clocks differ", async () => {
    const { world, replay, told: heard } = await told(4);
    await replay(startMs + 2 * hourMs + 4 * minuteMs);
    await world.calm(minuteMs);
    expect(heard()).toEqual(names(0, 1, 2, 3, 2, 3));
  });

  test("I15: never moves a position on: who is behind that time is told what lies between, too", async () => {
    const { world, id, replay, told: heard } = await told(2);
    world.receive = () => refused(503);
    await world.tell([entryOf("m00", "c2")]);
    world.clock.ms += hourMs;
    await world.tell([entryOf("m00", "c3")]);
    await world.deliver(id);
    await replay(world.clock.ms);
    world.receive = () => yes;
    await world.calm(2 * hourMs);
    expect(heard()).toEqual(names(0, 1, 2, 3));
  });

  test("of the middle of a row begins with the row", () => {
    const before = subscriptionOf({
      position: { "00": { number: 4, entries: 3, sent: 1 }, "01": { number: 9, entries: 0, sent: 0 } },
    });
    const places = { "00": { number: 4, entries: 0, sent: 0 } };
    expect(replayed(before, places).position).toEqual({ ...before.position, ...places });
  });

  test("I15: takes the subscription from whoever delivers to it, who would move the position on again", async () => {
    const { world, id, replay, told: heard } = await told(3);
    await world.tell([entryOf("m00", "c3")]);
    world.receive = async () => {
      world.receive = () => yes;
      await replay(startMs);
      return yes;
    };
    expect(await world.deliver(id)).toMatchObject({ kind: "lost" });
    expect(await world.deliver(id)).toMatchObject({ kind: "upToDate", notifications: 4 });
    expect(heard()).toEqual(names(0, 1, 2, 3, 0, 1, 2, 3));
    const taken = claimed(subscriptionOf(), "other", startMs);
    expect(standingOf(replayed(taken, {}), { "00": 1 }, startMs)).toBe("behind");
  });

  test("of one that is paused is told when it is resumed", async () => {
    const { world, act, replay, told: heard } = await told(2);
    await act("pause");
    await replay(startMs);
    await world.calm(minuteMs);
    expect(heard()).toEqual(names(0, 1));
    await act("resume");
    await world.calm(minuteMs);
    expect(heard()).toEqual(names(0, 1, 0, 1));
  });

  test("from before what the log holds begins where it begins, and says so", async () => {
    const { world, replay, told: heard } = await told(5);
    await world.retire(2);
    expect(await replay(startMs + 2 * hourMs - minuteMs)).toMatchObject({ goesBackToMs: startMs + 2 * hourMs });
    await world.calm(minuteMs);
    expect(heard().slice(5)).toEqual(names(2, 3, 4));
    expect(await replay(startMs + 2 * hourMs)).toMatchObject({ goesBackToMs: null });
  });

  test("of a subscription to one mailbox reads its log alone, and few rows of it", async () => {
    const { world } = await told(40, { shards: 2 });
    const before = world.store.transactions();
    const position = { "01": { number: 40, entries: 0, sent: 0 } };
    const { places } = await placesSince({ position }, startMs + 20 * hourMs, world.store);
    expect(places).toEqual({ "01": { number: 20, entries: 0, sent: 0 } });
    expect(world.store.transactions() - before).toBeLessThanOrEqual(8);
  });

  test("leaves alone a log that the table has lost: the next delivery says that something is missed", async () => {
    const { world, id, replay } = await told(2);
    const held = await world.store.readSubscription(id);
    if (held === null) throw new Error("There is none.");
    const lifecycleNotificationUrl = "https://life.example";
    await world.store.writeSubscription(
      { ...held.subscription, lifecycleNotificationUrl, position: world.position(90) },
      held.etag,
    );
    await replay(startMs);
    await world.calm(minuteMs);
    expect(world.got.filter(({ lifecycle }) => lifecycle === "missed")).toHaveLength(1);
  });
});

test("nobody acts on a subscription that is not there, or has expired", async () => {
  const { world, id, act } = await told(0);
  expect(
    await actOnSubscriber("3f0c0000-0000-4000-8000-00000000ffff", { action: "pause" }, world.store, startMs),
  ).toBeNull();
  world.clock.ms = (await world.held(id))?.expiresMs ?? 0;
  expect(await act("resume")).toBeNull();
});
