import { join } from "node:path";
import type { Kept } from "./kept.js";
import type { StartOptions, WorldOptions } from "./options.js";
import { freePort } from "./processes.js";

/** What a run goes on with. */
export type KeptWorld = {
  /** With what the world of the folder is made from. */
  readonly options: StartOptions;
  /** Whether an earlier run has left it. */
  readonly isResumed: boolean;
  /** Where the simulator is to listen, for links name its port; 0: anywhere. */
  readonly graphPort: number;
  /** A file of the simulator's; null: nothing is kept. */
  readonly graphState: string | null;
  /** The simulator's port of the last run, which another program has now; null: none has. */
  readonly lostPort: number | null;
};

/**
 * The world that was left in a folder, or a new one. Options that were not given are those of its first run.
 * @throws Error in one line where they were given and are others: ids of mailboxes and calendars follow from them.
 */
export async function worldOf(given: StartOptions, kept: Kept): Promise<KeptWorld> {
  const { dataDir, mailboxes, calendars, roster, mailbox } = given;
  const before = kept.get("world") as WorldOptions | undefined;
  if (before === undefined) kept.set("world", { mailboxes, calendars, roster, mailbox });
  const isOther = (name: keyof WorldOptions) => given.given.has(name) && given[name] !== before?.[name];
  const other = before === undefined ? undefined : [...given.given].find(isOther);
  if (other !== undefined) {
    const held = before?.[other] === null ? "simulated mailboxes" : `--${other} ${before?.[other]}`;
    throw new Error(`--data ${dataDir} holds a world of ${held}: leave out --${other}, or name another folder.`);
  }
  const graph = await keptPort(kept, "graphPort");
  const host = given.port === 0 ? await keptPort(kept, "hostPort") : { port: given.port };
  return {
    options: { ...given, ...before, port: host.port },
    isResumed: before !== undefined,
    graphPort: graph.port,
    graphState: dataDir === null ? null : join(dataDir, "graph.json"),
    lostPort: graph.lost,
  };
}

/** Keeps where the parts of a run listen. @param simulatorUrl Null: there is none. */
export function keepPorts(kept: Kept, hostUrl: string, simulatorUrl: string | null): void {
  kept.set("hostPort", Number(new URL(hostUrl).port));
  if (simulatorUrl !== null) kept.set("graphPort", Number(new URL(simulatorUrl).port));
}

/** A port of the last run where it is free; else 0, and which one is `lost`. */
async function keptPort(kept: Kept, name: string): Promise<{ readonly port: number; readonly lost: number | null }> {
  const before = kept.get(name);
  if (typeof before !== "number") return { port: 0, lost: null };
  const isFree = await freePort(before).then(
    () => true,
    () => false,
  );
  return isFree ? { port: before, lost: null } : { port: 0, lost: before };
}
