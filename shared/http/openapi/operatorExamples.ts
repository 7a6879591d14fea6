import { productVersion } from "../../version.js";
import type { ActionView } from "../../views/actionSchema.js";
import type { FoundView } from "../../views/foundSchema.js";
import type { HistoryItem } from "../../views/historySchema.js";
import type { CalendarView, MailboxView } from "../../views/mailboxSchema.js";
import type { RosterView } from "../../views/rosterSchema.js";
import type { BrakeView, Status } from "../../views/statusSchema.js";
import { calendarId, userId } from "./calendarExamples.js";

/** Bodies of the operators' routes as they may be. */

const displayName = "Megan Bowen";
const userPrincipalName = "megan@contoso.example";
const recently = "2026-11-28T09:30:04.000Z";
const before = "2026-11-28T09:25:03.000Z";
const calendar = { id: calendarId, name: "Team", owner: userPrincipalName };

export const mailboxExample: MailboxView = {
  id: userId,
  displayName,
  userPrincipalName,
  kind: "user",
  state: "fresh",
  phase: "idle",
  strategy: "delta",
  round: { reason: "changes", started: recently, pages: 1 },
  calendarCount: 3,
  generation: 2,
  sequence: 12,
  notBefore: null,
  lastSuccess: recently,
  lastChange: before,
  lastFullRound: "2026-11-24T03:10:41.000Z",
  failuresInARow: 0,
  lastErrorCode: null,
  failingSince: null,
  lastRequestId: null,
  parkedReason: null,
  heldRemovals: null,
  driftFound: 0,
};

/** As a single read shows it: with why it is on the roster. */
export const rosteredExample: MailboxView = {
  ...mailboxExample,
  roster: {
    source: "directory",
    state: "active",
    userPrincipalName,
    displayName,
    kind: "user",
    kindAsked: null,
    leaveReason: null,
    since: null,
    purgeAfter: null,
  },
};

export const calendarExample: CalendarView = {
  id: calendarId,
  name: "Team",
  color: "auto",
  hexColor: "",
  ownerName: displayName,
  ownerAddress: userPrincipalName,
  isDefaultCalendar: false,
  sequence: 12,
  changed: before,
  removed: null,
};

export const foundExample: FoundView = {
  mailbox: { id: userId, displayName, userPrincipalName, kind: "user", state: "fresh", lastSuccess: recently },
  calendar: { id: calendarId, name: "Team", isShared: true, owner: { name: displayName, address: userPrincipalName } },
};

export const historyItemExample: HistoryItem = {
  id: "00-00000000000000000042-0",
  time: before,
  mailbox: { id: userId, displayName, userPrincipalName },
  kind: "updated",
  calendar,
  replacedId: null,
  before: { name: "Old team" },
  after: { name: "Team" },
  leftOut: 0,
};

export const rosterExample: RosterView = {
  source: "directory",
  state: "idle",
  phase: "idle",
  isFull: false,
  discovered: 1_200,
  generation: 3,
  passStarted: before,
  pages: 1,
  seen: 2,
  added: 1,
  resumed: 0,
  suspended: 1,
  untold: 0,
  leftOut: { disabled: 40, guest: 7, noMail: 2, kind: 0 },
  notLookedAt: 0,
  notLookedAtNote: null,
  held: null,
  lastSuccess: before,
  lastFullRound: "2026-11-24T03:00:00.000Z",
  notBefore: null,
  failuresInARow: 0,
  lastErrorCode: null,
};

export const brakeExample: BrakeView = {
  brake: { isOn: false, code: null, since: null, until: null },
  application: null,
};

const counters = {
  rounds: 1_200,
  pages: 1_200,
  changes: 9,
  graphRequests: 60,
  throttles: 0,
  transactions: 31,
};

export const statusExample: Status = {
  now: recently,
  mailboxes: {
    total: 1_200,
    mirrored: 1_199,
    byState: { new: 0, fresh: 1_198, inProgress: 0, waiting: 0, held: 0, parked: 1, suspended: 1, removing: 0 },
    byKind: { user: 1_100, shared: 60, room: 30, equipment: 10, linked: 0, others: 0, unknown: 0 },
    byStrategy: { delta: 1_200, list: 0 },
    strategyNote: null,
    calendars: 4_800,
    freshWithinTwoTicks: { count: 1_198, of: 1_199, share: 0.9992 },
    neverSucceeded: 1,
    oldestSuccess: { at: before, mailbox: userId },
  },
  troubles: {
    parked: [{ reason: "denied:ErrorAccessDenied", count: 1, examples: ["87d349ed-44d7-43e1-9a83-5f2406dee5bd"] }],
    held: [],
    waiting: [],
    suspended: [],
  },
  drift: { changes: 0, mailboxes: 0 },
  activity: {
    total: counters,
    ticks: [
      {
        tick: recently,
        started: recently,
        seconds: 3.4,
        shards: 4,
        standing: { mirrored: 2000, fresh: 1998, attention: 2 },
        version: productVersion,
        ...counters,
      },
    ],
  },
  ticks: { newest: recently, intervalSeconds: 300, isLate: false },
  shards: [{ shard: "00", mailboxes: 300, counted: recently, tick: recently, started: recently, finished: recently }],
  roster: rosterExample,
  subscribers: {
    ...{ total: 3, active: 2, waiting: 1, paused: 0, behind: 1 },
    mostBehind: { since: before, subscriber: "3f0c91d2-6a8a-4a59-9a44-2f5f5a1c7d10" },
    lastMissed: null,
  },
  ...brakeExample,
  settings: { shards: 4, graphCloud: "global", auditDays: 30, changeNudges: true },
  about: { version: productVersion, app: "contoso-mirror", tenantId: null },
};

export const actionExample: ActionView = {
  time: recently,
  action: "release",
  actor: { kind: "user", name: "adele@contoso.example" },
  mailbox: { id: userId, displayName, userPrincipalName },
  subject: null,
  count: null,
};
