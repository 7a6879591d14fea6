import { type Held, type PendingUnit, RowError, rowUnreadable, type UnitResult } from "../store/store.js";
import { Refusals } from "../sync/brake.js";
import { askOf } from "../sync/checkpoint.js";
import { auditOf, removingReason } from "../sync/due.js";
import type { Checkpoint, Outcome, Step, Unit } from "../sync/types.js";
import { countsOf, pageMessageOf } from "./applyPage.js";
import { passBrake, raiseRefused, raiseThrottled, suspect } from "./brake.js";
import { Committer } from "./committer.js";
import { DueMailboxes, type DueWork } from "./dueMailboxes.js";
import { type Figures, figuresOf, RunTally } from "./figures.js";
import type { PageMessage, RoundsMessage } from "./messages.js";
import { isNudgeDue, nudgeNoted, sendNudge } from "./nudge.js";
import type { Ports } from "./ports.js";
import { openRun } from "./shardRun.js";
import { logStep, stepOf, tooLargeUnit, unitOf } from "./turn.js";
import type { Counts } from "./walked.js";

/** How a run over a shard ended, and the messages that carry its work on. */
export type RunEnd = {
  readonly kind: "done" | "unfinished" | "braked" | "refused" | "superseded" | "finished";
  readonly pages: readonly PageMessage[];
  readonly continuation: RoundsMessage | null;
  readonly figures: Figures | null;
};

/**
 * Asks Graph for the first page of every mailbox of the shard that is due, and commits what it says, many mailboxes in
 * one transaction. Bounded in time: `continuation` goes on where this run stopped.
 */
export async function runRounds(message: RoundsMessage, ports: Ports): Promise<RunEnd> {
  const { store, clock } = ports;
  const gate = await passBrake(message, ports); // Braked, it counts only: the ring goes on at the next tick.
  const current = await store.readShardRow(message.shard);
  const run = openRun(current?.row.run ?? null, message, ports.newId(), clock.nowMs());
  if (run === "superseded" || run === "finished") return nothing(run);
  const claim = await store.writeShardRow({
    shard: message.shard,
    row: { run, figures: {} }, // They have a row of their own: this one goes with every transaction.
    etag: current?.etag ?? null,
  });
  if (claim === "superseded") return nothing("superseded");
  const figures = (await store.readFigures(message.shard)) ?? {};
  return new Run(message, new RunTally(figures, run, clock), new Committer(store, claim), ports, gate).finish();
}

/** A mailbox whose change other programs are still to be told of. */
type Unsent = { readonly work: DueWork; readonly held: Held; readonly audit: Checkpoint | null };

class Run {
  readonly #pages: PageMessage[] = [];
  readonly #due: DueMailboxes;
  readonly #run: RunTally["run"];
  readonly #newAskedBefore: number;
  readonly #untilMs: number;
  readonly #unsent: Unsent[] = [];
  readonly #sending = new Set<Promise<void>>();
  /** Mailboxes whose removal was cut short: their last rows are deleted now. */
  readonly #removing: string[] = [];
  #stop: "unfinished" | "braked" | "refused" | null = null;
  readonly #refusals = new Refusals();

  constructor(
    private readonly message: RoundsMessage,
    private readonly tally: RunTally,
    private readonly committer: Committer,
    private readonly ports: Ports,
    private readonly gate: Awaited<ReturnType<typeof passBrake>>,
  ) {
    this.#run = tally.run;
    if (!gate.isOpen) this.#stop = gate.brake?.kind === "refused" ? "refused" : "braked";
    this.#newAskedBefore = tally.newAsked;
    this.#untilMs = ports.clock.nowMs() + ports.limits.runMsMax;
    this.#due = new DueMailboxes(
      ports.store,
      message.shard,
      tally.run,
      ports.clock,
      ({ checkpoint }) => this.#see(checkpoint),
      (mailboxId, checkpoint) => (checkpoint === null ? tally.unreadable(mailboxId) : tally.passed(checkpoint)),
      ports.limits.newMailboxesPerTickMax - tally.newAsked,
      tally.overIn(gate.brake),
    );
  }

  #see(checkpoint: Checkpoint): void {
    if (checkpoint.parkedReason === removingReason) this.#removing.push(checkpoint.mailboxId);
  }

  async finish(): Promise<RunEnd> {
    do {
      const workers = Array.from({ length: this.ports.limits.batchesInFlightMax }, () => this.#work());
      // Even when one failed: what the others have in hand is committed first.
      await settled(workers).finally(() => this.#drain());
      // A commit may give a mailbox back: an audit that follows its round.
    } while (this.#stop === null && !this.committer.isSuperseded && this.#due.hasReady);
    if (this.committer.isSuperseded) return { ...nothing("superseded"), pages: this.#pages };
    for (const mailboxId of this.#removing) await this.ports.store.purgeMailbox(mailboxId);
    return this.#close();
  }

  async #close(): Promise<RunEnd> {
    const { clock, store, log } = this.ports;
    if (this.#stop === null && (await suspect(this.#refusals, this.gate.brake, this.ports))) this.#stop = "refused";
    const kind = this.#stop ?? "done";
    const isDone = kind === "done";
    const reached = this.#due.cursor; // Before the figures: it counts the mailboxes that it moves over.
    if (kind === "braked" || kind === "refused") await this.#due.skipRest(); // They are counted all the same.
    const position = isDone ? { cursor: null, from: null, wrapped: false } : reached;
    this.tally.newAsked = this.#newAskedBefore + this.#due.newAsked;
    const figures = figuresOf(this.tally, store, kind, position);
    const run = { ...this.#run, ...position, finishedMs: isDone ? clock.nowMs() : null };
    const row = { run, figures: {} };
    const written = await store.writeShardRow({ ...this.committer.claim, row, figures: figures.stored });
    if (written === "superseded") return { ...nothing("superseded"), pages: this.#pages };
    log("info", `shard ${kind}`, { shard: this.message.shard, ...figures.told });
    const continuation =
      kind === "unfinished" ? { shard: this.message.shard, tick: this.message.tick, run: this.#run.runId } : null;
    return { kind, pages: this.#pages, continuation, figures };
  }

  async #work(): Promise<void> {
    while (await this.#turn());
  }

  /** Asks about one batch. False when there is nothing left to do, or no time to do it. */
  async #turn(): Promise<boolean> {
    const { limits, clock } = this.ports;
    if (this.committer.waiting >= limits.uncommittedMax) await this.committer.room();
    if (this.#stop !== null || this.committer.isSuperseded) return false;
    if (clock.nowMs() >= this.#untilMs) this.#stop ??= "unfinished";
    if (this.#stop !== null) return false;
    const batch = await this.#due.next(this.ports.batchSize);
    if (batch.length === 0) return false;
    const answer = await this.ports.graph.ask(batch.map((work) => askOf(work.from)));
    this.tally.asked(answer);
    if (answer.brake !== null) {
      this.#stop ??= "braked";
      await raiseThrottled(answer.brake, this.ports);
    }
    await settled(
      batch.map(async (work, index) => {
        const outcome = answer.outcomes[index];
        if (outcome === undefined) throw new Error("Graph client gave fewer outcomes than it was asked for.");
        // The application was throttled, not this mailbox: it is left as it was, and stays due.
        if (answer.brake !== null && outcome.kind === "throttled") return;
        await this.#follow(work, outcome);
      }),
    );
    if (await raiseRefused(this.#refusals, this.gate.brake?.ended ?? null, this.ports)) this.#stop ??= "refused";
    return true;
  }

  async #follow(work: DueWork, outcome: Outcome): Promise<void> {
    const step = stepOf(work, outcome, this.ports, this.#run.tick);
    logStep(step, this.ports);
    this.#note(work, outcome, step);
    if (step.kind === "restart") {
      this.#due.again({ ...work, from: step.next, restarts: work.restarts + 1 });
      return;
    }
    const { rows, next, changes } = await this.#unitOf(step, work);
    // What was done for the mailbox since the last run is taken into this run's figures, and cleared with the commit.
    this.#add(work, { held: work.held, rows, next: { ...next, walked: null } }, countsOf(step, changes));
  }

  /** Refusals of many alike are the application's; one that was refused so before tells nothing new. */
  #note({ held }: DueWork, outcome: Outcome, step: Step): void {
    if (step.kind === "apply") this.#refusals.add(null);
    if (step.kind !== "park" && outcome.kind !== "authConfig") return;
    const { lastErrorCode } = step.next;
    if (lastErrorCode !== null && lastErrorCode !== held.checkpoint.lastErrorCode) this.#refusals.add(lastErrorCode);
  }

  /** A mailbox whose rows cannot be read waits like after any failure, in sight, and harms no other (I7, I10). */
  async #unitOf(step: Step, work: DueWork): Promise<Unit> {
    try {
      return await unitOf(step, work.from, this.ports);
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      this.ports.log("error", error.message, { mailbox: work.from.mailboxId });
      const unreadable: Outcome = { kind: "transient", code: rowUnreadable, retryAfterMs: null };
      return unitOf(
        stepOf({ ...work, from: work.held.checkpoint }, unreadable, this.ports, this.#run.tick),
        work.from,
        this.ports,
      );
    }
  }

  #add(work: DueWork, unit: PendingUnit, counts: Counts): void {
    this.committer.row = { ...this.committer.claim.row, run: { ...this.#run, ...this.#due.cursor } };
    this.committer.add(unit, (result) => this.#committed(work, unit, result, counts));
  }

  #committed(work: DueWork, unit: PendingUnit, result: UnitResult, counts: Counts): void {
    if (result.kind === "tooLarge") {
      this.ports.log("error", "mailbox does not fit the table", { mailbox: unit.next.mailboxId, why: result.why });
      const { next } = tooLargeUnit(work.held, result.why, this.ports, this.#run.tick);
      this.#add(work, { held: work.held, rows: [], next }, countsOf(null, 0));
      return;
    }
    if (result.kind === "lostFence") {
      this.#due.done(work); // A twin is ahead: not an error.
      return;
    }
    const { checkpoint } = result.held;
    this.tally.committed(counts, work.held.checkpoint, checkpoint);
    const message = pageMessageOf(checkpoint);
    if (message !== null && checkpoint.failuresInARow === 0) this.#pages.push(message);
    const audit = counts.rounds > 0 ? auditOf(checkpoint, this.ports.clock.nowMs(), this.ports.auditMs) : null;
    if (isNudgeDue(checkpoint)) this.#nudge(work, result.held, audit);
    else this.#next(work, result.held, audit);
  }

  #next(work: DueWork, held: Held, audit: Checkpoint | null): void {
    if (audit === null) this.#due.done(work, held.checkpoint);
    else this.#due.again({ held, from: audit, restarts: 0, place: work.place });
  }

  /** Tells other programs, and notes it with a later transaction: at least once, also after a crash. */
  #nudge(work: DueWork, held: Held, audit: Checkpoint | null): void {
    this.#unsent.push({ work, held, audit });
    this.#send();
  }

  #send(): void {
    while (this.#sending.size < this.ports.limits.sendsInFlightMax) {
      const next = this.#unsent.shift();
      if (next === undefined) return;
      const sending = this.#sendOne(next).finally(() => {
        this.#sending.delete(sending);
        this.#send();
      });
      this.#sending.add(sending);
    }
  }

  async #sendOne({ work, held, audit }: Unsent): Promise<void> {
    if ((await sendNudge(held.checkpoint, this.ports)) === "notSent") return this.#next(work, held, audit);
    const next = nudgeNoted(held.checkpoint);
    this.committer.add({ held, rows: [], next }, (result) => {
      const noted = audit === null ? null : { ...audit, nudgedSequence: next.nudgedSequence };
      if (result.kind === "committed") this.#next(work, result.held, noted);
      else this.#due.done(work);
    });
  }

  async #drain(): Promise<void> {
    await this.committer.drain();
    while (this.#sending.size > 0) {
      await Promise.all(this.#sending);
      await this.committer.drain();
    }
  }
}

/** Waits for all, then throws the first fault: nothing is left running behind the invocation. */
async function settled(tasks: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(tasks);
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

function nothing(kind: RunEnd["kind"]): RunEnd {
  return { kind, pages: [], continuation: null, figures: null };
}
