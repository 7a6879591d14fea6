import type { MailboxKind } from "../shared/sync/mailboxKind.js";
import type { MailboxState } from "../shared/sync/state.js";
import type { ActionView } from "../shared/views/actionSchema.js";
import type { HistoryKind } from "../shared/views/historyKinds.js";
import type { MailboxView } from "../shared/views/mailboxSchema.js";

/** The wording of the page: states, reasons, times and numbers. */

/** What each state of a mailbox is called. */
export const states = {
  fresh: { label: "Fresh", means: "Read within the last rounds, nothing to do." },
  inProgress: { label: "In progress", means: "In the middle of a round." },
  new: { label: "New", means: "On the roster, not read yet." },
  waiting: { label: "Waiting", means: "Graph did not answer well; asked again at a known time." },
  held: { label: "Held", means: "A sudden mass removal waits for a second reading to confirm it." },
  parked: { label: "Parked", means: "Graph refuses this mailbox; looked at again now and then." },
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
  updated: { label: "Changed", means: null },
  removed: { label: "Removed", means: null },
  replaced: { label: "Replaced", means: "the same calendar, which has another id now" },
  joined: { label: "Joined", means: "its first full round has ended" },
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
  if (typeof value === "object" && "address" in value && "name" in value) {
    return [value.name, value.address].filter((text) => typeof text === "string" && text !== "").join(", ");
  }
  return JSON.stringify(value);
}

/** What a reason that begins so means, and what helps. */
const reasons: readonly (readonly [start: string, text: string])[] = [
  ["denied:", "Graph denies access. Grant the app Calendars.Read, or widen its Exchange scope; then release."],
  [
    "noMailbox:",
    "There is no mailbox that Graph can read: no licence, on-premises, or gone. Give it one, or take it off.",
  ],
  ["tooLarge", "A calendar does not fit the table. Shrink what its owner wrote into it; then release."],
  ["poisonedPage", "Its page message failed five times. The log says why; release tries again."],
  ["mailboxFull:", "The mailbox is full, and its list is refused too. Make room; then release."],
  ["featureUnavailable:", "Graph offers neither changes nor the list here. Look at GRAPH_CLOUD and GRAPH_API_VERSION."],
  ["massRemoval", "Most of its calendars seemed gone at once. A second full round confirms that, or finds them again."],
  ["suspended", "Its user has left the roster."],
  ["softDeleted", "Its user was deleted and may come back."],
  ["deleted", "Its user was deleted for good."],
  ["vanished", "The roster's source does not list its user any more."],
  ["disabled", "Its user's account is disabled."],
  ["guest", "Its user is a guest now."],
  ["noMail", "Its user has no mail address any more."],
  ["kind", "ROSTER_KINDS does not name its kind."],
  ["directoryPropertiesHidden", "Users come without their properties, and stay as they were. Grant User.Read.All."],
  ["directoryEmpty", "The directory, or the group, told of nobody. Look at the group and at Member.Read.Hidden."],
  ["loop", "Graph's pages led in circles. The round was given up, and what is served stays."],
  [
    "linkRefused",
    "A link led away from this mailbox and was not followed. A full round, or the list, takes its place.",
  ],
  ["malformedPage", "Graph's answer could not be understood, so none of it was believed."],
  ["syncState", "Graph lost its place. A full round, or the list, takes its place."],
  ["InvalidAuthenticationToken", "Graph refuses the app's token. Look at the identity and its permissions."],
  ["Authorization_RequestDenied", "Graph refuses the app. Look at its permissions."],
  ["http401", "Graph refuses the app's token. Look at the identity and its permissions."],
  ["tokenUnavailable", "The identity gives no token. Look at the identity of the app."],
  ["ErrorAccessDenied", "The permission Calendars.Read is missing, or the token is older than its grant."],
  ["rowUnreadable", "A row of it was edited and cannot be read. The log names row and column: mend it."],
];

/** A parked reason or an error code in words. */
export function explained(reason: string): string {
  const found = reasons.find(([start]) => reason.toLowerCase().startsWith(start.toLowerCase()));
  return found?.[1] ?? "Asked again by itself. The log tells more under this code.";
}

const units = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
] as const;

/** A duration in its largest unit: `3 min`. */
export function span(seconds: number): string {
  const found = units.find(([, size]) => seconds >= size);
  if (found === undefined) return `${Math.max(0, Math.round(seconds))} s`;
  const [unit, size] = found;
  return `${Math.floor(seconds / size)} ${unit}`;
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

/** A number with separators: `12,345`. */
export function number(value: number): string {
  return value.toLocaleString("en");
}

/** `1 mailbox`, `2 mailboxes`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/** What each action of an operator is called once it was done. */
export const actions = {
  sync: "Retried",
  resync: "Full round",
  release: "Released",
  add: "Added",
  remove: "Removed",
  releaseMany: "Released all",
  releaseBrake: "Brake lifted",
  discover: "Discovery",
  releaseRoster: "Roster released",
  pauseSubscription: "Subscriber paused",
  resumeSubscription: "Subscriber resumed",
  replaySubscription: "Subscriber replayed",
} as const satisfies Record<ActionView["action"], string>;

/** Why a round was made. */
export const rounds = {
  first: "the first one",
  changes: "what changed",
  reset: "all of it: Graph had lost its place",
  audit: "all of it: a check of what delta reported",
  confirm: "all of it: to confirm removals",
  list: "all of it: delta does not work here",
  probe: "all of it: delta is tried again",
} as const satisfies Record<MailboxView["round"]["reason"], string>;
