import { lettersOf, numberOf } from "./base64.js";
import { guidOf, scatter } from "./random.js";
import type { Calendar, CalendarChanges } from "./types.js";
import { userNameOf, userPrincipalNameOf } from "./users.js";

/** What makes up the ids and first contents of a mailbox's calendars. */
export type CalendarSource = { readonly seed: number; readonly mailboxIndex: number; readonly epoch: number };

const TOPICS = ["Team", "Travel", "Lab bookings", "On call", "Family", "Training", "Board", "Rota", "Projects", "Yoga"];
const COLORS = ["auto", "lightBlue", "lightGreen", "lightOrange", "lightGray", "lightYellow", "lightTeal", "lightPink"];
/** As in the sample of the API page; not declared in any schema. */
const GROUP_CLASS_ID = "0006f0b7-0000-0000-c000-000000000046";
const HEAD_BYTES = 90;
/** Of the 28 letters of an id's tail, these stand in front of its slot number. */
const SLOT_AT = 16;

/** Makes ids and calendars of one mailbox. Cheap to create: one is made for each answer. */
export type CalendarMaker = {
  idOf(slot: number): string;
  /** The slot that an id stands for, or null when it is none of this mailbox. */
  slotOf(id: string): number | null;
  /** `values` lie over the calendar's first contents. `changedAt`: number of its last change, 0 for none. */
  make(slot: number, changedAt: number, values: CalendarChanges | null): Calendar;
};

/** The same source always makes the same ids and contents. */
export function calendarMaker(source: CalendarSource): CalendarMaker {
  const { seed, mailboxIndex, epoch } = source;
  const idHead = idHeadOf(source);
  const keyHead = changeKeyHeadOf(source);
  const idOf = (slot: number) => {
    const chance = lettersOf(scatter(seed, mailboxIndex, epoch, slot, 7), 6);
    const more = lettersOf(scatter(seed, mailboxIndex, epoch, slot, 8), 6);
    return `${idHead}${chance}${more}AAAA${lettersOf(slot, 6)}AAAAA=`;
  };
  const slotOf = (id: string) => {
    if (!id.startsWith(idHead)) return null;
    const slot = numberOf(id.slice(idHead.length + SLOT_AT, idHead.length + SLOT_AT + 6));
    return idOf(slot) === id ? slot : null;
  };
  const changeKeyOf = (slot: number, changedAt: number) => {
    const chance = lettersOf(scatter(seed, mailboxIndex, epoch, slot, changedAt), 6, "standard");
    return `${keyHead}${chance}${lettersOf(changedAt & 0x3ffff, 3, "standard")}A==`;
  };
  const me = ownerOf(mailboxIndex);
  const make = (slot: number, changedAt: number, values: CalendarChanges | null) => {
    const first = firstContents(source, me, slot, idOf(slot), changeKeyOf(slot, changedAt));
    return values === null ? first : { ...first, ...values };
  };
  return { idOf, slotOf, make };
}

function ownerOf(index: number): Calendar["owner"] {
  return { name: userNameOf(index), address: userPrincipalNameOf(index) };
}

/** As in real ids: a version, a GUID in ASCII near the front, and two GUIDs in binary after it. */
function idHeadOf({ seed, mailboxIndex, epoch }: CalendarSource): string {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(0x00032400, 0);
  head.write(guidOf(seed, mailboxIndex, epoch, 101), 4, "ascii");
  head[41] = 0x46;
  for (let word = 0; word < 8; word++) head.writeUInt32BE(scatter(seed, mailboxIndex, epoch, word, 102), 47 + word * 4);
  head[80] = 0x07;
  head[85] = 0x01;
  head[86] = 0x06;
  return head.toString("base64url");
}

function changeKeyHeadOf({ seed, mailboxIndex, epoch }: CalendarSource): string {
  const head = Buffer.alloc(15);
  for (let word = 0; word < 3; word++) head.writeUInt32BE(scatter(seed, mailboxIndex, epoch, word, 103), word * 4);
  return head.toString("base64");
}

/** Slot 0 is the default calendar, slot 1 the birthdays; every ninth is shared in by somebody else. */
function firstContents(
  { seed, mailboxIndex }: CalendarSource,
  me: Calendar["owner"],
  slot: number,
  id: string,
  changeKey: string,
): Calendar {
  const isDefault = slot === 0;
  const isSharedIn = slot % 9 === 8;
  const isOwn = slot !== 1 && !isSharedIn;
  const chance = scatter(seed, mailboxIndex, slot, 104);
  return {
    id,
    name: nameOf(slot, chance),
    color: slot < 2 ? "auto" : (COLORS[chance % COLORS.length] ?? "auto"),
    hexColor: "",
    groupClassId: GROUP_CLASS_ID,
    isDefaultCalendar: isDefault,
    changeKey,
    canShare: isOwn,
    canViewPrivateItems: !isSharedIn,
    isShared: false,
    isSharedWithMe: isSharedIn,
    canEdit: isOwn,
    calendarGroupId: null,
    allowedOnlineMeetingProviders: isOwn ? ["teamsForBusiness"] : [],
    defaultOnlineMeetingProvider: isOwn ? "teamsForBusiness" : "unknown",
    isTallyingResponses: isDefault,
    isRemovable: !isDefault,
    owner: isSharedIn ? ownerOf(chance % 1000) : me,
  };
}

function nameOf(slot: number, chance: number): string {
  if (slot === 0) return "Calendar";
  if (slot === 1) return "Birthdays";
  return `${TOPICS[chance % TOPICS.length] ?? "Plans"} ${slot}`;
}

/** The calendar as a version shows it: v1.0 has neither the sharing flags nor the groups. */
export function asShownIn(version: "beta" | "v1.0", calendar: Calendar): Calendar {
  if (version === "beta") return calendar;
  const {
    groupClassId: _class,
    isShared: _shared,
    isSharedWithMe: _with,
    calendarGroupId: _group,
    ...shown
  } = calendar;
  return shown;
}
