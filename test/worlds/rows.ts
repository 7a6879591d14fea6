import type { ShardRow } from "../../shared/store/shardRow.js";
import {
  createStore,
  type Held,
  manualSource,
  type PendingUnit,
  type RosterRow,
  type Store,
  type StoreParts,
} from "../../shared/store/store.js";
import type { CalendarRow, Checkpoint } from "../../shared/sync/types.js";

/** Any checkpoint of a mailbox in rest, about 1 KB with its link. */
export function checkpoint(mailboxId: string, changed: Partial<Checkpoint> = {}): Checkpoint {
  const base = {
    mailboxId,
    epoch: "epoch-1",
    strategy: "delta",
    phase: "idle",
    link: "https://graph.example/delta-0",
    generation: 1,
    sequence: 0,
    nudgedSequence: 0,
    retiredSequence: 0,
    roundId: "round-1",
    roundReason: "changes",
    roundStartedMs: 1_000,
    pageNumber: 1,
    payloadHash: null,
    payloadRepeats: 0,
    notBeforeMs: null,
    lastSuccessMs: 2_000,
    lastChangeMs: null,
    lastFullRoundMs: 3_000,
    failuresInARow: 0,
    resetsInARow: 0,
    loopsInARow: 0,
    lastErrorCode: null,
    parkedReason: null,
    heldRemovals: null,
    deltaProbeMs: null,
    driftFound: 0,
    calendarCount: 0,
    displayName: "Adele Vance",
    lastTick: "tick-1",
    walked: null,
    aloneUntilMs: null,
  };
  return { ...base, ...changed } as Checkpoint;
}

export function row(calendarId: string, changed: Partial<CalendarRow> = {}): CalendarRow {
  const resource = { id: calendarId, name: calendarId };
  return { calendarId, resource, generation: 1, sequence: 1, changedMs: 5_000, removedMs: null, ...changed };
}

/** `count` rows whose sequences follow `from`. */
export function rowsFrom(from: number, count: number): readonly CalendarRow[] {
  return Array.from({ length: count }, (_, index) => {
    const sequence = from + 1 + index;
    return row(`calendar-${String(sequence).padStart(4, "0")}`, { sequence });
  });
}

/** A unit that moves the link to `link` and writes rows; the sequence is the last row's. */
export function unit(held: Held, link: string, rows: readonly CalendarRow[] = []): PendingUnit {
  const sequence = rows.reduce((highest, next) => Math.max(highest, next.sequence), held.checkpoint.sequence);
  return { held, rows, next: checkpoint(held.checkpoint.mailboxId, { link, sequence }) };
}

export function shardRow(runId: string, cursor: string | null = null): ShardRow {
  const run = {
    tick: "tick-1",
    runId,
    startedMs: 10_000,
    cursor,
    from: null,
    wrapped: false,
    finishedMs: null,
    seenMs: 11_000,
  };
  return { run };
}

/** A store whose commit ids are counted up, so that runs of a test are alike. */
export function storeOn(table: StoreParts["table"], changed: Partial<StoreParts> = {}): Store {
  commitIds += 1;
  const writer = commitIds;
  let count = 0;
  const newCommitId = () => {
    count += 1;
    return `commit-${writer}-${count}`;
  };
  return createStore({ table, shards: 1, newCommitId, ...changed });
}

let commitIds = 0;

export async function added(store: Store, mailboxId: string, changed: Partial<Checkpoint> = {}): Promise<Held> {
  const row: RosterRow = {
    mailboxId,
    source: manualSource,
    state: "active",
    generation: 0,
    step: 0,
    userPrincipalName: null,
    displayName: null,
    leaveReason: null,
    sinceMs: null,
    purgeAfterMs: null,
  };
  const next = checkpoint(mailboxId, changed);
  const [result] = await store.roster.commit([{ row, etag: null, checkpoint: { next, etag: null } }]);
  const held = await store.readMailbox(mailboxId);
  if (result !== "committed" || held === null) throw new Error(`Mailbox ${mailboxId} was not added.`);
  return held;
}

export async function addedMany(store: Store, count: number): Promise<readonly Held[]> {
  const all: Held[] = [];
  for (let index = 0; index < count; index++) {
    all.push(await added(store, `m${String(index).padStart(3, "0")}`));
  }
  return all;
}
