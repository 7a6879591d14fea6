import type { MirrorFeed } from "../../shared/feed/feed.js";
import type { ListQuery } from "../../shared/feed/query/listQuery.js";
import type { CalendarRow, Json } from "../../shared/sync/types.js";

export type Names = ReadonlyMap<string, Json>;

/** What a reader may look at beside the feed, to judge what it receives. */
export type Mirror = {
  /** The mailbox's sequence. */
  readonly sequence: () => Promise<number | null>;
  /** The names of the calendars that are alive, by id. */
  readonly alive: () => Promise<Names>;
};

/** What the mirror was since a walk's first request: one of these must be what the walk has brought, when it ends. */
class Moments {
  #all: Names[] = [];

  begin(now: Names): void {
    this.#all = [now];
  }

  note(now: Names): void {
    this.#all.push(now);
  }

  /** What is wrong with a walk that has ended, or nothing. */
  judge(what: string, walk: Names, textOf = (names: Names) => JSON.stringify([...names].sort())): readonly string[] {
    const isOne = this.#all.some((moment) => textOf(moment) === textOf(walk));
    return isOne ? [] : [`${what} ended with ${textOf(walk)}, which was never the mirror meanwhile`];
  }
}

/** A program that keeps a copy by the feed, as examples/follow-mirror.mjs does, and checks what it receives. */
export class Reader {
  /** What the walk in hand has brought so far, upon the copy or upon nothing; it becomes the copy when it has ended. */
  #walk: Map<string, Json> | null = null;
  #token: string | null = null;
  copy: Names = new Map();
  expired = 0;
  readonly faults: string[] = [];
  readonly #moments = new Moments();
  #received = new Set<string>();

  constructor(
    private readonly mailboxId: string,
    private readonly mirror: Mirror,
  ) {}

  /** To be called after each change of the mirror. */
  note(now: Names): void {
    this.#moments.note(now);
  }

  /** One call. True when the feed had nothing more. */
  async step(feed: MirrorFeed, pageSize: number): Promise<boolean> {
    const isStart = this.#token === null;
    const sequence = await this.mirror.sequence();
    if (this.#walk === null) {
      this.#walk = new Map(isStart ? [] : this.copy);
      this.#received = new Set();
      this.#moments.begin(await this.mirror.alive());
    }
    const answer = await feed.delta(this.mailboxId, this.#token, pageSize);
    if (answer.kind === "expired") {
      this.expired += 1;
      this.#token = null;
    }
    if (answer.kind !== "page") {
      if (this.#token === null) this.#walk = null;
      if (answer.kind === "badToken") throw new Error("The feed says badToken of its own token.");
      return false;
    }
    if (answer.rows.length > pageSize) this.faults.push("a page is longer than asked for");
    for (const row of answer.rows) this.#take(row, this.#walk, isStart ? sequence : null);
    this.#token = answer.token;
    const isEnd = answer.link === "deltaLink";
    if (isEnd) {
      this.faults.push(...this.#moments.judge("a walk", this.#walk));
      this.copy = this.#walk;
      this.#walk = null;
    }
    return isEnd;
  }

  #take(row: CalendarRow, target: Map<string, Json>, startSequence: number | null): void {
    const version = `${row.calendarId} ${row.sequence}`;
    if (this.#received.has(version)) this.faults.push(`returned twice in one walk: ${version}`);
    this.#received.add(version);
    if (row.removedMs === null) target.set(row.calendarId, row.resource["name"] ?? null);
    else target.delete(row.calendarId);
    const wasGone = startSequence !== null && row.removedMs !== null && row.sequence <= startSequence;
    if (wasGone) this.faults.push(`a walk from nothing returns a removal before it: ${version}`);
  }
}

/** What a program asks of the list: a query, and what the mirror shows by it, in its order. */
export type Asked = { readonly query: ListQuery; readonly shows: (now: Names) => Names };

/** A program that reads the list, page by page, and begins anew when it is asked to. */
export class ListReader {
  #walk: Map<string, Json> | null = null;
  #token: string | null = null;
  ended = 0;
  expired = 0;
  readonly faults: string[] = [];
  readonly #moments = new Moments();

  constructor(
    private readonly mailboxId: string,
    private readonly mirror: Mirror,
    private readonly asked: Asked,
  ) {}

  /** To be called after each change of the mirror. */
  note(now: Names): void {
    this.#moments.note(this.asked.shows(now));
  }

  /** One call. */
  async step(feed: MirrorFeed, pageSize: number): Promise<void> {
    if (this.#walk === null) {
      this.#walk = new Map();
      this.#moments.begin(this.asked.shows(await this.mirror.alive()));
    }
    const { query } = this.asked;
    const answer = await feed.list(this.mailboxId, { token: this.#token, pageSize, query });
    if (answer.kind !== "page") {
      if (answer.kind === "badToken") throw new Error("The feed says badToken of its own token.");
      if (answer.kind === "badQuery") throw new Error(answer.mistake);
      if (answer.kind === "expired") this.expired += 1;
      this.#walk = this.#token = null;
      return;
    }
    for (const { calendarId, resource } of answer.rows) {
      if (this.#walk.has(calendarId)) this.faults.push(`listed twice: ${calendarId}`);
      this.#walk.set(calendarId, resource["name"] ?? null);
    }
    this.#token = answer.token;
    if (answer.token !== null) return;
    const listed = this.#walk.size + query.skip;
    if (answer.count !== listed && answer.count > query.skip)
      this.faults.push(`${answer.count} counted, ${listed} listed`);
    this.faults.push(...this.#moments.judge("a list", this.#walk, (names) => JSON.stringify([...names])));
    this.ended += 1;
    this.#walk = null;
  }
}
