import type { ShardRun } from "../store/shardRow.js";
import type { Held, Store, Unreadable } from "../store/store.js";
import { isDue, isNeverAsked, prepared } from "../sync/due.js";
import type { Checkpoint } from "../sync/types.js";
import { stretchesOf } from "./shardRun.js";
import { type Work, workOn } from "./step.js";

/** A mailbox's place in the order of the shard: the cursor moves over it once it is done. */
type Place = {
  readonly mailboxId: string;
  /** Null: it cannot be read. */
  checkpoint: Checkpoint | null;
  readonly wrapped: boolean;
  isDone: boolean;
};
export type DueWork = Work & { readonly place: Place };

/** Hands out the mailboxes that are due, in batches, reading at most one page of checkpoints ahead. */
export class DueMailboxes {
  #ready: DueWork[] = [];
  #places: Place[] = [];
  readonly #source: AsyncIterator<{ readonly page: readonly (Held | Unreadable)[]; readonly wrapped: boolean }>;
  #reading: Promise<void> | null = null;
  #isExhausted = false;
  #isSkipping = false;
  #newAsked = 0;
  #cursor: { readonly cursor: string | null; readonly wrapped: boolean };

  constructor(
    store: Store,
    shard: string,
    private readonly run: ShardRun,
    private readonly clock: { nowMs(): number },
    /** Sees every mailbox of the shard, due or not. */
    private readonly see: (held: Held) => void,
    /** Sees every mailbox once more, as it stands when the cursor moves over it; null where it cannot be read. */
    private readonly passed: (mailboxId: string, checkpoint: Checkpoint | null) => void,
    /** How many never-asked mailboxes may still get their first round: the others must not wait for them. */
    private readonly newMailboxesMax: number,
    /** Codes by which the application was refused until just now. */
    private readonly over: readonly string[],
  ) {
    this.#source = walk(store, shard, run)[Symbol.asyncIterator]();
    this.#cursor = { cursor: run.cursor, wrapped: run.wrapped };
  }

  /** Never-asked mailboxes that were handed out. The rest stays new until the next tick. */
  get newAsked(): number {
    return this.#newAsked;
  }

  /** All mailboxes up to here are done: where another run may take up. */
  get cursor(): { readonly cursor: string | null; readonly wrapped: boolean } {
    const open = this.#places.findIndex(({ isDone }) => !isDone);
    const done = open === -1 ? this.#places : this.#places.slice(0, open);
    const last = done.at(-1);
    if (last === undefined) return this.#cursor;
    this.#places = open === -1 ? [] : this.#places.slice(open);
    for (const { mailboxId, checkpoint } of done) this.passed(mailboxId, checkpoint);
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
   * Nobody more is asked, and nobody is in hand: all that are left are seen, and passed as they stand. Those too that were
   * asked, and left alone because the application was throttled.
   */
  async skipRest(): Promise<void> {
    this.#isSkipping = true;
    this.#ready = [];
    for (const place of this.#places) place.isDone = true;
    void this.cursor; // What was read is passed, and not kept.
    while (!this.#isExhausted) {
      await this.next(1);
      void this.cursor;
    }
  }

  /** Takes a mailbox back to be asked again. Its place stays open until `done`. */
  again(work: DueWork): void {
    this.#ready.push(work);
  }

  /** Whether mailboxes were given back since `next` last found none. */
  get hasReady(): boolean {
    return this.#ready.length > 0;
  }

  /** @param checkpoint As it stands now, where it was moved. */
  done({ place }: DueWork, checkpoint: Checkpoint | null = place.checkpoint): void {
    place.checkpoint = checkpoint;
    place.isDone = true;
  }

  #isItsTurn({ checkpoint }: Held): boolean {
    if (!isNeverAsked(checkpoint)) return true;
    if (this.#newAsked >= this.newMailboxesMax) return false;
    this.#newAsked += 1;
    return true;
  }

  async #readPage(): Promise<void> {
    const { value, done } = await this.#source.next();
    if (done) {
      this.#isExhausted = true;
      return;
    }
    const nowMs = this.clock.nowMs();
    const { page, wrapped } = value;
    for (const one of page) {
      if ("unreadable" in one)
        this.#places.push({ mailboxId: one.unreadable, checkpoint: null, wrapped, isDone: true });
      else this.#take(one, wrapped, nowMs);
    }
  }

  #take(held: Held, wrapped: boolean, nowMs: number): void {
    const { checkpoint } = held;
    const due = !this.#isSkipping && isDue(checkpoint, nowMs, this.run.tick, this.over) && this.#isItsTurn(held);
    this.see(held);
    const place: Place = { mailboxId: checkpoint.mailboxId, checkpoint, wrapped, isDone: !due };
    this.#places.push(place);
    if (due) this.#ready.push({ ...workOn(held, prepared(checkpoint, nowMs)), place });
  }
}

async function* walk(store: Store, shard: string, run: ShardRun) {
  for (const { after, upTo, wrapped } of stretchesOf(run)) {
    for await (const page of store.readCheckpoints(shard, { after, upTo })) yield { page, wrapped };
  }
}
