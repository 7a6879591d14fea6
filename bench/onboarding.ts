import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startAzurite } from "../local/azurite.js";
import { programPath, root } from "../local/root.js";
import { run } from "../local/start/processes.js";
import { tableClientOf } from "../shared/azure/tableClient.js";
import { shardNames } from "../shared/store/keys.js";
import { createStore } from "../shared/store/store.js";
import { azureTable } from "../shared/table/azureTable.js";
import { type HostPool, hostPool, type Place } from "../test/chaos/hosts.js";

/**
 * A roster of any size is discovered and brought up, while the host is killed twice on the way: once in discovery, once
 * in the first rounds. Real processes: Azurite, the Graph simulator and the host stand-in with the built app, on this
 * machine. Ends with 0 when every user that should be mirrored is, and nobody else, and all are fresh.
 */
const { values } = parseArgs({
  options: {
    mailboxes: { type: "string", default: "100000" },
    calendars: { type: "string", default: "2" },
    shards: { type: "string", default: "16" },
    json: { type: "boolean", default: false },
  },
});

const token = "bench";
const shards = Number(values.shards);
/** Without any step forward for so long it will not come to an end. */
const stillMsMax = 10 * 60_000;
const startMs = performance.now();
const seconds = (sinceMs: number) => Math.round((performance.now() - sinceMs) / 1000);

function say(text: string): void {
  process.stderr.write(`${String(seconds(startMs)).padStart(5)} s  ${text}\n`);
}

async function startSimulator() {
  const size = ["--mailboxes", values.mailboxes, "--calendars", values.calendars];
  const args = [programPath("graph"), "--port", "0", ...size, "--token", token, "--withParent"];
  return new Promise<{ readonly url: string; readonly stop: () => Promise<void> }>((resolve, reject) => {
    const child = run("The Graph simulator", process.execPath, args, process.env, (line, stream) => {
      if (stream === "stdout") resolve({ url: (JSON.parse(line) as { url: string }).url, stop: child.stop });
    });
    void child.died.then((reason) => reject(new Error(reason)));
  });
}

type User = { id: string; mail?: string | null; accountEnabled?: boolean; userType?: string };

/** Who should be mirrored, by the directory's own words. */
async function expectedIds(graphUrl: string): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  let link: string | undefined = `${graphUrl}/beta/users/delta?$select=id,mail,accountEnabled,userType`;
  while (link !== undefined) {
    const headers = { authorization: `Bearer ${token}`, prefer: "odata.maxpagesize=999" };
    const page = (await (await fetch(link, { headers })).json()) as { value: User[]; "@odata.nextLink"?: string };
    for (const { id, mail, accountEnabled, userType } of page.value) {
      if (mail && accountEnabled !== false && userType !== "Guest") ids.add(id);
    }
    link = page["@odata.nextLink"];
  }
  return ids;
}

/** All mailboxes that the table holds. */
async function mirroredIds(connectionString: string): Promise<ReadonlySet<string>> {
  const table = azureTable(tableClientOf({ kind: "connectionString", connectionString }, "calendarmirror", null));
  const store = createStore({ table, shards, newCommitId: () => "never written" });
  const ids = new Set<string>();
  for (const name of shardNames(shards)) {
    for await (const page of store.readMailboxes(name, { after: null, upTo: null }))
      for (const { checkpoint } of page) ids.add(checkpoint.mailboxId);
  }
  return ids;
}

/** The host, its highest memory over all its lives, and how often it was killed. */
class Host {
  kills = 0;
  #peakKiB = 0;

  constructor(
    private readonly pool: HostPool,
    private readonly place: Place,
  ) {}

  get product() {
    if (this.place.product === null) throw new Error("The host is not up.");
    return this.place.product;
  }

  /** Kept by the kernel: what the process held at the most. */
  async peakMiB(): Promise<number> {
    const pid = this.place.child?.process.pid;
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    this.#peakKiB = Math.max(this.#peakKiB, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
    return Math.round(this.#peakKiB / 1024);
  }

  async killAndRestart(): Promise<void> {
    await this.peakMiB();
    this.pool.kill(this.place);
    this.kills += 1;
    say("  the host is killed (SIGKILL), and started again");
    await this.pool.start(this.place);
  }

  /** Also while storage is so busy that it answers late. */
  async status() {
    for (const firstMs = performance.now(); ; await pause(1_000)) {
      try {
        return await this.product.status();
      } catch (error) {
        if (performance.now() - firstMs > stillMsMax) throw error;
      }
    }
  }
}

/** Fails when nothing moves any more. */
function watch(): (figure: number) => void {
  let last = -1;
  let movedMs = performance.now();
  return (figure) => {
    if (figure !== last) movedMs = performance.now();
    last = figure;
    if (performance.now() - movedMs > stillMsMax) throw new Error(`Nothing has moved for ten minutes, at ${figure}.`);
  };
}

async function discover(host: Host, expected: number): Promise<void> {
  const moved = watch();
  await host.product.discover();
  for (let killed = false; ; await pause(1_000)) {
    const { roster } = await host.status();
    say(`${roster.seen} users seen, ${roster.discovered} of ${expected} mailboxes on the roster (${roster.state})`);
    if (roster.state === "idle") return;
    moved(roster.seen);
    if (killed || roster.discovered < expected / 3) continue;
    killed = true;
    await host.killAndRestart();
    await host.product.discover(); // As the schedule would do.
  }
}

/** One tick in which nothing has changed: what a running mirror costs all day. */
async function quietTick(host: Host) {
  const before = (await host.status()).ticks.newest ?? "";
  const sinceMs = performance.now();
  await host.product.tick();
  for (;;) {
    const status = await host.status();
    if (status.shards.every(({ started, finished }) => (started ?? "") > before && finished !== null)) {
      const [tick] = status.activity.ticks;
      if (tick === undefined) throw new Error("The status tells of no tick.");
      const { graphRequests, transactions, rounds } = tick;
      return { quietTickSeconds: seconds(sinceMs), rounds, graphRequests, transactions };
    }
    await pause(1_000);
  }
}

async function bringUp(host: Host, expected: number): Promise<number> {
  const moved = watch();
  let ticks = 0;
  for (let fresh = 0; fresh < expected; ) {
    const before = (await host.status()).ticks.newest ?? "";
    await host.product.tick();
    ticks += 1;
    for (let isDone = false; !isDone; await pause(1_000)) {
      const status = await host.status();
      isDone = status.shards.every(({ started, finished }) => (started ?? "") > before && finished !== null);
      fresh = status.mailboxes.byState.fresh;
      say(`${fresh} of ${expected} mailboxes fresh, ${status.mailboxes.calendars} calendars, tick ${ticks}`);
      moved(fresh + (isDone ? ticks : 0));
      if (host.kills > 1 || fresh < expected / 3) continue;
      await host.killAndRestart();
      break; // The next tick takes up what the killed runs had not come to.
    }
  }
  return ticks;
}

async function main(): Promise<void> {
  const stops: (() => Promise<unknown>)[] = [];
  try {
    const azurite = await startAzurite();
    stops.push(azurite.stop);
    const simulator = await startSimulator();
    stops.push(simulator.stop);
    const expected = await expectedIds(simulator.url);
    say(`${values.mailboxes} users, ${expected.size} to be mirrored, ${values.calendars} calendars each`);
    const never = "0 0 0 1 1 *";
    const pool = hostPool(
      1,
      root,
      {
        ...process.env,
        AzureWebJobsStorage: azurite.connectionString,
        FUNCTIONS_WORKER_RUNTIME: "node",
        GRAPH_ACCESS_TOKEN: token,
        GRAPH_ENDPOINT: simulator.url,
        SHARDS: values.shards,
        ROSTER: "directory",
        SYNC_SCHEDULE: never,
        ROSTER_SCHEDULE: never,
      },
      (line) => say(`host: ${line}`),
    );
    stops.push(pool.stopAll);
    const [place] = pool.places;
    if (place === undefined) throw new Error("There is no host.");
    await pool.start(place);
    const host = new Host(pool, place);
    const discoverMs = performance.now();
    await discover(host, expected.size);
    const discoverySeconds = seconds(discoverMs);
    const bringUpMs = performance.now();
    const ticks = await bringUp(host, expected.size);
    const bringUpSeconds = seconds(bringUpMs);
    const quiet = await quietTick(host);
    say(`a quiet tick: ${JSON.stringify(quiet)}`);
    const mirrored = await mirroredIds(azurite.connectionString);
    const lost = [...expected].filter((id) => !mirrored.has(id)).length;
    const strangers = [...mirrored].filter((id) => !expected.has(id)).length;
    const peakMiB = await host.peakMiB();
    const figures = {
      users: Number(values.mailboxes),
      mailboxes: mirrored.size,
      lost,
      strangers,
      kills: host.kills,
      discoverySeconds,
      bringUpSeconds,
      ticks,
      ...quiet,
      hostPeakMiB: peakMiB,
    };
    if (values.json) console.log(JSON.stringify(figures));
    else for (const [name, figure] of Object.entries(figures)) console.log(`${name.padEnd(18)} ${figure}`);
    if (host.kills < 2) say("The roster was up before the host was killed twice: take more mailboxes.");
    process.exitCode = lost + strangers === 0 && host.kills === 2 ? 0 : 1;
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

await main();
