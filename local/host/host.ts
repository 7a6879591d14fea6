import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { installCoreApi, type Registry, runHooks } from "./coreApi.js";
import { type FunctionError, type HostFunction, indexFunctions, triggerKind } from "./functions.js";
import { HostError, messageOf } from "./hostError.js";
import { type HttpFunction, listen, toHttpFunction } from "./http.js";
import { createInvoker, type Invoker } from "./invoke.js";
import { loadApp } from "./load.js";
import { createReporter, type HostEvent, type Reporter } from "./log.js";
import { createOutputSender, type OutputSender } from "./outputs.js";
import { manualMetadata } from "./queueMessage.js";
import { poisonQueueName, type QueueListener, type QueueListenerOptions, startQueueListener } from "./queues.js";
import {
  type Environment,
  type HostSettings,
  readHostSettings,
  readLocalSettings,
  resolveSettings,
} from "./settings.js";
import { createQueueFinder, type QueueFinder, toQueueName } from "./storage.js";
import { createTimer, type Timer } from "./timers.js";
import type { LogLevel, RpcTypedData } from "./types.js";

const PORT = 7071; // As `func start`.
const STOP_MS_MAX = 30_000; // Our choice: long enough for a unit of work, short enough for a developer.
const CLOSE_MS_MAX = 1000; // Our choice: enough for an answer to leave the machine that it was made on.

/** Which app is run, and how. */
export type HostOptions = {
  /** Folder of the built app: its host.json and package.json. */
  readonly appDir: string;
  /** Settings over those of the process; `local.settings.json` comes last. All end in `process.env`, for the app. */
  readonly env?: Environment;
  /** 0 = free. Default: `Host.LocalHttpPort` of local.settings.json, else 7071. */
  readonly port?: number;
  /** The key that functions without `anonymous` and /admin ask for. Default: everything is open. */
  readonly key?: string;
  readonly logLevel?: LogLevel;
  /** Takes one line of the log for people. Default: stderr. */
  readonly writeLine?: (line: string) => void;
  readonly onEvent?: (event: HostEvent) => void;
  /** A function ran into functionTimeout: the process must go. Default: an uncaught error. */
  readonly onTimeout?: (message: string) => void;
  /** How long `stop` waits for running functions. */
  readonly stopMsMax?: number;
};

/** A host that runs an app. */
export type Host = {
  readonly url: string;
  readonly functions: readonly { readonly name: string; readonly trigger: string; readonly route?: string }[];
  /** Runs a timer or queue function once, outputs included. An input that is no string goes as JSON. */
  invoke(
    name: string,
    input?: unknown,
  ): Promise<{ readonly ok: true } | { readonly ok: false; readonly error: string }>;
  /** Stops listening, lets running functions finish (bounded), and runs the appTerminate hooks. */
  stop(): Promise<void>;
};

/** Everything of a started host that the parts below share. */
type Running = {
  readonly environment: Environment;
  readonly settings: HostSettings;
  readonly registry: Registry;
  readonly reporter: Reporter;
  readonly invoker: Invoker;
  readonly outputs: OutputSender;
  readonly queues: QueueFinder;
  readonly listeners: Map<string, QueueListener[]>;
  readonly timers: Map<string, Timer>;
};

type Prepared = { readonly https: HttpFunction[]; readonly queues: QueueListenerOptions[]; readonly timers: Timer[] };

/**
 * Runs a built v4 app without Azure Functions Core Tools: the real `@azure/functions`, and this host in place of the real
 * one.
 * @throws HostError, in one line, when the app cannot be loaded or has no function that can run, and for a second call in
 *   one process, even after `stop` (see `installCoreApi`).
 */
export async function startHost(options: HostOptions): Promise<Host> {
  const appDir = path.resolve(options.appDir);
  const local = readLocalSettings(appDir);
  const running = await loadRunning(appDir, options, fillEnvironment(options.env ?? {}, local.values));
  const { reporter, environment } = running;
  const { functions, prepared, errors } = await prepareFunctions(running);
  const [first] = errors;
  if (functions.length === 0 && first !== undefined) {
    throw new HostError(`no function can run; '${first.function}': ${first.message}`);
  }
  const server = await listen(
    {
      functions: prepared.https,
      invoker: running.invoker,
      reporter,
      key: options.key ?? null,
      isHomepageOff: environment["AzureWebJobsDisableHomepage"]?.toLowerCase() === "true",
      runManually: (name, input) => runManually(running, functions, name, input),
    },
    options.port ?? local.port ?? PORT,
  );
  startTriggers(running, prepared);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const described = functions.map((one) => describe(one, prepared));
  reporter.emit({ event: "ready", url, functions: described, errors });
  reporter.log("information", null, `Listening on ${url} with ${functions.map(({ name }) => name).join(", ")}`);
  let stopped: Promise<void> | undefined;
  return {
    url,
    functions: described,
    invoke: (name, input) => invokeByName(running, functions, name, input),
    stop: () => {
      stopped ??= stopHost(running, server, options.stopMsMax ?? STOP_MS_MAX);
      return stopped;
    },
  };
}

/** Loads the app and builds what its functions run on. */
async function loadRunning(appDir: string, options: HostOptions, environment: Environment): Promise<Running> {
  const reporter = createReporter({
    level: options.logLevel ?? "information",
    writeLine: options.writeLine ?? ((line) => process.stderr.write(`${line}\n`)),
    emit: options.onEvent ?? (() => undefined),
  });
  const settings = readHostSettings(appDir);
  const registry = installCoreApi((level, category, message) => reporter.log(level, null, message, category));
  const model = await loadApp(appDir, registry);
  const listeners = new Map<string, QueueListener[]>();
  const queues = createQueueFinder(environment);
  const outputs = createOutputSender({
    environment,
    queues,
    encoding: settings.queues.messageEncoding,
    onSent: (url) => {
      for (const listener of listeners.get(url) ?? []) listener.notify();
    },
  });
  const { functionTimeoutMs } = settings;
  const onTimeout = options.onTimeout ?? throwUncaught;
  const invoker = createInvoker({ registry, model, outputs, reporter, functionTimeoutMs, onTimeout });
  return { environment, settings, registry, reporter, invoker, outputs, queues, listeners, timers: new Map() };
}

/** Replaces nothing that is set already, except by `env` of the caller. */
function fillEnvironment(env: Environment, localValues: Record<string, string>): Environment {
  for (const [name, value] of Object.entries(env)) if (value !== undefined) process.env[name] = value;
  const defaults = { AZURE_FUNCTIONS_ENVIRONMENT: "Development", FUNCTIONS_WORKER_RUNTIME: "node" };
  for (const [name, value] of Object.entries({ ...defaults, ...localValues })) process.env[name] ??= value;
  return process.env;
}

function throwUncaught(message: string): void {
  queueMicrotask(() => {
    throw new HostError(message);
  });
}

/** Resolves settings, connections, schedules and routes. A function where that fails is reported as an error and left out. */
async function prepareFunctions(
  running: Running,
): Promise<{ functions: HostFunction[]; prepared: Prepared; errors: FunctionError[] }> {
  const { registry, environment, reporter, outputs, settings } = running;
  const indexed = indexFunctions(registry.functions.values(), environment, reporter.log);
  const prepared: Prepared = { https: [], queues: [], timers: [] };
  const functions: HostFunction[] = [];
  const errors = [...indexed.errors];
  for (const hostFunction of indexed.functions) {
    try {
      await outputs.prepare(hostFunction);
      const kind = triggerKind(hostFunction);
      if (kind === "http") prepared.https.push(toHttpFunction(hostFunction, settings.routePrefix));
      else if (kind === "queue") prepared.queues.push(await prepareQueue(running, hostFunction));
      else prepared.timers.push(prepareTimer(running, hostFunction));
      functions.push(hostFunction);
    } catch (error) {
      errors.push({ function: hostFunction.name, message: messageOf(error) });
    }
  }
  for (const { function: name, message } of errors) {
    reporter.log("error", null, `The '${name}' function is in error: ${message}`);
  }
  return { functions, prepared, errors };
}

async function prepareQueue(running: Running, hostFunction: HostFunction): Promise<QueueListenerOptions> {
  const { environment, settings, invoker, reporter, queues } = running;
  const { trigger } = hostFunction;
  const name = toQueueName(resolveSettings(String(trigger["queueName"] ?? ""), environment));
  const poisonName = poisonQueueName(name);
  const queue = await queues.get(name, trigger["connection"]);
  const poisonQueue = poisonName === null ? null : await queues.get(poisonName, trigger["connection"]);
  return { hostFunction, queue, poisonQueue, settings: settings.queues, invoker, reporter };
}

function prepareTimer({ environment, invoker, timers }: Running, hostFunction: HostFunction): Timer {
  const timer = createTimer(hostFunction, invoker, environment);
  timers.set(hostFunction.name, timer);
  return timer;
}

function startTriggers({ listeners }: Running, prepared: Prepared): void {
  for (const options of prepared.queues) {
    const others = listeners.get(options.queue.url) ?? [];
    listeners.set(options.queue.url, [...others, startQueueListener(options)]);
  }
  for (const timer of prepared.timers) timer.start();
}

function describe(hostFunction: HostFunction, { https }: Prepared): Host["functions"][number] {
  const { name } = hostFunction;
  const route = https.find((one) => one.hostFunction === hostFunction)?.route.template;
  return { name, trigger: triggerKind(hostFunction), ...(route === undefined ? {} : { route: `/${route}` }) };
}

function runManually(
  running: Running,
  functions: readonly HostFunction[],
  name: string,
  input: unknown,
): "started" | "http" | null {
  const found = functions.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (found === undefined) return null;
  if (triggerKind(found) === "http") return "http";
  void running.invoker.invoke(found, manualRequest(running, found, input)); // The answer is 202, however the run ends.
  return "started";
}

function manualRequest({ timers }: Running, hostFunction: HostFunction, input: unknown) {
  const timer = timers.get(hostFunction.name);
  if (timer !== undefined) return { cause: "manual", data: timer.input() } as const;
  const text = typeof input === "string" ? input : JSON.stringify(input ?? "");
  const data: RpcTypedData = { string: text };
  return { cause: "manual", data, triggerMetadata: manualMetadata(hostFunction.name, text) } as const;
}

async function invokeByName(running: Running, functions: readonly HostFunction[], name: string, input: unknown) {
  const found = functions.find((one) => one.name === name);
  if (found === undefined || triggerKind(found) === "http") {
    throw new HostError(`'${name}' is no timer or queue function of this app`);
  }
  const result = await running.invoker.invoke(found, manualRequest(running, found, input));
  return result.ok ? ({ ok: true } as const) : result;
}

async function stopHost(running: Running, server: Server, stopMsMax: number): Promise<void> {
  const { listeners, timers, invoker, registry, reporter } = running;
  reporter.log("information", null, "Stopping");
  for (const timer of timers.values()) timer.stop();
  server.close(); // No new connections; idle ones end here.
  const work = Promise.all([...listeners.values()].flat().map((listener) => listener.stop())).then(() =>
    invoker.idle(),
  );
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), stopMsMax);
  });
  if ((await Promise.race([work, late])) === "late") {
    reporter.log("warning", null, `${invoker.runningCount()} function(s) still running after ${stopMsMax / 1000} s`);
  }
  clearTimeout(timer);
  await closeConnections(server);
  try {
    await runHooks(registry, "appTerminate", { hookData: {} });
  } catch (error) {
    reporter.log("error", null, `an appTerminate hook failed: ${messageOf(error)}`);
  }
  reporter.emit({ event: "stopped" });
}

/** Lets answers in flight go out, but does not wait for clients that keep their connection open. */
async function closeConnections(server: Server): Promise<void> {
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MS_MAX);
  await new Promise<void>((resolve) => {
    server.getConnections((_error, count) => {
      if (count === 0) resolve();
      else server.once("close", resolve);
    });
  });
  clearTimeout(timer);
}
