import { expect, test } from "vitest";
import { openRun, type ShardRun, stretchesOf } from "../../shared/mirror/shardRun.js";

const walking: ShardRun = {
  tick: "t1",
  runId: "r1",
  startedMs: 1,
  cursor: "m500",
  from: null,
  wrapped: false,
  finishedMs: null,
};
const message = (tick: string, run?: string) => ({ shard: "00", tick, ...(run === undefined ? {} : { run }) });

test("a shard that was never run starts at its first mailbox", () => {
  expect(openRun(null, message("t1"), "r1", 1)).toEqual({ ...walking, cursor: null });
});

test("a new tick after a finished run starts at the first mailbox", () => {
  expect(openRun({ ...walking, cursor: null, finishedMs: 9 }, message("t2"), "r2", 10)).toMatchObject({
    tick: "t2",
    cursor: null,
    from: null,
  });
});

test("a new tick takes over from a run that did not get round, where that stopped: the last mailboxes don't starve", () => {
  const run = openRun(walking, message("t2"), "r2", 10);
  expect(run).toMatchObject({ tick: "t2", runId: "r2", cursor: "m500", from: "m500" });
  expect(stretchesOf(run as ShardRun)).toEqual([
    { after: "m500", upTo: null, wrapped: false },
    { after: null, upTo: "m500", wrapped: true },
  ]);
});

test("I9: a second delivery of a tick takes over while its run is open, and does nothing once it is finished", () => {
  expect(openRun(walking, message("t1"), "r2", 10)).toEqual({ ...walking, runId: "r2" });
  expect(openRun({ ...walking, finishedMs: 9 }, message("t1"), "r2", 10)).toBe("finished");
});

test("I9: a continuation goes on only from the run that sent it", () => {
  expect(openRun(walking, message("t1", "r1"), "r2", 10)).toMatchObject({ runId: "r2", cursor: "m500" });
  expect(openRun({ ...walking, runId: "r2" }, message("t1", "r1"), "r3", 10)).toBe("superseded");
  expect(openRun(null, message("t1", "r1"), "r3", 10)).toBe("superseded");
});

test("a run that has wrapped round goes on up to where it began", () => {
  expect(stretchesOf({ ...walking, from: "m700", wrapped: true })).toEqual([
    { after: "m500", upTo: "m700", wrapped: true },
  ]);
});
