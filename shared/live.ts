import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { TokenCredential } from "@azure/core-auth";
import { app } from "@azure/functions";
import type { SendMessage } from "./azure/queueSender.js";
import { createFeed } from "./feed/feed.js";
import { createTenantFeed } from "./feed/tenant.js";
import { createGraphClient, type GraphClient } from "./graph/client.js";
import { clouds } from "./graph/clouds.js";
import { createDirectoryClient, type DirectoryClient } from "./graph/directory.js";
import { createMailboxKindsClient, type MailboxKindsClient } from "./graph/mailboxKinds.js";
import type { TokenSource } from "./graph/ports.js";
import { identityToken, steadyCredential, type TokenPorts, trialToken } from "./graph/token.js";
import type { HttpPorts } from "./http/handler.js";
import type { Log } from "./log.js";
import { deliverLimits } from "./push/deliver.js";
import { Looks } from "./push/looks.js";
import type { PushPorts } from "./push/pushMessages.js";
import { SharedLogs } from "./push/sharedLogs.js";
import { shownSecret } from "./push/signature.js";
import { Waker } from "./push/waker.js";
import { createMailboxNames } from "./roster/mailboxNames.js";
import { type DiscoverPorts, discoverLimits, sourceName } from "./roster/ports.js";
import { type Ports, runLimits } from "./rounds/ports.js";
import type { RetentionPorts } from "./rounds/retention.js";
import type { StartPorts } from "./rounds/startRounds.js";
import { nextLocalFire, readSchedule } from "./schedule.js";
import { readSettings, type Settings, SettingsError } from "./settings.js";
import { shardNames } from "./store/keys.js";
import { forgetTable, keptFeedKey, type OpenOptions } from "./store/meta.js";
import { createStore, type Store } from "./store/store.js";
import { namesOf } from "./sync/mailboxKind.js";
import { dayMs, minuteMs } from "./sync/time.js";
import type { Table } from "./table/table.js";
import { withSpan } from "./telemetry/invocation.js";
import { acceptedPoints, tracedSend } from "./telemetry/pushTelemetry.js";
import { startTelemetry } from "./telemetry/start.js";
import { noTelemetry, type Telemetry } from "./telemetry/telemetry.js";
import { tracedTransport } from "./telemetry/tracedGraph.js";
import { tracedTable } from "./telemetry/tracedTable.js";
import { after } from "./timer.js";
import type { MirrorFacts } from "./views/status.js";
import { kept } from "./within.js";

/** The composition root: the only place that builds real things and knows the real clock and real chance. */

const clock = { nowMs: () => Date.now(), sleep: (ms: number) => sleep(ms).then(() => undefined), after };
const random = { next: () => Math.random() };

/** The time now, epoch milliseconds. */
export const nowMs = clock.nowMs;

type Boot = { readonly settings: Settings; readonly error: SettingsError | null };
const boot = readBoot();

/** Names and schedules for registration: the defaults where the settings are wrong, so that the mistake can be reported. */
export const registered: Settings = boot.settings;

const queue = (queueName: string) => ({ queueName, connection: "AzureWebJobsStorage" });
/** The queues of the app, as triggers and outputs name them. The host makes those of poison messages. */
export const queues = {
  rounds: queue(registered.roundsQueue),
  pages: queue(registered.pagesQueue),
  poisonRounds: queue(`${registered.roundsQueue}-poison`),
  poisonPages: queue(`${registered.pagesQueue}-poison`),
  push: queue(registered.pushQueue),
  poisonPush: queue(`${registered.pushQueue}-poison`),
};

/**
 * Ends the start of the app: the build calls it once all triggers have registered themselves. An app that throws before
 * it has registered anything looks to the host like an app without functions; one that throws afterwards fails to start,
 * with this message. (A hook `appStart` that throws would look like a worker that fails, which the host starts again.)
 * @throws SettingsError
 * @public
 */
export function finishStart(): void {
  requireSettings();
  if (boot.settings.telemetry === null) return;
  app.hook.preInvocation((invocation) => {
    invocation.functionHandler = withSpan(invocation.functionHandler, liveTelemetry);
  });
}

function requireSettings(): void {
  if (boot.error !== null) throw boot.error;
}

function readBoot(): Boot {
  try {
    return { settings: readSettings(process.env), error: null };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return { settings: readSettings({ AzureWebJobsStorage: "UseDevelopmentStorage=true" }), error };
  }
}

/** Telemetry of this process. Off until the first invocation has loaded it, and for good where it is not configured. */
export let telemetry: Telemetry = noTelemetry;
let starting: Promise<Telemetry | null> | undefined; // Never rejects.

async function liveTelemetry(report: (trouble: string) => void): Promise<Telemetry> {
  const { telemetry: settings } = boot.settings;
  if (settings === null) return noTelemetry;
  starting ??= startTelemetry({
    settings,
    credentialOf: sdkCredentialOf,
    newId: randomUUID,
    nowMs,
    report,
    environment: process.env,
  });
  telemetry = (await starting) ?? noTelemetry;
  return telemetry;
}

type Parts = {
  readonly table: Table;
  readonly graphFor: (log: Log) => GraphClient;
  readonly directoryFor: (log: Log) => DirectoryClient;
  readonly mailboxKindsFor: (log: Log) => MailboxKindsClient;
  /** Null when nudges are switched off. */
  readonly nudgeFor: ((log: Log) => NonNullable<Ports["nudge"]>) | null;
  readonly roundsFor: (log: Log) => SendMessage;
  readonly pushFor: (log: Log) => SendMessage;
};

/** Built at the first invocation and kept for the process; what failed to build is tried again. */
const liveParts = kept(() => build(boot.settings));

/** What an HTTP route needs. @throws LayoutError, StorageError */
export async function httpPorts(log: Log): Promise<HttpPorts> {
  const store = await liveStore(log);
  return {
    store,
    feed: async () => createFeed({ store, key: await feedKey() }),
    tenant: async () =>
      createTenantFeed({ store, shards, key: await feedKey(), onUnreadable: (error) => log("error", error.message) }),
    mailboxNamed: (userPrincipalName) => names.find(userPrincipalName, store),
    subscribers: {
      shards,
      consentOf: async (url, format) =>
        (await liveWire()).consentOf(url, format, randomBytes(32).toString("base64url")),
      start: async (message) => {
        try {
          await (await liveParts()).pushFor(log)(message, 0);
        } catch (error) {
          log("warn", "delivery not started; the timer does it", { error: String(error) });
        }
      },
      newSecret: () => randomBytes(32).toString("base64"),
      shownSecret,
    },
    log,
    newId: randomUUID,
    nowMs,
    isTrial: boot.settings.graph.accessToken !== null,
    isSignInOn,
    publicOrigin: boot.settings.publicOrigin,
  };
}

async function feedKey(): Promise<Uint8Array> {
  return keptFeedKey((await liveParts()).table, () => randomBytes(32));
}

/** Under which name the platform knows the app: with a port on a developer's machine. */
export const ownHostName = process.env["WEBSITE_HOSTNAME"] ?? "localhost";

/** App Service says so while its authentication stands in front of the app. */
const isSignInOn = process.env["WEBSITE_AUTH_ENABLED"]?.toLowerCase() === "true";

/** Our choice: how long this process believes what it knows of its table. Somebody may have deleted or replaced it meanwhile. */
const tableKnownMsMax = 5 * minuteMs;
let tableKnownMs = nowMs();

async function liveStore(log: Log): Promise<Store> {
  requireSettings();
  const { table } = await liveParts();
  logRenewals(log);
  if (nowMs() - tableKnownMs > tableKnownMsMax) {
    tableKnownMs = nowMs();
    forgetTable(table);
  }
  const onUnreadable = (error: Error) => log("error", error.message);
  const { shards } = boot.settings;
  const store = createStore({ table, shards, newCommitId: randomUUID, onUnreadable, onLaidOut: logLayout(log) });
  await store.open();
  return store;
}

function logLayout(log: Log): OpenOptions["onLaidOut"] {
  const { table } = boot.settings;
  return (when) => {
    if (when === "atFirst") return log("warn", "table laid out: it was new", { table });
    log("error", "table laid out again: it was deleted or emptied while the mirror ran", { table });
  };
}

/** Renewals of tokens that failed while nobody waited for them: the next invocation logs them. */
const failedRenewals = new Set<string>();
const tokenPorts: TokenPorts = { clock, onTrouble: (why) => failedRenewals.add(why.slice(0, 500)) };

function logRenewals(log: Log): void {
  for (const why of failedRenewals) log("warn", "token not renewed; the one at hand is used", { why });
  failedRenewals.clear();
}

/** What runs and page messages need, for one invocation. @throws LayoutError, StorageError */
export async function livePorts(log: Log): Promise<Ports> {
  const store = await liveStore(log);
  const { graphFor, nudgeFor } = await liveParts();
  const { graph, auditMs } = boot.settings;
  return {
    clock,
    random,
    newId: randomUUID,
    graph: graphFor(log),
    store,
    nudge: nudgeFor?.(log) ?? null,
    log,
    limits: runLimits,
    batchSize: graph.batchSize,
    auditMs,
  };
}

const { roster } = boot.settings;
/** Where discovery finds the roster; null: it is kept by hand. */
const source = roster.kind === "manual" ? null : roster;
/** Whom this process has found by name. */
const names = createMailboxNames({ isFollowed: source !== null });
/** The names of all shards. */
const shards = shardNames(boot.settings.shards);

/** What discovery of the roster needs. @throws LayoutError, StorageError */
export async function discoverPorts(log: Log): Promise<DiscoverPorts> {
  const store = await liveStore(log);
  const { directoryFor, mailboxKindsFor } = await liveParts();
  const { rosterKinds, auditMs, tombstoneMs } = boot.settings;
  return {
    clock,
    random,
    newId: randomUUID,
    store,
    directory: directoryFor(log),
    mailboxKinds: mailboxKindsFor(log),
    log,
    source,
    kinds: rosterKinds,
    auditMs,
    shards,
    tombstoneMs,
    limits: discoverLimits,
  };
}

const ticks = readSchedule(boot.settings.syncSchedule);
const nextFireMs = (afterMs: number) => ("mistake" in ticks ? null : nextLocalFire(ticks, afterMs));

/** What starts the runs of a tick. A table that was laid out with another `SHARDS` stops it. @throws LayoutError, StorageError */
export async function startPorts(log: Log): Promise<StartPorts> {
  await liveStore(log);
  const { roundsFor } = await liveParts();
  return { clock, newId: randomUUID, shards: boot.settings.shards, nextFireMs, send: roundsFor(log) };
}

/** What goes to subscribers, and comes back. Its connections are kept for the process. */
const liveWire = kept(async () => {
  const { createWire } = await import("./push/wire.js");
  const { subscriberHosts, tenantId, publicOrigin, graph } = boot.settings;
  const wire = createWire({
    hosts: subscriberHosts,
    allowsLoopback: graph.accessToken !== null,
    tenantId,
    origin: publicOrigin === null ? ownHostName : new URL(publicOrigin).hostname,
    nowMs,
  });
  return boot.settings.telemetry === null ? wire : { ...wire, send: tracedSend(wire.send, telemetry) };
});

/** What deliveries to subscribers need, for one invocation. @throws LayoutError, StorageError */
export async function pushPorts(log: Log): Promise<PushPorts> {
  const store = await liveStore(log);
  const { pushFor } = await liveParts();
  const wire = await liveWire();
  const lookBetween: PushPorts["lookBetween"] = (earliestMs, latestMs) =>
    looks.between(earliestMs, latestMs, pushFor(log), randomUUID);
  const onAccepted = (notifications: number) => telemetry.record(acceptedPoints(notifications));
  return { clock, random, newId: randomUUID, store, logs, wire, log, limits: deliverLimits, onAccepted, lookBetween };
}

const logs = new SharedLogs(nowMs);
const looks = new Looks(nowMs);
const waker = new Waker(nowMs);

/** Wakes deliveries to subscribers, where rows of the change log were written. Never throws. */
export async function wakeSubscribers(log: Log, { store }: Pick<Ports, "store">): Promise<void> {
  const send: SendMessage = async (...message) => (await liveParts()).pushFor(log)(...message);
  await waker.wake({ store, newId: randomUUID, log, send });
}

/** What status shows of the settings. No secrets are in it. */
export const mirrorFacts: MirrorFacts = {
  shards,
  source: source === null ? null : sourceName(source),
  isDeltaDocumented: clouds[boot.settings.graph.cloud].isDeltaDocumented,
  settings: {
    syncSchedule: boot.settings.syncSchedule,
    rosterSchedule: boot.settings.rosterSchedule,
    roster: source === null ? "manual" : sourceName(source),
    rosterKinds: namesOf(boot.settings.rosterKinds),
    shards: boot.settings.shards,
    graphCloud: boot.settings.graph.cloud,
    graphApiVersion: boot.settings.graph.version,
    graphBatchSize: boot.settings.graph.batchSize,
    graphPageSize: boot.settings.graph.pageSize,
    auditDays: boot.settings.auditMs / dayMs,
    tombstoneDays: boot.settings.tombstoneMs / dayMs,
    historyDays: boot.settings.historyMs / dayMs,
    changeNudges: boot.settings.changeNudges,
    newMailboxesPerTick: runLimits.newMailboxesPerTickMax * boot.settings.shards,
  },
  about: { app: process.env["WEBSITE_SITE_NAME"] ?? null, tenantId: boot.settings.tenantId },
  nextFireMs,
};

/** What retention needs. @throws LayoutError, StorageError */
export async function retentionPorts(log: Log): Promise<RetentionPorts> {
  const { tombstoneMs, historyMs } = boot.settings;
  return {
    clock,
    store: await liveStore(log),
    shards,
    tombstoneMs,
    historyMs,
    runMsMax: runLimits.runMsMax,
    log,
  };
}

/** A new name: for triggers, which compose nothing else. */
export const newId: () => string = randomUUID;

/**
 * What talks to Azure and to Graph is most of the code, and registering needs none of it: it is loaded at the first
 * invocation.
 */
async function build(settings: Settings): Promise<Parts> {
  const { graph, storage } = settings;
  const [{ createTransport }, { azureTable }, { tableClientOf }] = await Promise.all([
    import("./graph/transport.js"),
    import("./table/azureTable.js"),
    import("./azure/tableClient.js"),
  ]);
  const credential = await credentialsOf(settings);
  const token = tokenOf(settings, credential.graph);
  const transport = createTransport({ root: graph.root, token, newId: randomUUID });
  const table = azureTable(tableClientOf(storage, settings.table, credential.storage));
  const isTraced = settings.telemetry !== null;
  const way = isTraced ? tracedTransport(transport, telemetry) : transport;
  return {
    table: isTraced ? tracedTable(table, telemetry) : table,
    graphFor: (log) => createGraphClient({ settings: graph, transport: way, clock, log }),
    directoryFor: (log) => createDirectoryClient({ settings: graph, transport: way, clock, log }),
    mailboxKindsFor: (log) => createMailboxKindsClient({ settings: graph, transport: way, clock, log }),
    nudgeFor: settings.changeNudges ? sendsTo(settings.changesQueue, settings, credential.storage) : null,
    roundsFor: sendsTo(settings.roundsQueue, settings, credential.storage),
    pushFor: sendsTo(settings.pushQueue, settings, credential.storage),
  };
}

/** The queue's client is loaded with the first message: most processes never send one. */
function sendsTo(queueName: string, { storage }: Settings, credential: TokenCredential | null) {
  const sender = kept(async () => {
    const { queueSenderOf } = await import("./azure/queueSender.js");
    return queueSenderOf(storage, queueName, credential, clock.nowMs);
  });
  return (log: Log): SendMessage => {
    const send = kept(async () => (await sender())(log));
    return async (message, delaySeconds) => (await send())(message, delaySeconds);
  };
}

function tokenOf({ graph }: Settings, credential: TokenCredential | null): TokenSource {
  if (graph.accessToken !== null) return trialToken(graph.accessToken);
  if (credential === null) throw new Error("There is neither a trial token nor an identity for Graph.");
  return identityToken(credential, clouds[graph.cloud].scope, tokenPorts);
}

async function credentialsOf({ storage, graph }: Settings) {
  return {
    storage: storage.kind === "identity" ? await sdkCredentialOf(storage.clientId) : null,
    graph: graph.accessToken === null ? await credentialOf(graph.clientId) : null,
  };
}

/** A credential that clients of Azure's SDKs may wait for. */
async function sdkCredentialOf(clientId: string | null): Promise<TokenCredential> {
  return steadyCredential(await credentialOf(clientId), tokenPorts);
}

/** Azure Identity is loaded only where it is used: it is the slowest part to load. */
async function credentialOf(clientId: string | null): Promise<TokenCredential> {
  const { identityCredential } = await import("./azure/identity.js");
  const { isInAzure, graph } = boot.settings;
  return identityCredential({ isInAzure, authorityHost: clouds[graph.cloud].authorityHost, clientId });
}
