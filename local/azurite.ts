import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { root } from "./root.js";

/** A running Azurite: table and queue storage of one account, on 127.0.0.1. */
export type Azurite = {
  /** For `TableClient.fromConnectionString(…, { allowInsecureConnection: true })` and `QueueServiceClient`. */
  readonly connectionString: string;
  readonly tablePort: number;
  readonly queuePort: number;
  readonly pid: number;
  /** Ends Azurite and waits for it, so that data in `dataDir` is complete. May be called twice. */
  stop(): Promise<void>;
};

/** Where Azurite keeps its data, and where it listens. */
export type AzuriteOptions = {
  /** Folder that keeps the data. Without it everything is in memory and gone at the end. */
  readonly dataDir?: string;
  /** Ports to bind; 0 (default) lets the system choose. */
  readonly tablePort?: number;
  readonly queuePort?: number;
  /** Delay of each answer, as of a network and a real service: of requests, and of table transactions. */
  readonly latency?: { readonly requestMs: number; readonly transactionMs: number };
};

// Azurite's published development account: not a secret.
const ACCOUNT_NAME = "devstoreaccount1";
const ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const START_MS_MAX = 30_000; // Our choice: a start takes about 1 s, and many times that on a loaded machine.
const STOP_MS_MAX = 10_000; // Our choice: writing the databases takes milliseconds.

const SERVERS = path.join(root, "local", "azuriteServers.mjs");

/**
 * Starts Azurite (tables and queues; blobs would double the start-up time) as a child process that ends with us, even
 * when we are killed. Both services answer when the promise resolves.
 * @throws Error with one line that says why Azurite could not start.
 */
export async function startAzurite(options: AzuriteOptions = {}): Promise<Azurite> {
  const flags = ["--table-port", String(options.tablePort ?? 0), "--queue-port", String(options.queuePort ?? 0)];
  const { requestMs = 0, transactionMs = 0 } = options.latency ?? {};
  flags.push("--request-ms", String(requestMs), "--transaction-ms", String(transactionMs));
  if (options.dataDir !== undefined) flags.push("--data", path.resolve(options.dataDir));
  const child = spawn(process.execPath, [SERVERS, ...flags], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, NODE_OPTIONS: "" }, // A loader or inspector of ours would only slow it down.
  });
  // On a console Ctrl+C reaches the whole group, and this pipe breaks: not an error.
  child.stdin?.on("error", () => child.stdin?.destroy());
  const ports = await readPorts(child);
  const endpoint = (name: string, port: number) => `${name}Endpoint=http://127.0.0.1:${port}/${ACCOUNT_NAME};`;
  return {
    connectionString:
      `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT_NAME};AccountKey=${ACCOUNT_KEY};` +
      endpoint("Queue", ports.queuePort) +
      endpoint("Table", ports.tablePort),
    ...ports,
    pid: child.pid ?? 0, // It has answered, so it has one.
    stop: () => stopChild(child),
  };
}

type Ports = { readonly tablePort: number; readonly queuePort: number };

/** Waits for the child's only line of output. */
async function readPorts(child: ChildProcess): Promise<Ports> {
  const complaints: string[] = [];
  child.stderr?.setEncoding("utf8").on("data", (text: string) => complaints.push(text));
  return await new Promise<Ports>((resolve, reject) => {
    const fail = (why: string) => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      reject(new Error(`Azurite did not start: ${why}`));
    };
    const timer = setTimeout(() => fail(`no answer within ${START_MS_MAX / 1000} s`), START_MS_MAX);
    child.once("error", (error) => fail(error.message));
    child.once("close", (code) => fail(complaints.join("").trim().split("\n").at(-1) || `it ended with code ${code}`));
    if (child.stdout === null) return fail("it has no output");
    createInterface(child.stdout).on("line", (line) => {
      if (!line.startsWith("{")) return; // Azurite's own output.
      clearTimeout(timer);
      child.removeAllListeners("close");
      resolve(JSON.parse(line) as Ports);
    });
  });
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.stdin?.end();
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
  await ended;
  clearTimeout(timer);
}
