import { createGraph, type GraphSimulator } from "../../local/graph/graph.js";
import { randomFrom } from "../../local/graph/random.js";
import type { GraphOptions } from "../../local/graph/types.js";
import { headersOf, parseBody } from "../../shared/graph/answer.js";
import { createGraphClient } from "../../shared/graph/client.js";
import { createDirectoryClient, type DirectorySource } from "../../shared/graph/directory.js";
import type { Call, Transport } from "../../shared/graph/ports.js";
import type { AloneMessage, PageMessage, SyncMessage } from "../../shared/messages.js";
import { type DiscoverEnd, discoverMailboxes } from "../../shared/roster/discover.js";
import { type DiscoverLimits, type DiscoverPorts, discoverLimits } from "../../shared/roster/ports.js";
import { applyPage } from "../../shared/rounds/applyPage.js";
import { type Ports, type RunLimits, runLimits } from "../../shared/rounds/ports.js";
import { runRounds } from "../../shared/rounds/runRounds.js";
import { shardNames } from "../../shared/store/keys.js";
import { createStore } from "../../shared/store/store.js";
import { stateOf } from "../../shared/sync/state.js";
import { type MemoryTableOptions, memoryTable } from "../../shared/table/memoryTable.js";
import type { MirrorFacts } from "../../shared/views/status.js";
import { noTimers } from "./timers.js";

export const dayMs = 86_400_000;
export const tickMs = 300_000;

export type FleetOptions = Partial<GraphOptions> & {
  readonly shards?: number;
  readonly source?: DirectorySource | null;
  /** Users per page. */
  readonly usersPerPage?: number;
  readonly discover?: Partial<DiscoverLimits>;
  readonly run?: Partial<RunLimits>;
  readonly table?: MemoryTableOptions;
  /** Sees each call to Graph before it is answered; a throw is the end of the invocation. */
  readonly onCall?: (call: Call) => void;
};

/** A whole mirror in one process: the Graph simulator, the table in memory, and a clock in the test's hand. */
export function fleet(options: FleetOptions = {}) {
  const clock = {
    ms: Date.UTC(2026, 9, 8, 12),
    nowMs: () => clock.ms,
    sleep: async (ms: number) => {
      clock.ms += ms;
    },
    after: noTimers,
  };
  let names = 0;
  const newId = () => `00000000-0000-4000-8000-${String(++names).padStart(12, "0")}`;
  const graph = createGraph({ clock, random: randomFrom(7), ...options });
  const shards = shardNames(options.shards ?? 4);
  const table = memoryTable(options.table);
  const logged: string[] = [];
  const log: Ports["log"] = (level, message, fields) =>
    logged.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
  const onUnreadable = (error: Error) => log("error", error.message);
  const storeOf = () => createStore({ table, shards: shards.length, newCommitId: newId, onUnreadable });
  const transport = simulated(graph, newId, options.onCall);
  const settings = { root: "https://graph.microsoft.com", version: "beta", pageSize: 50, batchSize: 20 };
  const source = options.source === undefined ? ({ kind: "directory" } as const) : options.source;
  const pageSize = options.usersPerPage === undefined ? {} : { pageSize: options.usersPerPage };
  const discoverPorts = (): DiscoverPorts => ({
    clock,
    random: { next: () => 1 },
    newId,
    store: storeOf(),
    directory: createDirectoryClient({ settings, transport, clock, log, ...pageSize }),
    log,
    source,
    shards,
    tombstoneMs: 30 * dayMs,
    limits: { ...discoverLimits, ...options.discover },
  });
  const ports = (): Ports => ({
    clock,
    random: { next: () => 1 },
    newId,
    graph: createGraphClient({ settings, transport, clock, log }),
    store: storeOf(),
    nudge: null,
    log,
    limits: { ...runLimits, ...options.run },
    batchSize: 20,
    auditMs: 7 * dayMs,
  });
  const facts: MirrorFacts = {
    shards,
    source: source === null ? null : "directory",
    isDeltaDocumented: true,
    settings: {},
  };
  const walkAll = async (messages: readonly (PageMessage | SyncMessage | AloneMessage)[]) => {
    for (let open = [...messages]; open.length > 0; ) {
      const ends = [];
      for (const message of open) ends.push(await applyPage(message, ports()));
      open = ends.flatMap(({ next }) => next ?? []);
    }
  };
  return {
    clock,
    graph,
    table,
    logged,
    newId,
    shards,
    facts,
    store: storeOf(),
    storeOf,
    discoverPorts,
    ports,
    walkAll,
    /** One invocation of discovery. */
    discoverOnce: (name = newId()): Promise<DiscoverEnd> => discoverMailboxes({ discover: name }, discoverPorts()),
    /** A pass with all its continuations. */
    discover: async (): Promise<DiscoverEnd["kind"]> => {
      let end = await discoverMailboxes({ discover: newId() }, discoverPorts());
      while (end.continuation !== null) end = await discoverMailboxes(end.continuation, discoverPorts());
      return end.kind;
    },
    /** One tick of all shards, with all that its messages lead to. Time goes on by a tick afterwards. */
    tick: async () => {
      const tick = newId();
      for (const shard of shards) {
        let end = await runRounds({ shard, tick }, ports());
        const pages = [...end.pages];
        while (end.continuation !== null) {
          end = await runRounds(end.continuation, ports());
          pages.push(...end.pages);
        }
        await walkAll(pages);
      }
      clock.ms += tickMs;
    },
    states: async () => {
      const states = new Map<string, string>();
      for (const shard of shards) {
        for await (const page of storeOf().readMailboxes(shard, { after: null, upTo: null })) {
          for (const { checkpoint } of page) states.set(checkpoint.mailboxId, stateOf(checkpoint));
        }
      }
      return states;
    },
  };
}

export type Fleet = ReturnType<typeof fleet>;

/** Users of the simulator that a roster takes: with mail, enabled, and no guests. */
export function fitUsers({ graph }: Fleet): readonly string[] {
  return graph.mailboxes.ids().filter((id) => {
    const response = graph.handle({
      method: "GET",
      url: `/beta/users/${id}`,
      headers: { authorization: "Bearer test" },
    });
    const user = JSON.parse(response.body) as { accountEnabled: boolean; userType: string; mail: string | null };
    return user.accountEnabled && user.userType !== "Guest" && user.mail !== null;
  });
}

/** The simulator behind the transport's own interface: no socket, no time. */
function simulated(graph: GraphSimulator, newId: () => string, onCall: FleetOptions["onCall"]): Transport {
  return {
    async send(call) {
      onCall?.(call);
      const response = graph.handle({
        method: call.method,
        url: call.rawTarget,
        headers: { ...call.headers, authorization: "Bearer test", prefer: call.headers["Prefer"] },
        ...(call.body === null ? {} : { body: JSON.stringify(call.body) }),
      });
      const record = { requests: 1, clientRequestId: newId() };
      if (response.connectionReset === true) {
        const failure = { kind: "transient", code: "ECONNRESET", retryAfterMs: null } as const;
        return { kind: "fault", failure, detail: null, ...record };
      }
      const headers = headersOf(Object.entries(response.headers));
      return {
        kind: "answer",
        answer: { status: response.status, headers, body: parseBody(response.body) },
        ...record,
      };
    },
    hasOtherToken: async () => true,
    nextRequestId: newId,
    batchHealth: { refusalsInARow: 0, pausedUntilMs: 0, patienceMs: null, cutInARow: 0 },
    close: () => undefined,
  };
}
