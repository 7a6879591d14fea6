import { StorageError } from "../table/errors.js";
import type { Action, Columns, Entity, Table, Transacted } from "../table/table.js";
import { sameColumns } from "./columns.js";
import { commitIdColumn } from "./entities.js";
import { shardRowKey } from "./keys.js";
import { type ShardRow, shardRowColumns } from "./shardRow.js";
import type { Piece } from "./units.js";

/** A run's hold on its shard: the row that it writes next, and the ETag of the row as stored. */
export type ShardClaim = { readonly shard: string; readonly row: ShardRow; readonly etag: string };

/** What became of a piece. `refused`: the table will never take it. */
export type Landing =
  | { readonly kind: "committed"; readonly etag: string }
  | { readonly kind: "lostFence" }
  | { readonly kind: "refused"; readonly why: string };

/** What a commit works with, and the claim as it moves on. */
export type Session = {
  readonly table: Table;
  readonly shard: string;
  readonly newCommitId: () => string;
  claim: ShardClaim | null;
  isSuperseded: boolean;
};

type Group = {
  readonly session: Session;
  /** The commit ids of all transactions that were sent for these pieces: whatever carries one of them is ours. */
  readonly ownIds: Set<string>;
  readonly landed: Map<Piece, Landing>;
};

/**
 * Brings pieces of different mailboxes in, together as far as they let each other: one that is refused falls out, and
 * the rest is sent again (I10). Pieces that are missing in the answer were not written, for the run was superseded.
 * @throws StorageError when the table gives no clear answer twice.
 */
export async function landPieces(session: Session, pieces: readonly Piece[]): Promise<ReadonlyMap<Piece, Landing>> {
  const group: Group = { session, ownIds: new Set(), landed: new Map() };
  await land(group, pieces);
  return group.landed;
}

/** Each turn takes a piece out or uses up the one repetition, so it ends. */
async function land(group: Group, pieces: readonly Piece[]): Promise<void> {
  const { session, ownIds } = group;
  let waiting = pieces;
  let wasUnclear = false;
  let conflicts = 0;
  while (waiting.length > 0 && !session.isSuperseded) {
    const commitId = session.newCommitId();
    ownIds.add(commitId);
    let answer: Transacted;
    try {
      answer = await session.table.transact(session.shard, actionsOf(session.claim, waiting, commitId));
    } catch (error) {
      if (!(error instanceof StorageError)) throw error; // No answer of the table, but the end of this run.
      if (await settleIfOwn(group, waiting, waiting[0])) return;
      if (wasUnclear) throw error;
      wasUnclear = true; // Not applied when we looked: once more, under another id.
      continue;
    }
    if (answer.kind === "done") return takeIn(group, waiting, answer.etags);
    const faulty = faultyPiece(session, waiting, answer.index);
    if (faulty === "claim") return loseClaim(group, waiting, answer);
    if (faulty === "unknown") return landHalves(group, waiting, answer);
    if (answer.reason !== "conflict") {
      group.landed.set(faulty, { kind: "refused", why: `refused by the table: ${answer.code}` });
    } else {
      if (await settleIfOwn(group, waiting, faulty)) return;
      group.landed.set(faulty, { kind: "lostFence" });
      conflicts += 1;
    }
    waiting = waiting.filter((piece) => piece !== faulty);
    // Where two have lost, a twin is at work: look at all of them rather than lose one transaction for each.
    if (conflicts === 2) waiting = await withoutStale(group, waiting);
  }
}

function actionsOf(claim: ShardClaim | null, pieces: readonly Piece[], commitId: string): readonly Action[] {
  const withId = (columns: Columns): Columns => ({ ...columns, [commitIdColumn]: commitId });
  const actions: Action[] = pieces.flatMap(({ kind, rowKey, columns, etag, writes }) => [
    { kind, rowKey, columns: withId(columns), etag },
    ...writes.map((write): Action => (write.kind === "delete" ? write : { ...write, columns: withId(write.columns) })),
  ]);
  if (claim === null) return actions;
  return [{ kind: "update", rowKey: shardRowKey, columns: shardRowColumns(claim.row), etag: claim.etag }, ...actions];
}

function takeIn({ session, landed }: Group, pieces: readonly Piece[], etags: readonly string[]): void {
  let position = 0;
  if (session.claim !== null) session.claim = { ...session.claim, etag: etags[position++] ?? "" };
  for (const piece of pieces) {
    landed.set(piece, { kind: "committed", etag: etags[position] ?? "" });
    position += 1 + piece.writes.length;
  }
}

/** The piece that the failing action belongs to. */
function faultyPiece(session: Session, pieces: readonly Piece[], index: number | null): Piece | "claim" | "unknown" {
  if (index === null) return "unknown";
  let end = session.claim === null ? 0 : 1;
  if (index < end) return "claim";
  for (const piece of pieces) {
    end += 1 + piece.writes.length;
    if (index < end) return piece;
  }
  return "unknown";
}

/**
 * Looks whether a piece carries one of our commit ids, which a refusal may hide when the answer to an own success was
 * lost. Then its whole transaction was applied: what each piece's checkpoint says now, counts.
 */
async function settleIfOwn(group: Group, pieces: readonly Piece[], suspect: Piece | undefined): Promise<boolean> {
  if (suspect === undefined || !isOwn(group, await readBack(group.session, suspect))) return false;
  for (const piece of pieces) {
    const seen = await readBack(group.session, piece);
    const isStillOurs = seen !== null && isOwn(group, seen);
    group.landed.set(piece, isStillOurs ? { kind: "committed", etag: seen.etag } : { kind: "lostFence" });
  }
  await readClaimBack(group.session);
  return true;
}

function isOwn({ ownIds }: Group, entity: Entity | null): boolean {
  const commitId = entity?.columns[commitIdColumn];
  return typeof commitId === "string" && ownIds.has(commitId);
}

function readBack({ table, shard }: Session, { rowKey }: Piece): Promise<Entity | null> {
  return table.get(shard, rowKey);
}

/** After a lost answer: the shard's row is ours while it holds just what we wrote, run id included. */
async function readClaimBack(session: Session): Promise<void> {
  const { claim } = session;
  if (claim === null) return;
  const stored = await session.table.get(session.shard, shardRowKey);
  const isOurs = stored !== null && sameColumns(stored.columns, shardRowColumns(claim.row));
  if (isOurs) session.claim = { ...claim, etag: stored.etag };
  else session.isSuperseded = true;
}

/** The shard's row was refused: a newer run has taken the shard over, unless it was our own write that came through. */
async function loseClaim(
  group: Group,
  waiting: readonly Piece[],
  answer: Extract<Transacted, { kind: "refused" }>,
): Promise<void> {
  if (answer.reason !== "conflict") {
    throw new StorageError("transaction, at the shard's own row,", group.session.shard, 400, answer.code);
  }
  if (!(await settleIfOwn(group, waiting, waiting[0]))) group.session.isSuperseded = true;
}

/** The service did not say which one: halves tell. */
async function landHalves(
  group: Group,
  waiting: readonly Piece[],
  answer: Extract<Transacted, { kind: "refused" }>,
): Promise<void> {
  const [first, ...others] = waiting;
  if (first === undefined) return;
  if (answer.reason === "conflict" && (await settleIfOwn(group, waiting, first))) return;
  if (others.length > 0) {
    const middle = waiting.length >>> 1;
    await land(group, waiting.slice(0, middle));
    return land(group, waiting.slice(middle));
  }
  if (answer.reason !== "conflict") {
    group.landed.set(first, { kind: "refused", why: `refused by the table: ${answer.code}` });
    return;
  }
  const seen = await readBack(group.session, first);
  // Its fence still stands, so it was the claim that was refused.
  if (group.session.claim !== null && seen?.etag === first.etag) group.session.isSuperseded = true;
  else group.landed.set(first, { kind: "lostFence" });
}

async function withoutStale(group: Group, pieces: readonly Piece[]): Promise<readonly Piece[]> {
  const fresh: Piece[] = [];
  for (const piece of pieces) {
    const seen = await readBack(group.session, piece);
    if (seen?.etag === piece.etag) fresh.push(piece);
    else if (seen !== null && isOwn(group, seen)) group.landed.set(piece, { kind: "committed", etag: seen.etag });
    else group.landed.set(piece, { kind: "lostFence" });
  }
  return fresh;
}
