// Child process of azurite.ts: Azurite's own table and queue servers in one process, without its CLI. Plain JavaScript,
// so that it starts without a loader. Against the CLI that saves blob storage (half of the load time), lets the system
// choose the ports without a race, and lets us stop cleanly when the parent dies. The classes are internal to Azurite:
// package.json pins its exact version.
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { changeOneByOne } from "./azuriteMessages.mjs";
import { keepRowsByKey } from "./azuriteRows.mjs";
import { finishSaves } from "./azuriteSaves.mjs";
import { leaveTelemetryOut } from "./azuriteTelemetry.mjs";

const require = createRequire(import.meta.url);
const HOST = "127.0.0.1";
const KEEP_ALIVE_SECONDS = 60; // Azurite's 5 s make pooled clients meet connections that are just being closed.

/** The value of `--name value` on the command line, or undefined. */
function argument(name) {
  const index = process.argv.indexOf(`--${name}`);
  return index === -1 ? undefined : process.argv[index + 1];
}

// Positional, as Azurite's constructors want them; `undefined` stands for "Azurite's default".
function createTableServer(port, dataDir) {
  const { default: TableConfiguration } = require("azurite/dist/src/table/TableConfiguration");
  const { default: TableServer } = require("azurite/dist/src/table/TableServer");
  const log = [false, false, undefined, undefined]; // Debug log, access log, its stream, the debug log's file.
  const rest = [false, true, "", "", "", undefined, false, dataDir === undefined]; // Loose, skip version check, ...
  const database = path.join(dataDir ?? ".", "__azurite_db_table__.json");
  return new TableServer(new TableConfiguration(HOST, port, KEEP_ALIVE_SECONDS, database, ...log, ...rest));
}

function createQueueServer(port, dataDir) {
  const { default: QueueConfiguration } = require("azurite/dist/src/queue/QueueConfiguration");
  const { default: QueueServer } = require("azurite/dist/src/queue/QueueServer");
  const { DEFAULT_QUEUE_PERSISTENCE_ARRAY } = require("azurite/dist/src/queue/utils/constants");
  const root = dataDir ?? ".";
  DEFAULT_QUEUE_PERSISTENCE_ARRAY[0].locationPath = path.join(root, "__queuestorage__");
  const databases = [
    path.join(root, "__azurite_db_queue__.json"),
    path.join(root, "__azurite_db_queue_extent__.json"),
    DEFAULT_QUEUE_PERSISTENCE_ARRAY,
  ];
  const log = [false, undefined, false, undefined]; // Access log, its stream, debug log, its file.
  const rest = [false, true, "", "", "", undefined, false, dataDir === undefined];
  return new QueueServer(new QueueConfiguration(HOST, port, KEEP_ALIVE_SECONDS, ...databases, ...log, ...rest));
}

/** Lets each request wait before it is worked on, all at the same time: what a network adds. */
function delay({ httpServer }, delayMsOf) {
  const handlers = httpServer.listeners("request");
  httpServer.removeAllListeners("request");
  httpServer.on("request", (request, response) => {
    setTimeout(() => {
      for (const handle of handlers) handle.call(httpServer, request, response);
    }, delayMsOf(request));
  });
}

function delayBoth(table, queue) {
  const [requestMs, transactionMs] = [Number(argument("request-ms") ?? 0), Number(argument("transaction-ms") ?? 0)];
  if (requestMs === 0 && transactionMs === 0) return;
  delay(table, ({ url }) => (url.includes("/$batch") ? transactionMs : requestMs));
  delay(queue, () => requestMs);
}

async function main() {
  leaveTelemetryOut();
  const dataDir = argument("data");
  if (dataDir !== undefined) mkdirSync(dataDir, { recursive: true });
  if (dataDir === undefined) keepRowsByKey();
  changeOneByOne();
  finishSaves();
  const table = createTableServer(Number(argument("table-port") ?? 0), dataDir);
  const queue = createQueueServer(Number(argument("queue-port") ?? 0), dataDir);
  delayBoth(table, queue);
  await Promise.all([table.start(), queue.start()]);

  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await Promise.all([table.close(), queue.close()]); // Writes the databases: LokiJS saves only every 5 s by itself.
    process.exit(0);
  };
  const stopOrFail = () =>
    stop().catch((error) => {
      console.error(`Azurite did not close cleanly: ${error.message}`);
      process.exit(1);
    });
  process.on("SIGTERM", stopOrFail);
  // Ctrl+C reaches the whole process group, and functions that are still running need their storage: the parent decides.
  process.on("SIGINT", () => undefined);
  // The parent holds the other end: it closes when the parent asks us to stop, and also when the parent is killed.
  process.stdin.on("end", stopOrFail).on("error", stopOrFail).resume();
  const port = (server) => Number(new URL(server.getHttpServerAddress()).port);
  process.stdout.write(`${JSON.stringify({ tablePort: port(table), queuePort: port(queue) })}\n`);
}

main().catch((error) => {
  console.error(error instanceof Error ? error.message.split("\n")[0] : String(error));
  process.exit(1);
});
