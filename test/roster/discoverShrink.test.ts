import { describe, expect, test } from "vitest";
import { actOnRoster } from "../../shared/actions/roster.js";
import { discovered, type Fleet, type FleetOptions, fitUsers } from "../worlds/fleet.js";
import { dayMs } from "../worlds/parts.js";
import { readStatus } from "../worlds/status.js";

/** A sudden shrink is held whichever way it is reported (I11); a single leaver goes at once. */

const hourMs = 3_600_000;

const opened = (options: FleetOptions = {}) => discovered({ mailboxes: 60, usersPerPage: 10, ...options });

const suspended = async (world: Fleet) =>
  [...(await world.states())].flatMap(([id, state]) => (state === "suspended" ? [id] : [])).sort();
const stateOf = async (world: Fleet) => (await world.store.readDirectory())?.state;

const ways = [
  ["@removed", (world: Fleet, id: string) => world.graph.mailboxes.remove(id, "deleted")],
  ["accountEnabled", (world: Fleet, id: string) => world.graph.mailboxes.updateUser(id, { accountEnabled: false })],
  ["userType", (world: Fleet, id: string) => world.graph.mailboxes.updateUser(id, { userType: "Guest" })],
  ["mail", (world: Fleet, id: string) => world.graph.mailboxes.updateUser(id, { mail: null })],
] as const;

describe.each(ways)("many who leave by %s in one pass of news", (_, leave) => {
  test("I11: are held: nobody is suspended, and status says how many of how many", async () => {
    const world = await opened();
    const fit = fitUsers(world);
    const gone = fit.slice(0, Math.ceil(fit.length * 0.3));
    for (const id of gone) leave(world, id);
    expect(await world.discover()).toBe("held");
    expect(await suspended(world)).toEqual([]);
    expect(await stateOf(world)).toMatchObject({ isFull: false, suspended: 0, discovered: fit.length });
    const { roster } = await readStatus(world.store, world.facts, world.clock.ms, 0);
    expect(roster).toMatchObject({
      state: "held",
      held: { leaving: gone.length, of: fit.length, needsRelease: false },
    });
    expect(world.logged.some((line) => line.startsWith("error roster held"))).toBe(true);
  });

  test("I11: are confirmed by the full round that follows", async () => {
    const world = await opened();
    const gone = fitUsers(world).slice(0, 20);
    for (const id of gone) leave(world, id);
    expect([await world.discover(), await world.discover()]).toEqual(["held", "done"]);
    expect(await suspended(world)).toEqual([...gone].sort());
    expect(await stateOf(world)).toMatchObject({ isFull: true, hold: null, suspended: 20 });
  });

  test("I11: are released by a person", async () => {
    const world = await opened();
    const gone = fitUsers(world).slice(0, 20);
    for (const id of gone) leave(world, id);
    await world.discover();
    const end = await actOnRoster("release", world.store, world.newId, world.clock.ms);
    if (end.kind !== "accepted") throw new Error(`The release was ${end.kind}.`);
    expect((await world.discoverOnce(end.message.discover)).kind).toBe("done");
    expect(await suspended(world)).toEqual([...gone].sort());
  });

  test("one of them alone is suspended at once", async () => {
    const world = await opened();
    const [id = ""] = fitUsers(world);
    leave(world, id);
    expect(await world.discover()).toBe("done");
    expect(await suspended(world)).toEqual([id]);
    expect(await stateOf(world)).toMatchObject({ isFull: false, lastFullRoundMs: Date.UTC(2026, 9, 8, 12) });
  });
});

describe("a shrink that comes in parts", () => {
  test("I11: over several passes of a day counts as one", async () => {
    const world = await opened();
    const fit = fitUsers(world);
    const ends: string[] = [];
    for (let start = 0; start < 20; start += 4) {
      for (const id of fit.slice(start, start + 4)) world.graph.mailboxes.remove(id, "deleted");
      world.clock.ms += hourMs;
      ends.push(await world.discover());
      if (ends.at(-1) === "held") break;
    }
    expect(ends.at(-1)).toBe("held");
    expect((await suspended(world)).length).toBeLessThanOrEqual(fit.length * 0.2);
    world.clock.ms += hourMs;
    expect(await world.discover()).toBe("done"); // The second look confirms it, and the count begins anew.
    world.graph.mailboxes.remove(fit[30] ?? "", "deleted");
    expect(await world.discover()).toBe("done");
    expect(await suspended(world)).toContain(fit[30]);
  });

  test("leavers of days long gone are no part of it", async () => {
    const world = await opened();
    const fit = fitUsers(world);
    for (const id of fit.slice(0, 20)) {
      world.graph.mailboxes.remove(id, "deleted");
      world.clock.ms += dayMs / 4;
      expect(await world.discover()).toBe("done");
    }
    expect(await suspended(world)).toEqual(fit.slice(0, 20).sort());
  });

  test("I11: over the pages of one pass counts as one, through a crash on each page", async () => {
    let calls = 0;
    let isStormy = false;
    const world = await opened({
      usersPerPage: 5,
      onCall: () => {
        if (isStormy && ++calls % 3 === 0) throw new Error("The end of a process."); // A page takes two.
      },
    });
    isStormy = true;
    const gone = fitUsers(world).slice(0, 20);
    for (const id of gone) world.graph.mailboxes.updateUser(id, { accountEnabled: false });
    let kind = "";
    for (const name = world.newId(); kind !== "held"; ) {
      kind = await world.discoverOnce(name).then(
        (end) => end.kind,
        () => "crash",
      );
      expect(["crash", "held"]).toContain(kind);
    }
    expect(await suspended(world)).toEqual([]);
    expect((await stateOf(world))?.hold).toMatchObject({ leaving: 20 });
  });
});

describe("those who reappear", () => {
  test("I11: cancel the hold, and nobody is suspended", async () => {
    const world = await opened();
    const gone = fitUsers(world).slice(0, 20);
    for (const id of gone) world.graph.mailboxes.remove(id);
    expect(await world.discover()).toBe("held");
    for (const id of gone) world.graph.mailboxes.restore(id);
    expect(await world.discover()).toBe("done");
    expect(await suspended(world)).toEqual([]);
    expect((await stateOf(world))?.hold).toBeNull();
    expect((await world.store.roster.read(gone[0] ?? ""))?.row).toMatchObject({ state: "active", leaveReason: null });
  });

  test("I11: in part leave the others to the second look, as few as they are", async () => {
    const world = await opened();
    const gone = fitUsers(world).slice(0, 20);
    for (const id of gone) world.graph.mailboxes.updateUser(id, { accountEnabled: false });
    expect(await world.discover()).toBe("held");
    for (const id of gone.slice(2)) world.graph.mailboxes.updateUser(id, { accountEnabled: true });
    expect(await world.discover()).toBe("done");
    expect(await suspended(world)).toEqual(gone.slice(0, 2).sort());
  });
});

test("I11: whom only the second reading misses is spared until the next one", async () => {
  const world = await opened();
  const fit = fitUsers(world);
  for (const id of fit.slice(0, 20)) world.graph.mailboxes.remove(id, "deleted");
  expect(await world.discover()).toBe("held");
  const [late = ""] = fit.slice(20);
  world.graph.mailboxes.updateUser(late, { accountEnabled: false });
  expect(await world.discover()).toBe("done");
  expect(await suspended(world)).toEqual(fit.slice(0, 20).sort());
  expect(await world.discover()).toBe("done");
  expect(await suspended(world)).toEqual(fit.slice(0, 21).sort());
});

test("I11: readers are served and rounds go on while a shrink is held", async () => {
  const world = await opened();
  await world.tick();
  for (const id of fitUsers(world).slice(0, 20)) world.graph.mailboxes.updateUser(id, { accountEnabled: false });
  await world.discover();
  await world.tick();
  const { mailboxes } = await readStatus(world.store, world.facts, world.clock.ms, 0);
  expect(mailboxes.byState).toMatchObject({ fresh: mailboxes.total, suspended: 0 });
});
