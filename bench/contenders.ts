import { join } from "node:path";
import { TableClient } from "@azure/data-tables";
import { productAt } from "../local/start/product.js";
import { tableClientOf } from "../shared/azure/tableClient.js";
import { graphLimits } from "../shared/graph/limits.js";
import { shardNames } from "../shared/store/keys.js";
import { createStore } from "../shared/store/store.js";
import type { JsonObject } from "../shared/sync/types.js";
import { azureTable } from "../shared/table/azureTable.js";
import { type HostedApp, shards, startHost, tableName } from "./host.js";
import { graphRoot } from "./peers/graphClient.js";
import type { PeerOrders } from "./peers/main.js";
import { type Surroundings, startLine } from "./surroundings.js";

const root = join(import.meta.dirname, "..");
/** Before those are asked again that Graph told to wait: its own Retry-After. */
const pauseMs = 1_000;
const ticksMax = 20;

/** Calendars of each mailbox, by id, as a contender has stored them. */
type Stored = ReadonlyMap<string, ReadonlyMap<string, JsonObject>>;

export type Running = {
  readonly pid: number;
  /** Resolves when every mailbox has been read well since it was called. @returns milliseconds that took. */
  tick(): Promise<number>;
  /** Null: it stores nothing. */
  stored(): Promise<Stored | null>;
  stop(): Promise<void>;
};

export type Contender = {
  readonly name: string;
  readonly kind: "product" | "peer" | "floor";
  readonly concurrency: "own" | "as ours";
  /** Of the links that Graph hands out; null for its own address. */
  readonly publicRoot: string | null;
  start(around: Surroundings, mailboxIds: readonly string[]): Promise<Running>;
};

/** A queue trigger's 16 messages, and 8 more: what runs at a time when each mailbox is a message. */
const messagesAtOnce = 24;
/** Ours has so many calls in flight, and Graph works on four items of each at a time. */
const callsAtOnce = graphLimits.socketsMax;
const itemsAtOnce = 4 * callsAtOnce;

export type AppOptions = {
  /** Where a processor profile of the app's process goes; null for none. */
  readonly profileDir: string | null;
  /** Another built app to run beside this one, such as that of another commit; null for none. */
  readonly otherDir: string | null;
};

export function contenders({ profileDir, otherDir }: AppOptions): readonly Contender[] {
  const peer = (name: string, peer: Exclude<PeerOrders["peer"], "floor">, publicRoot: string | null) =>
    (["own", "as ours"] as const).map((concurrency): Contender => {
      const inFlight = concurrency === "own" ? messagesAtOnce : itemsAtOnce;
      const start = (around: Surroundings, ids: readonly string[]) => startPeer(peer, inFlight, around, ids);
      return { name: `${name} x${inFlight}`, kind: "peer", concurrency, publicRoot, start };
    });
  const product = (name: string, appDir: string, settings: Record<string, string>): Contender => ({
    ...{ name, kind: "product", concurrency: "own", publicRoot: null },
    start: (around, ids) => startProduct(around, ids, { appDir, settings, profileDir }),
  });
  return [
    product("calendar-mirror", root, {}),
    // The same work as the peers do: they tell nobody of a change.
    product("mirror, no nudges", root, { CHANGE_NUDGES: "off" }),
    ...(otherDir === null ? [] : [product("other", otherDir, {})]),
    ...peer("graph-client", "graphClient", graphRoot),
    ...peer("list-and-diff", "listAndDiff", null),
    ...peer("pnp", "pnp", null),
    {
      name: "floor",
      kind: "floor",
      concurrency: "as ours",
      publicRoot: null,
      start: (around, ids) => startPeer("floor", callsAtOnce, around, ids),
    },
  ];
}

async function startPeer(
  peer: PeerOrders["peer"],
  inFlight: number,
  { azurite, graphUrl, token }: Surroundings,
  mailboxIds: readonly string[],
): Promise<Running> {
  const { connectionString } = azurite;
  const orders: PeerOrders = {
    ...{ peer, graphUrl, token, connectionString, tableName, mailboxIds, inFlight, pauseMs },
  };
  let done: () => void = () => undefined;
  const { child } = await startLine(peer, join(root, "bench", "peers", "main.ts"), [], process.env, {
    first: JSON.stringify(orders),
    onLine: () => done(),
  });
  const died = child.died.then((reason): never => {
    throw new Error(reason);
  });
  died.catch(() => undefined); // Told to whoever waits for a tick.
  return {
    pid: child.process.pid ?? 0,
    async tick() {
      const startMs = performance.now();
      const isDone = new Promise<void>((resolve) => {
        done = resolve;
      });
      child.process.stdin?.write("tick\n");
      await Promise.race([isDone, died]);
      return performance.now() - startMs;
    },
    stored: () => (peer === "floor" ? Promise.resolve(null) : storedByPeer(connectionString)),
    stop: child.stop,
  };
}

async function storedByPeer(connectionString: string): Promise<Stored> {
  const stored = new Map<string, Map<string, JsonObject>>();
  for await (const { partitionKey = "", json } of tableOf(connectionString).listEntities<{ json?: string }>()) {
    if (json !== undefined) put(stored, partitionKey, JSON.parse(json) as JsonObject);
  }
  return stored;
}

/** The built app in the host stand-in: timer, queues and functions, as in Azure. */
async function startProduct(around: Surroundings, mailboxIds: readonly string[], app: HostedApp): Promise<Running> {
  const { connectionString } = around.azurite;
  let onRun: () => void = () => undefined;
  const host = await startHost(around, app, (event) => {
    if (event.event === "invocation" && event.function === "runRounds") onRun();
  });
  const product = productAt(host.url);
  await product.addMailboxes(mailboxIds.map((id) => ({ id })));
  const runs = async () => {
    let left = shards;
    const isDone = new Promise<void>((resolve) => {
      onRun = () => {
        left -= 1;
        if (left === 0) resolve();
      };
    });
    await product.tick();
    await isDone;
  };
  return {
    pid: host.child.process.pid ?? 0,
    async tick() {
      const [sinceMs, startMs] = [Date.now(), performance.now()];
      for (let ticks = 0; ticks < ticksMax; ticks++) {
        await runs();
        const tookMs = performance.now() - startMs;
        if (await areAllReadSince(connectionString, sinceMs)) return tookMs; // The last look is not timed.
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
      throw new Error("Mailboxes do not become fresh.");
    },
    stored: () => storedByProduct(connectionString),
    stop: host.child.stop,
  };
}

async function areAllReadSince(connectionString: string, sinceMs: number): Promise<boolean> {
  const table = azureTable(tableClientOf({ kind: "connectionString", connectionString }, tableName, null));
  const store = createStore({ table, shards, newCommitId: () => "never written" });
  for (const shard of shardNames(shards)) {
    for await (const page of store.readMailboxes(shard, { after: null, upTo: null })) {
      if (page.some(({ checkpoint }) => (checkpoint.lastSuccessMs ?? 0) < sinceMs)) return false;
    }
  }
  return true;
}

async function storedByProduct(connectionString: string): Promise<Stored> {
  const stored = new Map<string, Map<string, JsonObject>>();
  const rows = tableOf(connectionString).listEntities<{ mailboxId: string; resource?: string; removedAt?: Date }>();
  for await (const { mailboxId, resource, removedAt } of rows) {
    if (resource !== undefined && removedAt === undefined) put(stored, mailboxId, JSON.parse(resource) as JsonObject);
  }
  return stored;
}

function tableOf(connectionString: string): TableClient {
  return TableClient.fromConnectionString(connectionString, tableName, { allowInsecureConnection: true });
}

function put(stored: Map<string, Map<string, JsonObject>>, mailboxId: string, resource: JsonObject): void {
  const calendars = stored.get(mailboxId) ?? new Map<string, JsonObject>();
  calendars.set(String(resource["id"]), resource);
  stored.set(mailboxId, calendars);
}
