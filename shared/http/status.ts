import { LayoutError, StorageError, type Store } from "../store/store.js";
import { type Health, type MirrorFacts, type NextFire, readHealth, readStatus } from "../views/status.js";
import { type Answer, answer, guarded, type Route, refusal } from "./handler.js";
import { queryMistake } from "./requests.js";

const ticksDefault = 288;

/** `GET /api/status?ticks=`: how the whole mirror stands, from the shards' figures. */
export function statusRoute(facts: MirrorFacts): Route {
  return async (request, { store, nowMs }) => {
    const mistake = queryMistake(request, ["ticks"]);
    if (mistake !== null) return refusal(400, "invalidRequest", mistake);
    const text = new URL(request.url).searchParams.get("ticks") ?? String(ticksDefault);
    const ticks = /^\d{1,3}$/.test(text) ? Number(text) : 0;
    if (ticks < 1 || ticks > ticksDefault) {
      return refusal(400, "invalidRequest", `ticks must be a whole number from 1 to ${ticksDefault}.`);
    }
    return answer(200, await readStatus(store, facts, nowMs(), ticks));
  };
}

/** Anybody may ask: an answer serves all who ask within this time. */
const healthKeptMs = 5_000;

/**
 * `GET /api/health`: 200 while storage answers and ticks come in time, else 503, with the reason in one line.
 * @returns What answers one request; `openStore` throws when the storage cannot be used.
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
    return guarded(answer(isHealthy ? 200 : 503, { status: isHealthy ? "healthy" : "unhealthy", reason }));
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
    return { isHealthy: false, reason: "The storage cannot be used." }; // Its log says why: that is for operators.
  }
}
