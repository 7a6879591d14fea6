import type { FaultKind as GraphFault } from "../../local/graph/faults.js";

/** Every way in which a storm can hurt. Rates are chances per opportunity; a seed draws each from its range. */

type Range = readonly [min: number, max: number];

/** What happens to calls of the product, by the part that is called. */
const CALL_FAULTS = {
  crashBefore: [0.002, 0.02],
  crashAfter: [0.002, 0.02],
  stall: [0.005, 0.08],
  tableFails: [0.01, 0.15],
  tableLost: [0.01, 0.15],
  tableLate: [0.01, 0.1],
  tableHidesIndex: [0.2, 1],
  sendFails: [0.02, 0.25],
  sendLost: [0.02, 0.25],
  deleteLost: [0.02, 0.3],
  nudgeFails: [0.05, 0.4],
  nudgeLost: [0.05, 0.4],
  fetchFails: [0.02, 0.2],
  fetchLost: [0.02, 0.2],
  identityFails: [0.02, 0.2],
  malformedPage: [0.02, 0.25],
} as const satisfies Record<string, Range>;

/** What happens to queue messages on their way. */
const MESSAGE_FAULTS = {
  duplicateDelivery: [0.05, 0.5],
  delayedDelivery: [0.05, 0.5],
  messageLost: [0.02, 0.2],
  foreignMessage: [0.01, 0.05],
} as const satisfies Record<string, Range>;

/** What happens around the product: a weight beside those of plain edits and ticks. */
export const EVENTS = {
  clockJump: [0.2, 1],
  overlappingTick: [0.2, 1],
  mailboxFull: [0.2, 1],
  mailboxDenied: [0.2, 1],
  mailboxGone: [0.2, 1],
  mailboxSlow: [0.2, 1],
  idsReplaced: [0.1, 0.6],
  calendarsMoved: [0.1, 0.6],
  linksLost: [0.2, 1],
  massRemoval: [0.1, 0.6],
  mailboxAdded: [0.1, 0.6],
  mailboxPurged: [0.1, 0.6],
  deltaSwitchedOff: [0.1, 0.5],
  endlessLinks: [0.1, 0.6],
  longPause: [0.2, 1],
  tombstonesRetired: [0.2, 1],
  operatorActs: [0.2, 1],
  applicationRefused: [0.2, 1],
} as const satisfies Record<string, Range>;

/** Rules of the Graph simulator that are injected all through the storm. */
export const GRAPH_FAULTS = {
  throttled: [0.02, 0.3],
  throttledApplication: [0.02, 0.2],
  unavailable: [0.02, 0.25],
  mailboxInfoStale: [0.02, 0.25],
  gatewayTimeout: [0.02, 0.25],
  serverError: [0.02, 0.25],
  claimsChallenge: [0.02, 0.3],
  tokenRefused: [0.02, 0.3],
  resetSync: [0.02, 0.3],
  linksForgotten: [0.02, 0.2],
  linkRefused: [0.02, 0.2],
  denied: [0.02, 0.1],
  noMailbox: [0.02, 0.1],
  truncatedBody: [0.02, 0.25],
  connectionReset: [0.02, 0.25],
  emptyPages: [0.05, 0.5],
  repeatedItems: [0.05, 0.6],
  partialItems: [0.1, 1],
  replays: [0.05, 0.6],
  oversizedPage: [0.05, 0.6],
  halvedList: [0.02, 0.3],
  poisonedLink: [0.02, 0.25],
  batchNotJson: [0.02, 0.3],
  batchMissingItem: [0.05, 0.4],
  batchDoubledItem: [0.05, 0.4],
} as const satisfies Partial<Record<GraphFault, Range>>;

export const FAULTS = { ...CALL_FAULTS, ...MESSAGE_FAULTS, ...EVENTS, ...GRAPH_FAULTS } as const;
export type Fault = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as readonly Fault[];

export function isFault(name: string): name is Fault {
  return Object.hasOwn(FAULTS, name);
}
