import type { Nudge } from "../messages.js";
import type { ShardLog } from "../store/shardRow.js";
import type { LogEntry } from "../sync/changeLog.js";
import type { Ports } from "./ports.js";

type Told = Pick<LogEntry, "mailboxId" | "to">;

/** Our choice: rows of the log that are read at once, when a run before has not notified others of them. */
const rowsAtOnceMax = 100;

/**
 * Notifies other programs of what the change log tells, in lanes, so many at once. Nothing is noted for each: the shard's row
 * says up to which row of the log all were notified, so a crash repeats some and forgets none.
 */
export class NudgeSender {
  readonly #lanes: Promise<unknown>[] = [];
  #count = 0;
  #hasFailed = false;
  #hasLogged = false;

  constructor(private readonly ports: Pick<Ports, "nudge" | "log" | "limits">) {}

  /**
   * Sends the nudge for an entry that was to be logged. Where it is not known to be committed, it may stand in the log all
   * the same: somebody else has moved its mailbox since, and the answer to our own success was lost.
   */
  told(entry: Told, isCommitted: boolean): void {
    this.#hasLogged = true;
    if (isCommitted) this.send(entry);
    else this.#hasFailed = true;
  }

  /** Sends the nudge for an entry of the log, after those that are ahead in its lane. */
  send(entry: Told): void {
    const { nudge, limits } = this.ports;
    if (nudge === null) return;
    const lane = this.#count++ % limits.sendsInFlightMax;
    this.#lanes[lane] = (this.#lanes[lane] ?? Promise.resolve()).then(async () => {
      if (!(await sendNudge(entry, this.ports))) this.#hasFailed = true;
    });
  }

  /** Whether there was anything to be told. */
  get hasLogged(): boolean {
    return this.#hasLogged;
  }

  /** Resolves once all nudges so far are sent, or have failed. */
  async sent(): Promise<void> {
    await Promise.all(this.#lanes);
  }

  /**
   * Where the log stands at the end of a run, once all is sent. Where something was not, the next run begins again where
   * this one began: a nudge that was lost costs time, never truth. With nudges off all counts as sent: switching them on
   * later must not flood the queue with the past.
   */
  standing(log: ShardLog): ShardLog {
    return this.#hasFailed ? log : { ...log, nudgedNumber: log.number };
  }
}

/** Sends what a run before this one has logged and not notified others of: it crashed, or could not send. */
export async function resendNudges(
  shard: string,
  { number, nudgedNumber }: ShardLog,
  nudges: NudgeSender,
  { nudge, store }: Pick<Ports, "nudge" | "store">,
): Promise<void> {
  for (let after = nudgedNumber; nudge !== null && after < number; after += rowsAtOnceMax) {
    const upTo = Math.min(number, after + rowsAtOnceMax);
    for (const row of await store.readLogOn(shard, { after, upTo, top: rowsAtOnceMax, headsOnly: true })) {
      if ("unreadable" in row) continue; // A nudge that is lost costs time; the shard's mailboxes are to be read all the same.
      for (const entry of row.entries) nudges.send(entry);
    }
    await nudges.sent();
  }
}

/** Notifies other programs of one entry. False: it could not be sent. */
export async function sendNudge({ mailboxId, to }: Told, ports: Pick<Ports, "nudge" | "log">): Promise<boolean> {
  const nudge: Nudge = { mailbox: mailboxId, sequence: to };
  try {
    await ports.nudge?.(nudge);
    return true;
  } catch (error) {
    ports.log("warn", "nudge not sent", { mailbox: mailboxId, error: String(error) });
    return false;
  }
}
