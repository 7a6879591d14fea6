import { describe, expect, test } from "vitest";
import { addMailbox } from "../../shared/roster/byHand.js";
import { discoverMailboxes } from "../../shared/roster/discover.js";
import { mailboxKey } from "../../shared/store/keys.js";
import { stateOf } from "../../shared/sync/state.js";
import { type Fleet, type FleetOptions, fitUsers, fleet } from "../worlds/fleet.js";
import { dayMs } from "../worlds/parts.js";

async function opened(options: FleetOptions = {}): Promise<Fleet> {
  const world = fleet({ mailboxes: 60, usersPerPage: 10, ...options });
  await world.store.open();
  return world;
}

/** A fit user other than the first: small worlds have guests and disabled accounts among them. */
const fitOf = (world: Fleet, index: number): string => fitUsers(world)[index] ?? "";
const alive = async (world: Fleet) =>
  [...(await world.states())].flatMap(([id, state]) => (state === "suspended" ? [] : [id])).sort();
const wanted = (world: Fleet) => [...fitUsers(world)].sort();
const stateOfRoster = async (world: Fleet) => (await world.store.readDirectory())?.state;
const rosterOf = async (world: Fleet, id: string) => (await world.store.roster.read(id))?.row;
const epochOf = async (world: Fleet, id: string) => (await world.store.readMailbox(id))?.checkpoint.epoch;

describe("the first pass", () => {
  test("puts every member with mail on the roster, page by page, and neither guests nor disabled accounts", async () => {
    const world = await opened();
    expect(await world.discover()).toBe("done");
    expect(await alive(world)).toEqual(wanted(world));
    expect(wanted(world).length).toBeLessThan(60);
    expect(await stateOfRoster(world)).toMatchObject({
      phase: "idle",
      pages: 6,
      seen: 60,
      added: wanted(world).length,
    });
    expect(await rosterOf(world, fitOf(world, 0))).toMatchObject({
      source: "directory",
      state: "active",
      userPrincipalName: "samantha.booth.0@contoso.example",
      displayName: "Samantha Booth",
    });
  });

  test("skips users without mail", async () => {
    const world = await opened();
    const id = fitOf(world, 3);
    world.graph.mailboxes.updateUser(id, { mail: null });
    await world.discover();
    expect(await world.store.readMailbox(id)).toBeNull();
    expect(await alive(world)).toEqual(wanted(world));
  });

  test("leaves a mailbox that was added by hand as it is, its epoch and its source", async () => {
    const world = await opened();
    const id = fitOf(world, 5);
    await addMailbox(id, { displayName: "By hand" }, world.store, world.newId);
    const epoch = await epochOf(world, id);
    await world.discover();
    expect(await rosterOf(world, id)).toMatchObject({ source: "manual", displayName: "By hand" });
    expect(await epochOf(world, id)).toBe(epoch);
  });

  test("does nothing for a roster that is kept by hand", async () => {
    const world = await opened({ source: null });
    expect(await world.discover()).toBe("manual");
    expect((await world.states()).size).toBe(0);
  });
});

describe("the passes after it", () => {
  test("report news only: arrivals are added, and nobody else is written", async () => {
    const world = await opened();
    await world.discover();
    const etags = new Map(world.table.entities().map(({ rowKey, etag }) => [rowKey, etag]));
    const [arrived = ""] = world.graph.mailboxes.add(1);
    await world.discover();
    expect(await stateOfRoster(world)).toMatchObject({ isFull: false, pages: 1, seen: 1, added: 1 });
    expect(await alive(world)).toContain(arrived);
    const changed = world.table.entities().filter(({ rowKey, etag }) => etags.get(rowKey) !== etag);
    expect(changed.map(({ rowKey }) => rowKey).sort()).toEqual(
      ["directory", mailboxKey(arrived), `roster|${arrived}`].sort(),
    );
  });

  test.each([
    ["disabled", (world: Fleet, id: string) => world.graph.mailboxes.updateUser(id, { accountEnabled: false })],
    ["guest", (world: Fleet, id: string) => world.graph.mailboxes.updateUser(id, { userType: "Guest" })],
    ["noMail", (world: Fleet, id: string) => world.graph.mailboxes.updateUser(id, { mail: null })],
    ["softDeleted", (world: Fleet, id: string) => world.graph.mailboxes.remove(id, "changed")],
    ["deleted", (world: Fleet, id: string) => world.graph.mailboxes.remove(id, "deleted")],
  ])("suspend at once who is %s, keep the rows, and drop the link", async (reason, leave) => {
    const world = await opened();
    await world.discover();
    await world.tick();
    const id = fitOf(world, 2);
    leave(world, id);
    await world.discover();
    expect((await world.states()).get(id)).toBe("suspended");
    const held = await world.store.readMailbox(id);
    expect(held?.checkpoint).toMatchObject({
      lifecycle: "suspended",
      notBeforeMs: null,
      link: null,
      lastErrorCode: reason,
    });
    expect(await world.store.readCalendars(id)).toHaveLength(3);
    expect(await rosterOf(world, id)).toMatchObject({ state: "suspended", leaveReason: reason });
  });

  test("I7: a suspended mailbox is never asked, and is counted as suspended", async () => {
    const calls: string[] = [];
    const world = await opened({ onCall: (call) => calls.push(JSON.stringify(call)) });
    await world.discover();
    const id = fitOf(world, 2);
    world.graph.mailboxes.updateUser(id, { accountEnabled: false });
    await world.discover();
    calls.length = 0;
    await world.tick();
    expect(calls.filter((call) => call.includes(id))).toEqual([]);
    expect((await world.states()).get(id)).toBe("suspended");
  });

  test("I4: resume who returns, with a full round over the rows that were kept", async () => {
    const world = await opened();
    await world.discover();
    await world.tick();
    const id = fitOf(world, 2);
    const epoch = await epochOf(world, id);
    world.graph.mailboxes.remove(id);
    await world.discover();
    world.graph.mailboxes.restore(id);
    world.graph.createCalendar(id, { name: "While away" });
    await world.discover();
    expect(await rosterOf(world, id)).toMatchObject({ state: "active", leaveReason: null, purgeAfterMs: null });
    await world.tick();
    expect((await world.states()).get(id)).toBe("fresh");
    expect(await epochOf(world, id)).toBe(epoch);
    expect(await world.store.readCalendars(id)).toHaveLength(4);
    expect((await world.store.readMailbox(id))?.checkpoint).toMatchObject({ generation: 2, calendarCount: 4 });
  });

  test("never remove a mailbox that was added by hand", async () => {
    const world = await opened();
    const id = fitOf(world, 4);
    await addMailbox(id, {}, world.store, world.newId);
    await world.discover();
    world.graph.mailboxes.remove(id, "deleted");
    await world.discover();
    world.clock.ms += 8 * dayMs; // The next pass is a full round.
    await world.discover();
    expect((await world.states()).get(id)).toBe("new");
  });

  test("PUT by hand takes a suspended mailbox back, and discovery then leaves it alone", async () => {
    const world = await opened();
    await world.discover();
    const id = fitOf(world, 2);
    world.graph.mailboxes.updateUser(id, { accountEnabled: false });
    await world.discover();
    const { isNew, checkpoint } = await addMailbox(id, { source: "manual" }, world.store, world.newId);
    expect([isNew, stateOf(checkpoint)]).toEqual([false, "new"]);
    world.graph.mailboxes.updateUser(id, { displayName: "Still disabled" });
    await world.discover();
    expect((await world.states()).get(id)).toBe("new");
  });
});

describe("retention", () => {
  test("a suspended mailbox is purged with all its rows after the retention, and not before", async () => {
    const world = await opened();
    await world.discover();
    await world.tick();
    const id = fitOf(world, 2);
    world.graph.mailboxes.remove(id, "deleted");
    await world.discover();
    world.clock.ms += 30 * dayMs;
    await world.discover();
    expect(await world.store.readCalendars(id)).toHaveLength(3);
    world.clock.ms += 1;
    await world.discover();
    await world.tick(); // Its departure goes once the change log has told of it (I12).
    expect(world.table.entities().filter(({ rowKey }) => rowKey.includes(id))).toEqual([]);
  });

  test("who returns just in time stays, whoever was about to purge", async () => {
    const world = await opened();
    await world.discover();
    await world.tick();
    const id = fitOf(world, 2);
    world.graph.mailboxes.remove(id);
    await world.discover();
    world.graph.mailboxes.restore(id);
    await world.discover();
    expect(await world.store.purgeMailbox(id, { onlyLeaving: true })).toBe("kept");
    expect(await world.store.readCalendars(id)).toHaveLength(3);
  });

  test("a user who returns after the purge begins anew", async () => {
    const world = await opened();
    await world.discover();
    const id = fitOf(world, 2);
    const epoch = await epochOf(world, id);
    world.graph.mailboxes.remove(id);
    await world.discover();
    world.clock.ms += 30 * dayMs + 1;
    await world.discover();
    expect(await world.store.readMailbox(id)).toBeNull();
    world.graph.mailboxes.restore(id);
    await world.discover();
    expect((await world.states()).get(id)).toBe("new");
    expect(await epochOf(world, id)).not.toBe(epoch);
  });
});

describe("a lost sync state", () => {
  test("410 with a Location begins a full round, from the start's own URL", async () => {
    const targets: string[] = [];
    const onCall = ({ rawTarget }: { rawTarget: string }) => void targets.push(rawTarget);
    const world = await opened({ auditMs: 30 * dayMs, onCall });
    await world.discover();
    const gone = fitOf(world, 2);
    world.graph.mailboxes.remove(gone, "deleted");
    world.clock.ms += 7 * dayMs + 1;
    targets.length = 0;
    expect(await world.discover()).toBe("done");
    expect(targets[1]).toBe(targets.find((target) => target.startsWith("/beta/users/delta?$select=")));
    expect(await stateOfRoster(world)).toMatchObject({ isFull: true, generation: 2, suspended: 1 });
    expect((await world.states()).get(gone)).toBe("suspended");
    expect(await rosterOf(world, gone)).toMatchObject({ leaveReason: "vanished" });
    expect(await alive(world)).toEqual(wanted(world));
  });

  test("I8: a stored link that leads elsewhere is not asked, and costs a full round", async () => {
    const targets: string[] = [];
    const world = await opened({ onCall: ({ rawTarget }) => targets.push(rawTarget) });
    await world.discover();
    const held = await world.store.readDirectory();
    if (held === null) throw new Error("The roster has no checkpoint.");
    for (const link of [
      "https://evil.example/beta/users/delta?$deltatoken=x",
      "https://graph.microsoft.com/v1.0/users/delta?$deltatoken=x",
      "https://graph.microsoft.com/beta/users/me/messages/delta?$deltatoken=x",
      "https://graph.microsoft.com/beta/groups/g/transitiveMembers/microsoft.graph.user?$skiptoken=x",
      "https://graph.microsoft.com/beta/users/delta?$select=id",
    ]) {
      const now = await world.store.readDirectory();
      await world.store.writeDirectory({ ...held.state, link, step: 1_000 }, now?.etag ?? null);
      targets.length = 0;
      expect(await world.discover()).toBe("done");
      expect(targets[0]).toMatch(/^\/beta\/users\/delta\?\$select=/);
    }
  });

  test("I3: an error removes nobody, whatever it says", async () => {
    const world = await opened();
    await world.discover();
    for (const kind of ["denied", "serverError", "unavailable", "throttled", "tokenRefused"] as const) {
      world.graph.faults.add({ kind, on: "directory", seconds: 3600 });
      world.clock.ms += 8 * dayMs;
      expect(await world.discover()).toBe("waiting");
      world.graph.faults.clear();
      expect(await alive(world)).toEqual(wanted(world));
    }
    world.clock.ms += 2 * 3_600_000;
    expect(await world.discover()).toBe("done");
    expect(await alive(world)).toEqual(wanted(world));
  });

  test("a throttle is waited for as long as it says, within the invocation when it is short", async () => {
    const world = await opened();
    world.graph.faults.add({ kind: "throttled", on: "directory", seconds: 20, count: 1 });
    const startMs = world.clock.ms;
    expect(await world.discover()).toBe("done");
    expect(world.clock.ms - startMs).toBe(20_000);
    world.graph.faults.add({ kind: "throttled", on: "directory", seconds: 600, count: 1 });
    expect(await world.discover()).toBe("waiting");
    expect(await world.discover()).toBe("waiting");
    world.clock.ms += 600_000;
    expect(await world.discover()).toBe("done");
  });
});

describe("users that a page describes in part", () => {
  test("are looked up, and one that fails for ever holds nobody up for long (I10)", async () => {
    const world = await opened();
    await world.discover();
    const id = fitOf(world, 1);
    const inner = world.discoverPorts();
    let lookups = 0;
    const partial = {
      id,
      removed: null,
      userPrincipalName: null,
      displayName: null,
      mail: null,
      accountEnabled: false,
      userType: null,
      isWhole: false,
    } as const;
    const directory: typeof inner.directory = {
      page: async () => ({
        kind: "page",
        items: [partial],
        link: "https://graph.microsoft.com/beta/users/delta?$deltatoken=n",
        isLast: true,
      }),
      user: (one) => {
        lookups += 1;
        return inner.directory.user(one);
      },
    };
    expect((await discoverMailboxes({ discover: "p1" }, { ...inner, directory })).kind).toBe("done");
    expect([lookups, (await world.states()).get(id)]).toEqual([1, "new"]);
    world.graph.faults.add({ kind: "serverError", on: "directory" });
    expect((await discoverMailboxes({ discover: "p2" }, { ...inner, directory })).kind).toBe("done");
    expect(world.logged.some((line) => line.startsWith("error users left out"))).toBe(true);
    expect((await world.states()).get(id)).toBe("new");
  });
});
