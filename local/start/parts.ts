import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { startAzurite } from "../azurite.js";
import { MIXED_TENANT } from "../graph/accounts.js";
import { programPath, root } from "../root.js";
import type { StartOptions } from "./options.js";
import { type Child, freePort, onPath, run } from "./processes.js";
import type { KeptWorld } from "./world.js";

/** Everything that runs for the app, and how to end it. */
export type Parts = {
  readonly connectionString: string;
  /** Null: a real Graph. */
  readonly simulatorUrl: string | null;
  readonly hostUrl: string;
  readonly hostKind: "Functions Core Tools" | "host stand-in";
  readonly died: Promise<string>;
  /** May be called again: there is one end. */
  stop(): Promise<void>;
};

/** Takes a line that the host writes for people. */
export type Hear = (line: string) => void;

/**
 * Starts storage and Graph, then the host that needs both, and ends them in reverse order.
 * @throws Error in one line when one of them cannot start; what had started is ended.
 */
export async function startParts(world: KeptWorld, env: NodeJS.ProcessEnv, hear: Hear): Promise<Parts> {
  const { options } = world;
  const stops: (() => Promise<void>)[] = [];
  let stopping: Promise<void> | null = null;
  const stop = () => {
    stopping ??= (async () => {
      for (const end of stops.reverse()) await end();
    })();
    return stopping;
  };
  try {
    if (options.port !== 0) await freePort(options.port);
    const building = options.builds ? buildApp(stops) : Promise.resolve();
    building.catch(() => undefined); // Thrown below, before the app is needed.
    const token = env["GRAPH_ACCESS_TOKEN"] || randomBytes(24).toString("base64url");
    const [connectionString, simulator] = await bothOrNeither(
      startStorage(options, env, stops),
      options.mailbox === null ? startSimulator(world, token, stops) : Promise.resolve(null),
    );
    const settings: NodeJS.ProcessEnv = {
      ...env,
      AzureWebJobsStorage: connectionString,
      FUNCTIONS_WORKER_RUNTIME: "node",
      GRAPH_ACCESS_TOKEN: token,
      GRAPH_PAGE_SIZE: options.pageSize,
      // So that it may tell our own receiver.
      ...(env["SUBSCRIBER_HOSTS"] ? { SUBSCRIBER_HOSTS: `${env["SUBSCRIBER_HOSTS"]},localhost` } : {}),
      // Once: only the ticks that we start. Else often, so that there is something to see.
      SYNC_SCHEDULE: options.once ? "0 0 0 1 1 *" : env["SYNC_SCHEDULE"] || "*/10 * * * * *",
      ROSTER: options.roster === "directory" ? "directory" : env["ROSTER"],
      ROSTER_SCHEDULE: options.once ? "0 0 0 1 1 *" : env["ROSTER_SCHEDULE"] || "*/20 * * * * *",
      ...(simulator === null ? {} : { GRAPH_ENDPOINT: simulator.url }),
    };
    await building;
    const host = await startHost(options, settings, hear, stops);
    const children = [host.child, ...(simulator === null ? [] : [simulator.child])];
    return {
      connectionString,
      simulatorUrl: simulator?.url ?? null,
      hostUrl: host.url,
      hostKind: host.kind,
      died: Promise.race(children.map(({ died }) => died)),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @throws Error with what the build said. */
async function buildApp(stops: (() => Promise<void>)[]): Promise<void> {
  const said: string[] = [];
  const flags = [join(root, "local", "build.ts"), "--app"];
  const child = run("The build", process.execPath, flags, process.env, (line) => said.push(line));
  stops.push(child.stop);
  const [code] = await once(child.process, "close");
  if (code !== 0) throw new Error(`The app cannot be built.\n${said.join("\n")}`);
}

/** Azurite, unless the environment names a storage of its own. */
async function startStorage(
  options: StartOptions,
  env: NodeJS.ProcessEnv,
  stops: (() => Promise<void>)[],
): Promise<string> {
  if (env["AzureWebJobsStorage"]) return env["AzureWebJobsStorage"];
  const azurite = await startAzurite(options.dataDir === null ? {} : { dataDir: options.dataDir });
  stops.push(azurite.stop);
  return azurite.connectionString;
}

/** A directory worth discovering: with shared mailboxes, rooms, equipment and people who left. */
const perHundred = Object.entries(MIXED_TENANT)
  .map(([kind, count]) => `${kind}=${count}`)
  .join(",");

async function startSimulator(world: KeptWorld, token: string, stops: (() => Promise<void>)[]) {
  const { options, graphPort, graphState } = world;
  const flags = [
    "--port",
    `${graphPort}`,
    "--mailboxes",
    `${options.mailboxes}`,
    "--calendars",
    `${options.calendars}`,
    "--withParent",
    ...(graphState === null ? [] : ["--state", graphState]),
    ...(options.roster === "directory" ? ["--perHundred", perHundred] : []),
  ];
  let ready: (url: string) => void = () => undefined;
  const url = new Promise<string>((resolve) => {
    ready = resolve;
  });
  const child = run(
    "The Graph simulator",
    process.execPath,
    [programPath("graph"), ...flags, `--token=${token}`], // In one word: a random one may begin with a dash.
    process.env,
    (line, stream) => {
      if (stream === "stdout") ready((JSON.parse(line) as { url: string }).url);
    },
  );
  stops.push(child.stop);
  return { child, url: await orDies(url, child) };
}

/** Core Tools where they are installed, else the stand-in. */
async function startHost(
  options: StartOptions,
  settings: NodeJS.ProcessEnv,
  hear: Hear,
  stops: (() => Promise<void>)[],
): Promise<{ readonly child: Child; readonly url: string; readonly kind: Parts["hostKind"] }> {
  const func = options.appDir === null ? onPath("func", settings["PATH"] ?? "") : null;
  if (func !== null) return startCoreTools(func, options, settings, hear, stops);
  let ready: (url: string) => void = () => undefined;
  const url = new Promise<string>((resolve) => {
    ready = resolve;
  });
  const app = resolve(options.appDir ?? root);
  const flags = ["--app", app, "--port", `${options.port}`, "--events", "--with-parent", "--log-level", "warning"];
  const child = run("The host", process.execPath, [programPath("host"), ...flags], settings, (line, stream) => {
    if (stream === "stderr") return hear(line);
    const event = JSON.parse(line) as { event: string; url?: string };
    if (event.event === "ready" && event.url !== undefined) ready(event.url);
  });
  stops.push(child.stop);
  return { child, url: await orDies(url, child), kind: "host stand-in" };
}

async function startCoreTools(
  func: string,
  options: StartOptions,
  settings: NodeJS.ProcessEnv,
  hear: Hear,
  stops: (() => Promise<void>)[],
) {
  const port = options.port === 0 ? await freePort() : options.port;
  const storage = await withBlobs(settings["AzureWebJobsStorage"] ?? "", stops);
  const env = { ...settings, AzureWebJobsStorage: storage };
  const url = `http://127.0.0.1:${port}`;
  let ready: (url: string) => void = () => undefined;
  const isReady = new Promise<string>((resolve) => {
    ready = resolve;
  });
  const child = run("Core Tools", func, ["start", "--port", `${port}`], env, (line, stream) => {
    if (/^Functions:|Host lock lease acquired|Worker process started and initialized/.test(line.trim())) ready(url);
    else if (stream === "stderr") hear(line);
  });
  stops.push(child.stop);
  await orDies(isReady, child);
  return { child, url, kind: "Functions Core Tools" as const };
}

/** Adds blobs, in which Core Tools keeps timer locks; the product itself needs none. */
async function withBlobs(connectionString: string, stops: (() => Promise<void>)[]): Promise<string> {
  if (!connectionString.includes("devstoreaccount1;") || connectionString.includes("BlobEndpoint"))
    return connectionString;
  const port = await freePort();
  const program = join(root, "node_modules", ".bin", "azurite-blob");
  const flags = [
    "--blobPort",
    `${port}`,
    "--inMemoryPersistence",
    "--silent",
    "--disableTelemetry",
    "--skipApiVersionCheck",
  ];
  const child = run("Azurite's blob service", program, flags, process.env, () => undefined);
  stops.push(child.stop);
  return `${connectionString}BlobEndpoint=http://127.0.0.1:${port}/devstoreaccount1;`;
}

/** Waits for both even when one fails, so that nothing is left running that nobody ends. */
async function bothOrNeither<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return Promise.all([first, second]);
}

async function orDies<T>(ready: Promise<T>, child: Child): Promise<T> {
  return Promise.race([
    ready,
    child.died.then((reason): never => {
      throw new Error(reason);
    }),
  ]);
}
