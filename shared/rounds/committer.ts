import {
  groupSize,
  operationsBesideShardRow,
  type PendingUnit,
  type ShardClaim,
  type Store,
  type UnitResult,
} from "../store/store.js";
import type { JsonObject } from "../sync/types.js";
import type { After } from "../timer.js";

type Waiting = { readonly unit: PendingUnit; readonly done: (result: UnitResult) => Promise<void> | void };

/** What the shard's rows say while the run goes on. */
export type Told = { readonly row: ShardClaim["row"]; readonly figures: JsonObject };

/**
 * Group commit: gathers units of one shard until a transaction is full, or until one has waited for `lingerMsMax`
 * milliseconds: whoever else is slow, what was answered is stored soon (I10). Commits one transaction at a time. Each
 * carries the shard's row under its ETag, so a run that a newer one has taken over from stops at its next commit.
 */
export class Committer {
  #waiting: Waiting[] = [];
  #operations = 0;
  #running: Promise<void> | null = null;
  #claim: ShardClaim;
  #isSuperseded = false;
  #fault: unknown = null;
  #isOverdue = false;
  #callOff: (() => void) | null = null;
  #told: (() => Told) | null = null;

  constructor(
    private readonly store: Store,
    claim: ShardClaim,
    private readonly after: After,
    private readonly lingerMsMax: number,
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
    if (this.#running === null && this.#operations >= operationsBesideShardRow) this.#start(false);
    this.#linger();
  }

  /** Writes the shard's rows between two transactions. `told` is asked at that moment. */
  tell(told: () => Told): void {
    this.#told = told;
    if (this.#running === null && this.#fault === null) this.#start(false);
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

  /** Nothing is started any more behind the run's back. */
  close(): void {
    this.#callOff?.();
    this.#callOff = () => undefined;
  }

  #linger(): void {
    if (this.#waiting.length === 0 || this.#fault !== null || this.#isSuperseded) return;
    this.#callOff ??= this.after(this.lingerMsMax, () => {
      this.#callOff = null;
      this.#isOverdue = true;
      if (this.#running === null) this.#start(false);
    });
  }

  #start(isDraining: boolean): void {
    this.#running = this.#commitGroups(isDraining)
      .catch((fault: unknown) => {
        this.#fault ??= fault;
      })
      .finally(() => {
        this.#running = null;
        this.#linger();
      });
  }

  async #commitGroups(isDraining: boolean): Promise<void> {
    while (!this.#isSuperseded) {
      if (this.#told !== null) await this.#tell(this.#told);
      const isFull = this.#operations >= operationsBesideShardRow;
      if (this.#waiting.length === 0 || !(isFull || isDraining || this.#isOverdue)) return;
      this.#isOverdue = false;
      const group = takeGroup(this.#waiting);
      this.#waiting = this.#waiting.slice(group.length);
      for (const { unit } of group) this.#operations -= groupSize([unit]);
      const { results, claim } = await this.store.commitUnits(
        group.map(({ unit }) => unit),
        this.#claim,
      );
      if (claim !== null) this.#takeClaim(claim);
      for (const [index, { done }] of group.entries()) {
        const result = results[index];
        if (result !== undefined) await done(result);
      }
    }
  }

  async #tell(told: () => Told): Promise<void> {
    this.#told = null;
    const { row, figures } = told();
    this.row = row;
    this.#takeClaim(await this.store.writeShardRow({ ...this.#claim, figures }));
  }

  #takeClaim(claim: ShardClaim | "superseded"): void {
    if (claim === "superseded") this.#isSuperseded = true;
    else this.#claim = { ...claim, row: this.#claim.row };
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
    if (group.length > 0 && size > operationsBesideShardRow) break;
    group.push(entry);
  }
  return group;
}
