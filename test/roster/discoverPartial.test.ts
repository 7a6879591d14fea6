import { describe, expect, test } from "vitest";
import type { DirectorySource } from "../../shared/graph/directory.js";
import { type Fleet, type FleetOptions, fitUsers, fleet } from "../worlds/fleet.js";
import { httpOf } from "../worlds/http.js";
import { dayMs } from "../worlds/parts.js";
import { readStatus } from "../worlds/status.js";

/** Absence of information is no information (I3): what the directory does not return takes nobody away. */

const groupId = "11111111-2222-4333-8444-555555555555";
const group: DirectorySource = { kind: "group", groupId };
const hourMs = 3_600_000;

async function opened(options: FleetOptions = {}): Promise<Fleet> {
  const world = fleet({ mailboxes: 60, usersPerPage: 10, ...options });
  await world.store.open();
  world.graph.groups.add(groupId, world.graph.mailboxes.ids());
  return world;
}

const suspended = async (world: Fleet) =>
  [...(await world.states())].flatMap(([id, state]) => (state === "suspended" ? [id] : [])).sort();
const rosterOf = async (world: Fleet) => (await readStatus(world.store, world.facts, world.clock.ms, 0)).roster;
/** The next pass is a full round. */
const beFull = (world: Fleet) => {
  world.clock.ms += 8 * dayMs;
};
const sources = [group, { kind: "directory" } as const];

describe.each(sources)("of $kind, users without their properties", (source) => {
  test("I3, I7: are not believed, hour after hour: nobody leaves, and a code says which permission is missing", async () => {
    const world = await opened({ source });
    await world.discover();
    beFull(world);
    const rule = world.graph.faults.add({ kind: "propertiesHidden" });
    for (let hour = 0; hour < 5; hour++) {
      expect(await world.discover()).toBe("waiting");
      world.clock.ms += hourMs;
    }
    expect(await suspended(world)).toEqual([]);
    expect(await rosterOf(world)).toMatchObject({ state: "waiting", lastErrorCode: "directoryPropertiesHidden" });
    expect(world.logged.some((line) => line.startsWith("error a page of users without their properties"))).toBe(true);
    world.graph.faults.remove(rule);
    world.clock.ms += hourMs;
    expect(await world.discover()).toBe("done");
    expect(await rosterOf(world)).toMatchObject({ state: "idle", lastErrorCode: null, untold: 0 });
  });

  test("I7: fill no new roster, and an error says so", async () => {
    const world = await opened({ source });
    world.graph.faults.add({ kind: "propertiesHidden" });
    expect(await world.discover()).toBe("waiting");
    expect(await rosterOf(world)).toMatchObject({ added: 0, lastErrorCode: "directoryPropertiesHidden" });
    expect((await world.states()).size).toBe(0);
  });

  test.each([
    ["hide", "403", 1],
    ["hide and show", "now and then", 0.5],
  ])("I3: among others stay as they were, when lookups %s them too (%s), and are counted", async (_, __, rate) => {
    const world = await opened({ source });
    await world.discover();
    beFull(world);
    const [one = "", two = "", three = "", gone = ""] = fitUsers(world);
    world.graph.mailboxes.remove(gone, "deleted");
    const [arrived = ""] = world.graph.mailboxes.add(1);
    world.graph.groups.add(groupId, [...world.graph.mailboxes.ids()]);
    for (const mailboxId of [one, two, three, arrived]) {
      world.graph.faults.add({ kind: "propertiesHidden", mailboxId, rate });
    }
    for (let hour = 0; hour < 3; hour++) {
      expect(await world.discover()).toBe("done");
      expect(await suspended(world)).toEqual([gone]);
      world.clock.ms += hourMs;
    }
    if (rate < 1) return;
    expect(world.logged.filter((line) => line.startsWith("error users left as they were"))).not.toEqual([]);
    if (source.kind === "directory") return; // Passes of news follow, which describe nobody.
    expect(await rosterOf(world)).toMatchObject({ untold: 4, lastErrorCode: "directoryPropertiesHidden" });
    expect((await world.states()).has(arrived)).toBe(false);
  });

  test("I3: described in part again within the full round are looked up, and nobody leaves", async () => {
    const world = await opened({ source, mailboxes: 4 });
    await world.discover();
    beFull(world);
    world.graph.faults.add({ kind: "toldAgainInPart" });
    for (let hour = 0; hour < 3; hour++) {
      expect(await world.discover()).toBe("done");
      expect(await suspended(world)).toEqual([]);
    }
  });

  test("I3: a reading that lists nobody never confirms itself; a person releases it", async () => {
    const world = await opened({ source });
    await world.discover();
    beFull(world);
    world.graph.faults.add({ kind: "nobodyListed" });
    for (let hour = 0; hour < 30; hour++) {
      expect(await world.discover()).toBe("held");
      expect(await suspended(world)).toEqual([]);
      world.clock.ms += hourMs;
    }
    const all = [...fitUsers(world)].sort();
    expect(await rosterOf(world)).toMatchObject({
      state: "held",
      held: { leaving: all.length, of: all.length, needsRelease: true },
      lastErrorCode: "directoryEmpty",
    });
    const http = httpOf(world);
    expect((await http.roster("release")).status).toBe(202);
    const [message] = http.sent;
    if (message === undefined || !("discover" in message)) throw new Error("Nothing was sent.");
    await world.discoverOnce(message.discover);
    expect(await suspended(world)).toEqual(all);
  });
});

describe("readings of a group that differ without anything having changed", () => {
  const shrinkTo = (world: Fleet, from: number, to: number) =>
    world.graph.groups.add(groupId, fitUsers(world).slice(from, to));

  test("I3: all and none in alternation take nobody away", async () => {
    const world = await opened({ source: group });
    for (let pass = 0; pass < 10; pass++) {
      world.graph.faults.clear();
      expect(await world.discover()).toBe("done");
      world.graph.faults.add({ kind: "nobodyListed" });
      expect(await world.discover()).toBe("held");
    }
    expect(await suspended(world)).toEqual([]);
  });

  test("I3: an empty one does not confirm a partial one, nor the other way round", async () => {
    const world = await opened({ source: group });
    await world.discover();
    world.graph.faults.add({ kind: "nobodyListed" });
    expect(await world.discover()).toBe("held");
    world.graph.faults.clear();
    shrinkTo(world, 20, 60);
    expect(await world.discover()).toBe("held");
    world.graph.faults.add({ kind: "nobodyListed" });
    expect(await world.discover()).toBe("held");
    world.graph.faults.clear();
    expect(await suspended(world)).toEqual([]);
    expect(await world.discover()).toBe("done"); // The partial one is read a second time.
    expect(await suspended(world)).toEqual(fitUsers(world).slice(0, 20).sort());
  });

  test("I3: all but one, read again and again, waits for a person too", async () => {
    const world = await opened({ source: group });
    await world.discover();
    shrinkTo(world, 0, 1);
    for (let hour = 0; hour < 5; hour++) expect(await world.discover()).toBe("held");
    expect(await suspended(world)).toEqual([]);
    expect((await rosterOf(world)).held).toMatchObject({ needsRelease: true });
  });

  test("I3: an empty one takes a group of two away no more than one of fifty", async () => {
    const world = await opened({ source: group, mailboxes: 2 });
    await world.discover();
    world.graph.faults.add({ kind: "nobodyListed" });
    for (let hour = 0; hour < 3; hour++) expect(await world.discover()).toBe("held");
    expect(await suspended(world)).toEqual([]);
  });

  test("I7: the first reading of all may be empty, and a code says so", async () => {
    const world = await opened({ source: group });
    world.graph.faults.add({ kind: "nobodyListed" });
    expect(await world.discover()).toBe("done");
    expect(await rosterOf(world)).toMatchObject({ held: null, lastErrorCode: "directoryEmpty" });
  });
});

describe("what a page may leave out", () => {
  type Row = Readonly<Record<string, unknown>>;

  /** The world with its directory's answers distorted: `distort` gets the users of a page, and returns how they are described. */
  function distorted(world: Fleet, distort: (users: readonly Row[]) => readonly Row[]): void {
    const handle = world.graph.handle;
    world.graph.handle = (request) => {
      const response = handle(request);
      if (!/users\/delta|transitiveMembers/.test(request.url)) return response;
      const body = JSON.parse(response.body) as { value?: Row[] };
      return body.value === undefined
        ? response
        : { ...response, body: JSON.stringify({ ...body, value: distort(body.value) }) };
    };
  }
  const without = (row: Row, ...names: readonly string[]) =>
    Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name)));

  test("I3: accountEnabled null for the whole tenant, and userType null, take nobody away and bring nobody back", async () => {
    const world = await opened();
    await world.discover();
    const [disabled = ""] = fitUsers(world);
    world.graph.mailboxes.updateUser(disabled, { accountEnabled: false });
    await world.discover();
    expect(await suspended(world)).toEqual([disabled]);
    distorted(world, (users) => users.map((user) => ({ ...user, accountEnabled: null, userType: null })));
    beFull(world);
    expect(await world.discover()).toBe("done");
    expect(await suspended(world)).toEqual([disabled]);
  });

  test("I3: an empty mail that is left out is found by a lookup, and a mail that only the page left out is not lost", async () => {
    const world = await opened({ source: group });
    await world.discover();
    const [mailless = "", other = ""] = fitUsers(world);
    world.graph.mailboxes.updateUser(mailless, { mail: null });
    distorted(world, (users) =>
      users.map((user) => (user["id"] === mailless || user["id"] === other ? without(user, "mail") : user)),
    );
    expect(await world.discover()).toBe("done");
    expect(await suspended(world)).toEqual([mailless]);
  });

  test("I3: devices and contacts among the members are no users, and stop nothing", async () => {
    const world = await opened({ source: group });
    distorted(world, (users) => [
      ...users,
      { "@odata.type": "#microsoft.graph.device", id: "d0000000-0000-4000-8000-000000000001", displayName: "PC" },
      { "@odata.type": "#microsoft.graph.orgContact", id: "d0000000-0000-4000-8000-000000000002", mail: "x@y.example" },
    ]);
    expect(await world.discover()).toBe("done");
    expect([...(await world.states()).keys()].sort()).toEqual([...fitUsers(world)].sort());
    expect(await rosterOf(world)).toMatchObject({ seen: 60, untold: 0, lastErrorCode: null });
  });

  test("I3: news in part with names alone change names alone", async () => {
    const world = await opened();
    await world.discover();
    const [id = ""] = fitUsers(world);
    world.graph.mailboxes.updateUser(id, { displayName: "Renamed" });
    world.graph.faults.add({ kind: "partialItems", on: "directory" });
    expect(await world.discover()).toBe("done");
    expect((await world.store.roster.read(id))?.row).toMatchObject({
      state: "active",
      displayName: "Renamed",
      userPrincipalName: "samantha.booth.0@contoso.example",
    });
  });
});

test.each(sources)(
  "I3: of $kind, a user described whole and then by its id, all else null, counts as described whole",
  async (source) => {
    const world = await opened({ source });
    const handle = world.graph.handle;
    world.graph.handle = (request) => {
      if (/\/users\/[0-9a-f-]{36}\?/.test(request.url)) return { ...handle(request), status: 403, body: "" };
      const answer = handle(request);
      const body = JSON.parse(answer.body) as { value?: readonly Record<string, unknown>[] };
      if (body.value === undefined) return answer;
      const again = body.value.map((user) =>
        Object.fromEntries(Object.entries(user).map(([name, given]) => [name, name === "id" ? given : null])),
      );
      return { ...answer, body: JSON.stringify({ ...body, value: [...body.value, ...again] }) };
    };
    expect(await world.discover()).toBe("done");
    expect([...(await world.states()).keys()].sort()).toEqual([...fitUsers(world)].sort());
    expect(await rosterOf(world)).toMatchObject({ untold: 0, lastErrorCode: null });
  },
);

describe("lookups that Graph refuses", () => {
  /** Each lookup of a single user gets this answer; pages come as they are. */
  const refusing = async (world: Fleet, status: number, headers: Readonly<Record<string, string>>) => {
    const handle = world.graph.handle;
    const lookups: string[] = [];
    world.graph.handle = (request) => {
      if (!/\/users\/[0-9a-f-]{36}\?/.test(request.url)) return handle(request);
      lookups.push(request.url);
      return { ...handle(request), status, headers, body: "" };
    };
    return lookups;
  };

  test.each(sources)(
    "I3: of $kind, a throttle of one is obeyed: its Retry-After is waited for, and no other user is asked for",
    async (source) => {
      const world = await opened({ source, usersPerPage: 100 });
      await world.discover();
      beFull(world);
      for (const mailboxId of fitUsers(world).slice(10))
        world.graph.faults.add({ kind: "propertiesHidden", mailboxId });
      const lookups = await refusing(world, 429, { "retry-after": "600" });
      expect(await world.discover()).toBe("waiting");
      const untilMs = world.clock.ms + 600_000;
      expect((await world.store.readDirectory())?.state).toMatchObject({
        notBeforeMs: untilMs,
        retryAfterUntilMs: untilMs,
      });
      expect(lookups.length).toBeLessThanOrEqual(4); // As many as are under way at once.
      expect(await world.discover()).toBe("waiting");
      expect(lookups.length).toBeLessThanOrEqual(4);
      expect(await suspended(world)).toEqual([]);
    },
  );

  test("I10: that fail for ever are given up after a few: a page of many such users holds nobody up", async () => {
    const world = await opened({ source: group, usersPerPage: 100 });
    await world.discover();
    for (const mailboxId of fitUsers(world).slice(10)) world.graph.faults.add({ kind: "propertiesHidden", mailboxId });
    const lookups = await refusing(world, 500, {});
    for (let hour = 0; hour < 3; hour++) {
      await world.discover();
      world.clock.ms += hourMs;
    }
    expect(await rosterOf(world)).toMatchObject({ state: "idle" });
    // Five tries of the page stop at the first failures, the last one after 20; four are under way at once.
    expect(lookups.length).toBeLessThanOrEqual(3 * (5 * 4 + 23));
    expect(await suspended(world)).toEqual([]);
  });
});
