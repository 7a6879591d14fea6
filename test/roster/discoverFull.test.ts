import { describe, expect, test } from "vitest";
import { actOnRoster } from "../../shared/actions/roster.js";
import { type Fleet, type FleetOptions, fitUsers, fleet } from "../worlds/fleet.js";
import { dayMs } from "../worlds/parts.js";

async function opened(options: FleetOptions = {}): Promise<Fleet> {
  const world = fleet({ mailboxes: 60, usersPerPage: 10, ...options });
  await world.store.open();
  return world;
}

const alive = async (world: Fleet) =>
  [...(await world.states())].flatMap(([id, state]) => (state === "suspended" ? [] : [id])).sort();
const wanted = (world: Fleet) => [...fitUsers(world)].sort();
const stateOfRoster = async (world: Fleet) => (await world.store.readDirectory())?.state;
const rosterOf = async (world: Fleet, id: string) => (await world.store.roster.read(id))?.row;

describe("a full roster round that would suspend many at once", () => {
  /** Everybody from the 21st user on leaves while no pass looks, and the sync state is lost. */
  async function shrunk(): Promise<{ world: Fleet; gone: readonly string[] }> {
    const world = await opened();
    await world.discover();
    const gone = fitUsers(world).slice(20);
    for (const id of gone) world.graph.mailboxes.remove(id, "deleted");
    world.clock.ms += 8 * dayMs;
    return { world, gone };
  }

  test("I11: is held: nobody is suspended, and it is told how many would be", async () => {
    const { world, gone } = await shrunk();
    expect(await world.discover()).toBe("held");
    expect([...(await world.states()).values()]).not.toContain("suspended");
    expect((await stateOfRoster(world))?.hold).toMatchObject({ leaving: gone.length, of: gone.length + 20 });
  });

  test("I11: is confirmed by a second full round that says the same", async () => {
    const { world, gone } = await shrunk();
    await world.discover();
    expect(await world.discover()).toBe("done");
    const suspended = [...(await world.states())].flatMap(([id, state]) => (state === "suspended" ? [id] : []));
    expect(suspended.sort()).toEqual([...gone].sort());
    expect(await stateOfRoster(world)).toMatchObject({ hold: null, discovered: 20, suspended: gone.length });
  });

  test("I11: is forgotten when the second full round sees them all again", async () => {
    const world = await opened({ source: { kind: "group", groupId: "11111111-2222-4333-8444-555555555555" } });
    const members = world.graph.mailboxes.ids();
    world.graph.groups.add("11111111-2222-4333-8444-555555555555", members);
    await world.discover();
    world.graph.groups.add("11111111-2222-4333-8444-555555555555", members.slice(0, 5));
    expect(await world.discover()).toBe("held");
    world.graph.groups.add("11111111-2222-4333-8444-555555555555", members);
    expect(await world.discover()).toBe("done");
    expect(await alive(world)).toEqual(wanted(world));
    expect((await stateOfRoster(world))?.hold).toBeNull();
  });

  test("I11: others who are missing the second time are no confirmation", async () => {
    const groupId = "11111111-2222-4333-8444-555555555555";
    const world = await opened({ source: { kind: "group", groupId } });
    const members = world.graph.mailboxes.ids();
    world.graph.groups.add(groupId, members);
    await world.discover();
    world.graph.groups.add(groupId, members.slice(0, 30));
    expect(await world.discover()).toBe("held");
    world.graph.groups.add(groupId, members.slice(30));
    expect(await world.discover()).toBe("held");
    expect([...(await world.states()).values()]).not.toContain("suspended");
  });

  test("I11: is applied at once when an operator releases it, and releasing again changes nothing", async () => {
    const { world, gone } = await shrunk();
    expect((await actOnRoster("release", world.store, world.newId, world.clock.ms)).kind).toBe("notHeld");
    await world.discover();
    const end = await actOnRoster("release", world.store, world.newId, world.clock.ms);
    if (end.kind !== "accepted") throw new Error(`The release was ${end.kind}.`);
    expect((await actOnRoster("release", world.store, world.newId, world.clock.ms)).kind).toBe("accepted");
    expect((await world.discoverOnce(end.message.discover)).kind).toBe("done");
    expect([...(await world.states()).values()].filter((state) => state === "suspended")).toHaveLength(gone.length);
    expect((await actOnRoster("release", world.store, world.newId, world.clock.ms)).kind).toBe("notHeld");
  });

  test("two who leave are never too many", async () => {
    const world = await opened({ mailboxes: 5 });
    await world.discover();
    for (const id of fitUsers(world).slice(0, 2)) world.graph.mailboxes.remove(id, "deleted");
    world.clock.ms += 8 * dayMs;
    expect(await world.discover()).toBe("done");
    expect([...(await world.states()).values()].filter((state) => state === "suspended")).toHaveLength(2);
  });

  test("I11: a directory that suddenly returns nobody's mail is held too", async () => {
    const world = await opened();
    await world.discover();
    for (const id of fitUsers(world)) world.graph.mailboxes.updateUser(id, { mail: null });
    world.clock.ms += 8 * dayMs;
    expect(await world.discover()).toBe("held");
    expect([...(await world.states()).values()]).not.toContain("suspended");
  });
});

describe("a group", () => {
  const groupId = "11111111-2222-4333-8444-555555555555";

  test("is followed with all its members, nested ones too, and each pass is a full round", async () => {
    const targets: string[] = [];
    const onCall = ({ rawTarget }: { rawTarget: string }) => void targets.push(rawTarget);
    const world = await opened({ source: { kind: "group", groupId }, onCall });
    const members = world.graph.mailboxes.ids().slice(0, 25);
    world.graph.groups.add(groupId, members);
    await world.discover();
    expect(targets[0]).toMatch(new RegExp(`^/beta/groups/${groupId}/transitiveMembers/microsoft.graph.user\\?`));
    const expected = fitUsers(world).filter((id) => members.includes(id));
    expect(await alive(world)).toEqual([...expected].sort());
    world.graph.groups.add(groupId, members.slice(1));
    await world.discover();
    expect((await world.states()).get(members[0] ?? "")).toBe("suspended");
    expect(await stateOfRoster(world)).toMatchObject({ isFull: true, generation: 2, pages: 3 });
    expect(await rosterOf(world, members[1] ?? "")).toMatchObject({ source: `group:${groupId}` });
  });

  test("that there is not removes nobody", async () => {
    const world = await opened({ source: { kind: "group", groupId } });
    world.graph.groups.add(groupId, world.graph.mailboxes.ids());
    await world.discover();
    const other = fleet({ mailboxes: 60, source: { kind: "group", groupId: "99999999-2222-4333-8444-555555555555" } });
    await other.store.open();
    expect(await other.discover()).toBe("waiting");
    expect((await stateOfRoster(other))?.lastErrorCode).toBe("Request_ResourceNotFound");
    expect(await alive(world)).toEqual(wanted(world));
  });
});
