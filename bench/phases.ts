import { type Simulator, simulatorAt } from "../local/start/product.js";
import { sameJson } from "../shared/sync/merge.js";
import type { JsonObject } from "../shared/sync/types.js";
import type { Contender, Running } from "./contenders.js";
import { cpuSeconds, type Surroundings, startSurroundings, type World } from "./surroundings.js";

export const phases = ["first", "quiet", "churn", "throttled", "reset"] as const;
export type Phase = (typeof phases)[number];

/** One timed tick. Seconds of processor time are null where the system does not tell them. */
export type Sample = {
  readonly phase: Phase;
  readonly ms: number;
  readonly graphRequests: number;
  /** Mailboxes whose copy is not what Graph has; null for the floor, which keeps none. */
  readonly wrong: number | null;
  readonly cpu: { readonly own: number | null; readonly storage: number | null; readonly graph: number | null };
};

const quietTicks = 3;
/** Of each hundred mailboxes one has an edit. */
const editedEvery = 100;
const throttledShare = 0.05;

/** One contender through the phases, in a world of its own that is the same for all. */
export async function runPhases(
  contender: Contender,
  world: World,
  wanted: readonly Phase[],
  told: (sample: Sample) => void,
): Promise<void> {
  const around = await startSurroundings(world, contender.publicRoot);
  try {
    const simulator = simulatorAt(around.graphUrl);
    const ids = (await simulator.mailboxes()).map(({ id }) => id);
    const running = await contender.start(around, ids);
    try {
      for (const phase of wanted) {
        for (let turn = 0; turn < (phase === "quiet" ? quietTicks : 1); turn++) {
          await prepare(phase, around.graphUrl, ids);
          told(await timed(phase, running, around, simulator));
        }
      }
    } finally {
      await running.stop();
    }
  } finally {
    await around.stop();
  }
}

async function timed(phase: Phase, running: Running, around: Surroundings, simulator: Simulator): Promise<Sample> {
  const pids = { own: running.pid, storage: around.azurite.pid, graph: around.graphPid };
  const before = cpuOf(pids);
  const { httpRequests } = await simulator.requests();
  const ms = await running.tick();
  const after = cpuOf(pids);
  const graphRequests = (await simulator.requests()).httpRequests - httpRequests;
  await control(around.graphUrl, "DELETE", "faults");
  const spent = (name: keyof typeof pids) => {
    const [then, now] = [before[name], after[name]];
    return then === null || now === null ? null : now - then;
  };
  const cpu = { own: spent("own"), storage: spent("storage"), graph: spent("graph") };
  return { phase, ms, graphRequests, wrong: await wrongMailboxes(running, simulator), cpu };
}

function cpuOf(pids: Readonly<Record<"own" | "storage" | "graph", number>>) {
  return { own: cpuSeconds(pids.own), storage: cpuSeconds(pids.storage), graph: cpuSeconds(pids.graph) };
}

async function wrongMailboxes(running: Running, simulator: Simulator): Promise<number | null> {
  const stored = await running.stored();
  if (stored === null) return null;
  let wrong = 0;
  for await (const { id, calendars } of simulator.truth(1000)) {
    const mine = stored.get(id) ?? new Map<string, JsonObject>();
    const isSame = calendars.every((calendar) => {
      const { "@odata.type": _type, ...resource } = mine.get(String(calendar["id"])) ?? {};
      return sameJson(resource, calendar as JsonObject);
    });
    if (!isSame || mine.size !== calendars.length) wrong += 1;
  }
  return wrong;
}

/** What happens in Graph before the tick that is timed. */
async function prepare(phase: Phase, graphUrl: string, ids: readonly string[]): Promise<void> {
  if (phase === "first" || phase === "quiet") return;
  for (let index = 0; index < ids.length; index += editedEvery) await edit(graphUrl, ids[index] ?? "", phase);
  if (phase === "throttled") {
    await control(graphUrl, "POST", "faults", { kind: "throttled", rate: throttledShare, seconds: 1 });
  }
  if (phase === "reset") await control(graphUrl, "POST", "forgetLinks");
}

/** A calendar is renamed, one is deleted, and one is new. */
async function edit(graphUrl: string, mailboxId: string, phase: Phase): Promise<void> {
  const { value } = (await control(graphUrl, "GET", `truth/${mailboxId}`)) as { value: { id: string }[] };
  const [renamed, deleted] = value.slice(-2);
  const post = (body: Record<string, unknown>) => control(graphUrl, "POST", "edits", { mailboxId, ...body });
  await post({ edit: "rename", calendarId: renamed?.id, name: `renamed before ${phase}` });
  await post({ edit: "delete", calendarId: deleted?.id });
  await post({ edit: "create", values: { name: `new before ${phase}` } });
}

async function control(graphUrl: string, method: string, path: string, body?: unknown): Promise<unknown> {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const response = await fetch(`${graphUrl}/_control/${path}`, init);
  if (!response.ok) throw new Error(`The simulator refused ${method} ${path}: ${await response.text()}`);
  return response.json();
}
