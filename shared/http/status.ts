import { createHash } from "node:crypto";
import { LayoutError, StorageError, type Store } from "../store/store.js";
import {
  examplesMax,
  type Health,
  type MirrorFacts,
  type NextFire,
  readHealth,
  type Status,
  statusReader,
  ticksKept,
} from "../views/status.js";
import { partOf, type StatusPart } from "../views/statusPart.js";
import type { HealthView } from "../views/statusSchema.js";
import { type Answer, answer, guarded, type Route, refusal } from "./handler.js";
import { queryMistake } from "./requests.js";
import { etagOf, holdsVersion } from "./versions.js";

/**
 * `GET /api/status?ticks=&since=&examples=&shards=`: the state of the whole mirror, from the shards' figures; 304 to those who have it already. One
 * route serves a process: what it has seen of the shards is kept.
 */
export function statusRoute(facts: MirrorFacts): Route {
  const read = statusReader(facts);
  return async (request, { store, nowMs }) => {
    const part = wantedIn(request);
    if (typeof part === "string") return refusal(400, "invalidRequest", part);
    const status = partOf(await read(store, nowMs(), part.ticks), part);
    const version = versionOf(status);
    const headers = { etag: etagOf(version) };
    if (holdsVersion(request.headers.get("if-none-match"), version)) return { status: 304, headers };
    return { status: 200, headers, jsonBody: status };
  };
}

/** Our choice: longer than the name of any tick. */
const tickNameMax = 128;

/** What is wanted of the status, or what is wrong with the query in one sentence. */
function wantedIn(request: { readonly url: string }): StatusPart | string {
  const mistake = queryMistake(request, ["ticks", "since", "examples", "shards"]);
  if (mistake !== null) return mistake;
  const given = new URL(request.url).searchParams;
  const ticks = wholeIn(given.get("ticks") ?? String(ticksKept), 1, ticksKept);
  if (ticks === null) return `ticks must be a whole number from 1 to ${ticksKept}.`;
  const examples = wholeIn(given.get("examples") ?? String(examplesMax), 0, examplesMax);
  if (examples === null) return `examples must be a whole number from 0 to ${examplesMax}.`;
  const since = given.get("since");
  if (since !== null && (since === "" || since.length > tickNameMax)) {
    return "since must be the name of a tick, as it stands under activity.ticks.";
  }
  const shards = given.get("shards") ?? "all";
  if (shards !== "all" && shards !== "none") return "shards must be all or none.";
  return { ticks, since, examples, hasShards: shards === "all" };
}

function wholeIn(text: string, min: number, max: number): number | null {
  const value = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : null;
}

/** Of all but the time: a status that differs in nothing else tells a viewer nothing new. */
function versionOf({ now: _, ...lasting }: Status): string {
  return createHash("sha256").update(JSON.stringify(lasting)).digest("base64url").slice(0, 22);
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
