import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Azurite, startAzurite } from "../local/azurite.js";
import { programPath } from "../local/root.js";
import { type Child, run } from "../local/start/processes.js";

/** Storage and Graph in processes of their own, new for each contender, and the same for all. */

/** Added to each answer: Graph's for a request or an item of a batch, of which it works on four at a time. */
export type Latency = {
  readonly name: string;
  readonly graphMs: number;
  readonly requestMs: number;
  readonly transactionMs: number;
};

/** Our assumption of what Azure answers within one region; storage queues count as requests. */
export const latencies: readonly Latency[] = [
  { name: "zero", graphMs: 0, requestMs: 0, transactionMs: 0 },
  { name: "azure", graphMs: 120, requestMs: 10, transactionMs: 25 },
];

export type World = { readonly mailboxes: number; readonly calendars: number; readonly latency: Latency };

export type Surroundings = {
  readonly azurite: Azurite;
  readonly graphUrl: string;
  readonly graphPid: number;
  readonly token: string;
  stop(): Promise<void>;
};

/** @param publicRoot The root that Graph's links carry; null for the simulator's own. */
export async function startSurroundings(world: World, publicRoot: string | null): Promise<Surroundings> {
  const token = randomBytes(16).toString("hex");
  const { graphMs, requestMs, transactionMs } = world.latency;
  const flags = {
    port: "0",
    mailboxes: `${world.mailboxes}`,
    calendars: `${world.calendars}`,
    latencyMs: `${graphMs}`,
    token,
    ...(publicRoot === null ? {} : { publicRoot }),
  };
  const args = [...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]), "--withParent", "--appOnly"];
  const [azurite, graph] = await Promise.all([
    startAzurite({ latency: { requestMs, transactionMs } }),
    startLine("The Graph simulator", programPath("graph"), args, process.env),
  ]);
  return {
    azurite,
    graphUrl: (JSON.parse(graph.line) as { url: string }).url,
    graphPid: graph.child.process.pid ?? 0,
    token,
    stop: async () => {
      await Promise.all([graph.child.stop(), azurite.stop()]);
    },
  };
}

/** Starts a program of ours and waits for its first line. @param nodeFlags For node itself, such as a profiler's. */
export async function startLine(
  name: string,
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  options: { readonly nodeFlags?: readonly string[]; readonly onLine?: (line: string) => void; first?: string } = {},
): Promise<{ readonly child: Child; readonly line: string }> {
  return new Promise((resolve, reject) => {
    const loader = file.endsWith(".ts") ? ["--import", "tsx"] : [];
    const nodeArgs = [...(options.nodeFlags ?? []), ...loader, file, ...args];
    const child: Child = run(name, process.execPath, nodeArgs, env, (line, stream) => {
      if (stream === "stderr") return;
      options.onLine?.(line);
      resolve({ child, line });
    });
    child.died.then((reason) => reject(new Error(reason)), reject);
    if (options.first !== undefined) child.process.stdin?.write(`${options.first}\n`);
  });
}

/** Seconds of processor time that a process has taken so far; null where the system does not tell so. */
export function cpuSeconds(pid: number): number | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100; // In ticks of 10 ms, on every Linux that we know.
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
