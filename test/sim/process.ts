import type { HttpClient } from "@azure/core-rest-pipeline";
import { createGraphClient } from "../../shared/graph/client.js";
import type { BatchHealth } from "../../shared/graph/ports.js";
import { createTransport } from "../../shared/graph/transport.js";
import type { Log } from "../../shared/log.js";
import type { Ports } from "../../shared/rounds/ports.js";
import { createStore, type Store } from "../../shared/store/store.js";
import type { Table } from "../../shared/table/table.js";
import type { Message } from "./queues.js";
import type { Mortal } from "./scheduler.js";
import type { CheckpointView } from "./views.js";

/** One host process: what it keeps in memory dies with it, and its clock is its own. */
export type Process = Mortal & {
  offsetMs: number;
  readonly table: Table;
  readonly batchHealth: BatchHealth;
  readonly invocations: Set<Invocation>;
};

/** One run of a function, with what stood in the table when it began. */
export type Invocation = {
  readonly process: Process;
  readonly name: string;
  /** The queue message that it works on; null for a timer or an HTTP call. */
  readonly message: Message | null;
  readonly tick: string | null;
  readonly startedStep: number;
  readonly checkpoints: ReadonlyMap<string, { readonly checkpoint: CheckpointView | null; readonly step: number }>;
  readonly brake: { readonly untilMs: number; readonly step: number } | null;
  /** Until when each mailbox was to be left alone, by the answers that this run has had. World time. */
  readonly waits: Map<string, number>;
  /** The clock has jumped under it: what it holds the time to be is anybody's guess. */
  hasLostTime: boolean;
};

/** What the composition root makes of a process: the same parts as in `shared/live.ts`, on simulated wires. */
export type Wiring = {
  readonly root: string;
  readonly pageSize: number;
  readonly batchSize: number;
  readonly shards: number;
  readonly operationsMax: number;
  readonly limits: Ports["limits"];
  readonly auditMs: number;
  readonly newId: () => string;
  readonly nowMs: () => number;
  readonly sleep: (process: Process, ms: number) => Promise<void>;
  readonly after: (process: Process, ms: number, call: () => void) => () => void;
  readonly draw: () => number;
  readonly token: () => Promise<string>;
  readonly wire: (invocation: Invocation) => HttpClient;
  readonly nudge: ((process: Process, mailboxId: string, sequence: number) => Promise<void>) | null;
  readonly log: Log;
};

export async function portsOf(invocation: Invocation, wiring: Wiring): Promise<Ports> {
  const { process } = invocation;
  const clock = {
    nowMs: () => wiring.nowMs() + process.offsetMs,
    sleep: (ms: number) => wiring.sleep(process, ms),
    after: (ms: number, call: () => void) => wiring.after(process, ms, call),
  };
  const store = await openedStore(process, wiring);
  const made = createTransport({
    root: wiring.root,
    token: { getToken: wiring.token },
    newId: wiring.newId,
    httpClient: wiring.wire(invocation),
    after: clock.after,
  });
  const transport = { ...made, batchHealth: process.batchHealth };
  const { nudge } = wiring;
  return {
    clock,
    random: { next: wiring.draw },
    newId: wiring.newId,
    graph: createGraphClient({
      settings: { root: wiring.root, version: "beta", pageSize: wiring.pageSize, batchSize: wiring.batchSize },
      transport,
      clock,
      log: wiring.log,
    }),
    store,
    nudge: nudge === null ? null : ({ mailbox, sequence }) => nudge(process, mailbox, sequence),
    log: wiring.log,
    limits: wiring.limits,
    batchSize: wiring.batchSize,
    auditMs: wiring.auditMs,
  };
}

export async function openedStore(process: Process, wiring: Wiring): Promise<Store> {
  const store = createStore({
    table: process.table,
    shards: wiring.shards,
    newCommitId: wiring.newId,
    limits: { operationsMax: wiring.operationsMax, bodyBytesMax: 3.5 * 1024 * 1024, logUnitsMax: 400_000 },
  });
  await store.open();
  return store;
}

/** Sets a process's clock; what runs there cannot know. */
export function jump(process: Process, offsetMs: number): void {
  if (process.offsetMs === offsetMs) return;
  for (const invocation of process.invocations) invocation.hasLostTime = true;
  process.offsetMs = offsetMs;
}
