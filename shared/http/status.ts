import { LayoutError, StorageError, type Store } from "../store/store.js";
import { type Health, type MirrorFacts, type NextFire, readHealth, readStatus, ticksKept } from "../views/status.js";
import type { HealthView } from "../views/statusSchema.js";
import { type Answer, answer, guarded, type Route, refusal } from "./handler.js";
import { queryMistake } from "./requests.js";

/** `GET /api/status?ticks=`: the state of the whole mirror, from the shards' figures. */
export function statusRoute(facts: MirrorFacts): Route {
  return async (request, { store, nowMs }) => {
    const mistake = queryMistake(request, ["ticks"]);
    if (mistake !== null) return refusal(400, "invalidRequest", mistake);
    const text = new URL(request.url).searchParams.get("ticks") ?? String(ticksKept);
    const ticks = /^\d{1,3}$/.test(text) ? Number(text) : 0;
    if (ticks < 1 || ticks > ticksKept) {
      return refusal(400, "invalidRequest", `ticks must be a whole number from 1 to ${ticksKept}.`);
    }
    return answer(200, await readStatus(store, facts, nowMs(), ticks));
  };
}

/** Our choice: anybody may ask, so one answer serves all who ask within this time. */
const healthKeptMs = 5_000;

/**
 * `GET /api/health`: 200 while storage answers and ticks come in time, else 503, with the reason in one line.
 * @param nextFireMs Absent: how often ticks come is estimated from those that came.
 * @returns What answers one request; its `openStore` throws when the storage cannot be used.
 */
export function healthAnswers(
  shards: readonly string[],
  nowMs: () => number,
  nextFireMs?: NextFire,
): (openStore: () => Promise<Store>) => Promise<Answer> {
  let kept: { readonly atMs: number; readonly health: Promise<Health> } | null = null;
  return async (openStore) => {
    const atMs = nowMs();
    if (kept === null || atMs - kept.atMs >= healthKeptMs)
      kept = { atMs, health: healthOf(shards, openStore, atMs, nextFireMs) };
    const { isHealthy, reason } = await kept.health;
    const view: HealthView = { status: isHealthy ? "healthy" : "unhealthy", reason };
    return guarded(answer(isHealthy ? 200 : 503, view));
  };
}

async function healthOf(
  shards: readonly string[],
  openStore: () => Promise<Store>,
  nowMs: number,
  nextFireMs?: NextFire,
): Promise<Health> {
  try {
    return await readHealth(await openStore(), shards, nowMs, nextFireMs);
  } catch (error) {
    if (!(error instanceof StorageError) && !(error instanceof LayoutError)) throw error;
    return { isHealthy: false, reason: "The storage cannot be used." }; // The log says why, for operators only.
  }
}
