import { mapAtOnce } from "../mapAtOnce.js";
import type { Store } from "../store/store.js";
import type { LogRow } from "../sync/changeLog.js";
import { secondMs } from "../sync/time.js";
import { type AfterPlace, afterPlace } from "./afterPlace.js";
import type { LogNumbers } from "./decide.js";
import { logNumberOf } from "./logNumbers.js";

/** Bounds of what deliveries share. All are our own choice. */
const shareLimits = {
  /** Shards whose ends are looked at at once, for one that asks. */
  shardsAtOnceMax: 16,
  /** Rows of one log that are read at once: each may be near 1 MiB. */
  rowsMax: 10,
  /** Reads of rows at once, of all that ask: so it is bounded what deliveries hold that stand at different places. */
  readsAtOnceMax: 8,
  /** So long after it was read a row is given out again. A row never changes, but that a purged mailbox's changes are taken out. */
  keptMs: 5 * secondMs,
  /** Of JSON, of all rows that are kept. Ten thousand notifications are 4 Mi. */
  keptCharactersMax: 8 * 1024 * 1024,
} as const;

/** A simulation makes them tiny. */
export type ShareLimits = Readonly<Record<keyof typeof shareLimits, number>>;

type LookStore = Pick<Store, "readShardRow" | "lastLogNumber">;
type Look = { running: Promise<number>; next: Promise<number> | null };
type Kept = { readonly row: LogRow; readonly readMs: number; readonly characters: number };

/**
 * What the deliveries of a process read of the logs, each thing once for all that ask for it at about the same time: most
 * subscribers stand at the same place. Holds a bounded number of rows for seconds.
 */
export class SharedLogs {
  readonly #looks = new Map<string, Look>();
  readonly #reads = new Map<string, Promise<AfterPlace>>();
  /** By shard and number, the oldest first. */
  readonly #kept = new Map<string, Kept>();
  #characters = 0;
  #readsRunning = 0;
  /** Reads that wait for one to end, in their order. */
  readonly #waiting: (() => void)[] = [];

  private readonly limits: ShareLimits;

  constructor(
    private readonly nowMs: () => number,
    limits: Partial<ShareLimits> = {},
  ) {
    this.limits = { ...shareLimits, ...limits };
  }

  /**
   * The number of the last row of each shard's log. None of these looks has begun before it was asked for: who has written
   * before it asks sees what was logged before it wrote (I15). All who ask while one is under way share the one after it.
   */
  async numbers(store: LookStore, shards: readonly string[]): Promise<LogNumbers> {
    const { shardsAtOnceMax } = this.limits;
    const numbers = await mapAtOnce(shards, shardsAtOnceMax, async (shard) => {
      return [shard, await this.#number(store, shard)] as const;
    });
    return Object.fromEntries(numbers);
  }

  /** What stands in a log behind the row of a number, up to another: of the next rows some or all. */
  async after(store: Pick<Store, "readLogOn">, shard: string, number: number, upTo: number): Promise<AfterPlace> {
    const [first, ...others] = this.#keptAfter(shard, number, upTo);
    if (first !== undefined) return { kind: "rows", rows: [first, ...others] };
    const key = `${shard} ${number} ${upTo}`;
    const running = this.#reads.get(key) ?? this.#read(store, shard, number, upTo);
    this.#reads.set(key, running);
    try {
      return await running;
    } finally {
      this.#reads.delete(key);
    }
  }

  #number(store: LookStore, shard: string): Promise<number> {
    const look = this.#looks.get(shard);
    if (look === undefined) {
      const started: Look = { running: logNumberOf(store, shard), next: null };
      this.#looks.set(shard, started);
      this.#follow(shard, started);
      return started.running;
    }
    // Its failure is that of those who have asked for it.
    look.next ??= look.running.catch(() => 0).then(() => logNumberOf(store, shard));
    return look.next;
  }

  #follow(shard: string, look: Look): void {
    const end = () => {
      if (look.next === null) return void this.#looks.delete(shard);
      const next: Look = { running: look.next, next: null };
      this.#looks.set(shard, next);
      this.#follow(shard, next);
    };
    look.running.then(end, end);
  }

  async #read(store: Pick<Store, "readLogOn">, shard: string, number: number, upTo: number): Promise<AfterPlace> {
    const readMs = this.nowMs();
    const ask = { after: Math.max(0, number - 1), upTo, top: this.limits.rowsMax };
    const read = await this.#inTurn(() => store.readLogOn(shard, ask));
    const found = afterPlace(shard, number, upTo, read);
    if (found.kind === "missed") return found;
    for (const row of found.rows) this.#keep(keyOf(shard, row.number), row, readMs);
    return found;
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#readsRunning >= this.limits.readsAtOnceMax) await new Promise<void>((go) => this.#waiting.push(go));
    else this.#readsRunning += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#readsRunning -= 1;
      else next(); // It takes this one's place.
    }
  }

  #keptAfter(shard: string, number: number, upTo: number): readonly LogRow[] {
    const rows: LogRow[] = [];
    for (let next = number + 1; next <= upTo && rows.length < this.limits.rowsMax; next++) {
      const kept = this.#kept.get(keyOf(shard, next));
      if (kept === undefined || !this.#isNew(kept)) break;
      rows.push(kept.row);
    }
    return rows;
  }

  #keep(key: string, row: LogRow, readMs: number): void {
    this.#forget(key);
    const characters = JSON.stringify(row).length;
    this.#kept.set(key, { row, readMs, characters });
    this.#characters += characters;
    for (const [oldest, one] of this.#kept) {
      if (this.#characters <= this.limits.keptCharactersMax && this.#isNew(one)) break;
      this.#forget(oldest);
    }
  }

  /** Read a few seconds ago: not before the clock was set back, either. */
  #isNew({ readMs }: Kept): boolean {
    const ageMs = this.nowMs() - readMs;
    return ageMs >= 0 && ageMs <= this.limits.keptMs;
  }

  #forget(key: string): void {
    this.#characters -= this.#kept.get(key)?.characters ?? 0;
    this.#kept.delete(key);
  }
}

function keyOf(shard: string, number: number): string {
  return `${shard} ${number}`;
}
