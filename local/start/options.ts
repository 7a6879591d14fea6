import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";

/** Help for the command line. */
export const usage = `usage: npm start -- [options]
  --once            until the mirror is quiet, then a summary; exit code 0 when every mailbox is fresh and right, else 1
  --mailboxes N     simulated mailboxes (default 50)
  --calendars N     calendars in each (default 5)
  --roster HOW      manual: mailboxes are put on the roster one by one (default); directory: it is discovered
  --page-size N     calendars per Graph page (default 50)
  --data DIR        keep storage, the simulated tenant, broken or not, and all ports in a folder, and go on with what it holds
  --mailbox ID      a real mailbox instead of simulated ones: me, with GRAPH_ACCESS_TOKEN set
  --port N          port of the HTTP functions (default: a free one)
  --app DIR         a built app elsewhere, such as what npm run package lays out, in the host stand-in
  --json            one JSON object per line instead of text
  --help            this
Ctrl-C ends everything. Settings of README's table are taken from the environment.
With npm start --silent -- --json nothing but JSON is on stdout; without --silent npm writes four lines of its own before.`;

/** The options of `npm start`, checked. */
export type StartOptions = {
  readonly once: boolean;
  readonly mailboxes: number;
  readonly calendars: number;
  readonly roster: "manual" | "directory";
  readonly pageSize: string;
  readonly dataDir: string | null;
  /** A real mailbox; null: simulated ones. */
  readonly mailbox: string | null;
  readonly port: number;
  /** Folder of a built app elsewhere; null: this repository's. */
  readonly appDir: string | null;
  /** Whether this repository's app is built first. */
  readonly builds: boolean;
  readonly json: boolean;
  /** Which of `worldOptions` were given: of a folder that holds another world, they are refused. */
  readonly given: ReadonlySet<keyof WorldOptions>;
};

/** What a simulated world is made from. */
const worldOptions = ["mailboxes", "calendars", "roster", "mailbox"] as const;
export type WorldOptions = Pick<StartOptions, (typeof worldOptions)[number]>;

/** Whether help is asked for, whatever else stands beside it. */
export function isHelpAsked(args: readonly string[]): boolean {
  return args.some((arg) => arg === "--help" || arg === "-h");
}

/** Options that were written before the `--` between npm's own and ours: npm makes settings of them. */
export function lostOptions(env: NodeJS.ProcessEnv): readonly string[] {
  const names = ["once", "mailboxes", "calendars", "page-size", "roster", "data", "mailbox", "port", "app"];
  return names.flatMap((name) => {
    const value = env[`npm_config_${name.replaceAll("-", "_")}`];
    return value === undefined ? [] : [value === "true" ? `--${name}` : `--${name} ${value}`];
  });
}

/**
 * Reads the command line, and looks at the folders that it names.
 * @throws Error in one line for an option that is unknown or out of range, and for a folder that cannot be used.
 */
export function startOptions(args: readonly string[], env: NodeJS.ProcessEnv): StartOptions {
  const { values } = parsed(args, env);
  if (values.mailbox !== undefined && !env["GRAPH_ACCESS_TOKEN"]) {
    throw new Error("--mailbox mirrors a real mailbox: set GRAPH_ACCESS_TOKEN to a token that may read its calendars.");
  }
  const { roster = "manual", data, app } = values;
  if (roster !== "manual" && roster !== "directory")
    throw new Error(`--roster is manual or directory, not "${roster}".`);
  if (roster === "directory" && values.mailbox !== undefined) {
    throw new Error("--roster directory discovers simulated mailboxes: it does not go with --mailbox.");
  }
  if (data !== undefined && env["AzureWebJobsStorage"]) {
    throw new Error(
      "--data keeps storage of our own, and AzureWebJobsStorage names another one: leave out one of them.",
    );
  }
  if (data !== undefined) checkDataFolder(data);
  if (app !== undefined) checkApp(app);
  return {
    given: new Set(worldOptions.filter((name) => values[name] !== undefined)),
    roster,
    once: values.once,
    mailboxes: wholeNumber("mailboxes", values.mailboxes ?? "50", 1, 1_000_000),
    calendars: wholeNumber("calendars", values.calendars ?? "5", 1, 10_000),
    pageSize: String(wholeNumber("page-size", values["page-size"], 1, 999)),
    dataDir: data ?? null,
    mailbox: values.mailbox ?? null,
    port: wholeNumber("port", values.port, 0, 65_535),
    appDir: app ?? null,
    builds: values.build && app === undefined,
    json: values.json,
  };
}

function parsed(args: readonly string[], env: NodeJS.ProcessEnv) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        once: { type: "boolean", default: false },
        mailboxes: { type: "string" },
        calendars: { type: "string" },
        "page-size": { type: "string", default: env["GRAPH_PAGE_SIZE"] ?? "50" },
        roster: { type: "string" },
        data: { type: "string" },
        mailbox: { type: "string" },
        port: { type: "string", default: "0" },
        app: { type: "string" },
        build: { type: "boolean", default: false }, // For `npm start`, which always gives it.
        json: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    // Without what parseArgs says of arguments that no option of ours takes.
    const [what = ""] = (error as Error).message.split(/\. (?:To specify|This command)/);
    throw new Error(`${what.replace(/\.$/, "")}. What there is: npm start -- --help`);
  }
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new Error(`--${name} must be a whole number from ${min} to ${max}, not "${text}".`);
}

/** Makes the folder where it is not there yet. @throws Error in one line unless it is a folder that we can write. */
function checkDataFolder(dir: string): void {
  const refuse = (why: string): never => {
    throw new Error(`--data ${dir} ${why}. Name a folder that can be written, or one that is not there yet.`);
  };
  if (dir === "") refuse("names no folder");
  const missing: string[] = [];
  let there = resolve(dir);
  for (; !existsSync(there) && there !== dirname(there); there = dirname(there)) missing.unshift(there);
  if (!statSync(there).isDirectory()) refuse(missing.length === 0 ? "is a file" : `lies below the file ${there}`);
  try {
    for (const folder of missing) mkdirSync(folder); // One by one: of some file systems Node never ends to make all at once.
    const probe = join(dir, "start.probe"); // Tried, not asked for: who may do anything cannot write everywhere either.
    writeFileSync(probe, "");
    rmSync(probe);
  } catch (error) {
    refuse(`cannot be ${missing.length === 0 ? "written" : "made"} (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** @throws Error in one line unless a built app is there. */
function checkApp(dir: string): void {
  const refuse = (why: string): never => {
    throw new Error(`--app ${dir} ${why}. Name a folder that npm run package has laid out.`);
  };
  const app = resolve(dir);
  if (!existsSync(app)) refuse("is not there");
  if (!statSync(app).isDirectory()) refuse("is a file");
  for (const name of ["host.json", "package.json"]) if (!existsSync(join(app, name))) refuse(`has no ${name}`);
  const main = mainOf(join(app, "package.json"));
  if (main === null || !existsSync(join(app, main)))
    refuse(`has no built app: ${main ?? "package.json names no main"}`);
}

/** What a manifest names as its entry; null: nothing, or it is no manifest. */
function mainOf(manifest: string): string | null {
  try {
    const { main } = JSON.parse(readFileSync(manifest, "utf8")) as { readonly main?: unknown };
    return typeof main === "string" ? main : null;
  } catch {
    return null;
  }
}
