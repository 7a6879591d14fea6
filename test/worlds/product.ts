import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { startAzurite } from "../../local/azurite.js";
import { createGraph, type GraphSimulator } from "../../local/graph/graph.js";
import { randomFrom } from "../../local/graph/random.js";
import { startGraphServer } from "../../local/graph/server.js";
import type { GraphOptions } from "../../local/graph/types.js";
import { programPath, root } from "../../local/root.js";
import { mirrorView } from "../../local/start/mirrorView.js";
import { type Child, run } from "../../local/start/processes.js";
import { productAt } from "../../local/start/product.js";
import { tableClientOf } from "../../shared/azure/tableClient.js";
import { isMirrored } from "./simulator.js";

export const shards = 4;

/** What hosts run beside: real Azurite, and the Graph simulator behind HTTP. `env`: leads a host to both of them. */
export async function startSurroundings(options: Partial<GraphOptions>) {
  const token = randomBytes(16).toString("hex");
  const graph = createGraph({ clock: { nowMs: () => Date.now() }, random: randomFrom(1), ...options });
  const [azurite, server] = await Promise.all([startAzurite(), startGraphServer({ core: graph, token })]);
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    AzureWebJobsStorage: azurite.connectionString,
    GRAPH_ENDPOINT: server.url,
    GRAPH_ACCESS_TOKEN: token,
    SHARDS: String(shards),
    SYNC_SCHEDULE: "0 0 0 1 1 *", // Only the ticks that are asked for.
  };
  const stop = () => Promise.all([server.close(), azurite.stop()]);
  return { graph, connectionString: azurite.connectionString, env, stop };
}

/** The built app in a real host process, over real Azurite, beside a Graph simulator that the test holds in its hand. */
export type Product = Awaited<ReturnType<typeof startProduct>>;

export async function startProduct(world: { mailboxes: number; calendars: number; settings?: Record<string, string> }) {
  const { mailboxes, calendars } = world;
  const { graph, connectionString, env, stop } = await startSurroundings({ mailboxes, calendars });
  const settings = { ...env, ...world.settings };
  const view = mirrorView(connectionString, "calendarmirror", shards);
  let host = await startHost(settings);
  return {
    graph,
    view,
    connectionString,
    hostUrl: () => host.url,
    add: () => productAt(host.url).addMailboxes(graph.mailboxes.ids().map((id) => ({ id }))),
    tick: () => productAt(host.url).tick(),
    /** Until every shard has ended it: figures are those of runs that have ended. */
    countedTick: () => countedTick(productAt(host.url)),
    snapshot: () => view.snapshot(0),
    /** Changes columns of a row, as discovery would. */
    write: async (partitionKey: string, rowKey: string, columns: Readonly<Record<string, string>>) => {
      const client = tableClientOf({ kind: "connectionString", connectionString }, "calendarmirror", null);
      await client.updateEntity({ partitionKey, rowKey, ...columns }, "Merge");
    },
    /** As by the kernel: nothing of the host's own gets a say. */
    killHost: async () => {
      const ended = new Promise((resolve) => host.child.process.once("close", resolve));
      host.child.process.kill("SIGKILL");
      await ended;
    },
    restartHost: async () => {
      host = await startHost(settings);
    },
    /** Mailboxes whose mirror is not what Graph has. */
    different: () => different(graph, view),
    stop: async () => {
      await host.child.stop();
      await stop();
    },
  };
}

async function countedTick(product: ReturnType<typeof productAt>): Promise<void> {
  const before = (await product.status()).shards.map(({ started }) => started);
  await product.tick();
  // As long as it takes: a test that is stuck ends by its own time.
  for (;;) {
    const { shards } = await product.status();
    if (shards.every(({ started, finished }, index) => started !== before[index] && finished !== null)) return;
    await pause(100);
  }
}

async function startHost(env: NodeJS.ProcessEnv): Promise<{ child: Child; url: string }> {
  const flags = ["--app", root, "--port", "0", "--events", "--with-parent", "--log-level", "none"];
  return new Promise((resolve, reject) => {
    const child = run("The host", process.execPath, [programPath("host"), ...flags], env, (line, stream) => {
      if (stream === "stderr") return;
      const event = JSON.parse(line) as { event: string; url?: string };
      if (event.event === "ready" && event.url !== undefined) resolve({ child, url: event.url });
    });
    child.died.then((reason) => reject(new Error(reason)), reject);
  });
}

async function different(graph: GraphSimulator, view: ReturnType<typeof mirrorView>): Promise<readonly string[]> {
  const found: string[] = [];
  for (const id of graph.mailboxes.ids()) if (!isMirrored(graph, id, await view.calendars(id))) found.push(id);
  return found;
}
