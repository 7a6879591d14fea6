import type { MirrorFeed } from "../../shared/feed/feed.js";
import type { CalendarRow, Json } from "../../shared/sync/types.js";

/** A program that keeps a copy by the feed, as examples/follow-mirror.mjs does, and looks hard at what it is told. */
export class Reader {
  /** What a walk that began with nothing has brought so far; it becomes the copy when it has ended. */
  #walk: Map<string, Json> | null = null;
  #token: string | null = null;
  copy = new Map<string, Json>();
  expired = 0;
  readonly faults: string[] = [];
  #told = new Set<string>();

  constructor(
    private readonly mailboxId: string,
    /** The mailbox's sequence, for the look at removals. */
    private readonly sequenceNow: () => Promise<number | null>,
  ) {}

  /** One call. True when the feed had nothing more. */
  async step(feed: MirrorFeed, pageSize: number): Promise<boolean> {
    const isStart = this.#token === null;
    const sequence = await this.sequenceNow();
    const answer = await feed.delta(this.mailboxId, this.#token, pageSize);
    if (answer.kind === "expired") {
      this.expired += 1;
      this.#token = null;
      return false;
    }
    if (answer.kind === "unknownMailbox" || answer.kind === "notReady") return false;
    if (answer.kind !== "page") throw new Error(`The feed says ${answer.kind} of its own token.`);
    if (isStart) {
      this.#walk = new Map();
      this.#told = new Set();
    }
    const target = this.#walk ?? this.copy;
    if (answer.rows.length > pageSize) this.faults.push("a page is longer than asked for");
    for (const row of answer.rows) this.#take(row, target, isStart ? sequence : null);
    this.#token = answer.token;
    const isEnd = answer.link === "deltaLink";
    if (isEnd && this.#walk !== null) {
      this.copy = this.#walk;
      this.#walk = null;
    }
    if (isEnd) this.#told = new Set();
    return isEnd;
  }

  #take(row: CalendarRow, target: Map<string, Json>, startSequence: number | null): void {
    const version = `${row.calendarId} ${row.sequence}`;
    if (this.#told.has(version)) this.faults.push(`told twice in one walk: ${version}`);
    this.#told.add(version);
    if (row.removedMs === null) target.set(row.calendarId, row.resource["name"] ?? null);
    else target.delete(row.calendarId);
    const wasGone = startSequence !== null && row.removedMs !== null && row.sequence <= startSequence;
    if (wasGone) this.faults.push(`a walk from nothing tells of a removal before it: ${version}`);
  }
}
