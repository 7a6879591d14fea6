import type { MailboxKind } from "../shared/sync/mailboxKind.js";
import type { MailboxState } from "../shared/sync/state.js";
import type { ActionView } from "../shared/views/actionSchema.js";
import type { HistoryKind } from "../shared/views/historyKinds.js";
import type { MailboxView } from "../shared/views/mailboxSchema.js";

/** The wording of the page: states, times and numbers. What reasons mean says `reasons.ts`. */

/** What each state of a mailbox is called. */
export const states = {
  fresh: { label: "Fresh", means: "Its last sync reached its end, nothing to do." },
  inProgress: { label: "In progress", means: "A sync is under way." },
  new: { label: "New", means: "On the roster, not read yet." },
  waiting: { label: "Waiting", means: "Graph did not answer well; asked again at a known time." },
  held: { label: "Held", means: "A sudden mass removal waits for a second reading to confirm it." },
  parked: { label: "Parked", means: "Needs attention: work on it has stopped; looked at again now and then." },
  suspended: { label: "Suspended", means: "Its user has left the roster; kept until the retention ends." },
  removing: { label: "Removing", means: "On its way off the roster." },
} as const satisfies Record<MailboxState, { label: string; means: string }>;

/** In the order in which the page lists them. */
export const stateNames = Object.keys(states) as readonly MailboxState[];

/** What each kind of mailbox is called. */
export const kinds = {
  user: { label: "User", means: "Somebody's own." },
  shared: { label: "Shared", means: "Shared by several people; nobody signs in with it." },
  room: { label: "Room", means: "A room that can be booked." },
  equipment: { label: "Equipment", means: "Equipment that can be booked." },
  linked: { label: "Linked", means: "Of a user whose account is in another forest." },
  others: { label: "Other", means: "Of a kind that Graph does not tell apart." },
  unknown: { label: "Unknown", means: "Its kind was not asked, or Graph did not tell it." },
} as const satisfies Record<MailboxKind, { label: string; means: string }>;

/** In the order in which the page lists them. */
export const kindNames = Object.keys(kinds) as readonly MailboxKind[];

/** What each kind of change is called, and what it means where its name does not say it. */
export const changes = {
  created: { label: "Added", means: null },
  updated: { label: "Updated", means: null },
  removed: { label: "Removed", means: null },
  replaced: { label: "Replaced", means: "the same calendar, which has another id now" },
  joined: { label: "Joined", means: "its first full sync has ended" },
  suspended: { label: "Suspended", means: "its user has left the roster" },
  resumed: { label: "Resumed", means: "its user is on the roster again" },
  left: { label: "Left", means: "it is not mirrored any more" },
  leftOut: { label: "More", means: null },
} as const satisfies Record<HistoryKind, { label: string; means: string | null }>;

/** What properties of a calendar are called; others as Graph calls them. */
const properties: Readonly<Record<string, string>> = {
  name: "Name",
  color: "Colour",
  hexColor: "Colour as RGB",
  owner: "Owner",
  isDefaultCalendar: "Default calendar",
  canEdit: "May edit",
  canShare: "May share",
  canViewPrivateItems: "May see private items",
};

/** A property in words. */
export function propertyText(name: string): string {
  return (Object.hasOwn(properties, name) ? properties[name] : undefined) ?? name;
}

/** A property's value in words. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined || value === "") return "(nothing)";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return value;
  if (typeof value === "number") return number(value);
  if (typeof value === "object" && "address" in value && "name" in value) {
    return [value.name, value.address].filter((text) => typeof text === "string" && text !== "").join(", ");
  }
  return JSON.stringify(value);
}

const units = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
] as const;

/** A duration in its largest unit: `3 min`. */
export function span(seconds: number): string {
  const found = units.find(([, size]) => seconds >= size);
  if (found === undefined) return `${number(Math.max(0, Math.round(seconds)))} s`;
  const [unit, size] = found;
  return `${number(Math.floor(seconds / size))} ${unit}`;
}

/** `3 min ago`, `in 2 h`, or `never`. */
export function ago(iso: string | null, nowMs: number): string {
  if (iso === null) return "never";
  const seconds = (nowMs - Date.parse(iso)) / 1000;
  if (seconds < -1) return `in ${span(-seconds)}`;
  return seconds < 2 ? "just now" : `${span(seconds)} ago`;
}

/** `in 2 h`, or who tries it once that time has come. */
export function comingUp(iso: string | null, nowMs: number): string {
  return iso !== null && Date.parse(iso) > nowMs ? ago(iso, nowMs) : "with the next tick";
}

/** A number with the separators that the reader is used to: `12,345`. */
export function number(value: number): string {
  return value.toLocaleString();
}

/** A sentence of the mirror, which writes numbers for programs: each as the reader writes it. Nothing that holds ids or codes. */
export function inReadersNumbers(sentence: string): string {
  return sentence.replace(/(?<![\p{L}\d_.:-])\d{4,15}(?![\p{L}\d_:-]|\.\d)/gu, (digits) => number(Number(digits)));
}

/** `1 mailbox`, `2 mailboxes`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/** What each action of an operator is called once it was done. */
export const actions = {
  sync: "Sync now",
  resync: "Full sync",
  release: "Retried",
  add: "Added",
  remove: "Removed",
  releaseMany: "Retried all",
  releaseBrake: "Retried the application",
  discover: "Discovery",
  releaseRoster: "Roster shrink applied",
  pauseSubscription: "Subscriber paused",
  resumeSubscription: "Subscriber resumed",
  replaySubscription: "Subscriber replayed",
} as const satisfies Record<ActionView["action"], string>;

/** Why a sync (a round) was made. */
export const rounds = {
  first: "the first one",
  changes: "what changed",
  reset: "all of it: Graph had lost its place",
  audit: "all of it: a check of what delta reported",
  confirm: "all of it: to confirm removals",
  list: "all of it: delta does not work here",
  probe: "all of it: delta is tried again",
} as const satisfies Record<MailboxView["round"]["reason"], string>;
