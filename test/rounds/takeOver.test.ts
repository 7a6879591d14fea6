import { expect, test } from "vitest";
import { openRun, stretchesOf } from "../../shared/rounds/takeOver.js";
import type { ShardRun } from "../../shared/store/shardRow.js";

const walking: ShardRun = {
  tick: "t1",
  runId: "r1",
  startedMs: 1,
  cursor: "m500",
  from: null,
  wrapped: false,
  finishedMs: null,
  seenMs: 1,
};
const youngMs = 5;
const message = (tick: string, run?: string) => ({ shard: "00", tick, ...(run === undefined ? {} : { run }) });

test("a shard that was never run starts at its first mailbox", () => {
  expect(openRun(null, message("t1"), "r1", 1, youngMs)).toEqual({ ...walking, cursor: null });
});

test("a new tick after a finished run starts at the first mailbox", () => {
  expect(openRun({ ...walking, cursor: null, finishedMs: 9 }, message("t2"), "r2", 10, youngMs)).toMatchObject({
    tick: "t2",
    cursor: null,
    from: null,
  });
});

test("a new tick takes over from a run that did not get round, where that stopped: the last mailboxes don't starve", () => {
  const run = openRun(walking, message("t2"), "r2", 10, youngMs);
  expect(run).toMatchObject({ tick: "t2", runId: "r2", cursor: "m500", from: "m500" });
  expect(stretchesOf(run as ShardRun)).toEqual([
    { after: "m500", upTo: null, wrapped: false },
    { after: null, upTo: "m500", wrapped: true },
  ]);
});

test("I9: a second delivery of a tick takes over while its run is open, and does nothing once it is finished", () => {
  expect(openRun(walking, message("t1"), "r2", 10, youngMs)).toEqual({ ...walking, runId: "r2", seenMs: 10 });
  expect(openRun({ ...walking, finishedMs: 9 }, message("t1"), "r2", 10, youngMs)).toBe("finished");
});

test("I9: a continuation goes on only from the run that sent it", () => {
  expect(openRun(walking, message("t1", "r1"), "r2", 10, youngMs)).toMatchObject({ runId: "r2", cursor: "m500" });
  expect(openRun({ ...walking, runId: "r2" }, message("t1", "r1"), "r3", 10, youngMs)).toBe("superseded");
  expect(openRun(null, message("t1", "r1"), "r3", 10, youngMs)).toBe("superseded");
});

test("a run that has wrapped round goes on up to where it began", () => {
  expect(stretchesOf({ ...walking, from: "m700", wrapped: true })).toEqual([
    { after: "m500", upTo: "m700", wrapped: true },
  ]);
});

test("I10: a new tick leaves a run alone that was alive a moment ago, whoever's clock is ahead, and no dead one", () => {
  expect(openRun({ ...walking, seenMs: 6 }, message("t2"), "r2", 10, youngMs)).toBe("busy");
  expect(openRun({ ...walking, seenMs: 14 }, message("t2"), "r2", 10, youngMs)).toBe("busy");
  for (const seenMs of [5, 15, null]) {
    expect(openRun({ ...walking, seenMs }, message("t2"), "r2", 10, youngMs)).toMatchObject({ runId: "r2" });
  }
  const finished = { ...walking, finishedMs: 9, seenMs: 9 };
  expect(openRun(finished, message("t2"), "r2", 10, youngMs)).toMatchObject({ runId: "r2", from: null });
});
