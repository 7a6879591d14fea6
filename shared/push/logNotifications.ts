import type { LoggedChange, LogRow } from "../sync/changeLog.js";
import type { ChangeType, PushPlace, Subscription } from "../sync/subscription.js";
import type { Notification, Subject } from "./notification.js";

/**
 * All that an entry of the log has to tell, in its order: its changes one by one; the calendars as a whole, where changes are
 * not told one by one; and what became of the mailbox. Never nothing: a subscriber that is told too much reads once in vain.
 * @param index Of the entry in its row. @internal For tests.
 */
export function notificationsOf(shard: string, row: LogRow, index: number): readonly Notification[] {
  const entry = row.entries[index];
  if (entry === undefined) return [];
  const { mailboxId, changes, leftOut, event } = entry;
  // The time tells a number from the same one in a log that the table has lost, as after a restore.
  const prefix = `${shard}-${row.number}-${row.atMs.toString(36)}-${index}`;
  const one = (key: string, changeType: ChangeType, subject: Subject): Notification => {
    return { id: `${prefix}-${key}`, changeType, subject, atMs: row.atMs };
  };
  const told = changes.flatMap((change, at) =>
    partsOf(change).map(([key, changeType, calendarId]) =>
      one(`${at}${key}`, changeType, { kind: "calendar", mailboxId, calendarId }),
    ),
  );
  if (leftOut > 0 || (changes.length === 0 && event === null)) {
    told.push(one("rest", "updated", { kind: "calendars", mailboxId }));
  }
  if (event === null) return told;
  const isThere = event === "joined" || event === "resumed";
  return [...told, one(event, isThere ? "updated" : "deleted", { kind: "user", mailboxId })];
}

type Part = readonly [key: string, changeType: ChangeType, calendarId: string];

function partsOf({ kind, calendarId, replacedId }: LoggedChange): readonly Part[] {
  switch (kind) {
    case "created":
    case "updated":
      return [["", kind, calendarId]];
    case "removed":
      return [["", "deleted", calendarId]];
    case "replaced": {
      const gone: Part = ["d", "deleted", replacedId ?? ""];
      return replacedId === undefined ? [["c", "created", calendarId]] : [gone, ["c", "created", calendarId]];
    }
  }
}

type Wants = Pick<Subscription, "mailboxId" | "changeTypes">;

/**
 * The notification as a subscription has asked for it; null where it has not. What is told of calendars as a whole may be a
 * change of any type, so it goes out under one that was asked for; and a mailbox that has come, or come back, is also created.
 */
function wanted(notification: Notification, { mailboxId, changeTypes }: Wants): Notification | null {
  const { subject, changeType } = notification;
  if (mailboxId !== null && subject.mailboxId !== mailboxId) return null;
  if (changeTypes.includes(changeType)) return notification;
  if (subject.kind === "user" && changeType === "updated" && changeTypes.includes("created")) {
    return { ...notification, changeType: "created" };
  }
  const [first] = changeTypes;
  return subject.kind === "calendars" && first !== undefined ? { ...notification, changeType: first } : null;
}

/** A step over a shard's log. The subscription stands at `place` once it has been told of `notification`; null: of nothing. */
export type Move = {
  readonly shard: string;
  readonly place: PushPlace;
  readonly notification: Notification | null;
  /** Why rows before that place go untold, for people; null: none does. */
  readonly missed: string | null;
};

/** The step over all of a log up to a row. */
export function moveTo(shard: string, number: number, missed: string | null): Move {
  return { shard, place: { number, entries: 0, sent: 0 }, notification: null, missed };
}

/**
 * The steps from a place on over rows of a shard's log, of which the first is the one after that place's. The last step
 * is over all of the last row, but where there are more notifications than are asked for.
 */
export function movesOf(
  shard: string,
  rows: readonly LogRow[],
  from: PushPlace,
  wants: Wants,
  notificationsMax = Number.POSITIVE_INFINITY,
): readonly Move[] {
  const moves: Move[] = [];
  for (const [rowIndex, row] of rows.entries()) {
    const isFirst = rowIndex === 0;
    for (let index = isFirst ? from.entries : 0; index < row.entries.length; index++) {
      const told = notificationsOf(shard, row, index);
      // An entry that holds less than was sent of it has been forgotten in between, for its mailbox is gone: it is told anew.
      const sent = isFirst && index === from.entries && from.sent < told.length ? from.sent : 0;
      for (const [at, one] of told.slice(sent).entries()) {
        const notification = wanted(one, wants);
        if (notification === null) continue;
        const place = placeAfter(row, index, sent + at + 1, told.length);
        moves.push({ shard, place, notification, missed: null });
        if (moves.length === notificationsMax) return moves;
      }
    }
  }
  const last = rows.at(-1);
  if (last !== undefined && moves.at(-1)?.place.number !== last.number) moves.push(moveTo(shard, last.number, null));
  return moves;
}

function placeAfter(row: LogRow, index: number, sent: number, of: number): PushPlace {
  const before = row.number - 1;
  if (sent < of) return { number: before, entries: index, sent };
  if (index + 1 < row.entries.length) return { number: before, entries: index + 1, sent: 0 };
  return { number: row.number, entries: 0, sent: 0 };
}

/** How many notifications are among these steps. */
export function notificationsIn(moves: readonly Move[]): number {
  return moves.reduce((count, { notification }) => count + (notification === null ? 0 : 1), 0);
}

/** The first steps, with so many notifications and with all that tell nothing up to the next one. */
export function firstMoves(moves: readonly Move[], notifications: number): readonly Move[] {
  let left = notifications;
  const end = moves.findIndex(({ notification }) => notification !== null && left-- === 0);
  return end < 0 ? moves : moves.slice(0, end);
}
