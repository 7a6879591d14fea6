import { RowError, type Store } from "../store/store.js";
import type { CalendarRow } from "../sync/types.js";
import type { After } from "../timer.js";
import { within } from "../within.js";
import type { DueWork } from "./dueMailboxes.js";

/** Our choice: what one page of a query holds. A mailbox of more calendars is read by itself. */
const calendarsPerQueryMax = 1_000;

/**
 * Our choice: how long mailboxes wait for rows that others wait for too, as long as for an answer of Graph. Then each is read by
 * itself: rows of one that cannot be read in time hold up no other (I10).
 */
const sharedReadMsMax = 4_000;

class TooSlow extends Error {}

type Waiting = {
  readonly work: DueWork;
  readonly resolve: (rows: readonly CalendarRow[]) => void;
  readonly reject: (fault: unknown) => void;
};

/**
 * Reads stored rows for a run. Mailboxes that stand beside each other in the shard, and are asked for at once, as when a
 * batch is answered, share a query: where every link is lost, or every mailbox is read by list, that is a twentieth of the
 * queries.
 */
export class RowReader {
  #waiting: Waiting[] = [];

  constructor(
    private readonly store: Pick<Store, "readCalendars" | "readCalendarsOf">,
    private readonly after: After,
  ) {}

  /** All rows of the mailbox, tombstones included. @throws what the table threw, and RowError for this mailbox alone. */
  read(work: DueWork): Promise<readonly CalendarRow[]> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) queueMicrotask(() => this.#readWaiting());
      this.#waiting.push({ work, resolve, reject });
    });
  }

  #readWaiting(): void {
    const waiting = this.#waiting.sort((one, other) => one.work.place.number - other.work.place.number);
    this.#waiting = [];
    for (const group of neighbours(waiting)) {
      this.#readGroup(group).catch((fault: unknown) => {
        for (const { reject } of group) reject(fault);
      });
    }
  }

  async #readGroup(group: readonly Waiting[]): Promise<void> {
    const found = group.length === 1 ? undefined : await this.#readShared(group.map(({ work }) => work.from.mailboxId));
    for (const { work, resolve, reject } of group) {
      const { mailboxId } = work.from;
      const rows = found?.get(mailboxId);
      if (rows === undefined) this.store.readCalendars(mailboxId).then(resolve, reject);
      else if (rows instanceof RowError) reject(rows);
      else resolve(rows);
    }
  }

  /** Empty: that takes too long. */
  async #readShared(mailboxIds: readonly string[]): ReturnType<Store["readCalendarsOf"]> {
    const read = () => this.store.readCalendarsOf(mailboxIds);
    try {
      return await within(sharedReadMsMax, () => new TooSlow(), read, this.after);
    } catch (error) {
      if (error instanceof TooSlow) return new Map();
      throw error;
    }
  }
}

/** Groups that one query is good for: not more than every other mailbox within it is read for nothing. */
function neighbours(waiting: readonly Waiting[]): readonly (readonly Waiting[])[] {
  const groups: Waiting[][] = [];
  let calendars = 0;
  for (const one of waiting) {
    const group = groups.at(-1);
    const before = group?.at(-1)?.work.place;
    const { place, held } = one.work;
    calendars += held.checkpoint.calendarCount;
    const isNear = before !== undefined && before.wrapped === place.wrapped && place.number - before.number <= 2;
    if (group !== undefined && isNear && calendars <= calendarsPerQueryMax) {
      group.push(one);
    } else {
      groups.push([one]);
      calendars = held.checkpoint.calendarCount;
    }
  }
  return groups;
}
