import { readSettings, SettingsError } from "../shared/settings.js";
import { StorageError } from "../shared/table/errors.js";
import { differences } from "./start/compare.js";
import { hostLineOf, hostText } from "./start/hostLine.js";
import { type Kept, keptIn, keptInMemory } from "./start/kept.js";
import { discoverRoster, tickByFigures } from "./start/large.js";
import type { MirrorView, Snapshot } from "./start/mirrorView.js";
import { type StartOptions, startOptions } from "./start/options.js";
import { type Parts, startParts } from "./start/parts.js";
import { type Product, productAt, type Simulator, simulatorAt } from "./start/product.js";
import { isProof } from "./start/proof.js";
import { proveCopy } from "./start/prove.js";
import { screenOf } from "./start/screen.js";
import { type Subscriber, startSubscriber } from "./start/subscriber.js";
import { type KeptWorld, keepPorts, worldOf } from "./start/world.js";

/** `npm start`: the whole product on this machine, and what it does as it does it. */

const exitFailed = 1;
const exitUsage = 2;
/** As of a program that a signal has ended: what was to be done once is not done. */
const exitInterrupted = 130;
const pollMs = 100;
/** Reading the whole table takes what the mirror itself needs: rest three times as long as a look takes. */
const restPerLook = 3;
const editEveryMs = 2_000;
/** How many ticks without progress are tried before the summary says what is wrong. */
const idleTicksMax = 3;
const msPerTick = 3_000;
const rowsWatchedMax = 2_000;
/** What the app logs on new storage; where it is ours and new, that is not shown. */
const ofNewStorage = /table laid out: it was new|queue made: there was none/;

let options = optionsOrExit();
const screen = screenOf(options.json);
let parts: Parts | null = null;
let kept: Kept | null = null;
let subscriber: Subscriber | null = null;
let isEnding = false;
const interrupted = new Promise<"interrupted">((resolve) => {
  // All of them are caught, not only the first: ending takes a moment, and the default action would leave orphans.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => resolve("interrupted"));
    process.once(signal, sayEnding);
  }
  process.stdout.on("error", () => resolve("interrupted")); // Whoever reads what we say has gone.
});

try {
  process.exitCode = await work();
} catch (error) {
  screen.fail(error instanceof Error ? error.message : String(error));
  process.exitCode = error instanceof SettingsError ? exitUsage : exitFailed;
} finally {
  await stopAll();
}
process.exit();

/** Once: a terminal and npm may both send the signal. */
function sayEnding(): void {
  if (isEnding) return;
  isEnding = true;
  const left = options.dataDir === null ? "nothing is kept" : `${options.dataDir} is kept for the next run`;
  screen.say(`Ending: what runs is finished, then all of it stops; ${left}.`, {
    event: "ending",
    dataDir: options.dataDir,
  });
}

/** In reverse order of their starts. */
async function stopAll(): Promise<void> {
  await subscriber?.stop().catch(() => undefined); // The host it would tell has failed, which has been said.
  subscriber = null;
  await parts?.stop();
  kept?.close();
  kept = null;
}

function optionsOrExit(): StartOptions {
  try {
    return startOptions(process.argv.slice(2), process.env);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(exitUsage);
  }
}

async function work(): Promise<number> {
  // Before anything starts, so that wrong settings are reported once, all together.
  const { table, shards, rosterKinds } = readSettings({
    AzureWebJobsStorage: "UseDevelopmentStorage=true",
    ...process.env,
  });
  kept = options.dataDir === null ? keptInMemory() : keptIn(options.dataDir);
  const left = await worldOf(options, kept);
  options = left.options;
  screen.say("Starting storage, Graph and the Functions host …", { event: "starting" });
  if (left.isResumed) sayResumed(left);
  await requireStorage(process.env["AzureWebJobsStorage"], table, shards);
  const starting = startParts(left, process.env, hearOnce(!left.isResumed));
  const loading = import("./start/mirrorView.js"); // Azure's packages load while storage and Graph start.
  const started = await Promise.race([starting, interrupted]);
  if (started === "interrupted") {
    parts = await starting;
    return endOf();
  }
  parts = started;
  const { hostUrl, hostKind, simulatorUrl, connectionString } = started;
  keepPorts(kept, hostUrl, simulatorUrl);
  screen.say(`${hostKind} at ${hostUrl}, Graph at ${simulatorUrl ?? "the real one"}`, {
    event: "started",
    hostUrl,
    simulatorUrl,
    hostKind,
  });
  if (!options.once)
    screen.say(`Dashboard: ${hostUrl}/api/dashboard`, { event: "dashboard", url: `${hostUrl}/api/dashboard` });
  const { mirrorView } = await loading;
  const simulator = simulatorUrl === null ? null : simulatorAt(simulatorUrl);
  const view = mirrorView(connectionString, table, shards);
  const failed = started.died.then((reason): never => {
    throw new Error(reason);
  });
  const world = { product: productAt(hostUrl), simulator, view, rosterKinds, hostUrl };
  if (left.isResumed) await sayBroken(simulator);
  const done = await Promise.race([firstSync(world), interrupted, failed]);
  if (done === "interrupted") return endOf();
  // What somebody has broken is there to be looked at, and mended.
  if (options.once || (!done && ((await simulator?.broken()) ?? null) === null)) return done ? 0 : exitFailed;
  await Promise.race([follow(world), interrupted, failed]);
  return 0;
}

/** The exit code of what was interrupted before its end. */
function endOf(): number {
  return options.once ? exitInterrupted : 0;
}

function sayResumed({ options: { dataDir, mailboxes, mailbox }, lostPort }: KeptWorld): void {
  const what = mailbox === null ? `${mailboxes} simulated mailboxes` : "your mailbox";
  screen.say(`Going on with what an earlier run has left in ${dataDir}: ${what}.`, { event: "resuming", dataDir });
  if (lostPort === null) return;
  screen.say(`  Another program has Graph's port, ${lostPort}. Links name it, so every mailbox is read anew.`, {
    event: "portLost",
    port: lostPort,
  });
}

/** What an earlier run was told to break is broken still: without a word, that would look like our fault. */
async function sayBroken(simulator: Simulator | null): Promise<void> {
  const broken = (await simulator?.broken()) ?? null;
  if (simulator === null || broken === null) return;
  const mend = `curl -X DELETE ${simulator.url}/_control/broken`;
  screen.say(`  Graph still does what it was told to do wrong: ${broken}.`, { event: "broken", broken, mend });
  screen.say(`  Mend all of it:   ${mend}`, null);
}

/** What runs, and ways to it. */
type World = {
  readonly product: Product;
  readonly simulator: Simulator | null;
  readonly view: MirrorView;
  readonly rosterKinds: ReadonlySet<string>;
  readonly hostUrl: string;
};

/** Shows what changes, and has the simulator change something, until the end. */
async function follow({ hostUrl, simulator }: World): Promise<never> {
  subscriber ??= await subscribe(hostUrl);
  showCommands(hostUrl);
  if (simulator !== null) await showHowToBreak(simulator);
  const ends = options.dataDir === null ? "ends everything" : `ends it, and keeps ${options.dataDir}`;
  screen.say(`Every change shows below as a subscriber is told of it. Ctrl-C ${ends}.`, { event: "following" });
  if (simulator !== null) await shareSome(simulator, subscriber);
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, editEveryMs));
    const atMs = Date.now();
    if (simulator !== null) subscriber.edited(await simulator.edit(), atMs);
  }
}

/** So that there is an answer to what people ask first: which calendars somebody shares. */
async function shareSome(simulator: Simulator, told: Subscriber): Promise<void> {
  const [first] = await simulator.mailboxes();
  if (first !== undefined) told.edited(await simulator.share(first.id), Date.now());
}

/** Subscribes a receiver of our own; with --once it keeps a copy, else it shows what it is told. */
async function subscribe(hostUrl: string): Promise<Subscriber> {
  const made = await startSubscriber({
    hostUrl,
    kept: kept ?? keptInMemory(),
    isKept: options.dataDir !== null,
    screen,
    shows: !options.once,
  });
  const how = made.isResumed ? "goes on with its subscription" : "has subscribed to all calendars";
  screen.say(`A receiver of notifications ${how}.`, { event: "receiver", isResumed: made.isResumed });
  return made;
}

/** Tries storage that the user brings, before anything else starts. */
async function requireStorage(connectionString: string | undefined, table: string, shards: number): Promise<void> {
  if (!connectionString) return;
  try {
    const { mirrorView } = await import("./start/mirrorView.js");
    await mirrorView(connectionString, table, shards).isReachable();
  } catch (error) {
    const why = error instanceof StorageError ? error.code : String(error);
    throw new Error(`The storage that AzureWebJobsStorage names cannot be used: ${why}. Unset it to run on Azurite.`);
  }
}

/** Shows what the host logs, each kind once: the same trouble comes with every mailbox and every tick. */
function hearOnce(isNew: boolean): (line: string) => void {
  const isStorageNew = isNew && !process.env["AzureWebJobsStorage"];
  const heard = new Set<string>();
  return (line) => {
    if (isStorageNew && ofNewStorage.test(line)) return;
    const said = hostLineOf(line);
    if (said === null) return;
    const [kind = said.message] = said.message.split(/\s+\w+=/);
    if (heard.has(kind)) return;
    heard.add(kind);
    screen.say(`  host: ${hostText(said)}`, { event: "host", ...said });
  };
}

/** Puts the mailboxes on the roster and ticks until all are fresh, or no tick helps. True: all are fresh and right. */
async function firstSync({ product, simulator, view, rosterKinds: kinds, hostUrl }: World): Promise<boolean> {
  const rosterKinds = options.roster === "directory" ? kinds : null;
  // Of more mailboxes a receiver would be told one by one that they are mirrored now.
  if (options.mailboxes <= rowsWatchedMax) subscriber = await subscribe(hostUrl);
  const expected = await fillRoster(product, simulator);
  const before = (await simulator?.requests()) ?? null;
  const sinceMs = Date.now();
  // Small mirrors are watched by their rows, large ones by their figures.
  const isLarge = options.roster === "directory" || expected > rowsWatchedMax;
  if (isLarge) await tickByFigures(product, screen);
  const snapshot = isLarge ? await view.snapshot(sinceMs) : await tickUntilFresh(product, view, sinceMs, expected);
  const seconds = (Date.now() - sinceMs) / 1000;
  const after = (await simulator?.requests()) ?? null;
  const { different, compared } =
    simulator === null
      ? { different: null, compared: 0 }
      : await differences({ simulator, view, mailboxes: options.mailboxes, rosterKinds });
  const isRight = snapshot.fresh === snapshot.mailboxes && (different === null || different.length === 0);
  const receiver =
    options.once && isRight && subscriber !== null ? await proved(subscriber, { product, simulator, view }) : null;
  const summary = {
    ...snapshot,
    seconds,
    requests: before === null || after === null ? null : after.httpRequests - before.httpRequests,
    pages: before === null || after === null ? null : after.pages - before.pages,
    fullRounds: before === null || after === null ? null : after.fullRounds - before.fullRounds,
    different,
    compared,
    receiver,
  };
  if (options.once) await stopAll(); // The summary is the last word: what the host says at its end comes before.
  screen.summary(summary);
  return isRight && (receiver === null || isProof(receiver));
}

async function proved(own: Subscriber, { product, simulator, view }: Pick<World, "product" | "simulator" | "view">) {
  const mailboxes = simulator === null ? [{ id: options.mailbox ?? "me" }] : await simulator.mailboxes();
  const ids = mailboxes.map(({ id }) => id);
  return proveCopy(own, view, product, simulator, ids);
}

/** Puts the mailboxes on the roster. @returns how many are on it. */
async function fillRoster(product: Product, simulator: Simulator | null): Promise<number> {
  if (options.roster === "directory") return discoverRoster(product, screen);
  const mailboxes = simulator === null ? [{ id: options.mailbox ?? "me" }] : await simulator.mailboxes();
  await product.addMailboxes(mailboxes, (added) => {
    if (added % 1000 === 0 && !isEnding)
      screen.say(`  ${added} of ${mailboxes.length} on the roster`, { event: "roster", added });
  });
  return mailboxes.length;
}

/** What programs and assistants begin with. By npx, on the Node of this folder: older ones have no SQLite. */
function showCommands(hostUrl: string): void {
  const copy = `npx node examples/copy-tenant.mjs ${hostUrl}/api calendars.db`;
  const receive = `npx node examples/receive-notifications.mjs ${hostUrl}/api notifications.db`;
  screen.say(`Copy all of it:   ${copy}`, { event: "hint", copy });
  screen.say(`Be told of it:    ${receive}`, { event: "hint", receive });
  screen.say(`Let an assistant ask, by MCP:  ${hostUrl}/api/mcp`, { event: "hint", mcp: `${hostUrl}/api/mcp` });
}

/**
 * Something to try: within a tick the dashboard names the broken mailbox, and can retry it once it is mended; calendars
 * that Exchange moves are shown as replaced.
 */
async function showHowToBreak(simulator: Simulator): Promise<void> {
  const [first] = await simulator.mailboxes();
  if (first === undefined) return;
  const post = `curl -X POST ${simulator.url}/_control/mailboxes/${first.id}`;
  const command = (kind: string) => `${post}/state -d '{"kind":"${kind}"}'`;
  screen.say(`Break a mailbox:  ${command("denied")}`, { event: "hint", break: command("denied") });
  screen.say(`Mend it again:    ${command("normal")}`, { event: "hint", mend: command("normal") });
  screen.say("                  and choose “Retry now” on the dashboard.", null);
  screen.say(`Move calendars:   ${post}/moveCalendars`, { event: "hint", move: `${post}/moveCalendars` });
}

async function tickUntilFresh(
  product: Product,
  view: MirrorView,
  sinceMs: number,
  expected: number,
): Promise<Snapshot> {
  let idleTicks = 0;
  let bestFresh = -1;
  let lookMs = 0;
  for (;;) {
    await product.tick();
    let movedMs = Date.now();
    let snapshot = await view.snapshot(sinceMs);
    while (Date.now() - movedMs < msPerTick + 2 * restPerLook * lookMs) {
      screen.progress(snapshot);
      if (snapshot.fresh >= expected) return snapshot;
      await new Promise((resolve) => setTimeout(resolve, Math.max(pollMs, restPerLook * lookMs)));
      const lookedMs = Date.now();
      snapshot = await view.snapshot(sinceMs);
      lookMs = Date.now() - lookedMs;
      if (snapshot.fresh > bestFresh) movedMs = Date.now();
      if (snapshot.fresh > bestFresh) idleTicks = 0;
      bestFresh = Math.max(bestFresh, snapshot.fresh);
    }
    idleTicks += 1;
    if (idleTicks >= idleTicksMax) return snapshot;
  }
}
