import type { RunTally } from "../figures/figures.js";
import type { ShardRun } from "../store/shardRow.js";
import type { Departed, Departure, Held, Store, Unreadable } from "../store/store.js";
import { isDue, isInHand, isNeverAsked, prepared } from "../sync/due.js";
import { isUnlogged } from "../sync/logged.js";
import type { Checkpoint } from "../sync/types.js";
import type { Ports } from "./ports.js";
import { type Work, workOn } from "./step.js";
import { stretchesOf } from "./takeOver.js";

/** A mailbox's place in the order of the shard: the cursor moves over it once it is done. */
type Place = {
  readonly mailboxId: string;
  /** Counted up in the order of reading, which is that of keys until the run wraps round. */
  readonly number: number;
  /** `unreadable`: it cannot be read. Null: it has gone, and waits for the change log to tell of it. */
  checkpoint: Checkpoint | "unreadable" | null;
  readonly wrapped: boolean;
  isDone: boolean;
};
/** A mailbox that is due, in its place. */
export type DueWork = Work & { readonly place: Place };

/** A mailbox that is not due, and that the change log owes something. */
type Untold = { readonly held: Held; readonly place: Place };
/** A mailbox that has gone. */
type Gone = { readonly departure: Departure; readonly place: Place };

type ReadPage = readonly (Held | Unreadable | Departed)[];

/** How far a run has come in the ring: the last mailbox that is done, null at the start. */
type Cursor = { readonly cursor: string | null; readonly wrapped: boolean };

/**
 * Hands out the mailboxes of a shard that are due, in batches, reading at most one page of checkpoints ahead. Each mailbox
 * of the shard is counted once in the tally, as it stands when the cursor moves over it.
 */
export class DueMailboxes {
  /** Mailboxes whose removal was cut short. */
  readonly removing: string[] = [];
  #ready: DueWork[] = [];
  #places: Place[] = [];
  #placed = 0;
  readonly #source: AsyncIterator<{ readonly page: ReadPage; readonly wrapped: boolean }>;
  #untold: Untold[] = [];
  #departures: Gone[] = [];
  #reading: Promise<void> | null = null;
  #isExhausted = false;
  #isSkipping = false;
  #cursor: Cursor;

  constructor(
    private readonly ports: Pick<Ports, "store" | "clock" | "limits">,
    shard: string,
    private readonly tally: RunTally,
    /** Codes by which the application was refused until just now. */
    private readonly over: readonly string[],
  ) {
    const { run } = tally;
    this.#source = checkpointsAhead(ports.store, shard, run)[Symbol.asyncIterator]();
    this.#cursor = { cursor: run.cursor, wrapped: run.wrapped };
  }

  /** Moves the cursor over all mailboxes that are done, and counts them: another run may take up behind it. */
  moveCursor(): Cursor {
    const open = this.#places.findIndex(({ isDone }) => !isDone);
    const done = open === -1 ? this.#places : this.#places.slice(0, open);
    const last = done.at(-1);
    if (last === undefined) return this.#cursor;
    this.#places = open === -1 ? [] : this.#places.slice(open);
    for (const { mailboxId, checkpoint } of done) {
      if (checkpoint === "unreadable") this.tally.unreadable(mailboxId);
      else if (checkpoint !== null) this.tally.passed(checkpoint);
    }
    this.#cursor = { cursor: last.mailboxId, wrapped: last.wrapped };
    return this.#cursor;
  }

  /** Up to `count` mailboxes of different ids; none when nothing is left. */
  async next(count: number): Promise<readonly DueWork[]> {
    while (this.#ready.length < count && !this.#isExhausted) {
      this.#reading ??= this.#readPage().finally(() => {
        this.#reading = null;
      });
      await this.#reading;
    }
    return this.#ready.splice(0, count);
  }

  /**
   * Counts all that are left as they stand, once nobody more is asked and nobody is in hand. Those too that were asked and
   * left alone because the application was throttled.
   */
  async skipRest(): Promise<void> {
    this.#isSkipping = true;
    this.#ready = [];
    for (const place of this.#places) place.isDone = true;
    this.moveCursor(); // What was read is counted, and not kept.
    while (!this.#isExhausted) {
      await this.next(1);
      this.moveCursor();
    }
  }

  /** Mailboxes read so far that the change log owes something, and that are not due. Each comes once. */
  takeUntold(): readonly Untold[] {
    return this.#untold.splice(0);
  }

  /** Mailboxes read so far that have gone. Each comes once. */
  takeDepartures(): readonly Gone[] {
    return this.#departures.splice(0);
  }

  /** Takes a mailbox back to be asked again. Its place stays open until `done`. */
  again(work: DueWork): void {
    this.#ready.push(work);
  }

  /** Whether mailboxes were given back since `next` last found none. */
  get hasReady(): boolean {
    return this.#ready.length > 0;
  }

  /** Lets the cursor move over a mailbox. @param checkpoint As committed, where it was. */
  done({ place }: Pick<DueWork, "place">, checkpoint: Place["checkpoint"] = place.checkpoint): void {
    place.checkpoint = checkpoint;
    place.isDone = true;
  }

  /** Whether the tick still has room for it, where it was never asked: the others must not wait for first rounds. */
  #isAdmitted({ checkpoint }: Held): boolean {
    if (!isNeverAsked(checkpoint)) return true;
    if (this.tally.newAsked >= this.ports.limits.newMailboxesPerTickMax) return false;
    this.tally.newAsked += 1;
    return true;
  }

  async #readPage(): Promise<void> {
    const { value, done } = await this.#source.next();
    if (done) {
      this.#isExhausted = true;
      return;
    }
    const nowMs = this.ports.clock.nowMs();
    const { page, wrapped } = value;
    for (const one of page) {
      if ("unreadable" in one)
        this.#places.push({
          mailboxId: one.unreadable,
          number: ++this.#placed,
          checkpoint: "unreadable",
          wrapped,
          isDone: true,
        });
      else if ("departure" in one) this.#takeDeparture(one, wrapped);
      else this.#take(one, wrapped, nowMs);
    }
  }

  #take(held: Held, wrapped: boolean, nowMs: number): void {
    const { checkpoint } = held;
    if (checkpoint.lifecycle === "removing") this.removing.push(checkpoint.mailboxId);
    const isAsked = !this.#isSkipping && isDue(checkpoint, nowMs, this.tally.run.tick, this.over);
    const due = isAsked && this.#isAdmitted(held);
    const isUntold = !due && !isInHand(checkpoint, nowMs) && isUnlogged(checkpoint);
    const place: Place = {
      mailboxId: checkpoint.mailboxId,
      number: ++this.#placed,
      checkpoint,
      wrapped,
      isDone: !due && (!isUntold || this.#isSkipping),
    };
    this.#places.push(place);
    if (isUntold) this.#untold.push({ held, place });
    if (due) this.#ready.push({ ...workOn(held, prepared(checkpoint, nowMs)), place });
  }

  #takeDeparture({ departure }: Departed, wrapped: boolean): void {
    const { mailboxId } = departure;
    const place: Place = { mailboxId, number: this.#placed, checkpoint: null, wrapped, isDone: this.#isSkipping };
    this.#places.push(place);
    this.#departures.push({ departure, place });
  }
}

/** Pages of checkpoints that are still ahead in the ring. */
async function* checkpointsAhead(store: Store, shard: string, run: ShardRun) {
  for (const { after, upTo, wrapped } of stretchesOf(run)) {
    for await (const page of store.readShard(shard, { after, upTo })) yield { page, wrapped };
  }
}
