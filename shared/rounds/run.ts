import { figuresOf, type RunTally } from "../figures/figures.js";
import type { AloneMessage, PageMessage, RoundsMessage } from "../messages.js";
import type { ShardRun } from "../store/shardRow.js";
import type { Departure, PendingUnit } from "../store/store.js";
import { type Brake, Refusals } from "../sync/brake.js";
import { logged } from "../sync/logged.js";
import type { Committed, Committer, ShardReport } from "./committer.js";
import { DueMailboxes } from "./dueMailboxes.js";
import { NudgeSender } from "./nudge.js";
import type { Ports } from "./ports.js";
import { RowReader } from "./rowReader.js";

/** What the mailboxes of one run over a shard share. */
export class Run {
  /** Messages that carry on what this run has begun. */
  readonly pages: (PageMessage | AloneMessage)[] = [];
  /** What the answers tell of the application. */
  readonly refusals = new Refusals();
  readonly due: DueMailboxes;
  readonly nudges: NudgeSender;
  readonly rows: RowReader;
  readonly tick: string;
  readonly untilMs: number;
  /** Why nobody more is asked; null while the run goes on. */
  stop: "unfinished" | "braked" | "refused" | null = null;
  /** Whether the change log held rows that a run before this one had notified nobody of. */
  hasUntold = false;
  /** Mailboxes that this run has found to be slow. */
  newlySlow = 0;
  #progressMs: number;
  #reportedMs: number;
  #mailboxesOpen = 0;
  #fault: unknown = null;

  constructor(
    readonly message: RoundsMessage,
    readonly tally: RunTally,
    readonly committer: Committer,
    readonly ports: Ports,
    /** The application's brake when the run began. */
    readonly brake: Brake | null,
  ) {
    const nowMs = ports.clock.nowMs();
    this.tick = tally.run.tick;
    this.untilMs = nowMs + ports.limits.runMsMax;
    this.#progressMs = nowMs;
    this.#reportedMs = nowMs;
    this.due = new DueMailboxes(ports, message.shard, tally, tally.overIn(brake));
    this.nudges = new NudgeSender(ports);
    this.rows = new RowReader(ports.store, ports.clock.after);
  }

  /** Whether nobody more may be asked. */
  get isOver(): boolean {
    return this.stop !== null || this.committer.isSuperseded;
  }

  /** Whether others are to be notified of the change log. */
  get hasLogged(): boolean {
    return this.hasUntold || this.nudges.hasLogged;
  }

  /** Notes that a call of Graph has ended, or that something was committed: the run is alive. */
  progressed(): void {
    this.#progressMs = this.ports.clock.nowMs();
  }

  /** Whether there is anything new to report: a run that hangs reports nothing, and the next tick takes over from it. */
  get hasProgressed(): boolean {
    return this.#progressMs > this.#reportedMs;
  }

  /** The shard's rows as of now, for a run that goes on (I7). */
  report(): ShardReport {
    const run = this.#run();
    this.#reportedMs = this.#progressMs;
    return { run, figures: figuresOf(this.tally, this.ports.store, "unfinished", run).stored };
  }

  /**
   * Gives a unit to the group commit, which takes the shard's row along, and what the change log owes for the mailbox: of
   * this unit, and of what others have committed before it (I12). Other programs are notified of it then.
   */
  async commit(unit: PendingUnit): Promise<Committed> {
    this.committer.run = this.#run();
    const { next, entry } = logged(unit.next);
    const result = await this.committer.commit({ ...unit, next, entry });
    if (entry !== null) this.nudges.told(entry, result.kind === "committed");
    return result;
  }

  /** Has the change log tell of a mailbox that has gone. */
  async commitDeparture(departure: Departure): Promise<Committed> {
    this.committer.run = this.#run();
    const result = await this.committer.commit({ departure });
    this.nudges.told({ mailboxId: departure.mailboxId, to: departure.sequence }, result.kind === "departed");
    return result;
  }

  /** Lets a mailbox go on by itself until it is done. `drain` waits for it, and throws its fault. */
  goOn(mailbox: Promise<void>): void {
    this.#mailboxesOpen += 1;
    const ended = (fault: unknown) => {
      this.#mailboxesOpen -= 1;
      this.#fault ??= fault;
    };
    mailbox.then(() => ended(null), ended);
  }

  /** Resolves once no mailbox waits for the table or for its nudge any more. @throws the first fault. */
  async drain(): Promise<void> {
    do {
      await this.committer.drain().finally(() => this.nudges.sent());
    } while (this.#mailboxesOpen > 0);
    if (this.#fault !== null) throw this.#fault;
  }

  #run(): ShardRun {
    return { ...this.tally.run, ...this.due.moveCursor(), seenMs: this.#progressMs };
  }
}
