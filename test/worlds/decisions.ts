import { newCheckpoint } from "../../shared/sync/checkpoint.js";
import type { CalendarRow, Checkpoint, Item, JsonObject, Moment, Outcome, Phase } from "../../shared/sync/types.js";

/** Builders for the pure core's tests: say only what the test is about. */

export const nowMs = Date.UTC(2026, 0, 1, 12);
export const moment: Moment = { nowMs, jitter: 1, roundId: "round-new", tick: "tick-1" };

export function checkpointIn(phase: Phase, more: Partial<Checkpoint> = {}): Checkpoint {
  const fresh = newCheckpoint("m", "epoch", null);
  const walked = { generation: 1, roundId: "round-1", roundStartedMs: nowMs - 1000, pageNumber: 1, calendarCount: 2 };
  const served = { lastSuccessMs: nowMs - 300_000, lastFullRoundMs: nowMs - 300_000 };
  const base: Record<Phase, Checkpoint> = {
    initial: { ...fresh, phase: "initial", link: null },
    full: { ...fresh, ...walked, phase: "full", link: "next-1" },
    incremental: { ...fresh, ...walked, ...served, phase: "incremental", roundReason: "changes", link: "next-1" },
    idle: { ...fresh, ...walked, ...served, phase: "idle", link: "delta-1" },
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
  return { kind: "lastPage", items, link, payloadHash: `hash of ${link}` };
}

export function row(calendarId: string, more: Partial<CalendarRow> = {}): CalendarRow {
  return {
    calendarId,
    resource: { id: calendarId, name: calendarId },
    generation: 1,
    sequence: 1,
    changedMs: nowMs - 600_000,
    removedMs: null,
    ...more,
  };
}
