import type { Counts } from "../figures/counters.js";
import { type Figures, figuresOf, RunTally } from "../figures/figures.js";
import { isSlow } from "../graph/client.js";
import type { AloneMessage, PageMessage, RoundsMessage } from "../messages.js";
import { type Held, type PendingUnit, RowError, rowUnreadable, type UnitResult } from "../store/store.js";
import { type Refusal, Refusals } from "../sync/brake.js";
import { askOf } from "../sync/checkpoint.js";
import { wait } from "../sync/decide.js";
import { auditOf, handedOver, removingReason } from "../sync/due.js";
import type { Checkpoint, Outcome, Step, Unit } from "../sync/types.js";
import { countsOf, messageOf } from "./applyPage.js";
import { passBrake, raiseRefused, raiseThrottled, suspect } from "./brake.js";
import { Committer, type Told } from "./committer.js";
import { DueMailboxes, type DueWork } from "./dueMailboxes.js";
import { isNudgeDue, nudgeNoted, sendNudge } from "./nudge.js";
import { momentOf, type Ports } from "./ports.js";
import { openRun } from "./shardRun.js";
import { logStep, stepOf, tooLargeUnit, unitOf } from "./step.js";

/** How a run over a shard ended, and the messages that carry its work on. */
export type RunEnd = {
  readonly kind: "done" | "unfinished" | "braked" | "refused" | "superseded" | "finished" | "busy";
  readonly pages: readonly (PageMessage | AloneMessage)[];
  readonly continuation: RoundsMessage | null;
  readonly figures: Figures | null;
};

/**
 * Asks Graph for the first page of every mailbox of the shard that is due, and commits what it says, many mailboxes in
 * one transaction. Bounded in time: `continuation` goes on where this run stopped.
 */
export async function runRounds(message: RoundsMessage, ports: Ports): Promise<RunEnd> {
  const { store, clock, limits } = ports;
  const { current, run } = await opened(message, ports);
  if (run === "busy") ports.log("info", "shard busy", { shard: message.shard, tick: message.tick });
  if (typeof run === "string") return nothing(run);
  const gate = await passBrake(message, ports); // Braked, it counts only: the ring goes on at the next tick.
  const claim = await store.writeShardRow({
    shard: message.shard,
    row: { run },
    etag: current?.etag ?? null,
  });
  if (claim === "superseded") return nothing("superseded");
  const figures = (await store.readFigures(message.shard)) ?? {};
  const committer = new Committer(store, claim, clock.after, limits.lingerMsMax);
  return new Run(message, new RunTally(figures, run, clock), committer, ports, gate).finish();
}

/**
 * Looks at a run that is in hand until it comes on, ends, or is old: the tick after a host was killed need not wait for
 * another tick.
 */
async function opened(message: RoundsMessage, ports: Ports) {
  const { store, clock, limits } = ports;
  let first: string | null = null;
  for (let looks = 1; ; looks++) {
    const current = await store.readShardRow(message.shard);
    const held = current?.row.run ?? null;
    const run = openRun(held, message, ports.newId(), clock.nowMs(), limits.runYoungMs);
    const now = `${held?.runId} ${held?.seenMs}`;
    first ??= now;
    if (run !== "busy" || now !== first || looks > limits.busyLooksMax) return { current, run };
    await clock.sleep(limits.runYoungMs / limits.busyLooksMax);
  }
}

/** A mailbox whose change other programs are still to be told of. */
type Unsent = { readonly work: DueWork; readonly held: Held; readonly audit: Checkpoint | null };

class Run {
  readonly #pages: (PageMessage | AloneMessage)[] = [];
  readonly #due: DueMailboxes;
  readonly #run: RunTally["run"];
  readonly #newAskedBefore: number;
  readonly #untilMs: number;
  readonly #unsent: Unsent[] = [];
  readonly #sending = new Set<Promise<void>>();
  /** Mailboxes whose removal was cut short: their last rows are deleted now. */
  readonly #removing: string[] = [];
  #stop: "unfinished" | "braked" | "refused" | null = null;
  #newlySlow = 0;
  /** When a call of Graph last ended, or something was committed. */
  #cameOnMs: number;
  #toldMs: number;
  #callOffHeartbeat: () => void = () => undefined;
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
    const nowMs = ports.clock.nowMs();
    this.#untilMs = nowMs + ports.limits.runMsMax;
    this.#cameOnMs = nowMs;
    this.#toldMs = nowMs;
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
    this.#beat();
    try {
      return await this.#runToEnd();
    } finally {
      this.#callOffHeartbeat();
      this.committer.close();
    }
  }

  /**
   * A run that lasts says from time to time that it is alive, and what it has counted (I7). One that hangs says nothing: the
   * next tick takes over from it.
   */
  #beat(): void {
    const { clock, limits } = this.ports;
    this.#callOffHeartbeat = clock.after(limits.heartbeatMs, () => {
      this.#beat();
      if (this.#cameOnMs > this.#toldMs) this.committer.tell(() => this.#told());
    });
  }

  #told(): Told {
    const row = this.#row();
    this.#toldMs = this.#cameOnMs;
    this.tally.newAsked = this.#newAskedBefore + this.#due.newAsked;
    return { row, figures: figuresOf(this.tally, this.ports.store, "unfinished", row.run).stored };
  }

  /** The shard's row as of now. */
  #row() {
    return { run: { ...this.#run, ...this.#due.cursor, seenMs: this.#cameOnMs } };
  }

  async #runToEnd(): Promise<RunEnd> {
    do {
      const workers = Array.from({ length: this.ports.limits.batchesInFlightMax }, () => this.#work());
      // Even when one failed: what the others have in hand is committed first.
      await settled(workers).finally(() => this.#drain());
      // A commit may give a mailbox back: an audit that follows its round.
    } while (this.#stop === null && !this.committer.isSuperseded && this.#due.hasReady);
    if (this.committer.isSuperseded) return { ...nothing("superseded"), pages: this.#pages };
    for (const mailboxId of this.#removing) await this.ports.store.purgeMailbox(mailboxId);
    this.#callOffHeartbeat();
    await this.committer.drain(); // A heartbeat may be on its way, and the shard's row has one writer at a time.
    if (this.committer.isSuperseded) return { ...nothing("superseded"), pages: this.#pages };
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
    // A braked run hands nothing on: the next tick goes on at once.
    const seenMs = kind === "unfinished" ? clock.nowMs() : null;
    const run = { ...this.#run, ...position, finishedMs: isDone ? clock.nowMs() : null, seenMs };
    const row = { run };
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
    const works = await this.#due.next(this.ports.batchSize);
    if (works.length === 0) return false;
    const isKnownSlow = ({ held }: DueWork) => held.checkpoint.aloneUntilMs !== null;
    for (const work of works.filter(isKnownSlow)) this.#handOver(work);
    const batch = works.filter((work) => !isKnownSlow(work));
    if (batch.length > 0) await this.#ask(batch);
    return true;
  }

  async #ask(batch: readonly DueWork[]): Promise<void> {
    const works = new Map(batch.map((work) => [askOf(work.from), work]));
    const following: Promise<void>[] = [];
    const noted = new Map<DueWork, Refusal | null>();
    const follow = (work: DueWork, outcome: Outcome) => {
      this.#cameOnMs = this.ports.clock.nowMs();
      const followed = this.#follow(work, outcome, (note) => noted.set(work, note));
      followed.catch(() => undefined); // Thrown below, once all of the batch have answered.
      following.push(followed);
    };
    const asks = [...works.keys()];
    const answer = await this.ports.graph.ask(asks, {
      onPage: (ask, outcome) => {
        const work = works.get(ask);
        if (work !== undefined && works.delete(ask)) follow(work, outcome);
      },
      onCall: () => {
        this.#cameOnMs = this.ports.clock.nowMs();
      },
    });
    this.tally.asked(answer);
    if (answer.brake !== null) {
      this.#stop ??= "braked";
      await raiseThrottled(answer.brake, this.ports);
    }
    for (const [index, ask] of asks.entries()) {
      const work = works.get(ask);
      if (work === undefined) continue;
      const outcome = answer.outcomes[index];
      if (outcome === undefined) throw new Error("Graph client gave fewer outcomes than it was asked for.");
      // The application was throttled, not this mailbox: it is left as it was, and stays due.
      if (answer.brake === null || outcome.kind !== "throttled") follow(work, outcome);
    }
    await settled(following);
    // As they were asked: pages come earlier than refusals where a batch was asked singly.
    for (const work of batch) {
      const note = noted.get(work);
      if (note !== undefined) this.#refusals.add(note);
    }
    if (await raiseRefused(this.#refusals, this.gate.brake?.ended ?? null, this.ports)) this.#stop ??= "refused";
  }

  /** A slow mailbox goes to a page message of its own, which waits for it: nobody here does (I10). */
  #handOver(work: DueWork): void {
    const { checkpoint } = work.held;
    const next = { ...handedOver(checkpoint, this.ports.clock.nowMs(), this.#run.tick), walked: null };
    this.#add(work, { held: work.held, rows: [], next }, countsOf(null, 0));
  }

  async #follow(work: DueWork, outcome: Outcome, take: (note: Refusal | null) => void): Promise<void> {
    if (isSlow(outcome) && this.#newlySlow < this.ports.limits.newlySlowMax) {
      this.#newlySlow += 1;
      this.ports.log("warn", "mailbox answers slowly", { mailbox: work.from.mailboxId });
      this.#handOver(work);
      return;
    }
    const step = stepOf(work, outcome, this.ports, this.#run.tick);
    logStep(step, this.ports);
    const note = noteOf(work, outcome, step);
    if (note !== undefined) take(note);
    if (step.kind === "restart") {
      this.#due.again({ ...work, from: step.next, restarts: work.restarts + 1 });
      return;
    }
    const { rows, next, changes } = await this.#unitOf(step, work);
    // What was done for the mailbox since the last run is taken into this run's figures, and cleared with the commit.
    this.#add(work, { held: work.held, rows, next: { ...next, walked: null } }, countsOf(step, changes));
  }

  /** A mailbox whose rows cannot be read waits like after any failure, in sight, and harms no other (I7, I10). */
  async #unitOf(step: Step, work: DueWork): Promise<Unit> {
    try {
      return await unitOf(step, work.from, this.ports);
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      this.ports.log("error", error.message, { mailbox: work.from.mailboxId });
      const waiting = wait(work.held.checkpoint, rowUnreadable, momentOf(this.ports, this.#run.tick));
      return unitOf(waiting, work.from, this.ports);
    }
  }

  #add(work: DueWork, unit: PendingUnit, counts: Counts): void {
    this.committer.row = this.#row();
    this.committer.add(unit, (result) => this.#committed(work, unit, result, counts));
  }

  #committed(work: DueWork, unit: PendingUnit, result: UnitResult, counts: Counts): void {
    this.#cameOnMs = this.ports.clock.nowMs();
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
    const message = messageOf(checkpoint, this.ports.clock.nowMs());
    if (message !== null) this.#pages.push(message);
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

/**
 * What an answer tells of the application: null, that Graph answers; a refusal; undefined, nothing. Refusals of
 * many alike are the application's; one that was refused so before tells nothing new.
 */
function noteOf({ held }: DueWork, outcome: Outcome, step: Step): Refusal | null | undefined {
  if (step.kind === "apply") return null;
  if (step.kind !== "park" && outcome.kind !== "authConfig") return undefined;
  const { lastErrorCode } = step.next;
  if (lastErrorCode === null || lastErrorCode === held.checkpoint.lastErrorCode) return undefined;
  return { kind: outcome.kind, code: lastErrorCode };
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
