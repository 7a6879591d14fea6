import { type CalendarRow, isJsonObject, type Json, type JsonObject } from "../sync/types.js";
import type { Columns, Entity } from "../table/table.js";
import { columnsOf, count, flag, json, label, type RowTable, rowOf, text, time } from "./columns.js";

/** A calendar's or tombstone's columns. `resource` is the truth. */
export const calendarTable: RowTable<CalendarRow> = {
  calendarId: text.needed("calendarId", "the full id, case kept"),
  resource: json.needed("resource", "the whole Graph object as JSON: the truth. Of a tombstone, as last known"),
  generation: count.needed("generation", "the full round in which it was last written"),
  sequence: count.needed("sequence", "the mailbox's sequence at its last real change"),
  changedMs: time.needed("changed", "the time of that change"),
  removedMs: time.nullable("removedAt", "set on a tombstone"),
};

type CalendarCopies = {
  readonly [Name in "mailboxId" | "name" | "ownerAddress" | "ownerName" | "color" | "hexColor" | "changeKey"]:
    | string
    | null;
} & {
  readonly [Name in
    | "removed"
    | "isDefaultCalendar"
    | "canEdit"
    | "canShare"
    | "isShared"
    | "isSharedWithMe"
    | "isRemovable"]: boolean | null;
};

/** Columns that are written beside them, for people who filter. */
export const calendarCopies: RowTable<CalendarCopies> = {
  mailboxId: text.nullable("mailboxId", "the full id, case kept"),
  name: label.nullable("name", "as Graph has it"),
  ownerAddress: label.nullable("ownerAddress", "`owner/address`"),
  ownerName: label.nullable("ownerName", "`owner/name`"),
  color: label.nullable("color", "as Graph has it"),
  isDefaultCalendar: flag.nullable("isDefaultCalendar", "as Graph has it"),
  canEdit: flag.nullable("canEdit", "as Graph has it"),
  changeKey: label.nullable("changeKey", "as Graph has it"),
  removed: flag.nullable(
    "removed",
    "true on a tombstone, else false; absent until a row of an earlier release is written again",
  ),
  canShare: flag.nullable("canShare", "as Graph has it"),
  isShared: flag.nullable("isShared", "as Graph has it: its user has shared it with others"),
  isSharedWithMe: flag.nullable("isSharedWithMe", "as Graph has it: others have shared it with its user"),
  isRemovable: flag.nullable("isRemovable", "as Graph has it"),
  hexColor: label.nullable("hexColor", "as Graph has it; empty for the automatic colour"),
};

/** A calendar or tombstone as columns. */
export function calendarColumns(mailboxId: string, row: CalendarRow): Columns {
  const { resource } = row;
  const owner = objectOrEmpty(resource["owner"]);
  const copies: CalendarCopies = {
    mailboxId,
    name: textOrNull(resource["name"]),
    ownerAddress: textOrNull(owner["address"]),
    ownerName: textOrNull(owner["name"]),
    color: textOrNull(resource["color"]),
    changeKey: textOrNull(resource["changeKey"]),
    hexColor: textOrNull(resource["hexColor"]),
    removed: row.removedMs !== null,
    isDefaultCalendar: flagOrNull(resource["isDefaultCalendar"]),
    canEdit: flagOrNull(resource["canEdit"]),
    canShare: flagOrNull(resource["canShare"]),
    isShared: flagOrNull(resource["isShared"]),
    isSharedWithMe: flagOrNull(resource["isSharedWithMe"]),
    isRemovable: flagOrNull(resource["isRemovable"]),
  };
  return columnsOf(calendarCopies, copies, columnsOf(calendarTable, row));
}

/** The calendar or tombstone that a row holds. @throws RowError when a needed column is missing or unreadable. */
export function calendarOf(entity: Entity): CalendarRow {
  return rowOf(calendarTable, entity);
}

function objectOrEmpty(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function textOrNull(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
}

function flagOrNull(value: Json | undefined): boolean | null {
  return typeof value === "boolean" ? value : null;
}
