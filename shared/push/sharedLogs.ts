import { followed } from "../feed/tenantPosition.js";
import { mapAtOnce } from "../mapAtOnce.js";
import type { Store } from "../store/store.js";
import type { LogRow } from "../sync/changeLog.js";
import { secondMs } from "../sync/time.js";
import type { LogNumbers } from "./decide.js";
import { logNumberOf } from "./logNumbers.js";

/** Bounds of what deliveries share. All are our own choice. */
const shareLimits = {
  /** Shards whose ends are looked at at once, for one that asks. */
  shardsAtOnceMax: 16,
  /** Rows of one log that are read at once: each may be near 1 MiB. */
  rowsMax: 10,
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
  readonly #reads = new Map<string, Promise<readonly LogRow[] | null>>();
  /** By shard and number, the oldest first. */
  readonly #kept = new Map<string, Kept>();
  #characters = 0;

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

  /**
   * Rows of a log after a number, up to another: the next ones, some of them or all. Null: the log does not hold them any more, or is
   * another one (see `followed`).
   */
  async rowsAfter(
    store: Pick<Store, "readLog">,
    shard: string,
    number: number,
    upTo: number,
  ): Promise<readonly LogRow[] | null> {
    const kept = this.#keptAfter(shard, number, upTo);
    if (kept.length > 0) return kept;
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

  async #read(store: Pick<Store, "readLog">, shard: string, number: number, upTo: number) {
    const readMs = this.nowMs();
    const after = Math.max(0, number - 1);
    const rows = followed(number, await store.readLog(shard, { after, upTo, top: this.limits.rowsMax }));
    for (const row of rows ?? []) this.#keep(`${shard} ${row.number}`, row, readMs);
    return rows;
  }

  #keptAfter(shard: string, number: number, upTo: number): readonly LogRow[] {
    const rows: LogRow[] = [];
    const sinceMs = this.nowMs() - this.limits.keptMs;
    for (let next = number + 1; next <= upTo && rows.length < this.limits.rowsMax; next++) {
      const kept = this.#kept.get(`${shard} ${next}`);
      if (kept === undefined || kept.readMs < sinceMs) break;
      rows.push(kept.row);
    }
    return rows;
  }

  #keep(key: string, row: LogRow, readMs: number): void {
    this.#forget(key);
    const characters = JSON.stringify(row).length;
    this.#kept.set(key, { row, readMs, characters });
    this.#characters += characters;
    const sinceMs = this.nowMs() - this.limits.keptMs;
    for (const [oldest, { readMs: oldestMs }] of this.#kept) {
      if (this.#characters <= this.limits.keptCharactersMax && oldestMs >= sinceMs) break;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    this.#characters -= this.#kept.get(key)?.characters ?? 0;
    this.#kept.delete(key);
  }
}
