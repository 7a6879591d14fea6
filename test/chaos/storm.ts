import { setTimeout as pause } from "node:timers/promises";
import type { FaultRule } from "../../local/graph/faults.js";
import { below } from "../../local/graph/random.js";
import type { Store } from "../../shared/store/store.js";
import type { Followers } from "./followers.js";
import type { Place } from "./hosts.js";
import { differences, openMirror } from "./mirror.js";
import type { TenantReaders } from "./tenantReaders.js";
import type { ChaosWorld } from "./world.js";

const tickMs = 2_000;
/** Longer than any wait that the storm's faults can lead to, once whoever is parked was released. */
const calmMsMax = 120_000;
/** Longer than any answer of the storm is on its way. */
const releasingMs = 10_000;

const faults: readonly FaultRule[] = [
  { kind: "throttled", rate: 0.04, seconds: 1 },
  { kind: "throttledApplication", rate: 0.02, seconds: 1 },
  { kind: "unavailable", rate: 0.04 },
  { kind: "gatewayTimeout", rate: 0.02 },
  { kind: "serverError", rate: 0.03 },
  { kind: "claimsChallenge", rate: 0.02 },
  { kind: "resetSync", rate: 0.02 },
  { kind: "truncatedBody", rate: 0.03 },
  { kind: "connectionReset", rate: 0.03 },
  { kind: "emptyPages", rate: 0.1 },
  { kind: "repeatedItems", rate: 0.1, form: "page" },
  { kind: "partialItems", rate: 0.3 },
  { kind: "replays", rate: 0.2 },
  { kind: "poisonedLink", rate: 0.01, form: "host" },
  { kind: "batchMissingItem", rate: 0.05 },
  { kind: "batchDoubledItem", rate: 0.05 },
];

const states = [{ kind: "full" }, { kind: "denied" }, { kind: "gone", code: "MailboxNotEnabledForRESTAPI" }] as const;

/** What happened in a storm, counted. */
export type StormCounts = {
  ticks: number;
  edits: number;
  moves: number;
  kills: number;
  restarts: number;
  troubled: number;
};

/** People edit, calendars move, Graph fails, hosts are killed in mid-work and replaced, while programs follow the feed. */
export async function storm(
  world: ChaosWorld,
  followers: Followers,
  readers: TenantReaders,
  seconds: number,
): Promise<StormCounts> {
  const { graph, pool, random } = world;
  const counts: StormCounts = { ticks: 0, edits: 0, moves: 0, kills: 0, restarts: 0, troubled: 0 };
  const endMs = performance.now() + seconds * 1000;
  const restarting = new Set<Promise<void>>();
  for (const fault of faults) graph.faults.add(fault);
  while (performance.now() < endMs) {
    counts.ticks += await tick(world);
    const edits = 1 + below(random, 12);
    for (let edit = 0; edit < edits; edit++) graph.editAtRandom();
    counts.edits += edits;
    counts.moves += move(world);
    counts.troubled += trouble(world);
    const ids = graph.mailboxes.ids();
    const follow = Array.from({ length: 4 }, () => ids[below(random, ids.length)] ?? "");
    const following = Promise.all(follow.map((id) => followers.step(id)));
    readers.step(1 - (endMs - performance.now()) / (seconds * 1000));
    const ready = pool.ready();
    const victim = ready[below(random, ready.length)];
    if (victim !== undefined && ready.length > 1 && random.next() < 0.45) {
      await pause(below(random, 900)); // Anywhere in the work of the tick.
      pool.kill(victim);
      counts.kills += 1;
      const restarted: Promise<void> = restart(world, victim).then(() => {
        counts.restarts += 1;
        restarting.delete(restarted);
      });
      restarting.add(restarted);
    }
    await following;
    await pause(tickMs);
  }
  await Promise.all(restarting);
  return counts;
}

async function restart({ pool, random }: ChaosWorld, place: Place): Promise<void> {
  await pause(below(random, 3_000));
  await pool.start(place);
}

/** Up to six calendars of a mailbox move at once. Returns how many did. */
function move({ graph, random }: ChaosWorld): number {
  const ids = graph.mailboxes.ids();
  return random.next() < 0.5 ? graph.moveCalendars(ids[below(random, ids.length)] ?? "").length : 0;
}

/** Links are lost, mailboxes fill up, vanish, refuse, or come back. Returns how many mailboxes were hit. */
function trouble({ graph, random }: ChaosWorld): number {
  if (random.next() < 0.05) graph.mailboxes.forgetLinks();
  if (random.next() < 0.7) return 0;
  const ids = graph.mailboxes.ids();
  const id = ids[below(random, ids.length)] ?? "";
  if (random.next() < 0.3) graph.mailboxes.replaceIds(id);
  else graph.mailboxes.setState(id, states[below(random, states.length)] ?? { kind: "normal" });
  return 1;
}

/** Ticks at a host that is up; sometimes at several at once. A host that dies under it is no news. */
async function tick({ pool, random }: ChaosWorld): Promise<number> {
  const ready = pool.ready();
  const chosen = ready.filter(() => random.next() < 0.5);
  const at = chosen.length > 0 ? chosen : ready.slice(0, 1);
  const results = await Promise.allSettled(at.map(({ product }) => product?.tick()));
  return results.filter(({ status }) => status === "fulfilled").length;
}

/**
 * Graph is well again, and an operator releases whoever is parked, which would wait for hours else; all others must find
 * their way alone. Ticks until the mirror is what the mailboxes are.
 * @returns What still differs.
 */
export async function calm(world: ChaosWorld, say: (text: string) => void): Promise<readonly string[]> {
  const { graph, connectionString } = world;
  const store = openMirror(connectionString);
  graph.faults.clear();
  for (const id of graph.mailboxes.ids()) graph.mailboxes.setState(id, { kind: "normal" });
  const startMs = performance.now();
  for (;;) {
    // Answers that were on their way park some more.
    if (performance.now() - startMs < releasingMs) await releaseParked(world, store);
    await tick(world);
    await pause(tickMs);
    const found = await differences(store, graph);
    const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
    if (found.length === 0) say(`the mirror is the mailboxes, ${seconds} s after the storm`);
    if (found.length === 0 || performance.now() - startMs > calmMsMax) return found;
  }
}

async function releaseParked({ graph, pool }: ChaosWorld, store: Store): Promise<void> {
  for (const id of graph.mailboxes.ids()) {
    const parkedReason = (await store.readMailbox(id))?.checkpoint.parkedReason ?? null;
    if (parkedReason !== null) await pool.ready()[0]?.product?.release(id);
  }
}
