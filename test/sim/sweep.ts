import { runLimits } from "../../shared/rounds/ports.js";
import { calm } from "./calm.js";
import { feedReader } from "./feedReader.js";
import { quieten } from "./pace.js";
import { type Plan, planOf } from "./plan.js";
import { sequenceReader } from "./readers.js";
import type { CallKind, Fate } from "./scheduler.js";
import { subscribers } from "./subscribers.js";
import { tenantReader } from "./tenantReader.js";
import type { Violation } from "./violation.js";
import { World } from "./world.js";

/** How one call may go wrong, and which calls can. */
export const TROUBLES: Readonly<Record<string, { readonly fate: Fate; readonly kinds: readonly CallKind[] }>> = {
  "does not happen": { fate: "fails", kinds: ["get", "page", "transact", "fetch", "send", "delete", "nudge"] },
  "happens, and its answer is lost": { fate: "lost", kinds: ["transact", "fetch", "send", "nudge"] },
  "happens late, when nobody waits for it": { fate: "late", kinds: ["transact"] },
  "kills the process before it happens": {
    fate: "crashBefore",
    kinds: ["get", "page", "transact", "fetch", "send", "delete", "nudge"],
  },
  "kills the process after it has happened": {
    fate: "crashAfter",
    kinds: ["get", "page", "transact", "fetch", "send", "delete", "nudge"],
  },
};

const fixed: Plan = {
  ...planOf(1, { faults: [] }),
  mailboxes: 2,
  calendars: { min: 4, max: 4 },
  largeMailbox: 0,
  shards: 1,
  processes: 2,
  pageSize: 3,
  batchSize: 20,
  operationsMax: 3,
  tablePageSize: 1000,
  hasEmptyTablePages: false,
  limits: { ...runLimits, pagesPerRunMax: 2 },
  hasNudges: true,
  permanentFault: null,
};

export type Swept = { readonly injected: boolean; readonly calls: number; readonly violation: Violation | null };

/**
 * First rounds over several pages, an edit, a removal, and lost sync states, with one thing that goes wrong: the n-th
 * call of those that can. Then the calm, in which the mirror must find its way.
 */
export async function sweep(trouble: keyof typeof TROUBLES, nth: number): Promise<Swept> {
  const chosen = TROUBLES[trouble];
  if (chosen === undefined) throw new Error(`There is no trouble "${trouble}".`);
  let calls = 0;
  let isOver = false;
  const fateRule = (kind: CallKind): Fate => {
    if (isOver || !chosen.kinds.includes(kind)) return "go";
    calls += 1;
    return calls === nth ? chosen.fate : "go";
  };
  const world = new World(fixed, {
    fateRule,
    readers: [sequenceReader(), feedReader(), tenantReader(), subscribers()],
  });
  await scenario(world);
  isOver = true;
  if (world.oracle.violations.length === 0) await calm(world);
  world.end();
  return { injected: calls >= nth, calls, violation: world.oracle.violations[0] ?? null };
}

const tickMs = 5 * 60_000;

async function scenario(world: World): Promise<void> {
  const { graph, scheduler } = world;
  const ids = graph.mailboxes.ids();
  const [first = "", second = ""] = ids;
  const nextTick = async () => {
    scheduler.nowMs += tickMs;
    await world.tick();
    await quieten(world);
  };
  for (const mailboxId of ids) await world.request(mailboxId, true);
  await quieten(world);
  await nextTick();
  const [calendar] = graph.truth(first);
  graph.renameCalendar(first, calendar?.id ?? "", "Renamed");
  graph.deleteCalendar(second, graph.truth(second).at(-1)?.id ?? "");
  await nextTick();
  graph.mailboxes.forgetLinks();
  graph.createCalendar(second, { name: "New" });
  await nextTick();
}
