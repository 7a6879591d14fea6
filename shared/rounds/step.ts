import { type Held, type PendingUnit, RowError, rowUnreadable, type UnitResult } from "../store/store.js";
import { decide, park, wait } from "../sync/decide.js";
import { needsStoredRows, settle } from "../sync/settle.js";
import { isoOrNull } from "../sync/time.js";
import type { CalendarRow, Checkpoint, Outcome, Step, Unit } from "../sync/types.js";
import { momentOf, type Ports } from "./ports.js";

/** One mailbox in hand: its checkpoint as stored, and the one that it is asked from (which may start over). */
export type Work = { readonly held: Held; readonly from: Checkpoint; readonly restarts: number };

/** A mailbox as it is taken in hand. */
export function workOn(held: Held, from: Checkpoint = held.checkpoint): Work {
  return { held, from, restarts: 0 };
}

/** What follows from an answer. A mailbox that started over too often in this run waits like after a failure. */
export function stepOf(work: Work, outcome: Outcome, ports: Ports, tick: string | null): Step {
  const step = decide(work.from, outcome, momentOf(ports, tick));
  if (step.kind !== "restart" || work.restarts < ports.limits.restartsMax) return step;
  return wait(step.next, "code" in outcome ? outcome : { code: outcome.kind }, momentOf(ports, tick));
}

/** Commits one unit by itself. @throws StorageError when the table gives no clear answer twice. */
export async function commitOne(unit: PendingUnit, { store }: Ports): Promise<UnitResult> {
  const [result] = (await store.commitUnits([unit], null)).results;
  if (result === undefined) throw new Error("The store gave no result for its only unit.");
  return result;
}

/**
 * The unit that a step commits, and the step itself: reads the mailbox's rows when the step needs them. Where they cannot be
 * read, the mailbox waits instead, as after any failure, in sight, and harms no other (I7, I10).
 */
export async function unitOf(
  step: Step,
  { held, from }: Work,
  ports: Ports,
  tick: string | null,
  readRows: () => Promise<readonly CalendarRow[]> = () => ports.store.readCalendars(from.mailboxId),
): Promise<{ readonly step: Step; readonly unit: Unit }> {
  if (step.kind !== "apply") return { step, unit: { rows: [], changes: 0, next: step.next } };
  try {
    const stored = needsStoredRows(step, from) ? await readRows() : [];
    const unit = settle(step, from, stored, { nowMs: ports.clock.nowMs(), ...ports.limits });
    return { step, unit };
  } catch (error) {
    if (!(error instanceof RowError)) throw error;
    ports.log("error", error.message, { mailbox: from.mailboxId });
    return unitOf(
      wait(held.checkpoint, { code: rowUnreadable }, momentOf(ports, tick)),
      { held, from, restarts: 0 },
      ports,
      tick,
    );
  }
}

/** A mailbox whose data cannot be stored is parked for that reason, with nothing of the page applied (I1, I10). */
export function tooLargeUnit(held: Held, why: string, ports: Ports, tick: string | null): Unit {
  const moment = momentOf(ports, tick);
  const seen = { ...held.checkpoint, lastTick: tick ?? held.checkpoint.lastTick };
  return { rows: [], changes: 0, next: park(seen, `tooLarge:${why}`, "tooLarge", moment).next };
}

/** Logs for operators that a mailbox waits, starts over or is parked. */
export function logStep(step: Step, ports: Ports): void {
  if (step.kind === "apply") return;
  const { mailboxId, lastErrorCode, parkedReason, notBeforeMs, failuresInARow } = step.next;
  ports.log(step.kind === "park" ? "warn" : "info", `mailbox ${step.kind}`, {
    mailbox: mailboxId,
    code: lastErrorCode,
    parkedReason,
    until: isoOrNull(notBeforeMs),
    failuresInARow,
  });
}
