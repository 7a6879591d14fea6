import type { HistoryItem } from "../../shared/views/historySchema.js";
import { Copy } from "./copy.js";
import type { Kept } from "./kept.js";
import type { MirrorView } from "./mirrorView.js";
import type { Edit } from "./product.js";
import { type Reader, readerAt } from "./reader.js";
import { type Receiver, startReceiver, type Told } from "./receiver.js";
import type { Screen } from "./screen.js";
import { loggedMsOf, shownOf } from "./shown.js";

/** Edits whose notifications have not come are remembered, so many of them. */
const editsMax = 10_000;

/** What the receiver of `npm start` is for. */
export type SubscriberOptions = {
  readonly hostUrl: string;
  readonly kept: Kept;
  /** Whether `kept` outlives this run. */
  readonly isKept: boolean;
  readonly screen: Screen;
  /** Shows what it is told; else it keeps a copy by that. */
  readonly shows: boolean;
};

/** `npm start`'s own subscriber. */
export type Subscriber = {
  readonly isResumed: boolean;
  readonly counts: Receiver["counts"];
  /** Edits that were made at a time (epoch): it tells how long after that they were told. */
  edited(edits: readonly Edit[], atMs: number): void;
  /** How many of these edits have not been told. */
  untold(): number;
  /** The longest that an edit took to be told, so far; null: none was told. */
  lagSeconds(): number | null;
  /** Whether its copy has what the mirror has of a mailbox. */
  isSame(mailboxId: string, view: MirrorView): Promise<boolean>;
  stop(): Promise<void>;
};

/** Subscribes to the product behind a host. @throws Error in one line when it cannot. */
export async function startSubscriber(options: SubscriberOptions): Promise<Subscriber> {
  const { hostUrl, kept, isKept, screen, shows } = options;
  const reader = readerAt(hostUrl);
  const copy = new Copy(reader);
  const edits = new Edits();
  const take = async (told: readonly Told[]) => {
    if (shows) screen.changes(shownOf(told, await historyOf(told, reader), Date.now(), edits.takeMs));
    else await copy.take(told);
    for (const { mailboxId, calendarId } of shows ? [] : told) {
      if (calendarId !== null) edits.takeMs(mailboxId, calendarId);
    }
  };
  const missed = async () => {
    screen.say("  The receiver was away for too long, and has missed changes.", { event: "missed" });
    if (!shows) await copy.readAll();
  };
  const receiver = await startReceiver(reader, kept, isKept, { take, missed });
  // After it has subscribed: what changes from here on is told.
  if (!shows) await copy.readAll();
  return {
    isResumed: receiver.isResumed,
    counts: receiver.counts,
    edited: (made, atMs) => edits.add(made, atMs),
    untold: () => edits.size,
    lagSeconds: () => edits.lagSeconds,
    isSame: (mailboxId, view) => copy.isSame(mailboxId, view),
    stop: receiver.stop,
  };
}

/** What the history has on these notifications: nothing is better than waiting for it. */
async function historyOf(told: readonly Told[], reader: Pick<Reader, "history">): Promise<readonly HistoryItem[]> {
  const times = told.map(({ id }) => loggedMsOf(id)).filter((ms) => !Number.isNaN(ms));
  return times.length === 0 ? [] : reader.history(Math.min(...times), Math.max(...times));
}

/** When calendars were edited, until that is told. */
class Edits {
  lagSeconds: number | null = null;
  readonly #atMs = new Map<string, number>();

  get size(): number {
    return this.#atMs.size;
  }

  add(edits: readonly Edit[], atMs: number): void {
    for (const { mailboxId, calendarId } of edits) {
      const key = JSON.stringify([mailboxId, calendarId]);
      if (!this.#atMs.has(key)) this.#atMs.set(key, atMs);
      const [oldest] = this.#atMs.keys();
      if (this.#atMs.size > editsMax && oldest !== undefined) this.#atMs.delete(oldest);
    }
  }

  /** When the calendar was first edited since this was last asked for; null: it was not. */
  readonly takeMs = (mailboxId: string, calendarId: string): number | null => {
    const key = JSON.stringify([mailboxId, calendarId]);
    const atMs = this.#atMs.get(key) ?? null;
    this.#atMs.delete(key);
    if (atMs !== null) this.lagSeconds = Math.max(this.lagSeconds ?? 0, (Date.now() - atMs) / 1000);
    return atMs;
  };
}
