import { describe, expect, test } from "vitest";
import type { SyncMessage } from "../../shared/messages.js";
import { discovered, type Fleet, type FleetOptions, fitUsers } from "../worlds/fleet.js";
import { httpOf, type Reply } from "../worlds/http.js";

async function opened(options: FleetOptions = {}) {
  const world = await discovered({ mailboxes: 40, ...options });
  await world.tick();
  return { world, http: httpOf(world), ids: fitUsers(world) };
}

const codeOf = ({ status, body }: Reply) => `${status} ${(body as { error: { code: string } }).error.code}`;
const checkpointOf = async (world: Fleet, id: string) => (await world.store.readMailbox(id))?.checkpoint;
const messagesOf = (sent: readonly unknown[]) => sent as SyncMessage[];

describe("POST mailboxes/{id}/sync", () => {
  test("starts a round now, whatever tick or wait the mailbox has behind it", async () => {
    const { world, http, ids } = await opened();
    const [id = ""] = ids;
    world.graph.createCalendar(id, { name: "Just made" });
    const reply = await http.act(id, "sync");
    expect(reply).toMatchObject({ status: 202, body: { id, state: "fresh" } });
    await world.applyAll(messagesOf(http.sent));
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
    await world.applyAll(messagesOf(http.sent));
    expect([(await world.states()).get(parked), (await world.states()).get(waiting)]).toEqual(["fresh", "fresh"]);
  });

  test("I9: twice is one round more at most, and a round in hand goes on", async () => {
    const { world, http, ids } = await opened({ calendars: 120 });
    const [id = ""] = ids;
    await http.act(id, "sync");
    await http.act(id, "sync");
    await world.applyAll(messagesOf(http.sent));
    expect(await checkpointOf(world, id)).toMatchObject({ phase: "idle", calendarCount: 120 });
  });
});

describe("POST mailboxes/{id}/resync", () => {
  test("I4: reads all of it anew, and what is served stays meanwhile", async () => {
    const { world, http, ids } = await opened();
    const [id = ""] = ids;
    expect(await http.act(id, "resync")).toMatchObject({ status: 202, body: { phase: "initial", calendarCount: 3 } });
    expect(await world.store.readCalendars(id)).toHaveLength(3);
    await world.applyAll(messagesOf(http.sent));
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
    await world.applyAll(messagesOf(http.sent));
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
    await world.applyAll(messagesOf(http.sent));
    expect(await checkpointOf(world, id)).toMatchObject({ heldRemovals: null, calendarCount: 1 });
  });
});

describe("what cannot be", () => {
  test.each(["sync", "resync", "release"])("%s of an unknown mailbox is 404, of a wrong id 400", async (action) => {
    const { http } = await opened({ mailboxes: 2 });
    expect(codeOf(await http.act("11111111-2222-4333-8444-555555555555", action))).toBe("404 itemNotFound");
    expect(codeOf(await http.act("a b", action))).toBe("400 invalidRequest");
    expect(codeOf(await http.act("a@b.example", action))).toBe("404 itemNotFound");
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
    world.graph.createCalendar(id, { name: "After the suspension" });
    world.graph.resetStats();
    const before = await checkpointOf(world, id);
    await world.applyAll(messagesOf(http.sent));
    expect(await checkpointOf(world, id)).toEqual(before);
    expect(world.graph.stats().httpRequests).toBe(0);
    expect((await world.states()).get(id)).toBe("suspended");
  });
});
