import { groupSize, type PendingUnit, type ShardClaim, type Store, type UnitResult } from "../store/store.js";

/** Table service: a transaction takes 100 operations. One is the shard's row. */
const operationsMax = 99;

type Waiting = { readonly unit: PendingUnit; readonly done: (result: UnitResult) => Promise<void> | void };

/**
 * Group commit: gathers units of one shard until a transaction is full, and commits one transaction at a time. Each
 * carries the shard's row under its ETag, so a run that a newer one has taken over from stops at its next commit.
 */
export class Committer {
  #waiting: Waiting[] = [];
  #operations = 0;
  #running: Promise<void> | null = null;
  #claim: ShardClaim;
  #isSuperseded = false;
  #fault: unknown = null;

  constructor(
    private readonly store: Store,
    claim: ShardClaim,
  ) {
    this.#claim = claim;
  }

  get claim(): ShardClaim {
    return this.#claim;
  }

  /** Replaces what the next transaction writes into the shard's row. */
  set row(row: ShardClaim["row"]) {
    this.#claim = { ...this.#claim, row };
  }

  get isSuperseded(): boolean {
    return this.#isSuperseded;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Takes a unit. `done` is called once with its result, and not at all when the run was superseded. */
  add(unit: PendingUnit, done: Waiting["done"]): void {
    this.#waiting.push({ unit, done });
    this.#operations += groupSize([unit]);
    if (this.#running === null && this.#operations >= operationsMax) this.#start(false);
  }

  /** Resolves when no full group is waiting. @throws what the table threw. */
  async room(): Promise<void> {
    await this.#running;
    this.#rethrow();
  }

  /** Commits all that waits, and what `done` adds meanwhile. @throws what the table threw. */
  async drain(): Promise<void> {
    while (this.#running !== null || (this.#waiting.length > 0 && !this.#isSuperseded)) {
      if (this.#running === null) this.#start(true);
      await this.#running;
      this.#rethrow();
    }
  }

  #start(isDraining: boolean): void {
    this.#running = this.#commitGroups(isDraining)
      .catch((fault: unknown) => {
        this.#fault ??= fault;
      })
      .finally(() => {
        this.#running = null;
      });
  }

  async #commitGroups(isDraining: boolean): Promise<void> {
    while (!this.#isSuperseded) {
      if (this.#waiting.length === 0 || (this.#operations < operationsMax && !isDraining)) return;
      const group = takeGroup(this.#waiting);
      this.#waiting = this.#waiting.slice(group.length);
      for (const { unit } of group) this.#operations -= groupSize([unit]);
      const { results, claim } = await this.store.commitUnits(
        group.map(({ unit }) => unit),
        this.#claim,
      );
      if (claim === "superseded") this.#isSuperseded = true;
      else if (claim !== null) this.#claim = { ...claim, row: this.#claim.row };
      for (const [index, { done }] of group.entries()) {
        const result = results[index];
        if (result !== undefined) await done(result);
      }
    }
  }

  #rethrow(): void {
    if (this.#fault !== null) throw this.#fault;
  }
}

/** The units from the front that fit one transaction; a unit that alone fills more goes alone. */
function takeGroup(waiting: readonly Waiting[]): readonly Waiting[] {
  const group: Waiting[] = [];
  let size = 0;
  for (const entry of waiting) {
    size += groupSize([entry.unit]);
    if (group.length > 0 && size > operationsMax) break;
    group.push(entry);
  }
  return group;
}
