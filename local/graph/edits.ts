import {
  addCalendar,
  aliveSlots,
  calendarAt,
  changeCalendar,
  isAlive,
  type Mailbox,
  makerFor,
  removeCalendar,
} from "./mailbox.js";
import { below, type Random } from "./random.js";
import type { Calendar, CalendarChanges } from "./types.js";

/** What people do with a calendar. */
type EditKind = "create" | "rename" | "update" | "delete";

/** What an edit did. */
export type Edit = { readonly edit: EditKind; readonly mailboxId: string; readonly calendarId: string };

/** The slot of a calendar. @throws Error unless it is alive in the mailbox: a test that edits nothing proves nothing. */
function slotOrThrow(mailbox: Mailbox, calendarId: string): number {
  const slot = makerFor(mailbox).slotOf(calendarId);
  if (slot === null || !isAlive(mailbox, slot)) throw new Error(`Mailbox ${mailbox.id} has no such calendar.`);
  return slot;
}

/** Adds a calendar. */
export function createIn(mailbox: Mailbox, values: CalendarChanges & { readonly name: string }): Calendar {
  return calendarAt(mailbox, makerFor(mailbox), addCalendar(mailbox, values));
}

/** Sets properties of a calendar. @throws Error unless it is alive. */
export function updateIn(mailbox: Mailbox, calendarId: string, values: CalendarChanges): Calendar {
  const slot = slotOrThrow(mailbox, calendarId);
  changeCalendar(mailbox, slot, values);
  return calendarAt(mailbox, makerFor(mailbox), slot);
}

/** Removes a calendar, even the default one, as in a damaged mailbox. @throws Error unless it is alive. */
export function deleteIn(mailbox: Mailbox, calendarId: string): void {
  removeCalendar(mailbox, slotOrThrow(mailbox, calendarId));
}

/** A calendar that was moved: its id before, and now. */
export type Move = { readonly old: string; readonly new: string };

/** As many as a mailbox had of them. */
const MOVED_MAX = 6;

/**
 * Moves shared calendars as Exchange did from one sharing model to another: each into a new folder, hence with a new id,
 * name and owner kept, up to six of a mailbox at once (message center MC1287370). Where fewer are shared in by others,
 * calendars of the mailbox go with them, but never the default one.
 */
export function moveIn(mailbox: Mailbox): Move[] {
  const maker = makerFor(mailbox);
  const movable = aliveSlots(mailbox)
    .map((slot) => ({ slot, calendar: calendarAt(mailbox, maker, slot) }))
    .filter(({ calendar }) => !calendar.isDefaultCalendar)
    .sort((one, other) => Number(other.calendar.isSharedWithMe) - Number(one.calendar.isSharedWithMe));
  return movable.slice(0, MOVED_MAX).map(({ slot, calendar: { id, changeKey: _changeKey, ...values } }) => {
    removeCalendar(mailbox, slot);
    return { old: id, new: maker.idOf(addCalendar(mailbox, values)) };
  });
}

/** Living calendars, as the list returns them in beta. */
export function calendarsOf(mailbox: Mailbox): Calendar[] {
  const maker = makerFor(mailbox);
  return aliveSlots(mailbox).map((slot) => calendarAt(mailbox, maker, slot));
}

const COLORS = ["lightBlue", "lightGreen", "lightOrange", "lightPink", "lightRed"];

/** A random edit as people make it: mostly renames and colours, sometimes a new calendar or one less. */
export function editAtRandomIn(mailbox: Mailbox, random: Random): Edit {
  const slots = aliveSlots(mailbox);
  const slot = slots[below(random, slots.length)];
  const edit = pickEdit(random, slot, slots.length);
  const number = mailbox.sequence + 1;
  if (slot === undefined || edit === "create") {
    const created = addCalendar(mailbox, { name: `New plans ${number}` });
    return describe(mailbox, "create", created);
  }
  if (edit === "delete") removeCalendar(mailbox, slot);
  else if (edit === "rename") changeCalendar(mailbox, slot, { name: `Renamed ${number}` });
  else changeCalendar(mailbox, slot, { color: COLORS[below(random, COLORS.length)], hexColor: "" });
  return describe(mailbox, edit, slot);
}

function pickEdit(random: Random, slot: number | undefined, alive: number): EditKind {
  const dice = random.next();
  if (dice < 0.5) return "rename";
  if (dice < 0.7) return "update";
  const mayDelete = slot !== undefined && slot !== 0 && alive > 1;
  return dice < 0.85 || !mayDelete ? "create" : "delete";
}

function describe(mailbox: Mailbox, edit: EditKind, slot: number): Edit {
  return { edit, mailboxId: mailbox.id, calendarId: makerFor(mailbox).idOf(slot) };
}
