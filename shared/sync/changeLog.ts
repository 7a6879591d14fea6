import type { JsonObject } from "./json.js";

/** What became of a mailbox, as the change log tells it. `joined`: it is served for the first time in its epoch. */
export const mailboxEvents = ["joined", "suspended", "resumed", "left"] as const;
export type MailboxEvent = (typeof mailboxEvents)[number];

/** What happened to a calendar, as the change log tells it. */
export const changeKinds = ["created", "updated", "removed", "replaced"] as const;
type ChangeKind = (typeof changeKinds)[number];

/** One real change of a calendar. */
export type LoggedChange = {
  readonly kind: ChangeKind;
  /** The mailbox's sequence at the change. */
  readonly sequence: number;
  /** The calendar, as it stands after the change. Of `replaced`: the one that came. */
  readonly calendarId: string;
  readonly name: string | null;
  /** The owner's address. */
  readonly owner: string | null;
  /** Of `replaced`: the calendar that went. */
  readonly replacedId?: string;
  /** Of `updated`: the properties that changed, with their values before it. One that came is not in it. */
  readonly before?: JsonObject;
  /** The same after it. One that went is not in it. */
  readonly after?: JsonObject;
};

/**
 * What one transaction, and those that others made before it, changed of one mailbox: all real changes after the sequence
 * `from` up to `to`, and what became of the mailbox, after them.
 */
export type LogEntry = {
  readonly mailboxId: string;
  readonly epoch: string;
  readonly from: number;
  readonly to: number;
  readonly event: MailboxEvent | null;
  /** Of changes after the mailbox's first full round, in the order of their sequence. */
  readonly changes: readonly LoggedChange[];
  /** Changes among them that are not told one by one, for there were too many. */
  readonly leftOut: number;
};

/** One row of a shard's change log: what one transaction changed. Numbers grow by one, from 1, without gaps. */
export type LogRow = { readonly number: number; readonly atMs: number; readonly entries: readonly LogEntry[] };

/** Changes of a mailbox that the log has not told yet: those that others than runs have committed. */
export type Unlogged = Pick<LogEntry, "changes" | "leftOut">;

/**
 * How the log last told of a mailbox. `unserved`: it has not told of it in this epoch. `departed`: it is being removed, and
 * its departure tells of that.
 */
export const loggedStates = ["unserved", "served", "suspended", "departed"] as const;
export type LoggedState = (typeof loggedStates)[number];
