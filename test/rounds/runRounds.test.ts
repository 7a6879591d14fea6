import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createGraph, type GraphSimulator } from "../../local/graph/graph.js";
import { randomFrom } from "../../local/graph/random.js";
import { type GraphServer, startGraphServer } from "../../local/graph/server.js";
import { addMailbox } from "../../shared/roster/byHand.js";
import { applyPage } from "../../shared/rounds/applyPage.js";
import { runLimits } from "../../shared/rounds/ports.js";
import { type RunEnd, runRounds } from "../../shared/rounds/runRounds.js";
import { stateOf } from "../../shared/sync/state.js";
import { shardRuns } from "../worlds/runs.js";
import { isMirrored } from "../worlds/simulator.js";

let graph: GraphSimulator;
let server: GraphServer;
let trial: ReturnType<typeof shardRuns>;

async function world(mailboxes: number, calendars: number, settings: { pageSize?: number; batchSize?: number } = {}) {
  graph = createGraph({
    clock: { nowMs: () => trial.ports.clock.nowMs() },
    random: randomFrom(7),
    mailboxes,
    calendars,
  });
  server = await startGraphServer({ core: graph });
  trial = shardRuns(server.url, settings);
  await trial.ports.store.open();
  for (const id of graph.mailboxes.ids()) await addMailbox(id, {}, trial.ports.store, trial.ports.newId);
}

/** One tick and all that follows from it. */
async function tick(ports = trial.ports): Promise<RunEnd> {
  const end = await runRounds(trial.tick(), ports);
  for (const message of end.pages) await applyPage(message, ports);
  return end;
}

async function mailbox(id: string) {
  const held = await trial.ports.store.readMailbox(id);
  if (held === null) throw new Error(`no mailbox ${id}`);
  return { ...held.checkpoint, state: stateOf(held.checkpoint) };
}

const isStored = async (id: string) => isMirrored(graph, id, await trial.ports.store.readCalendars(id));
const ids = () => graph.mailboxes.ids();
const firstId = () => ids()[0] ?? "";

beforeEach(() => world(3, 4));
afterEach(async () => {
  trial.transport.close();
  await server.close();
});

describe("what a run costs", () => {
  test("200 quiet mailboxes: 10 Graph requests, 9 table requests, no page message", async () => {
    await server.close();
    await world(200, 2);
    await tick();
    graph.resetStats();
    const before = trial.ports.store.transactions();
    const end = await tick();
    expect(end.pages).toEqual([]);
    expect(graph.stats().httpRequests).toBe(10);
    // Brake, shard row read, shard row written, figures, checkpoints, 200 checkpoints in transactions of 99, shard row and
    // figures at the end.
    expect(trial.ports.store.transactions() - before).toBe(5 + 3 + 1);
  });

  test("I4, I5: 200 full rounds that change nothing: 20 Graph requests, 10 queries of rows, and no row is written", async () => {
    await server.close();
    await world(200, 2);
    await tick();
    const calendars = () => trial.table.entities().filter(({ rowKey }) => rowKey.startsWith("calendar|"));
    const stored = calendars();
    graph.mailboxes.forgetLinks();
    graph.resetStats();
    const before = trial.ports.store.transactions();
    const end = await tick();
    expect(end.figures?.logged).toMatchObject({ rounds: 200, changes: 0 });
    expect(calendars()).toEqual(stored);
    expect(graph.stats().httpRequests).toBe(20);
    // As a quiet tick, with one query for the rows of each batch.
    expect(trial.ports.store.transactions() - before).toBe(5 + 3 + 1 + 10);
  });

  test("rows of mailboxes that stand far apart are read one by one: nobody reads all that is between them", async () => {
    await server.close();
    await world(20, 2);
    await tick();
    const read: string[][] = [];
    const store = {
      ...trial.ports.store,
      readCalendars: (id: string) => {
        read.push([id]);
        return trial.ports.store.readCalendars(id);
      },
      readCalendarsOf: (ids: readonly string[]) => {
        read.push([...ids]);
        return trial.ports.store.readCalendarsOf(ids);
      },
    };
    const inOrder = [...ids()].sort();
    const changed = [0, 5, 6, 8, 19].map((index) => inOrder[index] ?? "");
    for (const id of changed) graph.createCalendar(id, { name: "new" });
    await tick({ ...trial.ports, store });
    const [first = "", sixth = "", seventh = "", ninth = "", last = ""] = changed;
    expect(read).toEqual([[first], [sixth, seventh, ninth], [last]]);
    for (const id of changed) expect(await isStored(id)).toBe(true);
  });

  test("a second delivery of a tick that is done asks Graph nothing", async () => {
    const message = trial.tick();
    await runRounds(message, trial.ports);
    graph.resetStats();
    expect((await runRounds(message, trial.ports)).kind).toBe("finished");
    expect(graph.stats().httpRequests).toBe(0);
  });
});

describe("a run that stops", () => {
  test("for time hands on a message that goes on where it stopped", async () => {
    await server.close();
    await world(45, 1, { batchSize: 10 });
    const slow = {
      ...trial.ports,
      limits: { ...trial.ports.limits, runMsMax: 100, batchesInFlightMax: 1 },
      graph: {
        ask: async (asks: Parameters<typeof trial.ports.graph.ask>[0]) => {
          trial.advance(60);
          return trial.ports.graph.ask(asks);
        },
      },
    };
    const message = trial.tick();
    const first = await runRounds(message, slow);
    expect(first).toMatchObject({ kind: "unfinished", continuation: { shard: "00", tick: message.tick } });
    const second = await runRounds(first.continuation ?? message, slow);
    const third = await runRounds(second.continuation ?? message, slow);
    expect([second.kind, third.kind]).toEqual(["unfinished", "done"]);
    expect(graph.stats().batchItems).toBe(45);
    expect((await runRounds(first.continuation ?? message, slow)).kind).toBe("superseded");
  });

  test("I9: when a newer message takes the shard over, commits no more", async () => {
    const store = trial.ports.store;
    let taken: RunEnd | undefined;
    const twin = {
      ...trial.ports,
      graph: {
        ask: async (asks: Parameters<typeof trial.ports.graph.ask>[0]) => {
          const answer = await trial.ports.graph.ask(asks);
          if (taken === undefined) trial.advance(runLimits.runYoungMs); // The run in hand looks dead.
          taken ??= await tick();
          return answer;
        },
      },
    };
    expect((await runRounds(trial.tick(), twin)).kind).toBe("superseded");
    expect(taken?.kind).toBe("done");
    expect(await store.readShardRow("00")).toMatchObject({ row: { run: { tick: "tick-2" } } });
    expect(await isStored(firstId())).toBe(true);
  });

  test("when the whole application is throttled, brakes all runs until Graph's time is over", async () => {
    graph.faults.add({ kind: "throttledApplication", retryAfter: "integer", seconds: 90, count: 1 });
    expect((await tick()).kind).toBe("braked");
    graph.resetStats();
    expect((await tick()).kind).toBe("braked");
    expect(graph.stats().httpRequests).toBe(0);
    trial.advance(91_000);
    expect((await tick()).kind).toBe("done");
    expect(await isStored(firstId())).toBe(true);
  });
});

describe("I10: one bad mailbox harms no other", () => {
  test.each([
    { state: { kind: "gone", code: "MailboxNotEnabledForRESTAPI" }, reason: "noMailbox:MailboxNotEnabledForRESTAPI" },
    { state: { kind: "denied" }, reason: "denied:ErrorAccessDenied" },
  ] as const)("parked as $reason, and fresh again once the cause is gone", async ({ state, reason }) => {
    graph.mailboxes.setState(firstId(), state);
    await tick();
    expect(await mailbox(firstId())).toMatchObject({ state: "parked", parkedReason: reason });
    for (const id of ids().slice(1)) expect(await isStored(id)).toBe(true);
    graph.mailboxes.setState(firstId(), { kind: "normal" });
    trial.advance(16 * 60_000);
    await tick();
    expect(await mailbox(firstId())).toMatchObject({ state: "fresh", parkedReason: null });
    expect(await isStored(firstId())).toBe(true);
  });

  test("I3: a mailbox that answers 404 keeps its calendars", async () => {
    await tick();
    graph.mailboxes.setState(firstId(), { kind: "gone", code: "ErrorNonExistentMailbox" });
    await tick();
    const rows = await trial.ports.store.readCalendars(firstId());
    expect(rows.filter(({ removedMs }) => removedMs === null)).toHaveLength(4);
  });

  test("a throttled mailbox waits as long as Graph says", async () => {
    graph.faults.add({ kind: "throttled", mailboxId: firstId(), retryAfter: "integer", seconds: 3600, count: 1 });
    await tick();
    const nowMs = trial.ports.clock.nowMs();
    expect(await mailbox(firstId())).toMatchObject({ state: "waiting", notBeforeMs: nowMs + 3_600_000 });
    trial.advance(3_599_000);
    await tick();
    expect((await mailbox(firstId())).state).toBe("waiting");
    trial.advance(2_000);
    await tick();
    expect((await mailbox(firstId())).state).toBe("fresh");
  });
});

describe("delta that does not work", () => {
  test("a full mailbox is listed in the same run, and delta comes back after a day", async () => {
    graph.mailboxes.setState(firstId(), { kind: "full" });
    await tick();
    expect(await mailbox(firstId())).toMatchObject({
      strategy: "list",
      state: "fresh",
      lastErrorCode: "ErrorQuotaExceeded",
    });
    expect(await isStored(firstId())).toBe(true);
    const [calendar] = graph.truth(firstId()).filter(({ isDefaultCalendar }) => !isDefaultCalendar);
    graph.deleteCalendar(firstId(), calendar?.id ?? "");
    await tick();
    expect(await isStored(firstId())).toBe(true);
    graph.mailboxes.setState(firstId(), { kind: "normal" });
    trial.advance(25 * 3_600_000);
    await tick();
    expect(await mailbox(firstId())).toMatchObject({ strategy: "delta", state: "fresh", lastErrorCode: null });
    expect(await isStored(firstId())).toBe(true);
  });

  test.each(["notTracked", "unknownSegment", "readAsId"] as const)(
    "a cloud without it (%s) is served by the list",
    async (availability) => {
      graph.switchDelta("beta", availability);
      await tick();
      for (const id of ids()) expect(await isStored(id)).toBe(true);
      expect((await mailbox(firstId())).strategy).toBe("list");
    },
  );
});

describe("full rounds", () => {
  test("I4: a lost sync state is made good in the same run", async () => {
    await tick();
    graph.mailboxes.forgetLinks();
    graph.createCalendar(firstId(), { name: "new" });
    await tick();
    expect(await mailbox(firstId())).toMatchObject({ state: "fresh", generation: 2, resetsInARow: 1 });
    expect(await isStored(firstId())).toBe(true);
  });

  /** Whether readers are still served every calendar that the mailbox ever had. */
  const noneIsGone = async () =>
    (await trial.ports.store.readCalendars(firstId())).every(({ removedMs }) => removedMs === null);

  test("I11: a sudden mass removal is held, and applied when a second full round says the same", async () => {
    await server.close();
    await world(1, 9);
    await tick();
    for (const { id } of graph.truth(firstId()).slice(3)) graph.deleteCalendar(firstId(), id);
    graph.mailboxes.forgetLinks();
    await tick();
    expect(await mailbox(firstId())).toMatchObject({ state: "held", heldRemovals: 6, calendarCount: 9 });
    expect(await noneIsGone()).toBe(true);
    await tick();
    expect(await mailbox(firstId())).toMatchObject({ state: "fresh", heldRemovals: null, calendarCount: 3 });
    expect(await isStored(firstId())).toBe(true);
  });

  test("I11: a list that was halved for once is held, and forgotten when a second full round sees the calendars again", async () => {
    await server.close();
    await world(1, 9);
    await tick();
    const [first, , third] = graph.truth(firstId());
    for (const calendar of [first, third]) graph.deleteCalendar(firstId(), calendar?.id ?? "");
    await tick();
    graph.mailboxes.forgetLinks();
    const rule = graph.faults.add({ kind: "halvedList" });
    await tick();
    expect(await mailbox(firstId())).toMatchObject({ state: "held", heldRemovals: 4, calendarCount: 7 });
    graph.faults.remove(rule);
    await tick();
    expect(await mailbox(firstId())).toMatchObject({ state: "fresh", heldRemovals: null, calendarCount: 7 });
    expect(await isStored(firstId())).toBe(true);
  });

  test("an audit finds what delta had not reported, and counts it as drift", async () => {
    await tick();
    graph.faults.add({ kind: "halvedList", mailboxId: firstId() });
    trial.advance(8 * 86_400_000);
    await tick();
    await tick();
    expect((await mailbox(firstId())).driftFound).toBeGreaterThan(0);
  });

  test("endless links are abandoned, what is served stays, and the list takes over in the end", async () => {
    await tick();
    graph.mailboxes.forgetLinks(firstId());
    graph.faults.add({ kind: "endlessLinks", mailboxId: firstId(), form: "rotating" });
    await tick();
    expect(await mailbox(firstId())).toMatchObject({ state: "waiting", lastErrorCode: "loopSamePayload" });
    expect(await isStored(firstId())).toBe(true);
    for (let more = 0; more < 4; more++) {
      trial.advance(3_600_000);
      await tick();
    }
    expect(await mailbox(firstId())).toMatchObject({ strategy: "list", state: "fresh" });
  });
});

test("a run completes a removal that was cut short, and leaves a mailbox alone that is added anew meanwhile", async () => {
  const { store, newId } = trial.ports;
  const [doomed = "", returning = ""] = ids();
  for (const id of [doomed, returning])
    expect(await store.purgeMailbox(id, { isTimeUp: () => true })).toBe("unfinished");
  const meanwhile = {
    ...trial.ports,
    graph: {
      ask: async (asks: Parameters<typeof trial.ports.graph.ask>[0]) => {
        await addMailbox(returning, {}, store, newId);
        return trial.ports.graph.ask(asks);
      },
    },
  };
  await runRounds(trial.tick(), meanwhile);
  expect(await store.readMailbox(doomed)).toBeNull();
  expect(await mailbox(returning)).toMatchObject({ state: "new" });
  await tick();
  expect(await isStored(returning)).toBe(true);
});

test("I8: a poisoned link is not followed, and the mailbox starts over", async () => {
  graph.faults.add({ kind: "poisonedLink", form: "host", mailboxId: firstId(), count: 1 });
  await tick();
  await tick();
  expect(await isStored(firstId())).toBe(true);
  expect(trial.logged.join("\n")).toMatch(/linkRefused:(scheme|host)/);
});

test("tokens and links never reach the log", async () => {
  graph.faults.add({ kind: "gatewayTimeout", count: 2 });
  for (let more = 0; more < 3; more++) await tick();
  graph.mailboxes.forgetLinks();
  await tick();
  expect(trial.logged.length).toBeGreaterThan(0);
  expect(trial.logged.join("\n")).not.toMatch(/deltatoken|skiptoken|Bearer/i);
});
