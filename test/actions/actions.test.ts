import { describe, expect, test } from "vitest";
import type { SyncMessage } from "../../shared/messages.js";
import { type Fleet, fitUsers, fleet, tickMs } from "../worlds/fleet.js";
import { httpOf, type Reply } from "../worlds/fleetHttp.js";

async function opened(options: Parameters<typeof fleet>[0] = {}) {
  const world = fleet({ mailboxes: 40, ...options });
  await world.store.open();
  await world.discover();
  await world.tick();
  return { world, http: httpOf(world), ids: fitUsers(world) };
}

const codeOf = ({ status, body }: Reply) => `${status} ${(body as { error: { code: string } }).error.code}`;
const listOf = ({ body }: Reply) => body as { value: { id: string; state: string }[]; cursor: string | null };
const checkpointOf = async (world: Fleet, id: string) => (await world.store.readMailbox(id))?.checkpoint;
const messagesOf = (sent: readonly unknown[]) => sent as SyncMessage[];

describe("GET mailboxes", () => {
  test("pages through all of the roster, each mailbox once", async () => {
    const { http, ids } = await opened();
    const seen: string[] = [];
    let cursor: string | null = "";
    let pages = 0;
    while (cursor !== null) {
      const page = listOf(await http.list(`?top=7${cursor === "" ? "" : `&cursor=${cursor}`}`));
      seen.push(...page.value.map(({ id }) => id));
      cursor = page.cursor;
      pages += 1;
    }
    expect([...seen].sort()).toEqual([...ids].sort());
    expect(pages).toBeGreaterThanOrEqual(Math.ceil(ids.length / 7));
  });

  test("tells mailboxes of one state, by the start of an id, and by the start of a display name", async () => {
    const { world, http, ids } = await opened();
    const [id = "", other = ""] = ids;
    world.graph.mailboxes.setState(id, { kind: "denied" });
    await world.tick();
    expect(listOf(await http.list("?state=parked")).value).toMatchObject([{ id, state: "parked" }]);
    expect(listOf(await http.list(`?search=${other.slice(0, 12).toUpperCase()}`)).value).toMatchObject([{ id: other }]);
    const named = listOf(await http.list("?search=ravi%20i&top=500")).value;
    expect(named.length).toBeGreaterThan(0);
    expect(named).toEqual(named.map((one) => expect.objectContaining({ id: one.id, displayName: "Ravi Iyer" })));
  });

  test("finds a whole id with one read", async () => {
    const { http, ids } = await opened();
    const [, id = ""] = ids;
    expect(listOf(await http.list(`?search=${id.toUpperCase()}`))).toMatchObject({ value: [{ id }], cursor: null });
    expect(listOf(await http.list(`?search=${id}&state=parked`)).value).toEqual([]);
  });

  test("never tells a link", async () => {
    const { http } = await opened();
    expect(JSON.stringify(await http.list("?top=500"))).not.toMatch(/deltatoken|skiptoken|graph\.microsoft/);
  });

  test.each([
    ["?state=sad"],
    ["?top=0"],
    ["?top=501"],
    ["?top=x"],
    ["?cursor=nonsense"],
    [`?search=${"x".repeat(129)}`],
  ])("refuses %s", async (query) => {
    const { http } = await opened({ mailboxes: 2 });
    expect(codeOf(await http.list(query))).toBe("400 invalidRequest");
  });
});

describe("POST mailboxes/{id}/sync", () => {
  test("starts a round now, whatever tick or wait the mailbox has behind it", async () => {
    const { world, http, ids } = await opened();
    const [id = ""] = ids;
    world.graph.createCalendar(id, { name: "Just made" });
    const reply = await http.act(id, "sync");
    expect(reply).toMatchObject({ status: 202, body: { id, state: "fresh" } });
    await world.walkAll(messagesOf(http.sent));
    expect(await checkpointOf(world, id)).toMatchObject({ calendarCount: 4, lastSuccessMs: world.clock.ms });
  });

  test("asks a parked and a waiting mailbox too, and its success ends the wait", async () => {
    const { world, http, ids } = await opened();
    const [parked = "", waiting = ""] = ids;
    world.graph.mailboxes.setState(parked, { kind: "denied" });
    world.graph.faults.add({ kind: "throttled", mailboxId: waiting, seconds: 3600, count: 1 });
    await world.tick();
    expect([(await world.states()).get(parked), (await world.states()).get(waiting)]).toEqual(["parked", "waiting"]);
    world.graph.mailboxes.setState(parked, { kind: "normal" });
    for (const id of [parked, waiting]) expect((await http.act(id, "sync")).status).toBe(202);
    await world.walkAll(messagesOf(http.sent));
    expect([(await world.states()).get(parked), (await world.states()).get(waiting)]).toEqual(["fresh", "fresh"]);
  });

  test("I9: twice is one round more at most, and a round in hand goes on", async () => {
    const { world, http, ids } = await opened({ calendars: 120 });
    const [id = ""] = ids;
    await http.act(id, "sync");
    await http.act(id, "sync");
    await world.walkAll(messagesOf(http.sent));
    expect(await checkpointOf(world, id)).toMatchObject({ phase: "idle", calendarCount: 120 });
  });
});

describe("POST mailboxes/{id}/resync", () => {
  test("I4: reads all of it anew, and what is served stays meanwhile", async () => {
    const { world, http, ids } = await opened();
    const [id = ""] = ids;
    expect(await http.act(id, "resync")).toMatchObject({ status: 202, body: { phase: "initial", calendarCount: 3 } });
    expect(await world.store.readCalendars(id)).toHaveLength(3);
    await world.walkAll(messagesOf(http.sent));
    expect(await checkpointOf(world, id)).toMatchObject({ phase: "idle", generation: 2, roundReason: "reset" });
  });

  test("costs a tick when its message is lost, nothing else", async () => {
    const { world, http, ids } = await opened();
    const [id = ""] = ids;
    await http.act(id, "resync");
    await world.tick();
    expect(await checkpointOf(world, id)).toMatchObject({ phase: "idle", generation: 2 });
  });
});

describe("POST mailboxes/{id}/release", () => {
  test("ends a parking at once, and again is harmless", async () => {
    const { world, http, ids } = await opened();
    const [id = ""] = ids;
    world.graph.mailboxes.setState(id, { kind: "denied" });
    await world.tick();
    world.graph.mailboxes.setState(id, { kind: "normal" });
    expect(await http.act(id, "release")).toMatchObject({
      status: 202,
      body: { parkedReason: null, notBefore: null },
    });
    expect((await http.act(id, "release")).status).toBe(202);
    await world.walkAll(messagesOf(http.sent));
    expect((await world.states()).get(id)).toBe("fresh");
  });

  test("I11: confirms a held mass removal by a round now", async () => {
    const { world, http, ids } = await opened({ calendars: 8 });
    const [id = ""] = ids;
    for (const { id: calendarId } of world.graph.truth(id).slice(1)) world.graph.deleteCalendar(id, calendarId);
    world.graph.mailboxes.forgetLinks(id);
    await world.tick();
    expect((await world.states()).get(id)).toBe("held");
    expect((await http.act(id, "release")).status).toBe(202);
    expect((await world.states()).get(id)).toBe("held");
    await world.walkAll(messagesOf(http.sent));
    expect(await checkpointOf(world, id)).toMatchObject({ heldRemovals: null, calendarCount: 1 });
  });
});

describe("what cannot be", () => {
  test.each(["sync", "resync", "release"])("%s of an unknown mailbox is 404, of a wrong id 400", async (action) => {
    const { http } = await opened({ mailboxes: 2 });
    expect(codeOf(await http.act("11111111-2222-4333-8444-555555555555", action))).toBe("404 itemNotFound");
    expect(codeOf(await http.act("a@b.example", action))).toBe("400 invalidRequest");
    expect(http.sent).toEqual([]);
  });

  test("an action that there is not is 404", async () => {
    const { http, ids } = await opened({ mailboxes: 2 });
    expect(codeOf(await http.act(ids[0] ?? "", "destroy"))).toBe("404 itemNotFound");
  });

  test("a suspended mailbox takes none: 409 says why, and a sync message of before does nothing", async () => {
    const { world, http, ids } = await opened();
    const [id = ""] = ids;
    await http.act(id, "sync");
    world.graph.mailboxes.updateUser(id, { accountEnabled: false });
    await world.discover();
    for (const action of ["sync", "resync", "release"]) {
      expect(codeOf(await http.act(id, action))).toBe("409 conflict");
    }
    await world.walkAll(messagesOf(http.sent));
    expect((await world.states()).get(id)).toBe("suspended");
  });
});

describe("PUT, GET and DELETE mailboxes/{id}", () => {
  test("PUT takes a manual roster row, and GET tells it", async () => {
    const { world, http } = await opened({ source: null });
    const id = world.graph.mailboxes.idAt(1);
    expect((await http.put(id, '{"displayName":"Ravi"}')).status).toBe(201);
    expect((await http.put(id)).status).toBe(200);
    const since = new Date(world.clock.ms).toISOString();
    expect(await http.get(id)).toMatchObject({
      status: 200,
      body: { state: "new", displayName: "Ravi", roster: { source: "manual", state: "active", since } },
    });
  });

  test("DELETE answers 204 when all rows are gone, the roster's too, and again", async () => {
    const { world, http, ids } = await opened();
    const [id = ""] = ids;
    for (const _ of [1, 2]) expect((await http.remove(id)).status).toBe(204);
    expect(world.table.entities().filter(({ rowKey }) => rowKey.includes(id))).toEqual([]);
    expect(codeOf(await http.get(id))).toBe("404 itemNotFound");
  });

  test("DELETE that takes longer than its request answers 202, GET shows removing, and the next tick completes it", async () => {
    const slow = { isSlow: false };
    const { world, http, ids } = await opened({
      calendars: 250,
      table: {
        onCall: (name, { moment }) => {
          if (slow.isSlow && name === "transact" && moment === "after") world.clock.ms += 30_000;
        },
      },
    });
    const [id = ""] = ids;
    slow.isSlow = true;
    expect(await http.remove(id)).toMatchObject({ status: 202, body: { id, state: "removing" } });
    expect(await http.get(id)).toMatchObject({ status: 200, body: { state: "removing" } });
    slow.isSlow = false;
    world.clock.ms += tickMs;
    await world.tick();
    expect(world.table.entities().filter(({ rowKey }) => rowKey.includes(id))).toEqual([]);
  });
});

describe("POST roster/discover and roster/release", () => {
  test("discover sends the message that starts a pass, and the pass comes of it", async () => {
    const { world, http } = await opened();
    const [arrived = ""] = world.graph.mailboxes.add(1);
    expect(await http.roster("discover")).toMatchObject({ status: 202, body: { source: "directory", state: "idle" } });
    const [message] = http.sent;
    if (message === undefined || !("discover" in message)) throw new Error("Nothing was sent.");
    await world.discoverOnce(message.discover);
    expect((await world.states()).get(arrived)).toBe("new");
  });

  test("release is 409 while nothing is held, and an action that there is not is 404", async () => {
    const { http } = await opened({ mailboxes: 3 });
    expect(codeOf(await http.roster("release"))).toBe("409 conflict");
    expect(codeOf(await http.roster("forget"))).toBe("404 itemNotFound");
  });

  test("both are 409 for a roster that is kept by hand", async () => {
    const world = fleet({ source: null });
    await world.store.open();
    for (const action of ["discover", "release"]) {
      expect(codeOf(await httpOf(world, null).roster(action))).toBe("409 conflict");
    }
  });
});
