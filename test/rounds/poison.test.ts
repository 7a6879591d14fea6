import { describe, expect, test } from "vitest";
import { parkPages, parkRounds } from "../../shared/rounds/poison.js";
import type { Checkpoint } from "../../shared/sync/types.js";
import { memoryTable } from "../../shared/table/memoryTable.js";
import { keptLog, noTimers, runPorts } from "../worlds/parts.js";
import { added, storeOn } from "../worlds/store.js";

const nowMs = Date.UTC(2026, 9, 8, 12);
const inMidRound: Partial<Checkpoint> = { phase: "full", roundId: "round-1", pageNumber: 2 };

/** One mailbox in mid-round, and a Graph that must not be asked. */
async function opened(changed: Partial<Checkpoint> = inMidRound) {
  const store = storeOn(memoryTable());
  await store.open();
  await added(store, "adele", { sequence: 4, loggedState: "served", loggedSequence: 4, ...changed });
  const { logged, log } = keptLog();
  const ports = runPorts({
    clock: { nowMs: () => nowMs, sleep: () => Promise.reject(new Error("Nobody sleeps here.")), after: noTimers },
    random: { next: () => 0.5 },
    newId: () => "id",
    graph: { ask: () => Promise.reject(new Error("Nobody asks here.")) },
    store,
    nudge: null,
    log,
  });
  const read = async () => (await store.readMailbox("adele"))?.checkpoint;
  return { ports, logged, read };
}

const message = { mailbox: "adele", round: "round-1", page: 2 };

describe("I7: a page message that failed time and again", () => {
  test("parks its mailbox for a stated reason, to be looked at again, and logs it", async () => {
    const { ports, read, logged } = await opened();
    expect(await parkPages(message, ports)).toBe("parked");
    const { parkedReason, notBeforeMs, phase } = (await read()) ?? {};
    expect(parkedReason).toBe("poisonedPage");
    expect(notBeforeMs).toBeGreaterThan(nowMs);
    expect(phase).toBe("full"); // Its link stays: the re-probe goes on where it stood.
    expect(logged).toEqual([expect.stringContaining("error mailbox parked")]);
  });

  test.each([
    ["another page", { ...message, page: 1 }],
    ["another round", { ...message, round: "round-0" }],
    ["no mailbox of ours", { ...message, mailbox: "nobody" }],
    ["a round by hand", { mailbox: "adele", sync: "id" }],
  ])("parks nobody when it is about %s", async (_what, overtaken) => {
    const { ports, read } = await opened();
    const before = await read();
    expect(await parkPages(overtaken, ports)).toBe("movedOn");
    expect(await read()).toEqual(before);
  });

  test("parks a slow mailbox whose own message it was, and nobody who was handed over anew meanwhile", async () => {
    const { ports, read } = await opened({ aloneUntilMs: 7 });
    expect(await parkPages({ mailbox: "adele", alone: 6 }, ports)).toBe("movedOn");
    expect((await read())?.parkedReason).toBeNull();
    expect(await parkPages({ mailbox: "adele", alone: 7 }, ports)).toBe("parked");
    expect((await read())?.parkedReason).toBe("poisonedPage");
  });

  test("parks nobody whose round has ended meanwhile", async () => {
    const { ports, read } = await opened({ phase: "idle", roundId: "round-1", pageNumber: 2 });
    expect(await parkPages(message, ports)).toBe("movedOn");
    expect((await read())?.parkedReason).toBeNull();
  });

  test("is logged and dropped when it is none of ours", async () => {
    const { ports, logged } = await opened();
    expect(await parkPages({ link: "https://example.com/?$skiptoken=secret" }, ports)).toBe("unreadable");
    expect(logged).toEqual([expect.stringContaining("error poison page message dropped")]);
    expect(logged.join()).not.toContain("secret");
  });
});

describe("I7: a rounds message that failed time and again", () => {
  test.each([
    [{ shard: "0a", tick: "tick-1" }, "logged", "shard run failed time and again"],
    [{ discover: "pass-1" }, "logged", "roster discovery failed time and again"],
    ["something else", "unreadable", "poison rounds message dropped"],
  ])("%j is %s", async (body, end, words) => {
    const { ports, logged } = await opened();
    expect(parkRounds(body, ports.log)).toBe(end);
    expect(logged).toEqual([expect.stringContaining(words)]);
  });
});
