import { existsSync } from "node:fs";
import { cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GraphSimulator } from "../../local/graph/graph.js";
import { type Random, randomFrom } from "../../local/graph/random.js";
import { startSurroundings } from "../worlds/product.js";
import { type HostPool, hostPool } from "./hosts.js";

const root = join(import.meta.dirname, "..", "..");

export type WorldOptions = {
  readonly seed: number;
  readonly hosts: number;
  readonly mailboxes: number;
  readonly hear: (line: string) => void;
};

/** Real parts: Azurite, the Graph simulator behind HTTP, and host processes that run the built app. */
export type ChaosWorld = {
  readonly graph: GraphSimulator;
  readonly pool: HostPool;
  readonly connectionString: string;
  /** Decides what the storm does, and when. */
  readonly random: Random;
  stop(): Promise<void>;
};

export async function startWorld({ seed, hosts, mailboxes, hear }: WorldOptions): Promise<ChaosWorld> {
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const end of stops.reverse()) await end();
    stops.length = 0;
  };
  try {
    const appDir = await copyOfApp();
    stops.push(() => rm(appDir, { recursive: true, force: true }));
    const random = randomFrom(seed * 3 + 1);
    const surroundings = await startSurroundings({ random, seed, mailboxes, calendars: 7 });
    stops.push(surroundings.stop);
    const { graph, connectionString, env } = surroundings;
    const small = { FUNCTIONS_WORKER_RUNTIME: "node", GRAPH_PAGE_SIZE: "3", GRAPH_BATCH_SIZE: "4" };
    const pool = hostPool(hosts, appDir, { ...env, ...small }, hear);
    stops.push(pool.stopAll);
    await Promise.all(pool.places.map((place) => pool.start(place)));
    return { graph, pool, connectionString, random: randomFrom(seed), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The built app in a folder of its own, so that a build beside us does not pull it away. */
async function copyOfApp(): Promise<string> {
  if (!existsSync(join(root, "dist"))) throw new Error("There is no build: npm run build first.");
  const dir = await mkdtemp(join(tmpdir(), "calendar-mirror-chaos-"));
  for (const name of ["dist", "host.json", "package.json"])
    await cp(join(root, name), join(dir, name), { recursive: true });
  await symlink(join(root, "node_modules"), join(dir, "node_modules"));
  return dir;
}
