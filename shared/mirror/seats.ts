import type { DirectoryItem } from "../graph/directory.js";
import { manualSource, type RosterHeld, type RosterRow, type Seat } from "../store/store.js";
import { resumed, suspended } from "../sync/care.js";
import { newCheckpoint } from "../sync/checkpoint.js";
import type { DirectoryState, PageTally } from "../sync/directory.js";
import { removingReason, suspendedReason } from "../sync/due.js";
import { type DiscoverPorts, mapAtOnce } from "./discoverPorts.js";

/** A user as the roster wants it: `leaveReason` says why not to mirror it, null to mirror it. */
type Wanted = {
  readonly mailboxId: string;
  readonly userPrincipalName: string | null;
  readonly displayName: string | null;
  readonly leaveReason: string | null;
};

/** What is to be written for one user. `again`: something was cleared away first, look once more. */
type Plan = {
  readonly wanted: Wanted;
  readonly seat: Seat | null;
  readonly effect: "added" | "resumed" | "suspended" | "again" | "overtaken" | null;
};

export type Seated =
  | { readonly kind: "seated"; readonly tally: PageTally }
  | { readonly kind: "superseded" }
  | { readonly kind: "failed"; readonly code: string };

/** Why a user is not mirrored, or null. What was not told counts for the user: only evidence takes anybody away. */
export function leaveReasonOf(item: DirectoryItem): string | null {
  if (item.removed !== null) return item.removed === "deleted" ? "deleted" : "softDeleted";
  if (item.accountEnabled === false) return "disabled";
  if (item.userType?.toLowerCase() === "guest") return "guest";
  return item.mail === null || item.mail === "" ? "noMail" : null;
}

/**
 * Brings one page of users onto the roster. Doing it again is harmless. Rows carry the step that wrote them: a late twin
 * meets a newer one and stops (I2).
 */
export async function seatPage(
  items: readonly DirectoryItem[],
  state: DirectoryState,
  ports: DiscoverPorts,
): Promise<Seated> {
  const known = await completed(items, state, ports);
  if (typeof known === "string") return { kind: "failed", code: known };
  const latest = new Map(known.map((item) => [item.id, item])); // A user may come twice; the last word wins.
  const tally = { seen: latest.size, added: 0, resumed: 0, suspended: 0 };
  let waiting: readonly Wanted[] = [...latest.values()].map(wantedOf);
  for (let turn = 0; waiting.length > 0; turn++) {
    if (turn === ports.limits.turnsMax) throw new Error(`The roster's rows were lost to others ${turn} times.`);
    const isFirstLook = turn === 0;
    const plans = await mapAtOnce(waiting, ports.limits.readsAtOnceMax, (one) =>
      planOf(one, state, ports, isFirstLook),
    );
    if (plans.some(({ effect }) => effect === "overtaken")) return { kind: "superseded" };
    const writing = plans.flatMap(({ seat, ...plan }) => (seat === null ? [] : [{ ...plan, seat }]));
    const results = await ports.store.roster.commit(writing.map(({ seat }) => seat));
    const lost: Wanted[] = plans.filter(({ effect }) => effect === "again").map(({ wanted }) => wanted);
    for (const [index, { wanted, effect }] of writing.entries()) {
      if (results[index] !== "seated") lost.push(wanted);
      else if (effect === "added" || effect === "resumed" || effect === "suspended") tally[effect] += 1;
    }
    waiting = lost;
  }
  return { kind: "seated", tally };
}

function wantedOf(item: DirectoryItem): Wanted {
  const { id, userPrincipalName, displayName } = item;
  return { mailboxId: id, userPrincipalName, displayName, leaveReason: leaveReasonOf(item) };
}

/** Between full rounds a page may tell a user in part: such users are looked up. Returns a code when that failed. */
async function completed(
  items: readonly DirectoryItem[],
  state: DirectoryState,
  { directory, limits, log }: DiscoverPorts,
): Promise<readonly DirectoryItem[] | string> {
  if (state.isFull) return items;
  let failedCode: string | null = null;
  const known = await mapAtOnce(items, limits.lookupsAtOnceMax, async (item) => {
    if (item.isWhole || item.removed !== null) return [item];
    const looked = await directory.user(item.id);
    if (looked.kind === "user") return [looked.item];
    // Not there any more: the directory will say so itself, with its reason.
    if (looked.kind === "failed") failedCode = looked.code;
    return [];
  });
  if (failedCode === null) return known.flat();
  // One user that fails for ever must not hold the others up (I10).
  if (state.failuresInARow < limits.waitsMax) return failedCode;
  log("error", "users left out: they could not be looked up", { code: failedCode });
  return known.flat();
}

async function planOf(
  wanted: Wanted,
  state: DirectoryState,
  ports: DiscoverPorts,
  isFirstLook: boolean,
): Promise<Plan> {
  // The very first round meets hardly anybody: it writes without reading, and reads only what was refused.
  if (isFirstLook && state.generation === 1 && wanted.leaveReason === null) return adding(wanted, state, ports);
  const held = await ports.store.roster.read(wanted.mailboxId);
  if (held === null) return newcomer(wanted, state, ports, isFirstLook);
  if (held.row.source === manualSource) return nothing(wanted);
  if (held.row.step > state.step) return { wanted, seat: null, effect: "overtaken" };
  if (held.row.state === "suspended") return returning(wanted, held, state, ports);
  if (wanted.leaveReason === null) return staying(wanted, held, state);
  return state.isFull ? marked(wanted, held, state) : suspending(wanted, held, state, ports);
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

/** A full round stamps everybody whom it sees; between full rounds only news is written. */
function staying(wanted: Wanted, { row, etag }: RosterHeld, state: DirectoryState): Plan {
  const next = activeRow(wanted, state, row.sinceMs);
  const isSame =
    row.userPrincipalName === next.userPrincipalName &&
    row.displayName === next.displayName &&
    row.leaveReason === null &&
    row.source === next.source &&
    row.generation === next.generation;
  return isSame ? nothing(wanted) : { wanted, seat: { row: next, etag, checkpoint: null }, effect: null };
}

/** Within a full round nobody leaves before its end, when it is known how many would: only the reason is noted. */
function marked(wanted: Wanted, { row, etag }: RosterHeld, state: DirectoryState): Plan {
  if (row.leaveReason === wanted.leaveReason && row.generation < state.generation) return nothing(wanted);
  const generation = Math.min(row.generation, state.generation - 1);
  const next: RosterRow = { ...row, generation, step: state.step, leaveReason: wanted.leaveReason };
  return { wanted, seat: { row: next, etag, checkpoint: null }, effect: null };
}

async function suspending(
  wanted: Wanted,
  held: RosterHeld,
  state: DirectoryState,
  ports: DiscoverPorts,
): Promise<Plan> {
  const seat = await leavingSeat(held, wanted.leaveReason ?? "vanished", state, ports);
  return { wanted, seat, effect: seat === null ? null : "suspended" };
}

/** The seat that suspends a mailbox, its checkpoint with it; null when it is being removed anyway. */
export async function leavingSeat(
  { row, etag }: RosterHeld,
  why: string,
  state: DirectoryState,
  { store, clock, tombstoneMs }: DiscoverPorts,
): Promise<Seat | null> {
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
