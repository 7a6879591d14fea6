import type { DirectoryItem } from "../graph/directory.js";
import { mapAtOnce } from "../mapAtOnce.js";
import { manualSource, type RosterEntry, type RosterHeld, type RosterRow } from "../store/store.js";
import { resumed, suspended } from "../sync/actions.js";
import { newCheckpoint } from "../sync/checkpoint.js";
import type { DirectoryState, PageTally } from "../sync/directory.js";
import { removingReason, suspendedReason } from "../sync/due.js";
import { completedPage, leaveReasonOf, type Told, type UserFailure } from "./completePage.js";
import type { DiscoverPorts } from "./ports.js";

/** A user as the roster wants it: `leaveReason` says why not to mirror it, null to mirror it. */
type Wanted = {
  readonly mailboxId: string;
  /** Else nothing is known of it but that it is listed: it stays as it is. */
  readonly told: Told["kind"];
  /** What was told that bears on the reason; null was not told. */
  readonly accountEnabled: boolean | null;
  readonly userType: string | null;
  readonly userPrincipalName: string | null;
  readonly displayName: string | null;
  readonly leaveReason: string | null;
};

/** What is to be written for one user. `again`: something was cleared away first, look once more. */
type Plan = {
  readonly wanted: Wanted;
  readonly seat: RosterEntry | null;
  readonly effect: "added" | "resumed" | "leaving" | "untold" | "again" | "overtaken" | null;
};

export type Seated =
  | { readonly kind: "seated"; readonly tally: PageTally }
  | { readonly kind: "superseded" }
  | UserFailure;

/**
 * Brings one page of users onto the roster. Doing it again is harmless. Rows carry the step that wrote them: a late twin
 * meets a newer one and stops (I2).
 */
export async function seatPage(
  items: readonly DirectoryItem[],
  state: DirectoryState,
  ports: DiscoverPorts,
): Promise<Seated> {
  const page = await completedPage(items, state, ports);
  if (page.kind === "failed") return page;
  const tally = { seen: page.users.length, added: 0, resumed: 0, leaving: 0, untold: 0 };
  let waiting: readonly Wanted[] = page.users.map(wantedOf);
  for (let turn = 0; waiting.length > 0; turn++) {
    if (turn === ports.limits.turnsMax) throw new Error(`The roster's rows were lost to others ${turn} times.`);
    const isFirstLook = turn === 0;
    const plans = await mapAtOnce(waiting, ports.limits.readsAtOnceMax, (one) =>
      planOf(one, state, ports, isFirstLook),
    );
    if (plans.some(({ effect }) => effect === "overtaken")) return { kind: "superseded" };
    const writing = plans.flatMap(({ seat, ...plan }) => (seat === null ? [] : [{ ...plan, seat }]));
    for (const { seat, effect } of plans) if (seat === null) count(tally, effect);
    const results = await ports.store.roster.commit(writing.map(({ seat }) => seat));
    const lost: Wanted[] = plans.filter(({ effect }) => effect === "again").map(({ wanted }) => wanted);
    for (const [index, { wanted, effect }] of writing.entries()) {
      if (results[index] !== "committed") lost.push(wanted);
      else count(tally, effect);
    }
    waiting = lost;
  }
  return { kind: "seated", tally };
}

function count(tally: { -readonly [Name in keyof PageTally]: PageTally[Name] }, effect: Plan["effect"]): void {
  if (effect === null || effect === "again" || effect === "overtaken") return;
  tally[effect] += 1;
}

function wantedOf(user: Told): Wanted {
  const nothingTold = { userPrincipalName: null, displayName: null, accountEnabled: null, userType: null };
  if (user.kind !== "told") return { mailboxId: user.id, told: user.kind, ...nothingTold, leaveReason: null };
  const { id, userPrincipalName, displayName, accountEnabled, userType } = user.item;
  const leaveReason = leaveReasonOf(user.item);
  return { mailboxId: id, told: "told", userPrincipalName, displayName, accountEnabled, userType, leaveReason };
}

async function planOf(
  wanted: Wanted,
  state: DirectoryState,
  ports: DiscoverPorts,
  isFirstLook: boolean,
): Promise<Plan> {
  if (wanted.told !== "told") return untold(wanted, state, ports);
  // The very first round meets hardly anybody: it writes without reading, and reads only what was refused.
  if (isFirstLook && state.generation === 1 && wanted.leaveReason === null) return adding(wanted, state, ports);
  const held = await ports.store.roster.read(wanted.mailboxId);
  if (held === null) return newcomer(wanted, state, ports, isFirstLook);
  if (held.row.source === manualSource) return nothing(wanted);
  if (held.row.step > state.step) return { wanted, seat: null, effect: "overtaken" };
  if (held.row.state === "suspended") return returning(wanted, held, state, ports);
  if (wanted.leaveReason === null) return staying(wanted, held, state);
  return marked(wanted, held, state);
}

/** Who is listed is still there, and nothing more is known: a full round counts it, as it is. */
async function untold(wanted: Wanted, state: DirectoryState, { store }: DiscoverPorts): Promise<Plan> {
  const held = await store.roster.read(wanted.mailboxId);
  const effect = wanted.told === "hidden" ? "untold" : null;
  if (held === null || held.row.source === manualSource) return { wanted, seat: null, effect };
  if (held.row.step > state.step) return { wanted, seat: null, effect: "overtaken" };
  const isSeen = held.row.state === "suspended" || held.row.generation === state.generation;
  if (!state.isFull || isSeen) return { wanted, seat: null, effect: "untold" };
  const row: RosterRow = { ...held.row, generation: state.generation, step: state.step, leaveReason: null };
  return { wanted, seat: { row, etag: held.etag, checkpoint: null }, effect: "untold" };
}

function nothing(wanted: Wanted): Plan {
  return { wanted, seat: null, effect: null };
}

function adding(wanted: Wanted, state: DirectoryState, ports: DiscoverPorts): Plan {
  const next = newCheckpoint(wanted.mailboxId, ports.newId(), wanted.displayName);
  const row = activeRow(wanted, state, ports.clock.nowMs());
  return { wanted, seat: { row, etag: null, checkpoint: { next, etag: null } }, effect: "added" };
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
  // Without a roster row it was put there by hand, before there were such rows.
  if (before.checkpoint.parkedReason !== removingReason) return nothing(wanted);
  return clearedAway(wanted, ports);
}

/** What is on its way out goes first, so that nothing of its earlier life stays behind. */
async function clearedAway(wanted: Wanted, { store }: DiscoverPorts): Promise<Plan> {
  await store.purgeMailbox(wanted.mailboxId, { onlyLeaving: true });
  return { wanted, seat: null, effect: "again" };
}

function activeRow(wanted: Wanted, state: DirectoryState, sinceMs: number | null): RosterRow {
  return {
    mailboxId: wanted.mailboxId,
    source: state.source,
    state: "active",
    generation: state.generation,
    step: state.step,
    userPrincipalName: wanted.userPrincipalName,
    displayName: wanted.displayName,
    leaveReason: null,
    sinceMs,
    purgeAfterMs: null,
  };
}

/** A full round stamps everybody whom it sees; between full rounds only news is written. Names that were not told stay. */
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
  return isSame ? nothing(wanted) : { wanted, seat: { row: next, etag, checkpoint: null }, effect: null };
}

/** Nobody leaves before the end of a pass, when it is known how many would (I11): only the reason is noted. */
function marked(wanted: Wanted, { row, etag }: RosterHeld, state: DirectoryState): Plan {
  const isKnown = row.leaveReason === wanted.leaveReason && row.generation < state.generation;
  if (isKnown) return { wanted, seat: null, effect: "leaving" };
  const generation = Math.min(row.generation, state.generation - 1);
  const next: RosterRow = { ...row, generation, step: state.step, leaveReason: wanted.leaveReason };
  return { wanted, seat: { row: next, etag, checkpoint: null }, effect: "leaving" };
}

/** The seat that suspends a mailbox, its checkpoint with it; null when it is being removed anyway. */
export async function leavingSeat(
  { row, etag }: RosterHeld,
  why: string,
  state: DirectoryState,
  { store, clock, tombstoneMs }: DiscoverPorts,
): Promise<RosterEntry | null> {
  const held = await store.readMailbox(row.mailboxId);
  if (held === null || held.checkpoint.parkedReason === removingReason) return null;
  const nowMs = clock.nowMs();
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
  if (wanted.leaveReason !== null) return nothing(wanted); // Suspended it is, for whichever reason came first.
  // What it was suspended for is not told any more: that is no word of its return.
  if (row.leaveReason === "disabled" && wanted.accountEnabled === null) return nothing(wanted);
  if (row.leaveReason === "guest" && wanted.userType === null) return nothing(wanted);
  const held = await ports.store.readMailbox(row.mailboxId);
  if (held?.checkpoint.parkedReason === removingReason) return clearedAway(wanted, ports);
  const active = activeRow(wanted, state, ports.clock.nowMs());
  if (held === null) {
    const next = newCheckpoint(row.mailboxId, ports.newId(), wanted.displayName);
    return { wanted, seat: { row: active, etag, checkpoint: { next, etag: null } }, effect: "added" };
  }
  const isSuspended = held.checkpoint.parkedReason === suspendedReason;
  const next = isSuspended ? resumed(held.checkpoint) : held.checkpoint;
  return { wanted, seat: { row: active, etag, checkpoint: { next, etag: held.etag } }, effect: "resumed" };
}
