import { startOver } from "./checkpoint.js";
import { syncLimits } from "./limits.js";
import type { Checkpoint } from "./types.js";

/** Whether the mailbox is being removed or is suspended: for readers it does not exist. */
export function isLeaving(checkpoint: Checkpoint): boolean {
  return checkpoint.lifecycle !== "active";
}

/** Whether Graph was never asked about this mailbox, or not since it came back: its first round is paced. */
export function isNeverAsked(checkpoint: Checkpoint): boolean {
  return checkpoint.lastTick === null && checkpoint.phase === "initial";
}

/**
 * Whether this tick should ask Graph about the mailbox. One in mid-round is due like any other: if its page message
 * is still on its way, the fence lets only one of the two go on (I2, I9); if it was lost, nothing else would (I7).
 */
export function isDue(
  checkpoint: Checkpoint,
  nowMs: number,
  tick: string,
  /** Codes by which the application was refused until just now: mailboxes refused with them need not wait any more. */
  over: readonly string[] = [],
): boolean {
  if (checkpoint.lastTick === tick || isLeaving(checkpoint) || isInHandAlone(checkpoint, nowMs)) return false;
  if (checkpoint.notBeforeMs !== null && over.includes(checkpoint.lastErrorCode ?? "")) return true;
  if (checkpoint.notBeforeMs === null) return checkpoint.parkedReason === null;
  return checkpoint.notBeforeMs <= nowMs;
}

/**
 * Whether a page message has the slow mailbox in hand. A time further ahead than anybody writes comes from a host whose
 * clock was ahead, and holds nobody back.
 */
export function isInHandAlone({ aloneUntilMs }: Checkpoint, nowMs: number): boolean {
  return aloneUntilMs !== null && aloneUntilMs > nowMs && aloneUntilMs <= nowMs + syncLimits.aloneMsMax;
}

/**
 * Whether a page message may have the mailbox in hand: it is in mid-round, or slow. A commit of another would cost it what
 * it has asked, and the mailbox is due in any case once that is over.
 */
export function isInHand(checkpoint: Checkpoint, nowMs: number): boolean {
  const { phase, notBeforeMs, parkedReason } = checkpoint;
  const isWalking = phase === "full" || phase === "incremental";
  return (isWalking && notBeforeMs === null && parkedReason === null) || isInHandAlone(checkpoint, nowMs);
}

/** The mailbox as a run hands it over to a page message of its own, which waits for its answer (I10). */
export function handedOver(checkpoint: Checkpoint, nowMs: number, tick: string): Checkpoint {
  return { ...checkpoint, lastTick: tick, aloneUntilMs: nowMs + syncLimits.aloneMsMax };
}

/**
 * A slow mailbox's checkpoint after an answer that took `tookMs`. `goesOn`: a further page of it is asked for next.
 * One that has answered in a quarter of the time that runs wait goes back into their batches.
 */
export function afterAlone(next: Checkpoint, nowMs: number, tookMs: number, goesOn: boolean): Checkpoint {
  if (next.aloneUntilMs === null) return next;
  if (goesOn) return { ...next, aloneUntilMs: nowMs + syncLimits.aloneMsMax };
  const isQuick = next.failuresInARow === 0 && tookMs <= syncLimits.quickMsMax;
  return { ...next, aloneUntilMs: isQuick ? null : nowMs };
}

/** The mailbox as it is asked in this run: with the list strategy, delta is tried again once a day. */
export function prepared(checkpoint: Checkpoint, nowMs: number): Checkpoint {
  const isProbeDue =
    checkpoint.strategy === "list" && checkpoint.deltaProbeMs !== null && checkpoint.deltaProbeMs <= nowMs;
  if (!isProbeDue || checkpoint.phase === "full") return checkpoint;
  return { ...startOver(checkpoint, "probe"), strategy: "delta" };
}

/**
 * The audit that follows an incremental round when one is due, else null. Due times are spread, so that a fleet added at
 * once is not audited at once.
 */
export function auditOf(checkpoint: Checkpoint, nowMs: number, auditMs: number): Checkpoint | null {
  const { phase, strategy, lastFullRoundMs, mailboxId } = checkpoint;
  if (phase !== "idle" || strategy === "list" || lastFullRoundMs === null) return null;
  const dueMs = lastFullRoundMs + Math.round(auditMs * (0.75 + fraction(mailboxId) / 4));
  return nowMs < dueMs ? null : startOver(checkpoint, "audit");
}

/** A stable number from 0 up to 1 for an id (FNV-1a). */
export function fraction(id: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < id.length; index++) hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193);
  return (hash >>> 0) / 2 ** 32;
}
