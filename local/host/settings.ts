import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { HostError } from "./hostError.js";
import { readTimeSpan } from "./timeSpan.js";

/** Environment variables by name. */
export type Environment = Record<string, string | undefined>;

/** `extensions.queues` of host.json, with its defaults. */
export type QueueSettings = {
  readonly batchSize: number;
  readonly newBatchThreshold: number;
  readonly maxDequeueCount: number;
  readonly visibilityTimeoutMs: number;
  readonly maxPollingIntervalMs: number;
  readonly messageEncoding: "base64" | "none";
};

/** What is read of host.json. */
export type HostSettings = {
  readonly queues: QueueSettings;
  readonly routePrefix: string;
  /** Infinity when unbounded. */
  readonly functionTimeoutMs: number;
};

const DAY_MS = 86_400_000;
const FUNCTION_TIMEOUT_MIN_MS = 1000; // As in the host, on every plan.
const MAX_POLLING_INTERVAL_MS = 60_000; // The queue extension's default ...
const MAX_POLLING_INTERVAL_DEVELOPMENT_MS = 2000; // ... and what a Development host makes of that default.

/** Reads host.json of the app. A missing or unreadable file, or a value out of range, is a HostError. */
export function readHostSettings(appDir: string): HostSettings {
  const root = readJson(path.join(appDir, "host.json"));
  if (root === null) throw new HostError(`host.json is missing in ${appDir}`);
  const extensions = section(root, "extensions");
  const prefix = section(extensions, "http")["routePrefix"] ?? "api";
  return {
    queues: readQueueSettings(section(extensions, "queues")),
    routePrefix: String(prefix).replace(/^\/+|\/+$/g, ""),
    functionTimeoutMs: functionTimeout(root),
  };
}

/** Minus one day, written as -1, means none. */
function functionTimeout(root: Record<string, unknown>): number {
  const ms = timeSpan(root, "functionTimeout", "00:30:00");
  if (ms === -DAY_MS) return Number.POSITIVE_INFINITY;
  if (ms >= FUNCTION_TIMEOUT_MIN_MS) return ms;
  throw new HostError(
    `host.json: functionTimeout must be at least 00:00:01, or -1 for none. It is ${JSON.stringify(root["functionTimeout"])}.`,
  );
}

function readQueueSettings(queues: Record<string, unknown>): QueueSettings {
  const batchSize = integer(queues, "batchSize", 16, 1, 32);
  const threshold = Math.floor(batchSize / 2) * availableParallelism();
  const pollingMs = timeSpan(queues, "maxPollingInterval", "00:01:00", "extensions.queues.");
  if (pollingMs < 100) throw new HostError("host.json: extensions.queues.maxPollingInterval must be at least 100 ms");
  return {
    batchSize,
    newBatchThreshold: integer(queues, "newBatchThreshold", threshold, 0, Number.MAX_SAFE_INTEGER),
    maxDequeueCount: integer(queues, "maxDequeueCount", 5, 1, Number.MAX_SAFE_INTEGER),
    visibilityTimeoutMs: timeSpan(queues, "visibilityTimeout", "00:00:00", "extensions.queues."),
    maxPollingIntervalMs: pollingMs === MAX_POLLING_INTERVAL_MS ? MAX_POLLING_INTERVAL_DEVELOPMENT_MS : pollingMs,
    messageEncoding: String(queues["messageEncoding"] ?? "base64").toLowerCase() === "none" ? "none" : "base64",
  };
}

/** What `local.settings.json` says: `Values` for the environment, and the port. Empty when there is no such file. */
export function readLocalSettings(appDir: string): { values: Record<string, string>; port: number | null } {
  const root = readJson(path.join(appDir, "local.settings.json"));
  if (root === null) return { values: {}, port: null };
  if (root["IsEncrypted"] === true)
    throw new HostError("local.settings.json is encrypted: only Core Tools can read it");
  const values = Object.entries(section(root, "Values"));
  const notText = values.find(([, value]) => typeof value !== "string");
  if (notText !== undefined) throw new HostError(`local.settings.json: the value of ${notText[0]} must be a string`);
  const port = Number(section(root, "Host")["LocalHttpPort"]);
  return { values: Object.fromEntries(values) as Record<string, string>, port: Number.isInteger(port) ? port : null };
}

/** A setting by name; like the host's configuration, names differ by more than letter case. */
export function readSetting(environment: Environment, name: string): string | undefined {
  const key = name.replaceAll(":", "__");
  if (environment[key] !== undefined) return environment[key];
  const lower = key.toLowerCase();
  return Object.entries(environment).find(([candidate]) => candidate.toLowerCase() === lower)?.[1];
}

/** Replaces each `%NAME%` by its setting. A setting that does not exist is a HostError, as it is when indexing. */
export function resolveSettings(text: string, environment: Environment): string {
  return text.replaceAll(/%([^%]+)%/g, (_match, name: string) => {
    const value = readSetting(environment, name);
    if (value === undefined || value === "") throw new HostError(`'%${name}%' does not resolve to a value`);
    return value;
  });
}

/** A JSON object from a file; null when there is no such file. @throws HostError when it cannot be read as one. */
export function readJson(file: string): Record<string, unknown> | null {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new HostError(`${file} cannot be read: ${(error as Error).message}`);
  }
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ""));
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch (error) {
    throw new HostError(`${file} is not JSON: ${(error as Error).message}`);
  }
  throw new HostError(`${file} is not a JSON object`);
}

function section(parent: Record<string, unknown>, name: string): Record<string, unknown> {
  const value = parent[name];
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** @param where Comes before the name in the error message. */
function timeSpan(from: Record<string, unknown>, name: string, fallback: string, where = ""): number {
  const value = from[name] ?? fallback;
  const ms = readTimeSpan(String(value)); // A bare number in JSON is read as its text.
  if (ms !== null) return ms;
  throw new HostError(
    `host.json: ${where}${name} must be a TimeSpan as .NET reads it: hh:mm:ss, such as 00:10:00, or days before it, such as ` +
      `1.00:00:00. It is ${JSON.stringify(value)}.`,
  );
}

function integer(from: Record<string, unknown>, name: string, fallback: number, min: number, max: number): number {
  const value = from[name] ?? fallback;
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new HostError(`host.json: extensions.queues.${name} must be a whole number from ${min} to ${max}`);
}
