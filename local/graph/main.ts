import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { accountsPerHundredOf } from "./accounts.js";
import { createGraph } from "./graph.js";
import { randomFrom } from "./random.js";
import type { SavedGraph } from "./saved.js";
import { startGraphServer } from "./server.js";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "8090" },
    mailboxes: { type: "string", default: "100" },
    calendars: { type: "string", default: "5" },
    seed: { type: "string", default: "1" },
    /** Accounts that are not people, such as shared=7,room=3,equipment=2,leaver=3; people only unless given. */
    perHundred: { type: "string" },
    token: { type: "string" },
    /** Root that links carry, such as https://graph.microsoft.com; this server unless given. */
    publicRoot: { type: "string" },
    /** Milliseconds per request or batch item. */
    latencyMs: { type: "string", default: "0" },
    /** How many links a mailbox keeps. */
    generations: { type: "string", default: "3" },
    appOnly: { type: "boolean", default: false },
    /** A file that keeps what is changed over the control API; the next run with the same options begins with that. */
    state: { type: "string" },
    /** Ends when stdin does: a parent that is killed leaves no orphan. */
    withParent: { type: "boolean", default: false },
  },
});

const latencyMs = wholeNumber("latencyMs", values.latencyMs);
const seed = wholeNumber("seed", values.seed);
const core = createGraph({
  clock: { nowMs: () => Date.now() },
  random: randomFrom(seed),
  seed,
  mailboxes: wholeNumber("mailboxes", values.mailboxes),
  perHundred: values.perHundred === undefined ? null : accountsPerHundredOf(values.perHundred),
  calendars: wholeNumber("calendars", values.calendars),
  generationsKept: wholeNumber("generations", values.generations),
  latency: { minMs: latencyMs, maxMs: latencyMs },
  me: values.appOnly ? null : 0,
});
const { state } = values;
if (state !== undefined && existsSync(state)) core.restore(JSON.parse(readFileSync(state, "utf8")) as SavedGraph);
const server = await startGraphServer({
  core,
  ...(state === undefined ? {} : { save: (saved) => write(state, JSON.stringify(saved)) }),
  port: wholeNumber("port", values.port),
  ...(values.token === undefined ? {} : { token: values.token }),
  ...(values.publicRoot === undefined ? {} : { publicRoot: values.publicRoot }),
});
const stop = () => void server.close().then(() => process.exit(0));
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, stop);
if (values.withParent) process.stdin.once("end", stop).once("error", stop).resume();
console.log(JSON.stringify({ url: server.url }));

/** Whole or not at all: we may be killed while we write. */
function write(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name} must be a whole number, not "${text}".`);
  return Number(text);
}
