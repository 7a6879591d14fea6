import { isoOrNull } from "../sync/time.js";
import { type CalendarRow, type Checkpoint, isJsonObject, type Json, type JsonObject } from "../sync/types.js";
import { mailboxView } from "./mailbox.js";
import type { CalendarView, MailboxCalendarsView } from "./mailboxSchema.js";

export type { MailboxCalendarsView };

/** A mailbox and its calendars: existing ones by name, then removed ones, the latest first. */
export function mailboxCalendarsView(checkpoint: Checkpoint, rows: readonly CalendarRow[]): MailboxCalendarsView {
  return { mailbox: mailboxView(checkpoint), value: [...rows].sort(inOrder).map(calendarView) };
}

function inOrder(one: CalendarRow, other: CalendarRow): number {
  if (one.removedMs !== null || other.removedMs !== null) {
    return (other.removedMs ?? Number.POSITIVE_INFINITY) - (one.removedMs ?? Number.POSITIVE_INFINITY) || 0;
  }
  const [first, second] = [text(one.resource["name"]) ?? "", text(other.resource["name"]) ?? ""];
  return first === second ? 0 : first < second ? -1 : 1;
}

function calendarView({ calendarId, resource, sequence, changedMs, removedMs }: CalendarRow): CalendarView {
  const owner = objectOrEmpty(resource["owner"]);
  return {
    id: calendarId,
    name: text(resource["name"]),
    color: text(resource["color"]),
    hexColor: text(resource["hexColor"]),
    ownerName: text(owner["name"]),
    ownerAddress: text(owner["address"]),
    isDefaultCalendar: resource["isDefaultCalendar"] === true,
    sequence,
    changed: new Date(changedMs).toISOString(),
    removed: isoOrNull(removedMs),
  };
}

function text(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
}

function objectOrEmpty(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
