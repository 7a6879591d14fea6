import type { Asked } from "../graph/client.js";
import type { Store } from "../store/store.js";
import { type Checkpoint, type Counters, counterNames } from "../sync/types.js";

/** What one commit adds. */
export type Counts = Pick<Counters, "rounds" | "pages" | "changes">;

export function addCounters(one: Counters, other: Counters): Counters {
  return Object.fromEntries(counterNames.map((name) => [name, one[name] + other[name]])) as Counters;
}

export function subtractCounters(one: Counters, other: Counters): Counters {
  return Object.fromEntries(counterNames.map((name) => [name, one[name] - other[name]])) as Counters;
}

export const noCounters: Counters = {
  rounds: 0,
  pages: 0,
  changes: 0,
  graphRequests: 0,
  throttles: 0,
  transactions: 0,
};

/**
 * What an invocation that walks one mailbox has done since its last commit. It goes into the checkpoint with the next
 * one, and the next run over the shard takes it from there into its figures, in the transaction that clears it. So it is
 * counted once; what an invocation did after its last commit is not counted at all.
 */
export class Walked {
  #graphRequests = 0;
  #throttles = 0;
  #transactionsTold = 0;

  constructor(private readonly store: Pick<Store, "transactions">) {}

  asked({ requests, throttles }: Asked): void {
    this.#graphRequests += requests;
    this.#throttles += throttles;
  }

  /** The checkpoint of the next commit, with the counts that it stands for. */
  onto(next: Checkpoint, counts: Counts): Checkpoint {
    const transactions = this.store.transactions() + 1; // The commit itself is still ahead.
    const done: Counters = {
      ...counts,
      graphRequests: this.#graphRequests,
      throttles: this.#throttles,
      transactions: transactions - this.#transactionsTold,
    };
    this.#graphRequests = 0;
    this.#throttles = 0;
    this.#transactionsTold = transactions;
    return { ...next, walked: addCounters(next.walked ?? noCounters, done) };
  }
}
