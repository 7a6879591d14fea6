import { changeKinds, mailboxEvents } from "../sync/changeLog.js";

/** What an item of the history tells: a change of a calendar, what became of a mailbox, or changes that are only counted. */
export const historyKinds = [...changeKinds, ...mailboxEvents, "leftOut"] as const;
export type HistoryKind = (typeof historyKinds)[number];
