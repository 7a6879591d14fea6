import { type Counts, countsOf } from "../figures/counters.js";
import { isSlow } from "../graph/client.js";
import type { Held, PendingUnit } from "../store/store.js";
import type { Refusal } from "../sync/brake.js";
import { auditOf, handedOver } from "../sync/due.js";
import type { Outcome, Step } from "../sync/types.js";
import { messageOf } from "./applyPage.js";
import type { DueWork } from "./dueMailboxes.js";
import { isNudgeDue, notedUnit } from "./nudge.js";
import type { Run } from "./run.js";
import { logStep, stepOf, tooLargeUnit, unitOf } from "./step.js";

/*
 * One mailbox's way through a run, from Graph's answer to its end:
 *
 *   due ──► asked ──► outcome ──► step ──► unit ──► committed ──► nudged ──► done
 *    ▲ ▲                           │        ▲           │                    │
 *    │ ╰────── it starts over ─────╯        ╰─ too large: parked             │
 *    ╰───────────────────── an audit follows its round ──────────────────────╯
 *
 * `askDue` asks and waits for `follow`, up to the unit; from there on the mailbox goes on by itself (`finish`).
 */

/** What an answer tells of the application: null, that Graph answers for mailboxes; a refusal; undefined, nothing. */
export type Finding = Refusal | null | undefined;

/** From Graph's answer to the unit that it makes. Resolves once that waits for its transaction. */
export async function follow(work: DueWork, outcome: Outcome, run: Run): Promise<Finding> {
  const { ports } = run;
  if (isSlow(outcome) && run.newlySlow < ports.limits.newlySlowMax) {
    run.newlySlow += 1;
    ports.log("warn", "mailbox answers slowly", { mailbox: work.from.mailboxId });
    handOver(work, run);
    return undefined;
  }
  const step = stepOf(work, outcome, ports, run.tick);
  logStep(step, ports);
  if (step.kind === "restart") {
    run.due.again({ ...work, from: step.next, restarts: work.restarts + 1 });
  } else {
    const { step: taken, unit: made } = await unitOf(step, work, ports, run.tick);
    // What was done for the mailbox since the last run is taken into this run's figures, and cleared with the commit.
    const unit = { held: work.held, rows: made.rows, next: { ...made.next, walked: null } };
    run.goOn(finish(work, unit, countsOf(taken, made.changes), run));
  }
  return findingOf(work, outcome, step);
}

/** A slow mailbox goes to a page message of its own, which waits for it: nobody here does (I10). */
export function handOver(work: DueWork, run: Run): void {
  const { held } = work;
  const next = { ...handedOver(held.checkpoint, run.ports.clock.nowMs(), run.tick), walked: null };
  run.goOn(finish(work, { held, rows: [], next }, countsOf(null, 0), run));
}

/** From the unit to the mailbox's end in this run: committed, nudged, and done, or back among those that are due. */
async function finish(work: DueWork, unit: PendingUnit, counts: Counts, run: Run): Promise<void> {
  const { ports, due } = run;
  const result = await run.commit(unit);
  if (result.kind === "superseded") return;
  run.progressed();
  if (result.kind === "lostFence") return due.done(work); // A twin is ahead: not an error.
  if (result.kind === "tooLarge") {
    ports.log("error", "mailbox does not fit the table", { mailbox: unit.next.mailboxId, why: result.why });
    const { next } = tooLargeUnit(work.held, result.why, ports, run.tick);
    return finish(work, { held: work.held, rows: [], next }, countsOf(null, 0), run);
  }
  const { checkpoint } = result.held;
  run.tally.committed(counts, work.held.checkpoint, checkpoint);
  const message = messageOf(checkpoint, ports.clock.nowMs());
  if (message !== null) run.pages.push(message);
  const audit = counts.rounds > 0 ? auditOf(checkpoint, ports.clock.nowMs(), ports.auditMs) : null;
  const held = isNudgeDue(checkpoint) ? await nudgedIn(run, result.held) : result.held;
  if (held === null) return due.done(work);
  if (audit === null) return due.done(work, held.checkpoint);
  const { nudgedSequence } = held.checkpoint;
  due.again({ held, from: { ...audit, nudgedSequence }, restarts: 0, place: work.place });
}

/** Refusals of many alike are the application's; one that was refused so before tells nothing new. */
function findingOf({ held }: DueWork, outcome: Outcome, step: Step): Finding {
  if (step.kind === "apply") return null;
  if (step.kind !== "park" && outcome.kind !== "authConfig") return undefined;
  const { lastErrorCode } = step.next;
  if (lastErrorCode === null || lastErrorCode === held.checkpoint.lastErrorCode) return undefined;
  return { kind: outcome.kind, code: lastErrorCode };
}

/**
 * A mailbox of a run for which a nudge is due: sent, and then noted by a commit of its own, so at least once also after a
 * crash. Null: somebody else has moved the mailbox meanwhile.
 */
async function nudgedIn(run: Run, held: Held): Promise<Held | null> {
  if ((await run.nudges.send(held.checkpoint)) === "notSent") return held;
  const noted = await run.commit(notedUnit(held));
  return noted.kind === "committed" ? noted.held : null;
}
