import { actionBytes } from "../table/measure.js";
import type { Table } from "../table/table.js";
import { shardRowKey } from "./keys.js";
import { type Landing, landPieces, type Session, type ShardClaim } from "./landing.js";
import { shardRowColumns } from "./shardRow.js";
import { type GroupLimits, type Held, type Parcel, type PendingUnit, type Piece, parcelOf, roomFor } from "./units.js";

/**
 * What became of a unit. `lostFence`: somebody else moved the mailbox, nothing of this unit counts; not an error.
 * `tooLarge`: the table cannot hold it.
 */
export type UnitResult =
  | { readonly kind: "committed"; readonly held: Held }
  | { readonly kind: "lostFence" }
  | { readonly kind: "tooLarge"; readonly why: string };

export type Committed = {
  /** In the order of the units. */
  readonly results: readonly UnitResult[];
  readonly claim: ShardClaim | "superseded" | null;
};

/** A unit on its way, with its place in the answer. */
type Freight = { readonly index: number; readonly unit: PendingUnit; readonly parcel: Parcel };

/** Commits units of one shard, many whole units per transaction. See `Store.commitUnits`. */
export async function commitUnits(
  table: Table,
  shard: string,
  units: readonly PendingUnit[],
  claim: ShardClaim | null,
  options: { readonly newCommitId: () => string; readonly limits: GroupLimits },
): Promise<Committed> {
  const session: Session = { table, shard, newCommitId: options.newCommitId, claim, isSuperseded: false };
  const room = roomBeside(claim, options.limits);
  const results: UnitResult[] = units.map(() => ({ kind: "lostFence" })); // What stays so was not written at all.
  const freight: Freight[] = [];
  for (const [index, unit] of units.entries()) {
    const parcel = parcelOf(shard, unit, room);
    if ("tooLarge" in parcel) results[index] = { kind: "tooLarge", why: parcel.tooLarge };
    else freight.push({ index, unit, parcel });
  }
  for (const group of groupsOf(freight, room)) {
    for (const [index, result] of await commitGroup(session, group)) results[index] = result;
  }
  return { results, claim: session.isSuperseded ? "superseded" : session.claim };
}

/** What the shard's own row leaves of a transaction. */
function roomBeside(claim: ShardClaim | null, limits: GroupLimits): GroupLimits {
  if (claim === null) return limits;
  const columns = shardRowColumns(claim.row);
  const bytes = actionBytes(claim.shard, { kind: "update", rowKey: shardRowKey, columns, etag: claim.etag });
  return { operationsMax: limits.operationsMax - 1, bodyBytesMax: limits.bodyBytesMax - bytes };
}

function groupsOf(freight: readonly Freight[], room: GroupLimits): readonly (readonly Freight[])[] {
  const groups: Freight[][] = [];
  let joins = roomFor(room);
  for (const item of freight) {
    const isJoining = joins(item.parcel);
    if (!isJoining) {
      joins = roomFor(room);
      joins(item.parcel);
    }
    const group = groups.at(-1);
    if (isJoining && group !== undefined) group.push(item);
    else groups.push([item]);
  }
  return groups;
}

/** A group in one transaction, or a unit that is too large for one in several, each under the ETag of the one before. */
async function commitGroup(
  session: Session,
  group: readonly Freight[],
): Promise<readonly (readonly [number, UnitResult])[]> {
  const [first] = group;
  if (first !== undefined && first.parcel.pieces.length > 1) return [[first.index, await commitTorn(session, first)]];
  const pieces = group.flatMap(({ parcel }) => parcel.pieces);
  const landed = await landPieces(session, pieces);
  return group.map(({ index, unit }, position) => [index, resultOf(unit, landingOf(landed, pieces[position]))]);
}

async function commitTorn(session: Session, { unit, parcel }: Freight): Promise<UnitResult> {
  let etag = unit.held.etag;
  let landing: Landing = { kind: "lostFence" };
  for (const piece of parcel.pieces) {
    const fenced: Piece = { ...piece, etag };
    landing = landingOf(await landPieces(session, [fenced]), fenced);
    if (landing.kind !== "committed") break;
    etag = landing.etag;
  }
  return resultOf(unit, landing);
}

function landingOf(landed: ReadonlyMap<Piece, Landing>, piece: Piece | undefined): Landing {
  return (piece === undefined ? undefined : landed.get(piece)) ?? { kind: "lostFence" };
}

function resultOf(unit: PendingUnit, landing: Landing): UnitResult {
  switch (landing.kind) {
    case "committed":
      return { kind: "committed", held: { checkpoint: unit.next, etag: landing.etag } };
    case "refused":
      return { kind: "tooLarge", why: landing.why };
    case "lostFence":
      return landing;
  }
}
