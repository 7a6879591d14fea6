import { type Counts, countsOf } from "../figures/counters.js";
import { isSlow } from "../graph/client.js";
import type { PendingUnit } from "../store/store.js";
import type { Refusal } from "../sync/brake.js";
import { auditOf, handedOver } from "../sync/due.js";
import type { Checkpoint, Outcome, Step } from "../sync/types.js";
import { messageOf } from "./applyPage.js";
import type { Committed } from "./committer.js";
import type { DueWork } from "./dueMailboxes.js";
import type { Run } from "./run.js";
import { logStep, stepOf, tooLargeUnit, unitOf } from "./step.js";

/*
 * One mailbox's way through a run, from Graph's answer to its end:
 *
 *   due ──► asked ──► outcome ──► step ──► unit ──► committed, and logged ──► done
 *    ▲ ▲                           │        ▲           │                      │
 *    │ ╰────── it starts over ─────╯        ╰─ too large: parked               │
 *    ╰───────────────────── an audit follows its round ────────────────────────╯
 *
 * `askDue` asks and waits for `follow`, up to the unit; from there on the mailbox goes on by itself (`finish`). Mailboxes
 * that are not due, and that the change log owes something, are told of (`tellRest`).
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
    const { step: taken, unit: made } = await unitOf(step, work, ports, run.tick, () => run.rows.read(work));
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

/** From the unit to the mailbox's end in this run: committed, and done, or back among those that are due. */
async function finish(work: DueWork, unit: PendingUnit, counts: Counts, run: Run): Promise<void> {
  const { ports, due } = run;
  const result = await run.commit(unit);
  if (result.kind === "superseded") return;
  run.progressed();
  if (result.kind === "lostFence" || result.kind === "departed") return due.done(work); // A twin is ahead: not an error.
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
  if (audit === null) return due.done(work, checkpoint);
  due.again({ held: result.held, from: audit, restarts: 0, place: work.place });
}

/** Has the change log tell of mailboxes that are not asked in this run: of what others have changed, and of who has gone. */
export function tellRest(run: Run): void {
  for (const { held, place } of run.due.takeUntold()) {
    const unit = { held, rows: [], next: held.checkpoint };
    run.goOn(tell(run.commit(unit), run, (next) => run.due.done({ place }, next)));
  }
  for (const { departure, place } of run.due.takeDepartures()) {
    run.goOn(tell(run.commitDeparture(departure), run, () => run.due.done({ place })));
  }
}

/** Where somebody else was faster, the next run tells. */
async function tell(committing: Promise<Committed>, run: Run, done: (next?: Checkpoint) => void): Promise<void> {
  const result = await committing;
  if (result.kind === "superseded") return;
  run.progressed();
  done(result.kind === "committed" ? result.held.checkpoint : undefined);
}

/** Refusals of many alike are the application's; one that was refused so before tells nothing new. */
function findingOf({ held }: DueWork, outcome: Outcome, step: Step): Finding {
  if (step.kind === "apply") return null;
  if (step.kind !== "park" && outcome.kind !== "authConfig") return undefined;
  const { lastErrorCode } = step.next;
  if (lastErrorCode === null || lastErrorCode === held.checkpoint.lastErrorCode) return undefined;
  return { kind: outcome.kind, code: lastErrorCode };
}
