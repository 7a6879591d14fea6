import type { JsonObject } from "../../shared/sync/types.js";
import { isSame } from "./compare.js";
import type { MirrorView } from "./mirrorView.js";
import type { Reader } from "./reader.js";
import type { Told } from "./receiver.js";

/** Mailboxes that are read at the same time. */
const readsAtOnce = 8;

/**
 * A copy of the mirror that is kept by notifications alone: what one is about is read, as it stands now. So it is no matter whether one comes
 * twice, or late.
 */
export class Copy {
  readonly #mailboxes = new Map<string, Map<string, JsonObject>>();

  constructor(private readonly reader: Pick<Reader, "calendar" | "calendars" | "allCalendars">) {}

  /** Reads all anew. */
  async readAll(): Promise<void> {
    this.#mailboxes.clear();
    for await (const { userId, ...calendar } of this.reader.allCalendars()) this.#put(String(userId), calendar);
  }

  /** Reads what notifications are about. @throws Error in one line when it cannot be read. */
  async take(told: readonly Told[]): Promise<void> {
    const byMailbox = new Map<string, Told[]>();
    for (const one of told) byMailbox.set(one.mailboxId, [...(byMailbox.get(one.mailboxId) ?? []), one]);
    const waiting = [...byMailbox].values();
    const work = async () => {
      for (const [mailboxId, ofMailbox] of waiting) for (const one of ofMailbox) await this.#look(mailboxId, one);
    };
    await Promise.all(Array.from({ length: readsAtOnce }, work));
  }

  /** Whether the mirror has the same calendars of a mailbox, or neither has any. */
  async isSame(mailboxId: string, view: Pick<MirrorView, "calendars" | "isMirrored">): Promise<boolean> {
    const calendars = [...(this.#mailboxes.get(mailboxId)?.values() ?? [])];
    return (await view.isMirrored(mailboxId)) ? isSame(view, mailboxId, calendars) : calendars.length === 0;
  }

  async #look(mailboxId: string, { about, changeType, calendarId }: Told): Promise<void> {
    if (about === "calendar" && calendarId !== null) {
      const calendar = await this.reader.calendar(mailboxId, calendarId);
      if (calendar === null) this.#mailboxes.get(mailboxId)?.delete(calendarId);
      else this.#put(mailboxId, calendar);
      return;
    }
    const hasGone = about === "mailbox" && changeType === "deleted";
    const calendars = hasGone ? [] : await this.reader.calendars(mailboxId);
    this.#mailboxes.delete(mailboxId);
    for (const calendar of calendars) this.#put(mailboxId, calendar);
  }

  #put(mailboxId: string, calendar: JsonObject): void {
    const own = this.#mailboxes.get(mailboxId) ?? new Map<string, JsonObject>();
    this.#mailboxes.set(mailboxId, own);
    const resource = Object.fromEntries(Object.entries(calendar).filter(([name]) => !name.startsWith("@")));
    own.set(String(calendar["id"]), resource as JsonObject);
  }
}
