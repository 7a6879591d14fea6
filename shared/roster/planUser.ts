import type { DirectoryItem } from "../graph/directory.js";
import type { KindAnswer } from "../graph/mailboxKinds.js";
import { newRosterRow } from "../store/rosterRows.js";
import { manualSource, type RosterEntry, type RosterHeld, type RosterRow } from "../store/store.js";
import { described, resumed, suspended } from "../sync/actions.js";
import { newCheckpoint } from "../sync/checkpoint.js";
import { type DirectoryState, type LeftOut, leftOutReasons } from "../sync/directory.js";
import { isKindOfInterest, leaveReasonOf } from "../sync/mailboxKind.js";
import type { DiscoverPorts } from "./ports.js";

/** A user that is described, with its roster row where that is read already, and what came of asking for its kind. */
type Described = {
  readonly mailboxId: string;
  readonly item: DirectoryItem;
  readonly held: RosterHeld | null | undefined;
  readonly answer: KindAnswer | null;
};

/** A user as a page brings it. Without an item, nothing is known but that it is listed: it stays as it is. */
export type Wanted = Described | { readonly mailboxId: string; readonly item: null; readonly isHidden: boolean };

/** What is to be written for one user. `again`: older rows were removed first, look once more. */
export type Plan = {
  readonly wanted: Wanted;
  readonly entry: RosterEntry | null;
  readonly effect: "added" | "resumed" | "leaving" | "untold" | "again" | "overtaken" | null;
  /** Why it is not mirrored, as far as that is counted. */
  readonly leftOut: keyof LeftOut | null;
};

/** A described user with what follows from what is known of it. `leaveReason`: why not to mirror it, null to mirror it. */
type Case = { readonly wanted: Described; readonly leaveReason: string | null; readonly leftOut: Plan["leftOut"] };

/** What to write for one user of a page. @throws StorageError */
export async function planOf(
  wanted: Wanted,
  state: DirectoryState,
  ports: DiscoverPorts,
  isFirstLook: boolean,
): Promise<Plan> {
  if (wanted.item === null) return staysListed(wanted, state, ports, wanted.isHidden ? "untold" : null);
  const isRead = isFirstLook && wanted.held !== undefined;
  // The very first round meets hardly anybody: it writes without reading, and reads only what was refused.
  const unread = caseOf(wanted, null, ports);
  if (isFirstLook && !isRead && state.generation === 1 && unread.leaveReason === null)
    return adding(unread, state, ports);
  const held = isRead ? (wanted.held ?? null) : await ports.store.roster.read(wanted.mailboxId);
  const one = caseOf(wanted, held?.row ?? null, ports);
  if (one.leaveReason === "disabled" && wanted.answer?.kind === "failed") {
    const leftOut = held?.row.state === "active" ? null : one.leftOut;
    return { ...(await staysListed(wanted, state, ports, null)), leftOut };
  }
  if (held === null) return newcomer(one, state, ports, isFirstLook);
  if (held.row.source === manualSource) return { ...nothing(one), leftOut: null };
  if (held.row.step > state.step) return { ...nothing(one), effect: "overtaken" };
  if (held.row.state === "suspended") return returning(one, held, state, ports);
  return one.leaveReason === null ? staying(one, held, state, ports) : marked(one, held, state, ports);
}

function caseOf(wanted: Described, row: RosterRow | null, { kinds }: DiscoverPorts): Case {
  const { item, answer } = wanted;
  const kind = answer?.kind === "known" ? answer.mailboxKind : (row?.mailboxKind ?? "unknown");
  const leaveReason = leaveReasonOf(item, kind, kinds);
  const isLookedAt = isTold(answer) || (row?.kindAskedMs ?? null) !== null || !isKindOfInterest(item);
  const reason = leaveReason === "disabled" && !isLookedAt ? "notLookedAt" : leaveReason;
  return { wanted, leaveReason, leftOut: leftOutReasons.find((one) => one === reason) ?? null };
}

/** Whether Graph has said what it knows of the kind. That there is no such mailbox is an answer too. */
function isTold(answer: KindAnswer | null): boolean {
  return answer?.kind === "known" || answer?.kind === "none";
}

/** A user that is listed is still there; nothing more is known. A full round counts it as found and changes nothing else. */
async function staysListed(
  wanted: Wanted,
  state: DirectoryState,
  { store }: DiscoverPorts,
  effect: "untold" | null,
): Promise<Plan> {
  const held = await store.roster.read(wanted.mailboxId);
  const plan = { wanted, entry: null, effect, leftOut: null };
  if (held === null || held.row.source === manualSource) return plan;
  if (held.row.step > state.step) return { ...plan, effect: "overtaken" };
  const untold = { ...plan, effect: wanted.item === null ? ("untold" as const) : null };
  const isSeen = held.row.state === "suspended" || held.row.generation === state.generation;
  if (!state.isFull || isSeen) return untold;
  const row: RosterRow = { ...held.row, generation: state.generation, step: state.step, leaveReason: null };
  return { ...untold, entry: { row, etag: held.etag, checkpoint: null } };
}

function nothing({ wanted, leftOut }: Case): Plan {
  return { wanted, entry: null, effect: null, leftOut };
}

function adding(one: Case, state: DirectoryState, ports: DiscoverPorts): Plan {
  const nowMs = ports.clock.nowMs();
  const row = activeRow(newRosterRow(one.wanted.mailboxId, state.source), one.wanted, state, nowMs, nowMs);
  const next = newMailbox(row, ports);
  return { ...nothing(one), entry: { row, etag: null, checkpoint: { next, etag: null } }, effect: "added" };
}

function newMailbox(row: RosterRow, { newId }: DiscoverPorts) {
  return described(newCheckpoint(row.mailboxId, newId(), row.displayName), row);
}

async function newcomer(one: Case, state: DirectoryState, ports: DiscoverPorts, isFirstLook: boolean): Promise<Plan> {
  const { wanted, leaveReason } = one;
  const isNoted = (leaveReason === "disabled" || leaveReason === "kind") && isTold(wanted.answer);
  if (leaveReason !== null && !isNoted) return nothing(one);
  if (leaveReason === null && isFirstLook) return adding(one, state, ports);
  const before = await ports.store.readMailbox(wanted.mailboxId);
  if (before === null) return leaveReason === null ? adding(one, state, ports) : noting(one, state, ports);
  // A mailbox without a roster row was put there by hand, before there were such rows.
  if (before.checkpoint.lifecycle !== "removing") return { ...nothing(one), leftOut: null };
  return afterRemoval(one, ports);
}

/**
 * Notes whom Graph was asked about in vain, so that no pass asks again before an audit: a roster row without a mailbox. It
 * has left nothing, and so does not say since when (I11).
 */
function noting(one: Case, state: DirectoryState, { clock, tombstoneMs }: DiscoverPorts): Plan {
  const nowMs = clock.nowMs();
  const { wanted, leaveReason } = one;
  const row: RosterRow = {
    ...toldRow(newRosterRow(wanted.mailboxId, state.source), wanted, nowMs),
    state: "suspended",
    step: state.step,
    leaveReason,
    purgeAfterMs: nowMs + tombstoneMs,
  };
  return { ...nothing(one), entry: { row, etag: null, checkpoint: null } };
}

/** Completes a removal before the mailbox is added again, so that no row of its earlier epoch is left. */
async function afterRemoval(one: Case, { store }: DiscoverPorts): Promise<Plan> {
  await store.purgeMailbox(one.wanted.mailboxId, { onlyLeaving: true });
  return { ...nothing(one), effect: "again" };
}

/** The row with what is told now; what is not told stays as it was. */
function toldRow(row: RosterRow, { item, answer }: Described, nowMs: number): RosterRow {
  // Unasked, an allowed sign-in is noted the first time only: a change must still be seen as one.
  const isNoted = isTold(answer) || (row.accountEnabled === null && item.accountEnabled === true);
  return {
    ...row,
    userPrincipalName: item.userPrincipalName ?? row.userPrincipalName,
    displayName: item.displayName ?? row.displayName,
    mailboxKind: answer?.kind === "known" ? answer.mailboxKind : row.mailboxKind,
    kindAskedMs: isTold(answer) ? nowMs : row.kindAskedMs,
    accountEnabled: isNoted ? (item.accountEnabled ?? row.accountEnabled) : row.accountEnabled,
  };
}

function activeRow(
  before: RosterRow,
  wanted: Described,
  { source, generation, step }: DirectoryState,
  nowMs: number,
  sinceMs: number | null,
): RosterRow {
  const fit = { state: "active", leaveReason: null, purgeAfterMs: null, sinceMs } as const;
  return { ...toldRow(before, wanted, nowMs), ...fit, source, generation, step };
}

function areSame(one: RosterRow, other: RosterRow): boolean {
  const names = Object.keys(one) as (keyof RosterRow)[];
  return names.every((name) => name === "step" || one[name] === other[name]);
}

/** The entry of a row that is told anew; its mailbox is told the same, so that people see one name for it everywhere. */
async function rewritten({ row, etag }: RosterHeld, next: RosterRow, { store }: DiscoverPorts): Promise<RosterEntry> {
  const isShownAlike =
    row.displayName === next.displayName &&
    row.userPrincipalName === next.userPrincipalName &&
    row.mailboxKind === next.mailboxKind &&
    // Rows of earlier releases, which did not tell their mailboxes, lack it.
    (row.accountEnabled !== null || next.accountEnabled === null);
  const held = isShownAlike ? null : await store.readMailbox(row.mailboxId);
  if (held === null || held.checkpoint.lifecycle === "removing") return { row: next, etag, checkpoint: null };
  const shown = described(held.checkpoint, next);
  return { row: next, etag, checkpoint: shown === held.checkpoint ? null : { next: shown, etag: held.etag } };
}

/** A full round stamps every user that it finds; between full rounds only changes are written. */
async function staying(one: Case, held: RosterHeld, state: DirectoryState, ports: DiscoverPorts): Promise<Plan> {
  const next = activeRow(held.row, one.wanted, state, ports.clock.nowMs(), held.row.sinceMs);
  return areSame(held.row, next) ? nothing(one) : { ...nothing(one), entry: await rewritten(held, next, ports) };
}

/** Notes the reason only: nobody leaves before the end of a pass, when it is known how many would (I11). */
async function marked(one: Case, held: RosterHeld, state: DirectoryState, ports: DiscoverPorts): Promise<Plan> {
  const next: RosterRow = {
    ...toldRow(held.row, one.wanted, ports.clock.nowMs()),
    generation: Math.min(held.row.generation, state.generation - 1),
    step: state.step,
    leaveReason: one.leaveReason,
  };
  const plan: Plan = { ...nothing(one), effect: "leaving" };
  return areSame(held.row, next) ? plan : { ...plan, entry: await rewritten(held, next, ports) };
}

/** The roster entry that suspends a mailbox, with its checkpoint; null when the mailbox is gone or being removed. */
export async function leavingEntry(
  { row, etag }: RosterHeld,
  state: DirectoryState,
  { store, clock, tombstoneMs }: DiscoverPorts,
): Promise<RosterEntry | null> {
  const held = await store.readMailbox(row.mailboxId);
  if (held === null || held.checkpoint.lifecycle === "removing") return null;
  const nowMs = clock.nowMs();
  const why = row.leaveReason ?? "vanished"; // Absent from a full roster round.
  const next: RosterRow = {
    ...row,
    state: "suspended",
    step: state.step,
    leaveReason: why,
    sinceMs: nowMs,
    purgeAfterMs: nowMs + tombstoneMs,
  };
  return { row: next, etag, checkpoint: { next: suspended(held.checkpoint, why), etag: held.etag } };
}

async function returning(one: Case, held: RosterHeld, state: DirectoryState, ports: DiscoverPorts): Promise<Plan> {
  const { wanted, leaveReason } = one;
  const { row, etag } = held;
  // The property that it was suspended for is missing now: no evidence of a return.
  const isSilent =
    (row.leaveReason === "disabled" && wanted.item.accountEnabled === null) ||
    (row.leaveReason === "guest" && wanted.item.userType === null);
  if (leaveReason !== null || isSilent) return stayingAway(one, held, state, ports);
  const mailbox = await ports.store.readMailbox(row.mailboxId);
  if (mailbox?.checkpoint.lifecycle === "removing") return afterRemoval(one, ports);
  const nowMs = ports.clock.nowMs();
  const active = activeRow(row, wanted, state, nowMs, nowMs);
  const plan = nothing(one);
  if (mailbox === null) {
    const next = newMailbox(active, ports);
    return { ...plan, entry: { row: active, etag, checkpoint: { next, etag: null } }, effect: "added" };
  }
  const isSuspended = mailbox.checkpoint.lifecycle === "suspended";
  const next = described(isSuspended ? resumed(mailbox.checkpoint) : mailbox.checkpoint, active);
  return { ...plan, entry: { row: active, etag, checkpoint: { next, etag: mailbox.etag } }, effect: "resumed" };
}

/** It stays suspended, for the first reason. Whoever never had a mailbox is kept in mind as long as the directory lists it. */
async function stayingAway(one: Case, held: RosterHeld, state: DirectoryState, ports: DiscoverPorts): Promise<Plan> {
  const nowMs = ports.clock.nowMs();
  const told = { ...toldRow(held.row, one.wanted, nowMs), step: state.step };
  const isRenewed = held.row.sinceMs === null && isTold(one.wanted.answer);
  const next: RosterRow = isRenewed ? { ...told, purgeAfterMs: nowMs + ports.tombstoneMs } : told;
  return areSame(held.row, next) ? nothing(one) : { ...nothing(one), entry: await rewritten(held, next, ports) };
}
