import { describe, expect, test } from "vitest";
import { LINK_REFUSALS } from "../../local/graph/mailbox.js";
import { parsePage } from "../../shared/graph/page.js";
import type { SyncMessage } from "../../shared/messages.js";
import { applyPage } from "../../shared/rounds/applyPage.js";
import type { Ports } from "../../shared/rounds/ports.js";
import { runRounds } from "../../shared/rounds/runRounds.js";
import { type Fleet, type FleetOptions, fleet } from "../worlds/fleet.js";
import { httpOf } from "../worlds/http.js";
import { dayMs } from "../worlds/parts.js";
import { isMirrored } from "../worlds/simulator.js";

/** One mailbox that was put on the roster by hand, its ticks, and what was asked of it. */
async function opened(options: FleetOptions = {}) {
  const asked: string[] = [];
  const onCall: FleetOptions["onCall"] = ({ rawTarget }) => void asked.push(rawTarget);
  const world = fleet({ mailboxes: 1, shards: 1, source: null, generationsKept: 1000, onCall, ...options });
  await world.store.open();
  const http = httpOf(world);
  const id = world.graph.mailboxes.idAt(0);
  await http.put(id);
  const starts = () => asked.filter((target) => target.endsWith("/calendars/delta")).length;
  const checkpoint = async () => (await world.store.readMailbox(id))?.checkpoint;
  return { world, http, id, asked, starts, checkpoint };
}

const isStored = async (world: Fleet, id: string) => isMirrored(world.graph, id, await world.store.readCalendars(id));

const isFresh = { phase: "idle", parkedReason: null, notBeforeMs: null, failuresInARow: 0 };

describe("I7: a link that is refused is a word about the link, not about the mailbox", () => {
  test.each(["UnknownError", "BadRequest"] as const)(
    "a deltaLink that answers %s for good costs one full round, and parks nobody",
    async (code) => {
      const { world, id, starts, checkpoint } = await opened();
      await world.tick();
      world.graph.faults.add({ kind: "linkRefused", code, count: 1 });
      world.graph.createCalendar(id, { name: "Just made" });
      await world.tick();
      expect(await checkpoint()).toMatchObject({ ...isFresh, strategy: "delta", generation: 2, resetsInARow: 1 });
      expect(await isStored(world, id)).toBe(true);
      await world.tick();
      expect(await checkpoint()).toMatchObject({ ...isFresh, generation: 2, resetsInARow: 0 });
      expect(starts()).toBe(2);
    },
  );

  test("the refused start parks the mailbox, with the start's own code", async () => {
    const { world, id, checkpoint } = await opened();
    await world.tick();
    world.graph.faults.add({ kind: "linkRefused", count: 1 });
    world.graph.faults.add({ kind: "noMailbox", code: "ErrorInvalidUser" });
    await world.tick();
    expect(await checkpoint()).toMatchObject({ parkedReason: "noMailbox:ErrorInvalidUser", link: null });
    world.graph.faults.clear();
    world.clock.ms += dayMs;
    await world.tick();
    expect(await checkpoint()).toMatchObject(isFresh);
    expect(await isStored(world, id)).toBe(true);
  });

  test.each(LINK_REFUSALS)(
    "where each link answers %s, the list serves, and delta is tried once a day",
    async (code) => {
      const { world, id, starts, checkpoint } = await opened();
      world.graph.faults.add({ kind: "linkRefused", code });
      for (let tick = 0; tick < 20; tick++) await world.tick();
      expect(await checkpoint()).toMatchObject({ ...isFresh, strategy: "list", deltaProbeMs: expect.any(Number) });
      expect(starts()).toBeLessThanOrEqual(3);
      for (let day = 0; day < 7; day++) {
        const before = starts();
        world.clock.ms += dayMs;
        world.graph.createCalendar(id, { name: `Day ${day}` });
        for (let tick = 0; tick < 3; tick++) await world.tick();
        expect(await checkpoint()).toMatchObject({ ...isFresh, strategy: "list" });
        expect(await isStored(world, id)).toBe(true);
        expect(starts() - before).toBeLessThanOrEqual(1);
      }
      world.graph.faults.clear();
      world.clock.ms += dayMs;
      for (let tick = 0; tick < 2; tick++) await world.tick();
      expect(await checkpoint()).toMatchObject({ ...isFresh, strategy: "delta", resetsInARow: 0 });
    },
  );
});

describe("I7, I8: where delta never comes to an end and the list would, the list serves", () => {
  test.each([1, 120])(
    "links with a segment more, %s calendars: never asked, and served within four ticks",
    async (calendars) => {
      const { world, id, asked, starts, checkpoint } = await opened({ calendars });
      world.graph.faults.add({ kind: "poisonedLink", form: "longerPath" });
      for (let tick = 0; tick < 4; tick++) await world.tick();
      expect(await checkpoint()).toMatchObject({ ...isFresh, strategy: "list", calendarCount: calendars });
      expect(await isStored(world, id)).toBe(true);
      expect(starts()).toBe(3);
      for (let day = 0; day < 7; day++) {
        world.clock.ms += dayMs;
        for (let tick = 0; tick < 2; tick++) await world.tick();
        expect(await checkpoint()).toMatchObject({ ...isFresh, strategy: "list" });
      }
      expect(starts()).toBeLessThanOrEqual(3 + 7);
      expect(asked.filter((target) => target.includes("/delta/"))).toEqual([]);
    },
  );

  test.each([
    [{ kind: "resetSync" }],
    [{ kind: "poisonedLink", form: "host" }],
    [{ kind: "endlessLinks", form: "rotating" }],
  ] as const)("%o on each page", async (rule) => {
    const { world, id, checkpoint } = await opened({ calendars: 120 });
    world.graph.faults.add(rule);
    for (let tick = 0; tick < 6; tick++) await world.tick();
    expect(await checkpoint()).toMatchObject({ ...isFresh, strategy: "list", calendarCount: 120 });
    expect(await isStored(world, id)).toBe(true);
  });
});

test.each([1, 120])(
  "I3, I7: pages of delta without any link remove nothing; six in a row later the list serves (%s calendars)",
  async (calendars) => {
    const { world, id, checkpoint } = await opened({ calendars });
    const distort = (ports: Ports): Ports => {
      const ask: Ports["graph"]["ask"] = async (asks) => {
        const asked = await ports.graph.ask(asks);
        const outcomes = asked.outcomes.map((outcome, index) => {
          return asks[index]?.strategy === "delta" ? parsePage({ value: [] }, "delta") : outcome;
        });
        return { ...asked, outcomes };
      };
      return { ...ports, graph: { ask } };
    };
    for (let tick = 1; tick <= 7; tick++) {
      const { pages } = await runRounds({ shard: "00", tick: `tick-${tick}` }, distort(world.ports()));
      await world.applyAll(pages);
      world.clock.ms += 300_000;
      if (tick < 6) expect(await checkpoint()).toMatchObject({ lastErrorCode: "malformedPage", failuresInARow: tick });
    }
    expect(await checkpoint()).toMatchObject({ ...isFresh, strategy: "list", calendarCount: calendars });
    expect(await isStored(world, id)).toBe(true);
  },
);

test.each([
  { kind: "denied", code: "ErrorAccessDenied" },
  { kind: "noMailbox", code: "ErrorInvalidUser" },
] as const)("I7: a mailbox that is parked as $kind for its link alone is fresh after one release", async (refused) => {
  const { world, http, id, checkpoint } = await opened();
  await world.tick();
  const refusing = (ports: Ports): Ports => {
    const ask: Ports["graph"]["ask"] = async (asks) => {
      const asked = await ports.graph.ask(asks);
      return { ...asked, outcomes: asked.outcomes.map((one, index) => (asks[index]?.link === null ? one : refused)) };
    };
    return { ...ports, graph: { ask } };
  };
  await runRounds({ shard: "00", tick: "second" }, refusing(world.ports()));
  expect(await checkpoint()).toMatchObject({ parkedReason: `${refused.kind}:${refused.code}`, generation: 1 });
  world.graph.createCalendar(id, { name: "Made meanwhile" });
  expect((await http.act(id, "release")).status).toBe(202);
  await applyPage(http.sent.at(-1) as SyncMessage, refusing(world.ports()));
  expect(await checkpoint()).toMatchObject({ ...isFresh, strategy: "delta", generation: 2 });
  expect(await isStored(world, id)).toBe(true);
});

test("I7: a deltaLink that is refused like a token, for good, is given up within a day: the start serves", async () => {
  const { world, id, checkpoint } = await opened();
  await world.tick();
  const refusing = (ports: Ports): Ports => {
    const ask: Ports["graph"]["ask"] = async (asks) => {
      const asked = await ports.graph.ask(asks);
      const refused = { kind: "authConfig", code: "Authorization_RequestDenied" } as const;
      return { ...asked, outcomes: asked.outcomes.map((one, index) => (asks[index]?.link === null ? one : refused)) };
    };
    return { ...ports, graph: { ask } };
  };
  for (let tick = 0; tick < 288; tick++) {
    world.graph.createCalendar(id, { name: `Of tick ${tick}` });
    const { pages } = await runRounds({ shard: "00", tick: `tick-${tick}` }, refusing(world.ports()));
    await world.applyAll(pages);
    world.clock.ms += 300_000;
  }
  expect(await checkpoint()).toMatchObject({ ...isFresh, strategy: "list" });
  expect(await isStored(world, id)).toBe(true);
});

test("I7: a mailbox that was never served is not held for what torn rounds left behind", async () => {
  const { world, id, checkpoint } = await opened({ calendars: 120 });
  await runRounds({ shard: "00", tick: "first" }, world.ports()); // The first page of three, and then its message is lost.
  expect(await checkpoint()).toMatchObject({ phase: "full", calendarCount: 0, lastFullRoundMs: null });
  for (const calendar of world.graph.truth(id).slice(1)) world.graph.deleteCalendar(id, calendar.id);
  world.graph.mailboxes.forgetLinks(id);
  await world.tick();
  expect(await checkpoint()).toMatchObject({ ...isFresh, heldRemovals: null, calendarCount: 1, generation: 2 });
  expect(await isStored(world, id)).toBe(true);
});

describe("I9: a resync opens one full round, whoever comes first", () => {
  async function resynced() {
    const one = await opened();
    await one.world.tick();
    expect((await one.http.act(one.id, "resync")).status).toBe(202);
    const before = one.asked.length;
    return { ...one, message: one.http.sent.at(-1) as SyncMessage, since: () => one.asked.slice(before) };
  }

  test("a tick while its message is at work leaves the mailbox alone", async () => {
    const { world, message, since, checkpoint } = await resynced();
    const ports = world.ports();
    const ask: typeof ports.graph.ask = async (asks) => {
      await runRounds({ shard: "00", tick: "meanwhile" }, world.ports());
      return ports.graph.ask(asks);
    };
    await applyPage(message, { ...ports, graph: { ask } });
    expect(since()).toEqual([expect.stringMatching(/\/calendars\/delta$/)]);
    expect(await checkpoint()).toMatchObject({ ...isFresh, generation: 2 });
  });

  test("its message while a tick is at work waits for what comes of it, and yields", async () => {
    const { world, message, since, checkpoint } = await resynced();
    const ports = world.ports();
    const ends: Promise<unknown>[] = [];
    const ask: typeof ports.graph.ask = async (asks) => {
      ends.push(applyPage(message, world.ports()));
      return ports.graph.ask(asks);
    };
    await runRounds({ shard: "00", tick: "meanwhile" }, { ...ports, graph: { ask } });
    expect(await Promise.all(ends)).toMatchObject([{ kind: "stale" }]);
    expect(since()).toEqual([expect.stringMatching(/\/calendars\/delta$/)]);
    expect(await checkpoint()).toMatchObject({ ...isFresh, generation: 2 });
  });

  test("its message after a tick, and a second time, does nothing", async () => {
    const { world, message, since } = await resynced();
    await world.tick();
    for (let twice = 0; twice < 2; twice++)
      expect(await applyPage(message, world.ports())).toMatchObject({ kind: "stale" });
    expect(since()).toEqual([expect.stringMatching(/\/calendars\/delta$/)]);
  });

  test("a message that is lost at work costs a tick", async () => {
    const { world, message, checkpoint } = await resynced();
    const ports = world.ports();
    const ask = async () => {
      throw new Error("The host is gone.");
    };
    await expect(applyPage(message, { ...ports, graph: { ask } })).rejects.toThrow("The host is gone.");
    world.clock.ms += 300_000;
    await world.tick();
    expect(await checkpoint()).toMatchObject({ ...isFresh, generation: 2 });
  });
});
