import * as z from "zod";
import { cloudNames, clouds } from "./graph/clouds.js";
import type { DirectorySource } from "./graph/directory.js";
import { isLoopback } from "./graph/links.js";
import { type SubscriberHosts, subscriberHostsOf } from "./push/hosts.js";
import { nextFire, readSchedule } from "./schedule.js";
import { clientIdMistake, readStorage, type StorageSettings, storageNames } from "./storageSettings.js";
import { isGuid } from "./sync/mailboxId.js";
import { knownKinds, type MailboxKind } from "./sync/mailboxKind.js";
import { dayMs } from "./sync/time.js";
import { readTelemetry, type TelemetrySettings, telemetryNames } from "./telemetry/settings.js";

type Roster = { readonly kind: "manual" } | DirectorySource;

/**
 * All that the environment decides, checked. Secrets in it: the connection string and the trial token. Without `telemetry`
 * nobody receives any, and nothing of it is loaded.
 */
export type Settings = Readonly<ReturnType<typeof typed>> & { readonly telemetry: TelemetrySettings | null };

/** The names and values of a process's environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Every mistake in the environment at once, each with its name and how to mend it. Never holds a secret. */
export class SettingsError extends Error {
  constructor(readonly mistakes: readonly string[]) {
    super(`The settings are wrong:\n${mistakes.map((mistake) => `  - ${mistake}`).join("\n")}`);
    this.name = "SettingsError";
  }
}

const secrets = new Set(["AzureWebJobsStorage", "GRAPH_ACCESS_TOKEN"]);

const integer = (min: number, max: number, initial: number) =>
  z
    .string()
    .default(String(initial))
    .refine((text) => /^\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max, {
      error: `must be a whole number from ${min} to ${max}`,
    })
    .transform(Number);
const days = (initial: number) =>
  z
    .string()
    .default(String(initial))
    .refine((text) => /^\d{1,3}(\.\d{1,9})?$/.test(text) && Number(text) > 0, {
      error: "must be a number of days above 0, such as 7 or 0.5",
    })
    .transform((text) => Math.round(Number(text) * dayMs));
const oneOf = <const Names extends readonly [string, ...string[]]>(names: Names, initial: Names[number]) =>
  z.enum(names, { error: `must be one of ${names.join(", ")}` }).default(initial as never);
/** NCRONTAB, since a time span, which the host takes too, counts on App Service plans only. */
const schedule = (initial: string) =>
  z
    .string()
    .default(initial)
    .refine((text) => scheduleMistake(text) === null, {
      error: ({ input }) => scheduleMistake(String(input)) ?? "is wrong",
    });
/** Scheme, host and port of a URL. */
const originLike = (example: string) =>
  z
    .string()
    .refine((text) => originMistake(text, example) === null, {
      error: ({ input }) => originMistake(String(input), example) ?? "is wrong",
    })
    .transform((text) => new URL(text).origin);
/** 56 characters at most: the host appends `-poison`, and a queue name ends at 63. */
const queue = (initial: string) =>
  z
    .string()
    .default(initial)
    .refine((text) => /^[a-z0-9](-?[a-z0-9])+$/.test(text) && text.length >= 3 && text.length <= 56, {
      error: "must be 3 to 56 of a-z, 0-9 and single dashes, beginning and ending with a letter or digit",
    });
const table = (initial: string) =>
  z
    .string()
    .default(initial)
    .refine((text) => /^[A-Za-z][A-Za-z0-9]{2,62}$/.test(text) && text.toLowerCase() !== "tables", {
      error: 'must be 3 to 63 letters and digits, beginning with a letter, and not "tables"',
    });

function namesIn(text: string): readonly string[] {
  return text.split(",").map((name) => name.trim().toLowerCase());
}
function kindNamed(name: string): MailboxKind | undefined {
  return knownKinds.find((kind) => kind === name);
}

const shape = z.object({
  GRAPH_CLOUD: oneOf(cloudNames, "global"),
  GRAPH_API_VERSION: oneOf(["beta", "v1.0"], "beta"),
  GRAPH_ENDPOINT: originLike("https://graph.microsoft.com").optional(),
  GRAPH_ACCESS_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]+$/, { error: "must be a bearer token without blanks or line breaks" })
    .optional(),
  GRAPH_BATCH_SIZE: integer(1, 20, 20),
  GRAPH_PAGE_SIZE: integer(1, 999, 50),
  SYNC_SCHEDULE: schedule("0 */5 * * * *"),
  SHARDS: integer(1, 256, 16).refine((shards) => Number.isInteger(Math.log2(shards)), {
    error: "must be a power of two from 1 to 256, such as 16",
  }),
  ROSTER: z
    .string()
    .default("manual")
    .refine((text) => ["manual", "directory"].includes(text) || (text.startsWith("group:") && isGuid(text.slice(6))), {
      error: "must be manual, directory, or group: followed by the group's object id",
    }),
  ROSTER_KINDS: z
    .string()
    .default(knownKinds.join(","))
    .transform(namesIn)
    .refine((names) => names.every((name) => kindNamed(name) !== undefined), {
      error: `must be kinds of mailboxes with commas between them, out of ${knownKinds.join(", ")}`,
    })
    .transform((names) => new Set(names.flatMap((name) => kindNamed(name) ?? []))),
  ROSTER_SCHEDULE: schedule("0 0 * * * *"),
  AUDIT_DAYS: days(7),
  TOMBSTONE_DAYS: days(30),
  HISTORY_DAYS: days(30),
  MIRROR_TABLE: table("calendarmirror"),
  ROUNDS_QUEUE: queue("calendar-rounds"),
  PAGES_QUEUE: queue("calendar-pages"),
  CHANGES_QUEUE: queue("calendar-changes"),
  PUSH_QUEUE: queue("calendar-push"),
  SUBSCRIBER_HOSTS: z.string().default("").transform(subscribersIn),
  TENANT_ID: z.string().refine(isGuid, { error: "must be the directory's GUID" }).toLowerCase().optional(),
  CHANGE_NUDGES: oneOf(["on", "off"], "on"),
  PUBLIC_ORIGIN: originLike("https://mirror.example").optional(),
});

/**
 * The mirror's own settings; those of its storage come as the host names them.
 * @internal For tests.
 */
export const settingNames: readonly string[] = Object.keys(shape.shape);
/** The names of all settings that are read, by the name in lower case. */
const allNames = new Map(
  [...settingNames, ...storageNames, ...telemetryNames, "AZURE_CLIENT_ID"].map((name) => [name.toLowerCase(), name]),
);

/**
 * The settings of this process. An empty value counts as not set.
 * @throws SettingsError with every mistake at once.
 */
export function readSettings(environment: Environment): Settings {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value.trim() !== ""),
  ) as Record<string, string>;
  const parsed = shape.safeParse(given);
  const isInAzure = runsInAzure(given);
  const storage = readStorage(given, clouds[parsed.success ? parsed.data.GRAPH_CLOUD : "global"].storageSuffix);
  const telemetry = readTelemetry(given);
  const clientId = clientIdMistake("AZURE_CLIENT_ID", given["AZURE_CLIENT_ID"]);
  const misspelt = misspeltNames(given);
  const strays = valuesWithStrays(given);
  const others = [
    ...(parsed.success
      ? crossMistakes(parsed.data, isInAzure)
      : parsed.error.issues.map((issue) => mistakeOf(issue, given))),
    ...("kind" in storage ? [] : storage),
    ...(clientId === null ? [] : [clientId]),
    ...telemetry.mistakes,
  ];
  const isReported = (mistake: string) => strays.some((stray) => stray.name === mistake.split(" ", 1)[0]);
  const mistakes = [
    ...misspelt,
    ...strays.map(({ mistake }) => mistake),
    ...others.filter((each) => !isReported(each)),
  ];
  if (!parsed.success || !("kind" in storage) || mistakes.length > 0) throw new SettingsError(mistakes);
  return { ...typed(parsed.data, storage, given, isInAzure), telemetry: telemetry.settings };
}

/** Names are case-sensitive on Linux, where a misspelt one would be ignored in silence; the host accepts both. */
function misspeltNames(given: Environment): string[] {
  return Object.keys(given).flatMap((name) => {
    const meant = allNames.get(name.replaceAll(":", "__").toLowerCase());
    return meant === undefined || meant === name ? [] : [`${name} is not read: the name is ${meant}.`];
  });
}

/** Settings files and consoles keep what others strip: quotation marks, and the line break at the end of a secret. */
function valuesWithStrays(given: Environment): { readonly name: string; readonly mistake: string }[] {
  return [...allNames.values()]
    .filter((name) => !name.endsWith("_SCHEDULE")) // Blanks around one mean nothing, and the rest is refused.
    .filter((name) => /^\s|\s$|[\r\n]|^(["']).*\1$/.test(given[name] ?? ""))
    .map((name) => {
      const mistake = `${name} must have no quotation marks, blanks or line breaks around its value: they would be part of it.`;
      return { name, mistake };
    });
}

function typed(data: z.output<typeof shape>, storage: StorageSettings, given: Environment, isInAzure: boolean) {
  const storageClientId = storage.kind === "identity" ? storage.clientId : null;
  return {
    storage,
    graph: {
      cloud: data.GRAPH_CLOUD,
      root: data.GRAPH_ENDPOINT ?? clouds[data.GRAPH_CLOUD].root,
      version: data.GRAPH_API_VERSION,
      accessToken: data.GRAPH_ACCESS_TOKEN ?? null,
      clientId: given["AZURE_CLIENT_ID"] ?? storageClientId,
      batchSize: data.GRAPH_BATCH_SIZE,
      pageSize: data.GRAPH_PAGE_SIZE,
    },
    isInAzure,
    syncSchedule: data.SYNC_SCHEDULE,
    shards: data.SHARDS,
    roster: rosterOf(data.ROSTER),
    rosterKinds: data.ROSTER_KINDS,
    rosterSchedule: data.ROSTER_SCHEDULE,
    auditMs: data.AUDIT_DAYS,
    tombstoneMs: data.TOMBSTONE_DAYS,
    historyMs: data.HISTORY_DAYS,
    table: data.MIRROR_TABLE,
    roundsQueue: data.ROUNDS_QUEUE,
    pagesQueue: data.PAGES_QUEUE,
    changesQueue: data.CHANGES_QUEUE,
    pushQueue: data.PUSH_QUEUE,
    /** Whom we notify; null: any public host. */
    subscriberHosts: data.SUBSCRIBER_HOSTS,
    /** What notifications say; null: that it is unknown. */
    tenantId: data.TENANT_ID ?? null,
    changeNudges: data.CHANGE_NUDGES === "on",
    /** Scheme and host of our links; null: as a request has reached us. */
    publicOrigin: data.PUBLIC_ORIGIN ?? null,
  };
}

/** Names and patterns of hosts. */
function subscribersIn(text: string, context: z.RefinementCtx): SubscriberHosts {
  const read = subscriberHostsOf(text);
  if ("hosts" in read) return read.hosts;
  context.addIssue(read.mistake);
  return z.NEVER;
}

function rosterOf(text: string): Roster {
  if (text.startsWith("group:")) return { kind: "group", groupId: text.slice(6).toLowerCase() };
  return { kind: text === "directory" ? "directory" : "manual" };
}

/** What is wrong with settings that are each right by themselves. */
function crossMistakes(data: z.output<typeof shape>, isInAzure: boolean): string[] {
  const queues = [data.ROUNDS_QUEUE, data.PAGES_QUEUE, data.CHANGES_QUEUE, data.PUSH_QUEUE];
  const mistakes: string[] = [];
  if (new Set(queues).size < queues.length) {
    mistakes.push("ROUNDS_QUEUE, PAGES_QUEUE, CHANGES_QUEUE and PUSH_QUEUE must be four different names.");
  }
  if (isInAzure && data.GRAPH_ACCESS_TOKEN !== undefined) {
    mistakes.push(
      "GRAPH_ACCESS_TOKEN is for trials only and is refused in Azure. Remove it: the managed identity is used.",
    );
  }
  return mistakes;
}

function mistakeOf(issue: z.core.$ZodIssue, given: Environment): string {
  const name = String(issue.path[0]);
  const value = secrets.has(name) ? "" : ` It is ${JSON.stringify(given[name]?.slice(0, 80))}.`;
  return `${name} ${issue.message}.${value}`;
}

/** What is wrong with a timer's schedule, or null. The app would run on without ticks, or with ticks at other times. */
function scheduleMistake(text: string): string | null {
  const read = readSchedule(text);
  if ("mistake" in read) {
    return `must be NCRONTAB, {second} {minute} {hour} {day} {month} {day of week}, such as 0 */5 * * * *; it ${read.mistake}`;
  }
  const [range] = read.reversed;
  if (range !== undefined) {
    return (
      `must have no reversed range: the host reads the ${range.field} ${range.range} as ${range.readAs}. ` +
      `Write that, or ${range.around} to go round`
    );
  }
  return nextFire(read, 0) === null ? "must fire now and then: it has no day that ever comes" : null;
}

/** What is wrong with an origin, or null. Plain http is for this machine only: a token goes to Graph's, and keys to ours. */
function originMistake(text: string, example: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) return `must be a URL such as ${example}`;
  if (url.username !== "" || url.password !== "") return "must not hold a user name or password";
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") {
    return `must be the root alone, without version, path or query, such as ${example}`;
  }
  if (url.protocol === "https:") return null;
  if (url.protocol === "http:" && isLoopback(url.hostname)) return null;
  return "must begin with https:// (plain http only for this machine, such as http://127.0.0.1:8090)";
}

/**
 * App Service names the instance; Flex Consumption names container and service host, which only together say Azure
 * (many a container names itself); both name the site, which Core Tools may do as well, in its Development runs.
 */
function runsInAzure(given: Environment): boolean {
  const isSet = (name: string) => given[name] !== undefined;
  if (isSet("WEBSITE_INSTANCE_ID") || (isSet("CONTAINER_NAME") && isSet("LEGION_SERVICE_HOST"))) return true;
  return isSet("WEBSITE_SITE_NAME") && given["AZURE_FUNCTIONS_ENVIRONMENT"] !== "Development";
}
