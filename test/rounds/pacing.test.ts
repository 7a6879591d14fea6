import { describe, expect, test } from "vitest";
import { discovered, type Fleet, fitUsers, fleet } from "../worlds/fleet.js";
import { readStatus } from "../worlds/status.js";

const statusOf = (world: Fleet) => readStatus(world.store, world.facts, world.clock.ms, 288);

describe("pacing", () => {
  test("never-asked mailboxes get their first round so many at a time, and the others go on in each tick", async () => {
    const world = await discovered({ mailboxes: 30, shards: 1, run: { newMailboxesPerTickMax: 10 } });
    const users = fitUsers(world).length;
    const fresh: number[] = [];
    for (let tick = 0; tick < 3; tick++) {
      await world.tick();
      const { mailboxes, activity } = await statusOf(world);
      fresh.push(mailboxes.byState.fresh);
      expect(mailboxes.total).toBe(users);
      expect(activity.ticks.at(-1)?.rounds).toBe(mailboxes.byState.fresh);
    }
    expect(fresh).toEqual([10, 20, users]);
  });

  test("the runs of one tick share one allowance", async () => {
    const world = fleet({
      mailboxes: 200,
      shards: 1,
      run: { runMsMax: 1, batchesInFlightMax: 1, newMailboxesPerTickMax: 50 },
      table: { pageSize: 20 },
      onCall: () => {
        world.clock.ms += 1;
      },
    });
    await world.store.open();
    await world.discover();
    await world.tick();
    const { mailboxes } = await statusOf(world);
    expect(mailboxes.byState).toMatchObject({ fresh: 50, new: fitUsers(world).length - 50 });
  });

  test("mailboxes that return in numbers are paced like new ones", async () => {
    const world = await discovered({ mailboxes: 30, shards: 1, run: { newMailboxesPerTickMax: 10 } });
    for (let tick = 0; tick < 3; tick++) await world.tick();
    const away = fitUsers(world).slice(0, 20);
    for (const id of away) world.graph.mailboxes.remove(id);
    expect([await world.discover(), await world.discover()]).toEqual(["held", "done"]);
    for (const id of away) world.graph.mailboxes.restore(id);
    await world.discover();
    await world.tick();
    const rounds = (await statusOf(world)).activity.ticks.at(-1)?.rounds;
    expect(rounds).toBe(fitUsers(world).length - 10);
  });
});
