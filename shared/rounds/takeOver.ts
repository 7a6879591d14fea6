import type { RoundsMessage } from "../messages.js";
import type { ShardRun } from "../store/shardRow.js";

/**
 * The run that a message opens on its shard, or why it opens none. A message that takes over changes the shard's row: the
 * run before finds that at its next commit and stops, so no clock decides who holds the shard. That a new tick leaves a
 * run alone that was alive a moment ago is a courtesy: what that run has in hand would be lost. `busy` says so; its tick
 * is done by the next one. A message that comes again, and a continuation, do take over: whoever had it is gone.
 * A run that did not get round the whole shard is taken up where it stopped, so that the last mailboxes don't starve.
 */
export function openRun(
  current: ShardRun | null,
  message: RoundsMessage,
  runId: string,
  nowMs: number,
  youngMs: number,
): ShardRun | "superseded" | "finished" | "busy" {
  if (message.run !== undefined && current?.runId !== message.run) return "superseded";
  const isSameTick = current?.tick === message.tick;
  if (isSameTick && current.finishedMs !== null) return "finished";
  if (isSameTick) return { ...current, runId, seenMs: nowMs };
  if (current !== null && isYoung(current, nowMs, youngMs)) return "busy";
  const from = current === null || current.finishedMs !== null ? null : current.cursor;
  const times = { startedMs: nowMs, finishedMs: null, seenMs: nowMs };
  return { tick: message.tick, runId, ...times, cursor: from, from, wrapped: false };
}

/** Clocks of hosts differ: a run that was seen far in the future is as old as one that was seen long ago. */
function isYoung({ finishedMs, seenMs }: ShardRun, nowMs: number, youngMs: number): boolean {
  return finishedMs === null && seenMs !== null && Math.abs(nowMs - seenMs) < youngMs;
}

/** The two stretches of the ring that are still ahead: from the cursor to the end, then from the start to `from`. */
export function stretchesOf(
  run: ShardRun,
): readonly { readonly after: string | null; readonly upTo: string | null; readonly wrapped: boolean }[] {
  const toEnd = { after: run.cursor, upTo: null, wrapped: false };
  if (run.from === null) return [toEnd];
  if (run.wrapped) return [{ after: run.cursor, upTo: run.from, wrapped: true }];
  return [toEnd, { after: null, upTo: run.from, wrapped: true }];
}
