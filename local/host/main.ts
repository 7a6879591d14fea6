import { fstatSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Host, startHost } from "./host.js";
import { HostError, stackOf } from "./hostError.js";
import { isLogLevel } from "./log.js";
import type { LogLevel } from "./types.js";

const USAGE = `usage: node .build/host.js [options]
  --app DIR          folder of the built app (default: the current one)
  --port N           port on 127.0.0.1, 0 = free (default: local.settings.json, else 7071)
  --keys KEY         ask for this key (x-functions-key or ?code=) unless a function is anonymous
  --log-level LEVEL  trace, debug, information (default), warning, error, critical or none
  --events           write events to stdout, one JSON object per line
  --with-parent      stop when stdin closes or the IPC channel disconnects`;

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_TIMEOUT = 3; // A function ran into functionTimeout.

type Arguments = {
  readonly appDir: string;
  readonly port: number | null;
  readonly key: string | null;
  readonly logLevel: LogLevel;
  readonly hasEvents: boolean;
  readonly isWithParent: boolean;
};

function parseArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      app: { type: "string", default: "." },
      port: { type: "string" },
      keys: { type: "string" },
      "log-level": { type: "string", default: "information" },
      events: { type: "boolean", default: false },
      "with-parent": { type: "boolean", default: false },
    },
  });
  const port = values.port === undefined ? null : Number(values.port);
  if (port !== null && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) throw new Error("--port: not a port");
  if (!isLogLevel(values["log-level"])) throw new Error(`--log-level: '${values["log-level"]}' is not a level`);
  return {
    appDir: values.app,
    port,
    key: values.keys ?? null,
    logLevel: values["log-level"],
    hasEvents: values.events,
    isWithParent: values["with-parent"],
  };
}

/** Sends to the log what the app itself writes to stdout, as the real host does: stdout is for events alone. */
function takeStdout(): (line: string) => void {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write;
  process.stdout.on("error", () => undefined); // The reader has gone; --with-parent ends us then.
  return (line) => write(`${line}\n`);
}

function stopWithParent(stop: () => unknown): void {
  if (process.channel !== undefined) process.once("disconnect", stop);
  const stdin = fstatSync(0);
  if (stdin.isFIFO() || stdin.isSocket()) process.stdin.once("end", stop).once("error", stop).resume();
}

function fail(message: string, code: number): never {
  process.stderr.write(`${message}\n`);
  process.exit(code); // Immediately: an app that was loaded halfway may hold timers and sockets.
}

async function run({ appDir, port, key, logLevel, hasEvents, isWithParent }: Arguments): Promise<void> {
  const writeEvent = takeStdout();
  let host: Host | undefined;
  let isStopping = false;
  const stop = async () => {
    if (isStopping) return;
    isStopping = true;
    await host?.stop();
    process.exit(0);
  };
  // Ctrl+C reaches the parent as well, which then sends SIGTERM: only a second Ctrl+C ends the host at once.
  process.once("SIGINT", () => {
    process.on("SIGINT", () => fail("Stopped before functions ended", EXIT_FAILED));
    void stop();
  });
  process.on("SIGTERM", stop);
  if (isWithParent) stopWithParent(stop);
  process.on("uncaughtException", (error) => fail(`The app crashed: ${stackOf(error)}`, EXIT_FAILED));
  process.chdir(appDir); // As the worker does.
  host = await startHost({
    appDir: process.cwd(),
    logLevel,
    ...(port === null ? {} : { port }),
    ...(key === null ? {} : { key }),
    ...(hasEvents ? { onEvent: (event) => writeEvent(JSON.stringify(event)) } : {}),
    onTimeout: (message) => fail(`${message}: the host ends, and with it all that runs in it`, EXIT_TIMEOUT),
  });
}

let given: Arguments;
try {
  given = parseArguments();
} catch (error) {
  fail(`${(error as Error).message}\n${USAGE}`, EXIT_USAGE);
}
try {
  await run(given);
} catch (error) {
  fail(`The app cannot start: ${error instanceof HostError ? error.message : stackOf(error)}`, EXIT_FAILED);
}
