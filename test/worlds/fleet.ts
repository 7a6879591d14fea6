import { createGraph, type GraphSimulator } from "../../local/graph/graph.js";
import { randomFrom } from "../../local/graph/random.js";
import type { GraphOptions } from "../../local/graph/types.js";
import { createGraphClient } from "../../shared/graph/client.js";
import { createDirectoryClient, type DirectorySource } from "../../shared/graph/directory.js";
import { createMailboxKindsClient, type MailboxKindsClient } from "../../shared/graph/mailboxKinds.js";
import type { Call } from "../../shared/graph/ports.js";
import type { AloneMessage, PageMessage, SyncMessage } from "../../shared/messages.js";
import { type DiscoverEnd, discoverMailboxes } from "../../shared/roster/discover.js";
import { type DiscoverLimits, type DiscoverPorts, discoverLimits } from "../../shared/roster/ports.js";
import { applyPage } from "../../shared/rounds/applyPage.js";
import { type Ports, type RunLimits, runLimits } from "../../shared/rounds/ports.js";
import { runRounds } from "../../shared/rounds/runRounds.js";
import { shardNames } from "../../shared/store/keys.js";
import { createStore } from "../../shared/store/store.js";
import { knownKinds, type MailboxKind } from "../../shared/sync/mailboxKind.js";
import { stateOf } from "../../shared/sync/state.js";
import { type MemoryTableOptions, memoryTable } from "../../shared/table/memoryTable.js";
import type { MirrorFacts } from "../../shared/views/status.js";
import { clockAt, countingIds, dayMs, graphSettings, keptLog, runPorts, startMs, tickMs } from "./parts.js";
import { answer, scriptedTransport } from "./scriptedGraph.js";

export type FleetOptions = Partial<GraphOptions> & {
  readonly shards?: number;
  readonly source?: DirectorySource | null;
  /** Users per page. */
  readonly usersPerPage?: number;
  /** Kinds that the roster takes; all by default. */
  readonly kinds?: readonly MailboxKind[];
  /** How old a full roster round may be. */
  readonly auditMs?: number;
  /** Instead of the one that asks the simulator. */
  readonly mailboxKinds?: MailboxKindsClient;
  readonly discover?: Partial<DiscoverLimits>;
  readonly run?: Partial<RunLimits>;
  readonly table?: MemoryTableOptions;
  /** Sees each call to Graph before it is answered; a throw is the end of the invocation. */
  readonly onCall?: (call: Call) => void;
};

/**
 * A whole mirror in one process. Real: discovery, runs, pages, the store, and Graph's client. Fake: Graph, which is the
 * simulator behind the transport's own interface, the table in memory, and a clock in the test's hand.
 */
export function fleet(options: FleetOptions = {}) {
  const clock = clockAt(startMs);
  const newId = countingIds();
  const graph = createGraph({ clock, random: randomFrom(7), ...options });
  const shards = shardNames(options.shards ?? 4);
  const table = memoryTable(options.table);
  const { logged, log } = keptLog();
  const onUnreadable = (error: Error) => log("error", error.message);
  const storeOf = () => createStore({ table, shards: shards.length, newCommitId: newId, onUnreadable });
  const { transport } = scriptedTransport((call) => {
    options.onCall?.(call);
    return simulatedAnswer(graph, call);
  }, newId);
  const settings = graphSettings("https://graph.microsoft.com");
  const source = options.source === undefined ? ({ kind: "directory" } as const) : options.source;
  const pageSize = options.usersPerPage === undefined ? {} : { pageSize: options.usersPerPage };
  const discoverPorts = (): DiscoverPorts => ({
    clock,
    random: { next: () => 1 },
    newId,
    store: storeOf(),
    directory: createDirectoryClient({ settings, transport, clock, log, ...pageSize }),
    mailboxKinds: options.mailboxKinds ?? createMailboxKindsClient({ settings, transport, clock, log }),
    log,
    source,
    kinds: new Set(options.kinds ?? knownKinds),
    auditMs: options.auditMs ?? 7 * dayMs,
    shards,
    tombstoneMs: 30 * dayMs,
    limits: { ...discoverLimits, ...options.discover },
  });
  const ports = (): Ports =>
    runPorts({
      clock,
      newId,
      graph: createGraphClient({ settings, transport, clock, log }),
      store: storeOf(),
      log,
      limits: { ...runLimits, ...options.run },
    });
  const facts: MirrorFacts = {
    shards,
    source: source === null ? null : "directory",
    isDeltaDocumented: true,
    settings: {},
  };
  /** Messages about mailboxes, and all that follow from them. */
  const applyAll = async (messages: readonly (PageMessage | SyncMessage | AloneMessage)[]) => {
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
    applyAll,
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
        await applyAll(pages);
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

/** A fleet after its first pass of discovery. */
export async function discovered(options: FleetOptions = {}): Promise<Fleet> {
  const world = fleet(options);
  await world.store.open();
  await world.discover();
  return world;
}

/** Mailboxes that nobody signs in to. */
const withoutSignIn: ReadonlySet<string> = new Set(["shared", "room", "equipment"]);

/** Users of the simulator that a roster takes: with mail, enabled unless nobody signs in to such, and no guests. */
export function fitUsers({ graph }: Fleet): readonly string[] {
  return graph.mailboxes.ids().filter((id) => {
    const response = graph.handle({
      method: "GET",
      url: `/beta/users/${id}`,
      headers: { authorization: "Bearer test" },
    });
    const user = JSON.parse(response.body) as { accountEnabled: boolean; userType: string; mail: string | null };
    const isThere = user.accountEnabled || withoutSignIn.has(graph.mailboxes.purpose(id));
    return isThere && user.userType !== "Guest" && user.mail !== null;
  });
}

function simulatedAnswer(graph: GraphSimulator, call: Call): ReturnType<Parameters<typeof scriptedTransport>[0]> {
  const response = graph.handle({
    method: call.method,
    url: call.rawTarget,
    headers: { ...call.headers, authorization: "Bearer test", prefer: call.headers["Prefer"] },
    ...(call.body === null ? {} : { body: JSON.stringify(call.body) }),
  });
  if (response.connectionReset === true) {
    return { kind: "fault", failure: { kind: "transient", code: "ECONNRESET", retryAfterMs: null }, detail: null };
  }
  return answer(response.status, response.body, response.headers);
}
