import type { Held, Store } from "../store/store.js";
import { isDue, isNeverAsked, prepared } from "../sync/due.js";
import type { Checkpoint } from "../sync/types.js";
import type { ShardRun } from "./shardRun.js";
import { stretchesOf } from "./shardRun.js";
import { type Work, workOn } from "./turn.js";

/** Where a mailbox came from: its page of checkpoints, so that the cursor moves when the whole page is done. */
type Page = {
  readonly lastMailboxId: string;
  readonly wrapped: boolean;
  open: number;
  /** How its mailboxes stand that are done: told when the cursor passes the page, so that each is told once. */
  readonly done: Checkpoint[];
};
export type FedWork = Work & { readonly page: Page };

/** Hands out the mailboxes that are due, in batches, reading at most one page of 1,000 checkpoints ahead. */
export class Feed {
  #ready: FedWork[] = [];
  readonly #pages: Page[] = [];
  readonly #source: AsyncIterator<{ readonly held: readonly Held[]; readonly wrapped: boolean }>;
  #reading: Promise<void> | null = null;
  #isExhausted = false;
  #newAsked = 0;
  #cursor: { readonly cursor: string | null; readonly wrapped: boolean };

  constructor(
    store: Store,
    shard: string,
    private readonly run: ShardRun,
    private readonly clock: { nowMs(): number },
    /** Sees every mailbox of the shard as it is read, and as it stands when the cursor has passed it. */
    private readonly watch: { see(checkpoint: Checkpoint): void; passed(checkpoint: Checkpoint): void },
    /** How many never-asked mailboxes may still get their first round: the others must not wait for them. */
    private readonly newMailboxesMax = Number.POSITIVE_INFINITY,
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
    while (this.#pages[0]?.open === 0) {
      const page = this.#pages.shift();
      if (page === undefined) continue;
      this.#cursor = { cursor: page.lastMailboxId, wrapped: page.wrapped };
      for (const checkpoint of page.done) this.watch.passed(checkpoint);
    }
    return this.#cursor;
  }

  /** Up to `count` mailboxes of different ids; none when nothing is left. */
  async next(count: number): Promise<readonly FedWork[]> {
    while (this.#ready.length < count && !this.#isExhausted) {
      this.#reading ??= this.#readPage().finally(() => {
        this.#reading = null;
      });
      await this.#reading;
    }
    return this.#ready.splice(0, count);
  }

  /** Takes a mailbox back to be asked again. Its page stays open until `done`. */
  again(work: FedWork): void {
    this.#ready.push(work);
  }

  /** Whether mailboxes were given back since `next` last found none. */
  get hasReady(): boolean {
    return this.#ready.length > 0;
  }

  /** @param checkpoint How the mailbox stands now. */
  done(work: FedWork, checkpoint: Checkpoint): void {
    work.page.done.push(checkpoint);
    work.page.open -= 1;
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
    const last = value.held.at(-1);
    if (last === undefined) return;
    const page: Page = { lastMailboxId: last.checkpoint.mailboxId, wrapped: value.wrapped, open: 0, done: [] };
    for (const held of value.held) {
      const due = isDue(held.checkpoint, nowMs, this.run.tick) && this.#isItsTurn(held);
      this.watch.see(held.checkpoint);
      if (!due) page.done.push(held.checkpoint);
      if (!due) continue;
      page.open += 1;
      this.#ready.push({ ...workOn(held, prepared(held.checkpoint, nowMs)), page });
    }
    this.#pages.push(page);
  }
}

async function* walk(store: Store, shard: string, run: ShardRun) {
  for (const { after, upTo, wrapped } of stretchesOf(run)) {
    for await (const held of store.readMailboxes(shard, { after, upTo })) yield { held, wrapped };
  }
}
