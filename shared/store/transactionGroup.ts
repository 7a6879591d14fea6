import type { LogEntry } from "../sync/changeLog.js";
import { StorageError } from "../table/errors.js";
import { actionBytes } from "../table/measure.js";
import { type Action, type Entity, type Table, type Transacted, tableLimits } from "../table/table.js";
import { commitIdColumn } from "./columns.js";
import { logKey } from "./keys.js";
import { logColumns } from "./logRow.js";
import { claimAction, ownClaim, type ShardClaim } from "./shardClaim.js";

/** How much goes into one transaction. */
export type GroupLimits = {
  readonly operationsMax: number;
  readonly bodyBytesMax: number;
  /** Of the entries of one row of the change log: UTF-16 units of JSON. */
  readonly logUnitsMax: number;
};

/** What the table service takes, with a margin for the body and for the log's row: our count of bytes is an estimate. */
export const groupLimits: GroupLimits = {
  operationsMax: tableLimits.operationsPerTransaction,
  bodyBytesMax: 3.5 * 1024 * 1024,
  logUnitsMax: 400_000,
};

/** Operations that one transaction takes besides the shard's row. */
export const operationsBesideShardRow = groupLimits.operationsMax - 1;

/** What one transaction carries of an entry. */
export type Part = {
  /** Holds the ETag that a late writer fails at, and the commit id by which an own success is recognized. */
  readonly fence: Exclude<Action, { readonly kind: "upsert" }>;
  readonly others: readonly Action[];
  /** An upper bound of what it adds to the body of a transaction. */
  readonly bytes: number;
  /** What the change log tells of it, in a row of the same transaction. Only under a claim. */
  readonly log?: PartLog | null;
};

/** An entry of the change log. `units`: of its JSON. */
export type PartLog = { readonly entry: LogEntry; readonly units: number };

/**
 * Writes that stand or fall together: a mailbox's checkpoint with its rows, or a roster row with its checkpoint. One part,
 * but for an entry that is larger than a transaction: that one is torn, and each part is fenced by the one before.
 */
export type TransactionEntry = { readonly parts: readonly Part[] };

/**
 * What became of an entry. `committed`: with the ETag of its fence. `lostFence`: somebody else wrote first, or the run was
 * superseded before it was sent. `refused`: the table will never take it.
 */
export type EntryResult =
  | { readonly kind: "committed"; readonly etag: string }
  | { readonly kind: "lostFence" }
  | { readonly kind: "refused"; readonly code: string };

/** One commit within one partition, and the claim as it moves on: with a claim each transaction carries the shard's row. */
export type Session = {
  readonly table: Table;
  readonly shard: string;
  readonly newCommitId: () => string;
  /** What a row of the change log says of when it was written. */
  readonly loggedMs: number;
  claim: ShardClaim | null;
  isSuperseded: boolean;
};

/** Parts that share a transaction, or shared one until a refusal took it apart. */
type Group = {
  readonly session: Session;
  /** The commit ids of all transactions that were sent for these parts: whatever carries one of them is ours. */
  readonly ownIds: Set<string>;
  readonly results: Map<Part, EntryResult>;
};

type Refusal = Extract<Transacted, { readonly kind: "refused" }>;

const lostFence: EntryResult = { kind: "lostFence" };

/** Column `commitId`, which the transaction adds to each entity. */
const commitIdBytes = 160;

/** A commit that is about to begin. */
export function sessionOf(
  table: Table,
  shard: string,
  { newCommitId, loggedMs = 0 }: { readonly newCommitId: () => string; readonly loggedMs?: number },
  claim: ShardClaim | null = null,
): Session {
  return { table, shard, newCommitId, loggedMs, claim, isSuperseded: false };
}

/** The most bytes that an action adds to the body of a transaction, its commit id included. */
export function bytesOf(shard: string, action: Action): number {
  return actionBytes(shard, action) + (action.kind === "delete" ? 0 : commitIdBytes);
}

/** What the shard's own row leaves of a transaction. */
export function roomBeside(claim: ShardClaim | null, limits: GroupLimits): GroupLimits {
  if (claim === null) return limits;
  const bytes = actionBytes(claim.shard, claimAction(claim));
  return { ...limits, operationsMax: limits.operationsMax - 1, bodyBytesMax: limits.bodyBytesMax - bytes };
}

/**
 * Commits entries of one partition, as many per transaction as `room` allows. An entry that is refused is left out, and the
 * others are sent again (I10).
 * @returns A result for each entry.
 * @throws StorageError when the table gives no clear answer twice; entries before that may have been committed.
 */
export async function commitEntries(
  session: Session,
  entries: readonly TransactionEntry[],
  room: GroupLimits,
): Promise<ReadonlyMap<TransactionEntry, EntryResult>> {
  const results = new Map<TransactionEntry, EntryResult>();
  for (const group of groupsOf(entries, room)) {
    const [first] = group;
    if (first !== undefined && first.parts.length > 1) {
      results.set(first, await commitTorn(session, first));
      continue;
    }
    const parts = group.flatMap((entry) => entry.parts);
    const committed = await commitParts(session, parts);
    for (const [index, entry] of group.entries()) results.set(entry, resultOf(committed, parts[index]));
  }
  return results;
}

/** Commits one part in a transaction of its own. @throws StorageError as `commitEntries` does. */
export async function commitPart(session: Session, part: Part): Promise<EntryResult> {
  return resultOf(await commitParts(session, [part]), part);
}

/** Entries in order. A torn one stays alone, and two of one fence never meet: a transaction may name an entity once. */
function groupsOf(entries: readonly TransactionEntry[], room: GroupLimits): readonly (readonly TransactionEntry[])[] {
  const groups: TransactionEntry[][] = [];
  let fences = new Set<string>();
  let operations = 0;
  let bytes = 0;
  let logUnits = 0;
  for (const entry of entries) {
    const [first, ...later] = entry.parts;
    if (first === undefined) continue;
    const size = 1 + first.others.length;
    const units = first.log?.units ?? 0;
    const logRow = logUnits + units > 0 ? 1 : 0;
    const fits =
      operations + size + logRow <= room.operationsMax &&
      bytes + first.bytes <= room.bodyBytesMax &&
      logUnits + units <= room.logUnitsMax;
    const group = groups.at(-1);
    const isAlone = group === undefined || later.length > 0 || (group[0]?.parts.length ?? 0) > 1;
    if (isAlone || !fits || fences.has(first.fence.rowKey)) {
      groups.push([entry]);
      [fences, operations, bytes, logUnits] = [new Set(), 0, 0, 0];
    } else {
      group.push(entry);
    }
    fences.add(first.fence.rowKey);
    operations += size;
    bytes += first.bytes;
    logUnits += units;
  }
  return groups;
}

async function commitTorn(session: Session, { parts }: TransactionEntry): Promise<EntryResult> {
  let result: EntryResult = lostFence;
  for (const part of parts) {
    result = await commitPart(session, result.kind === "committed" ? fencedBy(part, result.etag) : part);
    if (result.kind !== "committed") break;
  }
  return result;
}

function fencedBy(part: Part, etag: string): Part {
  return part.fence.kind === "create" || part.fence.kind === "delete"
    ? part
    : { ...part, fence: { ...part.fence, etag } };
}

function resultOf(results: ReadonlyMap<Part, EntryResult>, part: Part | undefined): EntryResult {
  return (part === undefined ? undefined : results.get(part)) ?? lostFence;
}

/** Parts that are missing in the answer were not written, for the run was superseded. */
async function commitParts(session: Session, parts: readonly Part[]): Promise<ReadonlyMap<Part, EntryResult>> {
  const group: Group = { session, ownIds: new Set(), results: new Map() };
  await send(group, parts);
  return group.results;
}

/** Each attempt takes a part out or uses up the one repetition, so it ends. */
async function send(group: Group, parts: readonly Part[]): Promise<void> {
  const { session, ownIds } = group;
  let waiting = parts;
  let wasUnclear = false;
  let conflicts = 0;
  while (waiting.length > 0 && !session.isSuperseded) {
    const commitId = session.newCommitId();
    ownIds.add(commitId);
    const sent = sendingOf(session, waiting, commitId);
    let answer: Transacted;
    try {
      answer = await session.table.transact(session.shard, sent.actions);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error; // No answer of the table, but the end of this run.
      if (await settleIfOwn(group, waiting, waiting[0])) return;
      if (wasUnclear) throw error;
      wasUnclear = true; // Not applied when we looked: once more, under another id.
      continue;
    }
    if (answer.kind === "done") return takeIn(group, sent, waiting, answer.etags);
    const faulty = faultyPart(sent, waiting, answer.index);
    if (faulty === "claim") return loseClaim(group, waiting, answer);
    if (faulty === "unknown") return sendHalves(group, waiting, answer);
    if (answer.reason !== "conflict") {
      group.results.set(faulty, { kind: "refused", code: answer.code });
    } else {
      if (await settleIfOwn(group, waiting, faulty)) return;
      group.results.set(faulty, lostFence);
      conflicts += 1;
    }
    waiting = waiting.filter((part) => part !== faulty);
    // Where two have lost, a twin is at work: look at all of them rather than lose one transaction for each.
    if (conflicts === 2) waiting = await withoutStale(group, waiting);
  }
}

/** A transaction. Before the parts' own actions stand the shard's row, as `claim` says it, and the log's. */
type Sending = { readonly claim: ShardClaim | null; readonly ownActions: number; readonly actions: readonly Action[] };

/** Numbers of the log need no lock: whoever has taken the shard over since makes the whole transaction fail (I12). */
function sendingOf({ claim: before, loggedMs }: Session, parts: readonly Part[], commitId: string): Sending {
  const signed = (action: Action): Action =>
    action.kind === "delete" ? action : { ...action, columns: { ...action.columns, [commitIdColumn]: commitId } };
  const actions = parts.flatMap(({ fence, others }) => [fence, ...others]).map(signed);
  if (before === null) return { claim: null, ownActions: 0, actions };
  const entries = parts.flatMap(({ log }) => (log === null || log === undefined ? [] : [log.entry]));
  if (entries.length === 0) return { claim: before, ownActions: 1, actions: [claimAction(before), ...actions] };
  const { run, log: stands } = before.row;
  if (stands === null) throw new RangeError("The claim does not say where the change log stands.");
  const log = { ...stands, number: stands.number + 1 };
  const claim = { ...before, row: { run, log } };
  const columns = logColumns(loggedMs, entries);
  const row = signed({ kind: "upsert", rowKey: logKey(log.number), columns });
  return { claim, ownActions: 2, actions: [claimAction(claim), row, ...actions] };
}

function takeIn(
  { session, results }: Group,
  { claim, ownActions }: Sending,
  parts: readonly Part[],
  etags: readonly string[],
): void {
  let position = ownActions;
  if (claim !== null) session.claim = { ...claim, etag: etags[0] ?? "" };
  for (const part of parts) {
    results.set(part, { kind: "committed", etag: etags[position] ?? "" });
    position += 1 + part.others.length;
  }
}

/** The part that the failing action belongs to. */
function faultyPart({ ownActions }: Sending, parts: readonly Part[], index: number | null): Part | "claim" | "unknown" {
  if (index === null) return "unknown";
  let end = ownActions;
  if (index < end) return "claim";
  for (const part of parts) {
    end += 1 + part.others.length;
    if (index < end) return part;
  }
  return "unknown";
}

/**
 * Looks whether a part carries one of our commit ids, which a refusal may hide when the answer to an own success was lost.
 * Then its whole transaction was applied: what each part's fence says now, counts.
 */
async function settleIfOwn(group: Group, parts: readonly Part[], suspect: Part | undefined): Promise<boolean> {
  const { session } = group;
  if (suspect === undefined || !(await isApplied(group, suspect))) return false;
  for (const part of parts) group.results.set(part, appliedResult(group, part, await readFence(session, part)));
  if (session.claim === null) return true;
  const own = await ownClaim(session.table, session.claim);
  if (own === null) session.isSuperseded = true;
  else session.claim = own;
  return true;
}

/** Whether a transaction of ours with this part was applied. A delete leaves nothing behind: the log's row tells. */
async function isApplied(group: Group, { fence }: Part): Promise<boolean> {
  const { table, shard, claim } = group.session;
  const witness = fence.kind === "delete" ? logKey((claim?.row.log?.number ?? 0) + 1) : fence.rowKey;
  return isOwn(group, await table.get(shard, witness));
}

/** What an applied transaction of ours has made of a part, as its fence stands now. */
function appliedResult(group: Group, { fence }: Part, stored: Entity | null): EntryResult {
  if (fence.kind === "delete") return stored === null ? { kind: "committed", etag: "" } : lostFence;
  return ownResult(group, stored);
}

function readFence({ table, shard }: Session, { fence }: Part): Promise<Entity | null> {
  return table.get(shard, fence.rowKey);
}

/** `committed` where the fence as stored was written by one of our transactions. */
function ownResult(group: Group, stored: Entity | null): EntryResult {
  return isOwn(group, stored) && stored !== null ? { kind: "committed", etag: stored.etag } : lostFence;
}

function isOwn({ ownIds }: Group, stored: Entity | null): boolean {
  const commitId = stored?.columns[commitIdColumn];
  return typeof commitId === "string" && ownIds.has(commitId);
}

/** Whether the fence stands as this part expects it. */
function isUnmoved({ fence }: Part, stored: Entity | null): boolean {
  if (fence.kind === "delete" && fence.etag === "*") return stored !== null;
  return (stored?.etag ?? null) === (fence.kind === "create" ? null : fence.etag);
}

/** The shard's row was refused: a newer run has taken the shard over, unless it was our own write that came through. */
async function loseClaim(group: Group, waiting: readonly Part[], answer: Refusal): Promise<void> {
  if (answer.reason !== "conflict") {
    throw new StorageError("transaction, at the shard's own row,", group.session.shard, 400, answer.code);
  }
  if (!(await settleIfOwn(group, waiting, waiting[0]))) group.session.isSuperseded = true;
}

/** The service did not say which one is at fault: halves show it. */
async function sendHalves(group: Group, waiting: readonly Part[], answer: Refusal): Promise<void> {
  const [first, ...others] = waiting;
  if (first === undefined) return;
  if (answer.reason === "conflict" && (await settleIfOwn(group, waiting, first))) return;
  if (others.length > 0) {
    const middle = waiting.length >>> 1;
    await send(group, waiting.slice(0, middle));
    return send(group, waiting.slice(middle));
  }
  if (answer.reason !== "conflict") {
    group.results.set(first, { kind: "refused", code: answer.code });
  } else if (group.session.claim !== null && isUnmoved(first, await readFence(group.session, first))) {
    group.session.isSuperseded = true; // So it was the claim that was refused.
  } else {
    group.results.set(first, lostFence);
  }
}

async function withoutStale(group: Group, parts: readonly Part[]): Promise<readonly Part[]> {
  const fresh: Part[] = [];
  for (const part of parts) {
    const stored = await readFence(group.session, part);
    if (isUnmoved(part, stored)) fresh.push(part);
    else group.results.set(part, ownResult(group, stored));
  }
  return fresh;
}
