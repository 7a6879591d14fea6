import { describe, expect, test } from "vitest";
import { releaseMany } from "../../shared/actions/releaseMany.js";
import type { Status } from "../../shared/views/status.js";
import { discovered, type Fleet, fitUsers } from "../worlds/fleet.js";
import { httpOf } from "../worlds/http.js";

const statusOf = async (world: Fleet) => (await httpOf(world).status("?ticks=1")).body as Status;

describe("POST mailboxes/release", () => {
  test("I7: releases all of one reason or of its beginning, and nobody else", async () => {
    const world = await discovered({ mailboxes: 100, shards: 4 });
    const [denied, gone] = [fitUsers(world).slice(0, 5), fitUsers(world).slice(5, 8)];
    for (const id of denied) world.graph.mailboxes.setState(id, { kind: "denied" });
    for (const id of gone) world.graph.faults.add({ kind: "noMailbox", mailboxId: id });
    for (let tick = 0; tick < 2; tick++) await world.tick();
    const http = httpOf(world);
    expect(await http.releaseAll("")).toMatchObject({ status: 400 });
    expect(await http.releaseAll("?reason=denied&cursor=x")).toMatchObject({ status: 400 });
    expect(await http.releaseAll("?reason=denied&state=parked")).toMatchObject({ status: 400 });
    expect((await http.releaseAll("?reason=den")).body).toEqual({ released: 0, cursor: null });
    expect((await http.releaseAll("?reason=noMailbox")).body).toEqual({ released: 3, cursor: null });
    expect((await http.releaseAll("?reason=denied:ErrorAccessDenied")).body).toEqual({ released: 5, cursor: null });
    expect((await http.releaseAll("?reason=denied:ErrorAccessDenied")).body).toEqual({ released: 0, cursor: null });
    for (const id of denied) world.graph.mailboxes.setState(id, { kind: "normal" });
    await world.tick();
    expect((await statusOf(world)).mailboxes.byState).toMatchObject({ parked: 3 });
  });

  test("goes on from its cursor when its time was up", async () => {
    const world = await discovered({ mailboxes: 30, shards: 4 });
    const total = fitUsers(world).length;
    world.graph.faults.add({ kind: "throttled", seconds: 3_600, retryAfter: "integer" });
    await world.tick();
    await httpOf(world).liftBrake();
    const waiting = (await statusOf(world)).troubles.waiting[0];
    let released = 0;
    let steps = 0;
    for (let place: Parameters<typeof releaseMany>[1] | null = { shard: 0, after: null }; place !== null; steps++) {
      const end = await releaseMany(waiting?.reason ?? "", place, world.store, world.shards, () => true);
      released += end.released;
      place = end.next;
    }
    expect(steps).toBeGreaterThan(4);
    expect(released).toBe(waiting?.count);
    expect(total).toBeGreaterThanOrEqual(released);
  });
});
