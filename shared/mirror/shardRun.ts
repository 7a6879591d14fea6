import type { ShardRow } from "../store/shardRow.js";
import type { RoundsMessage } from "./messages.js";

export type ShardRun = NonNullable<ShardRow["run"]>;

/**
 * The run that a message opens on its shard, or why it opens none. The newest message takes over: the run before finds
 * the shard's row changed at its next commit and stops, so no clock decides who holds the shard.
 * A run that did not get round the whole shard is taken up where it stopped, so that the last mailboxes don't starve.
 */
export function openRun(
  current: ShardRun | null,
  message: RoundsMessage,
  runId: string,
  nowMs: number,
): ShardRun | "superseded" | "finished" {
  if (message.run !== undefined && current?.runId !== message.run) return "superseded";
  const isSameTick = current?.tick === message.tick;
  if (isSameTick && current.finishedMs !== null) return "finished";
  if (isSameTick) return { ...current, runId };
  const from = current === null || current.finishedMs !== null ? null : current.cursor;
  return { tick: message.tick, runId, startedMs: nowMs, cursor: from, from, wrapped: false, finishedMs: null };
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
