import type { ShardRow } from "../../shared/store/shardRow.js";
import type { Held, PendingUnit } from "../../shared/store/store.js";
import { newCheckpoint } from "../../shared/sync/checkpoint.js";
import type { CalendarRow, Checkpoint, Item, JsonObject, Moment, Outcome, Phase } from "../../shared/sync/types.js";

/** Builders of what is stored, and of what Graph's pages say: a test writes only what it is about. */

export const nowMs = Date.UTC(2026, 0, 1, 12);
export const moment: Moment = { nowMs, jitter: 1, roundId: "round-new", tick: "tick-1" };

/** The checkpoint of a mailbox in rest, about 1 KB with its link. */
export function checkpoint(mailboxId: string, changed: Partial<Checkpoint> = {}): Checkpoint {
  const asked = { generation: 1, roundId: "round-1", roundReason: "changes", roundStartedMs: 1_000, pageNumber: 1 };
  const served = { phase: "idle", link: "https://graph.example/delta-0", lastSuccessMs: 2_000, lastFullRoundMs: 3_000 };
  const fresh = newCheckpoint(mailboxId, "epoch-1", "Adele Vance");
  return { ...fresh, ...asked, ...served, lastTick: "tick-1", ...changed } as Checkpoint;
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
  return { run, log: { number: 0, nudgedNumber: 0 } };
}

/** The checkpoint of mailbox `m` in a phase. */
export function checkpointIn(phase: Phase, more: Partial<Checkpoint> = {}): Checkpoint {
  const fresh = newCheckpoint("m", "epoch", null);
  const asked = { generation: 1, roundId: "round-1", roundStartedMs: nowMs - 1000, pageNumber: 1, calendarCount: 2 };
  const served = { lastSuccessMs: nowMs - 300_000, lastFullRoundMs: nowMs - 300_000 };
  const base: Record<Phase, Checkpoint> = {
    initial: { ...fresh, phase: "initial", link: null },
    full: { ...fresh, ...asked, phase: "full", link: "next-1" },
    incremental: { ...fresh, ...asked, ...served, phase: "incremental", roundReason: "changes", link: "next-1" },
    idle: { ...fresh, ...asked, ...served, phase: "idle", link: "delta-1" },
  };
  return { ...base[phase], ...more } as Checkpoint;
}

export function item(calendarId: string, properties: JsonObject = { name: calendarId }): Item {
  return { calendarId, removed: false, properties: { id: calendarId, ...properties } };
}

export function removal(calendarId: string): Item {
  return { calendarId, removed: true, properties: { id: calendarId, "@removed": { reason: "deleted" } } };
}

export function page(link: string, items: readonly Item[] = [], payloadHash = `hash of ${link}`): Outcome {
  return { kind: "page", items, link, payloadHash };
}

export function lastPage(link: string | null, items: readonly Item[] = []): Outcome {
  return { kind: "lastPage", items, link };
}
