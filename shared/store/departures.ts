import type { LogEntry } from "../sync/changeLog.js";
import type { Columns, Entity } from "../table/table.js";
import { columnsOf, count, type RowTable, rowOf, text } from "./columns.js";
import { departureKey } from "./keys.js";

/** A mailbox that has gone, until the change log has told of it. */
export type Departure = {
  readonly mailboxId: string;
  readonly epoch: string;
  /** Its last one that the log has told. */
  readonly loggedSequence: number;
  /** Its last one. */
  readonly sequence: number;
};

/**
 * The columns of a departure.
 * @internal For tests.
 */
export const departureTable: RowTable<Departure> = {
  mailboxId: text.needed("mailboxId", "the full id, case kept"),
  epoch: text.needed("epoch", "the epoch that has ended"),
  loggedSequence: count.defaulted("loggedSequence", 0, "the sequence up to which the change log has told of it"),
  sequence: count.needed("sequence", "its last one"),
};

/** What a purge leaves of a mailbox that the log has told of. */
export function departureAction(departure: Departure) {
  const rowKey = departureKey(departure.mailboxId, departure.epoch);
  return { kind: "upsert", rowKey, columns: departureColumns(departure) } as const;
}

function departureColumns(departure: Departure): Columns {
  return columnsOf(departureTable, departure);
}

/** The departure that a row holds. @throws RowError */
export function departureOf(entity: Entity): Departure {
  return rowOf(departureTable, entity);
}

/** What the log tells of it: nothing of its calendars, for they are gone. */
export function departureEntry({ mailboxId, epoch, loggedSequence, sequence }: Departure): LogEntry {
  return { mailboxId, epoch, from: loggedSequence, to: sequence, event: "left", changes: [], leftOut: 0 };
}
