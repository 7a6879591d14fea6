import type { DirectoryItem } from "../graph/directory.js";
import { mapAtOnce } from "../mapAtOnce.js";
import { newRosterRow } from "../store/rosterRows.js";
import { manualSource, type RosterEntry, type RosterHeld, type RosterRow } from "../store/store.js";
import { resumed, suspended } from "../sync/actions.js";
import { newCheckpoint } from "../sync/checkpoint.js";
import type { DirectoryState, PageTally } from "../sync/directory.js";
import { completedPage, leaveReasonOf, type PageUser, type UserFailure } from "./completePage.js";
import type { DiscoverPorts } from "./ports.js";

/** A user as the roster wants it: `leaveReason` says why not to mirror it, null to mirror it. */
type Wanted = {
  readonly mailboxId: string;
  /** Unless it is described, nothing is known but that it is listed: it stays as it is. */
  readonly kind: PageUser["kind"];
  /** The properties that a reason rests on; null: Graph did not return them. */
  readonly accountEnabled: boolean | null;
  readonly userType: string | null;
  readonly userPrincipalName: string | null;
  readonly displayName: string | null;
  readonly leaveReason: string | null;
};

/** What is to be written for one user. `again`: older rows were removed first, look once more. */
type Plan = {
  readonly wanted: Wanted;
  readonly entry: RosterEntry | null;
  readonly effect: "added" | "resumed" | "leaving" | "untold" | "again" | "overtaken" | null;
};

/** How a page was applied. `superseded`: a newer discovery has written these rows. */
export type AppliedUsers =
  | { readonly kind: "applied"; readonly tally: PageTally }
  | { readonly kind: "superseded" }
  | UserFailure;

/**
 * Applies one page of users to the roster: adds, resumes, renames, and marks those who leave. Repeating it is harmless.
 * Rows carry the step that wrote them: a late twin meets a newer step and stops (I2).
 * @throws Error when others have written the rows first, again and again; StorageError.
 */
export async function applyUsers(
  items: readonly DirectoryItem[],
  state: DirectoryState,
  ports: DiscoverPorts,
): Promise<AppliedUsers> {
  const page = await completedPage(items, state, ports);
  if (page.kind === "failed") return page;
  const tally = { seen: page.users.length, added: 0, resumed: 0, leaving: 0, untold: 0 };
  let waiting: readonly Wanted[] = page.users.map(wantedOf);
  for (let attempt = 0; waiting.length > 0; attempt++) {
    if (attempt === ports.limits.attemptsMax)
      throw new Error(`The roster's rows were lost to others ${attempt} times.`);
    const isFirstLook = attempt === 0;
    const plans = await mapAtOnce(waiting, ports.limits.readsAtOnceMax, (one) =>
      planOf(one, state, ports, isFirstLook),
    );
    if (plans.some(({ effect }) => effect === "overtaken")) return { kind: "superseded" };
    const writing = plans.flatMap(({ entry, ...plan }) => (entry === null ? [] : [{ ...plan, entry }]));
    for (const { entry, effect } of plans) if (entry === null) count(tally, effect);
    const results = await ports.store.roster.commit(writing.map(({ entry }) => entry));
    const lost: Wanted[] = plans.filter(({ effect }) => effect === "again").map(({ wanted }) => wanted);
    for (const [index, { wanted, effect }] of writing.entries()) {
      if (results[index] !== "committed") lost.push(wanted);
      else count(tally, effect);
    }
    waiting = lost;
  }
  return { kind: "applied", tally };
}

function count(tally: { -readonly [Name in keyof PageTally]: PageTally[Name] }, effect: Plan["effect"]): void {
  if (effect === null || effect === "again" || effect === "overtaken") return;
  tally[effect] += 1;
}

function wantedOf(user: PageUser): Wanted {
  const nothingKnown = { userPrincipalName: null, displayName: null, accountEnabled: null, userType: null };
  if (user.kind !== "described") return { mailboxId: user.id, kind: user.kind, ...nothingKnown, leaveReason: null };
  const { id, userPrincipalName, displayName, accountEnabled, userType } = user.item;
  const leaveReason = leaveReasonOf(user.item);
  return { mailboxId: id, kind: user.kind, userPrincipalName, displayName, accountEnabled, userType, leaveReason };
}

async function planOf(
  wanted: Wanted,
  state: DirectoryState,
  ports: DiscoverPorts,
  isFirstLook: boolean,
): Promise<Plan> {
  if (wanted.kind !== "described") return undescribed(wanted, state, ports);
  // The very first round meets hardly anybody: it writes without reading, and reads only what was refused.
  if (isFirstLook && state.generation === 1 && wanted.leaveReason === null) return adding(wanted, state, ports);
  const held = await ports.store.roster.read(wanted.mailboxId);
  if (held === null) return newcomer(wanted, state, ports, isFirstLook);
  if (held.row.source === manualSource) return nothing(wanted);
  if (held.row.step > state.step) return { wanted, entry: null, effect: "overtaken" };
  if (held.row.state === "suspended") return returning(wanted, held, state, ports);
  if (wanted.leaveReason === null) return staying(wanted, held, state);
  return marked(wanted, held, state);
}

/** A user that is listed is still there; nothing more is known. A full round counts it as found and changes nothing else. */
async function undescribed(wanted: Wanted, state: DirectoryState, { store }: DiscoverPorts): Promise<Plan> {
  const held = await store.roster.read(wanted.mailboxId);
  const effect = wanted.kind === "hidden" ? "untold" : null;
  if (held === null || held.row.source === manualSource) return { wanted, entry: null, effect };
  if (held.row.step > state.step) return { wanted, entry: null, effect: "overtaken" };
  const isSeen = held.row.state === "suspended" || held.row.generation === state.generation;
  if (!state.isFull || isSeen) return { wanted, entry: null, effect: "untold" };
  const row: RosterRow = { ...held.row, generation: state.generation, step: state.step, leaveReason: null };
  return { wanted, entry: { row, etag: held.etag, checkpoint: null }, effect: "untold" };
}

function nothing(wanted: Wanted): Plan {
  return { wanted, entry: null, effect: null };
}

function adding(wanted: Wanted, state: DirectoryState, ports: DiscoverPorts): Plan {
  const next = newCheckpoint(wanted.mailboxId, ports.newId(), wanted.displayName);
  const row = activeRow(wanted, state, ports.clock.nowMs());
  return { wanted, entry: { row, etag: null, checkpoint: { next, etag: null } }, effect: "added" };
}

async function newcomer(
  wanted: Wanted,
  state: DirectoryState,
  ports: DiscoverPorts,
  isFirstLook: boolean,
): Promise<Plan> {
  if (wanted.leaveReason !== null) return nothing(wanted);
  if (isFirstLook) return adding(wanted, state, ports);
  const before = await ports.store.readMailbox(wanted.mailboxId);
  if (before === null) return adding(wanted, state, ports);
  // A mailbox without a roster row was put there by hand, before there were such rows.
  if (before.checkpoint.lifecycle !== "removing") return nothing(wanted);
  return afterRemoval(wanted, ports);
}

/** Completes a removal before the mailbox is added again, so that no row of its earlier epoch is left. */
async function afterRemoval(wanted: Wanted, { store }: DiscoverPorts): Promise<Plan> {
  await store.purgeMailbox(wanted.mailboxId, { onlyLeaving: true });
  return { wanted, entry: null, effect: "again" };
}

function activeRow(wanted: Wanted, state: DirectoryState, sinceMs: number | null): RosterRow {
  const { mailboxId, userPrincipalName, displayName } = wanted;
  const { source, generation, step } = state;
  return { ...newRosterRow(mailboxId, source), generation, step, userPrincipalName, displayName, sinceMs };
}

/** A full round stamps every user that it finds; between full rounds only changes are written. Missing names stay as they are. */
function staying(wanted: Wanted, { row, etag }: RosterHeld, state: DirectoryState): Plan {
  const next = {
    ...activeRow(wanted, state, row.sinceMs),
    userPrincipalName: wanted.userPrincipalName ?? row.userPrincipalName,
    displayName: wanted.displayName ?? row.displayName,
  };
  const isSame =
    row.userPrincipalName === next.userPrincipalName &&
    row.displayName === next.displayName &&
    row.leaveReason === null &&
    row.source === next.source &&
    row.generation === next.generation;
  return isSame ? nothing(wanted) : { wanted, entry: { row: next, etag, checkpoint: null }, effect: null };
}

/** Notes the reason only: nobody leaves before the end of a pass, when it is known how many would (I11). */
function marked(wanted: Wanted, { row, etag }: RosterHeld, state: DirectoryState): Plan {
  const isKnown = row.leaveReason === wanted.leaveReason && row.generation < state.generation;
  if (isKnown) return { wanted, entry: null, effect: "leaving" };
  const generation = Math.min(row.generation, state.generation - 1);
  const next: RosterRow = { ...row, generation, step: state.step, leaveReason: wanted.leaveReason };
  return { wanted, entry: { row: next, etag, checkpoint: null }, effect: "leaving" };
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

async function returning(
  wanted: Wanted,
  { row, etag }: RosterHeld,
  state: DirectoryState,
  ports: DiscoverPorts,
): Promise<Plan> {
  if (wanted.leaveReason !== null) return nothing(wanted); // It stays suspended, for the first reason.
  // The property that it was suspended for is missing now: no evidence of a return.
  if (row.leaveReason === "disabled" && wanted.accountEnabled === null) return nothing(wanted);
  if (row.leaveReason === "guest" && wanted.userType === null) return nothing(wanted);
  const held = await ports.store.readMailbox(row.mailboxId);
  if (held?.checkpoint.lifecycle === "removing") return afterRemoval(wanted, ports);
  const active = activeRow(wanted, state, ports.clock.nowMs());
  if (held === null) {
    const next = newCheckpoint(row.mailboxId, ports.newId(), wanted.displayName);
    return { wanted, entry: { row: active, etag, checkpoint: { next, etag: null } }, effect: "added" };
  }
  const isSuspended = held.checkpoint.lifecycle === "suspended";
  const next = isSuspended ? resumed(held.checkpoint) : held.checkpoint;
  return { wanted, entry: { row: active, etag, checkpoint: { next, etag: held.etag } }, effect: "resumed" };
}
