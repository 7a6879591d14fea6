import type { ShardRun } from "../store/shardRow.js";
import {
  groupSize,
  operationsBesideShardRow,
  operationsOf,
  type Pending,
  type ShardClaim,
  type Store,
  type UnitResult,
} from "../store/store.js";
import type { JsonObject } from "../sync/types.js";
import type { After } from "../timer.js";

/** What became of a unit. `superseded`: another run has taken the shard over, and it was not written. */
export type Committed = UnitResult | { readonly kind: "superseded" };

type Waiting = {
  readonly unit: Pending;
  readonly resolve: (result: Committed) => void;
  readonly reject: (fault: unknown) => void;
};

/** What the shard's rows say while the run goes on. */
export type ShardReport = { readonly run: ShardRun; readonly figures: JsonObject };

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
  #report: (() => ShardReport) | null = null;

  constructor(
    private readonly store: Store,
    claim: ShardClaim,
    private readonly after: After,
    private readonly lingerMsMax: number,
  ) {
    this.#claim = claim;
  }

  /** The shard's row as last written, with what the next transaction writes into it. */
  get claim(): ShardClaim {
    return this.#claim;
  }

  /** Replaces the run that the next transaction writes into the shard's row. */
  set run(run: ShardRun) {
    this.#claim = { ...this.#claim, row: { ...this.#claim.row, run } };
  }

  /** Whether another run has taken the shard over: nothing is written any more. */
  get isSuperseded(): boolean {
    return this.#isSuperseded;
  }

  /** Units that wait for a transaction. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Queues a unit and resolves once it is committed, refused or superseded. @throws what the table threw. */
  commit(unit: Pending): Promise<Committed> {
    if (this.#isSuperseded) return Promise.resolve({ kind: "superseded" });
    return new Promise((resolve, reject) => {
      this.#waiting.push({ unit, resolve, reject });
      this.#operations += operationsOf(unit);
      if (this.#running === null && this.#operations >= operationsBesideShardRow) this.#start(false);
      this.#linger();
    });
  }

  /** Writes the shard's rows between two transactions. `current` is asked at that moment. */
  report(current: () => ShardReport): void {
    this.#report = current;
    if (this.#running === null && this.#fault === null) this.#start(false);
  }

  /** Resolves when no full group is waiting. @throws what the table threw. */
  async room(): Promise<void> {
    await this.#running;
    this.#rethrow();
  }

  /** Commits all that waits, full group or not. @throws what the table threw. */
  async drain(): Promise<void> {
    while (this.#running !== null || this.#waiting.length > 0) {
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
    if (this.#waiting.length === 0 || this.#fault !== null) return;
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
      if (this.#report !== null) await this.#writeReport(this.#report);
      const isFull = this.#operations >= operationsBesideShardRow;
      if (this.#waiting.length === 0 || !(isFull || isDraining || this.#isOverdue)) return;
      this.#isOverdue = false;
      const group = takeGroup(this.#waiting);
      this.#waiting = this.#waiting.slice(group.length);
      for (const { unit } of group) this.#operations -= operationsOf(unit);
      await this.#commitGroup(group);
    }
  }

  async #commitGroup(group: readonly Waiting[]): Promise<void> {
    const units = group.map(({ unit }) => unit);
    try {
      const { results, claim } = await this.store.commitUnits(units, this.#claim);
      if (claim !== null) this.#takeClaim(claim);
      for (const [index, { resolve }] of group.entries()) resolve(results[index] ?? { kind: "lostFence" });
    } catch (fault) {
      for (const { reject } of group) reject(fault);
      throw fault;
    }
  }

  async #writeReport(current: () => ShardReport): Promise<void> {
    this.#report = null;
    const { run, figures } = current();
    this.run = run;
    this.#takeClaim(await this.store.writeShardRow({ ...this.#claim, figures }));
  }

  #takeClaim(claim: ShardClaim | "superseded"): void {
    if (claim !== "superseded") {
      this.#claim = { ...claim, row: { ...claim.row, run: this.#claim.row.run } };
      return;
    }
    this.#isSuperseded = true;
    for (const { resolve } of this.#waiting) resolve({ kind: "superseded" });
    this.#waiting = [];
  }

  #rethrow(): void {
    if (this.#fault !== null) throw this.#fault;
  }
}

/** The units from the front that fit one transaction; a unit that alone fills more goes alone. */
function takeGroup(waiting: readonly Waiting[]): readonly Waiting[] {
  let size = 0;
  let logRow = 0;
  const end = waiting.findIndex(({ unit }, index) => {
    size += operationsOf(unit);
    logRow = Math.max(logRow, groupSize([unit]) - operationsOf(unit));
    return index > 0 && size + logRow > operationsBesideShardRow;
  });
  return end === -1 ? waiting : waiting.slice(0, end);
}
