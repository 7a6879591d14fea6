import { describe, expect, test } from "vitest";
import { addMailbox } from "../../shared/roster/byHand.js";
import { discoverMailboxes } from "../../shared/roster/discover.js";
import { createStore } from "../../shared/store/store.js";
import { type Fleet, type FleetOptions, fitUsers, fleet } from "../worlds/fleet.js";
import { dayMs } from "../worlds/parts.js";
import { interfered } from "../worlds/tables.js";

/** The end of a process: nothing of ours runs on. */
class Crash extends Error {}

/** Users by state, sorted: what a pass comes to, however it got there. */
async function outcome(world: Fleet): Promise<string> {
  const states = [...(await world.states())].map(([id, state]) => `${id} ${state}`).sort();
  const rows = world.table.entities().filter(({ rowKey }) => rowKey.startsWith("roster|"));
  const entries = rows
    .map(({ rowKey, columns }) => `${rowKey} ${columns["state"]} ${columns["rosterGeneration"]}`)
    .sort();
  return JSON.stringify({ states, entries });
}

/** First everybody, then a full round in which some have left, some return, and some arrive. */
async function story(options: FleetOptions, pass: (world: Fleet) => Promise<unknown>): Promise<Fleet> {
  const world = fleet({ mailboxes: 24, usersPerPage: 5, shards: 2, ...options });
  await world.store.open();
  await pass(world);
  const [one = "", two = "", three = "", four = ""] = fitUsers(world);
  world.graph.mailboxes.updateUser(three, { accountEnabled: false });
  await pass(world);
  world.graph.mailboxes.remove(one, "deleted");
  world.graph.mailboxes.updateUser(two, { mail: null });
  world.graph.mailboxes.updateUser(three, { accountEnabled: true });
  world.graph.mailboxes.updateUser(four, { displayName: "Renamed" });
  world.graph.mailboxes.add(2);
  world.clock.ms += 8 * dayMs; // A full round.
  await pass(world);
  return world;
}

/** Discovers until a pass ends, whatever dies on the way, as the host redelivers a message. */
async function undaunted(world: Fleet): Promise<number> {
  let crashes = 0;
  for (let name = world.newId(); crashes < 500; ) {
    try {
      const end = await world.discoverOnce(name);
      if (end.continuation === null && end.kind !== "superseded") return crashes;
      name = end.continuation?.discover ?? world.newId();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      crashes += 1;
    }
  }
  throw new Error("Discovery does not come to an end.");
}

describe("discovery that is killed", () => {
  test.each(["before", "after"] as const)(
    "I1, I7: %s any request to the table goes on and comes to the same roster",
    async (moment) => {
      const expected = await outcome(await story({}, (world) => world.discover()));
      let calls = 0;
      const counted = await story(
        {
          table: {
            onCall: (_name, detail) => {
              if (detail.moment === moment) calls += 1;
            },
          },
        },
        (world) => world.discover(),
      );
      expect(await outcome(counted)).toBe(expected);
      const total = calls;
      for (let fatal = 1; fatal <= total; fatal += 1 + (fatal % 3)) {
        let count = 0;
        let isArmed = false;
        const onCall = (_name: string, detail: { readonly moment: string }) => {
          if (isArmed && detail.moment === moment && ++count === fatal) throw new Crash(`at request ${fatal}`);
        };
        const world = await story({ table: { onCall } }, async (one) => {
          isArmed = true;
          await undaunted(one);
          isArmed = false;
        });
        expect(await outcome(world), `killed ${moment} request ${fatal}`).toBe(expected);
      }
    },
  );

  test("I1: before any call to Graph goes on and comes to the same roster", async () => {
    const expected = await outcome(await story({}, (world) => world.discover()));
    for (let fatal = 1; fatal <= 16; fatal++) {
      let count = 0;
      const onCall = () => {
        if (++count === fatal) throw new Crash(`at call ${fatal}`);
      };
      expect(await outcome(await story({ onCall }, undaunted)), `killed at call ${fatal}`).toBe(expected);
    }
  });

  test("goes on from its page when its time was over, in as many invocations as it takes", async () => {
    const onCall = () => {
      world.clock.ms += 1;
    };
    const world: Fleet = fleet({ mailboxes: 24, usersPerPage: 5, shards: 2, discover: { runMsMax: 1 }, onCall });
    await world.store.open();
    const kinds: string[] = [];
    let end = await world.discoverOnce();
    for (; end.continuation !== null; end = await world.discoverOnce(end.continuation.discover)) kinds.push(end.kind);
    expect([kinds, end.kind]).toEqual([Array(5).fill("unfinished"), "done"]);
    expect([...(await world.states()).keys()].sort()).toEqual([...fitUsers(world)].sort());
  });
});

describe("two discoverers at once", () => {
  test("I2, I9: the later one wins, the other writes nothing more, and the roster is right", async () => {
    const expected = await outcome(await story({}, (world) => world.discover()));
    const world = await story({}, async (one) => {
      const ends = await Promise.all([one.discoverOnce(), one.discoverOnce(), one.discoverOnce()]);
      expect(ends.map(({ kind }) => kind).sort()).toEqual(["done", "superseded", "superseded"]);
    });
    expect(await outcome(world)).toBe(expected);
  });

  test("I2: a twin that wakes up late does not bring back whom the other has suspended since", async () => {
    const world = fleet({ mailboxes: 8, usersPerPage: 100, shards: 1 });
    await world.store.open();
    await world.discover();
    const [id = ""] = fitUsers(world);
    world.graph.mailboxes.updateUser(id, { displayName: "Old news" });
    const interference: Parameters<typeof interfered>[1] = {};
    const late = world.discoverPorts();
    const store = createStore({ table: interfered(world.table, interference), shards: 1, newCommitId: world.newId });
    let hasSlept = false;
    interference.before = async ({ name, rowKeys }) => {
      if (hasSlept || name !== "transact" || !rowKeys.includes(`roster|${id}`)) return;
      hasSlept = true; // The page is in hand, and now the host stalls.
      world.graph.mailboxes.updateUser(id, { accountEnabled: false });
      expect(await world.discover()).toBe("done");
    };
    expect((await discoverMailboxes({ discover: "late" }, { ...late, store })).kind).toBe("superseded");
    expect(hasSlept).toBe(true);
    expect((await world.states()).get(id)).toBe("suspended");
    expect((await world.store.roster.read(id))?.row).toMatchObject({ state: "suspended", leaveReason: "disabled" });
  });

  test("I9: a continuation that comes twice goes on once, and one of a pass that has ended does nothing", async () => {
    const world = fleet({ mailboxes: 24, usersPerPage: 5, discover: { runMsMax: 0 } });
    await world.store.open();
    const { continuation } = await world.discoverOnce("pass-1");
    expect(continuation).toEqual({ discover: "pass-1" });
    const free = { ...world.discoverPorts(), limits: { ...world.discoverPorts().limits, runMsMax: 60_000 } };
    const ends = await Promise.all(
      [1, 2].map(() => discoverMailboxes({ discover: "pass-1" }, { ...free, store: world.storeOf() })),
    );
    expect(ends.map(({ kind }) => kind).sort()).toEqual(["done", "superseded"]);
    expect((await discoverMailboxes({ discover: "pass-1" }, free)).kind).toBe("finished");
  });
});

test("a worker that moves a mailbox while it is suspended loses its fence, and the mailbox is suspended (I2)", async () => {
  const world = fleet({ mailboxes: 8, shards: 1, usersPerPage: 100 });
  await world.store.open();
  await world.discover();
  await world.tick();
  const [id = ""] = fitUsers(world);
  world.graph.mailboxes.updateUser(id, { accountEnabled: false });
  const held = await world.store.readMailbox(id);
  if (held === null) throw new Error("The mailbox is not there.");
  await world.discover();
  const late = await world.store.commitUnits([{ held, rows: [], next: { ...held.checkpoint, sequence: 99 } }], null);
  expect(late.results).toEqual([{ kind: "lostFence" }]);
  expect((await world.states()).get(id)).toBe("suspended");
});

test("a mailbox that is being removed by hand and is discovered again begins anew, with nothing left behind", async () => {
  const world = fleet({ mailboxes: 8, calendars: 150, shards: 1, usersPerPage: 100 });
  await world.store.open();
  const [id = ""] = fitUsers(world);
  await addMailbox(id, {}, world.store, world.newId);
  await world.tick();
  let asked = 0;
  expect(await world.store.purgeMailbox(id, { isTimeUp: () => ++asked > 1 })).toBe("unfinished");
  expect((await world.states()).get(id)).toBe("removing");
  await world.discover();
  expect((await world.states()).get(id)).toBe("new");
  expect(await world.store.readCalendars(id)).toEqual([]);
  expect((await world.store.roster.read(id))?.row.source).toBe("directory");
});

test("20,000 users are discovered through two kills: nobody is lost, and one page is in hand at a time", async () => {
  let calls = 0;
  let pagesInHand = 0;
  let pagesInHandMax = 0;
  const world = fleet({
    mailboxes: 20_000,
    shards: 16,
    usersPerPage: 500,
    onCall: () => {
      calls += 1;
      if (calls === 11 || calls === 29) throw new Crash(`at page ${calls}`);
    },
  });
  await world.store.open();
  const ports = world.discoverPorts();
  const directory: typeof ports.directory = {
    ...ports.directory,
    page: async (source, link) => {
      const page = await ports.directory.page(source, link);
      pagesInHand += 1;
      pagesInHandMax = Math.max(pagesInHandMax, pagesInHand);
      return page;
    },
  };
  const store: typeof ports.store = {
    ...ports.store,
    writeDirectory: (state, etag) => {
      pagesInHand = 0; // The checkpoint moves: the page is put down.
      return ports.store.writeDirectory(state, etag);
    },
  };
  let kills = 0;
  for (let isDone = false; !isDone; ) {
    try {
      const end = await discoverMailboxes({ discover: "pass-1" }, { ...ports, directory, store });
      isDone = end.kind === "done";
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      kills += 1;
    }
  }
  expect(kills).toBe(2);
  expect(pagesInHandMax).toBe(1);
  expect((await world.store.readDirectory())?.state).toMatchObject({ pages: 40, seen: 20_000 });
  expect(new Set((await world.states()).keys())).toEqual(new Set(fitUsers(world)));
});
