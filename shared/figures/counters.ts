import type { Asked } from "../graph/client.js";
import type { Store } from "../store/store.js";
import { type Checkpoint, type Counters, counterNames, type Step } from "../sync/types.js";

/** What one commit adds. */
export type Counts = Pick<Counters, "rounds" | "pages" | "changes">;

/** What a step's commit counts as; null stands for a page that was refused. */
export function countsOf(step: Step | null, changes: number): Counts {
  const isPage = step?.kind === "apply";
  return { pages: isPage ? 1 : 0, rounds: isPage && step.ends ? 1 : 0, changes };
}

/** Both together, counter by counter. */
export function addCounters(one: Counters, other: Counters): Counters {
  const sum = { ...noCounters };
  for (const name of counterNames) sum[name] = one[name] + other[name];
  return sum;
}

/** What `one` has counted beyond `other`. */
export function subtractCounters(one: Counters, other: Counters): Counters {
  const rest = { ...noCounters };
  for (const name of counterNames) rest[name] = one[name] - other[name];
  return rest;
}

/** All counters at zero. */
export const noCounters: Counters = {
  rounds: 0,
  pages: 0,
  changes: 0,
  graphRequests: 0,
  throttles: 0,
  transactions: 0,
};

/**
 * What an invocation of `applyPage` has done since its last commit. It goes into the checkpoint with the next
 * one, and the next run over the shard takes it from there into its figures, in the transaction that clears it. So it is
 * counted once; what an invocation did after its last commit is not counted at all. The column is called `walked`.
 */
export class PendingCounters {
  #graphRequests = 0;
  #throttles = 0;
  #transactionsCounted = 0;

  constructor(private readonly store: Pick<Store, "transactions">) {}

  /** Counts what one call of the Graph client has cost. */
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
      transactions: transactions - this.#transactionsCounted,
    };
    this.#graphRequests = 0;
    this.#throttles = 0;
    this.#transactionsCounted = transactions;
    return { ...next, walked: addCounters(next.walked ?? noCounters, done) };
  }
}
