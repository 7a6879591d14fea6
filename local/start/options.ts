import { parseArgs } from "node:util";

/** Help for the command line. */
export const usage = `usage: npm start -- [options]
  --once            until the mirror is quiet, then a summary; exit code 0 when every mailbox is fresh, else 1
  --mailboxes N     simulated mailboxes (default 50)
  --calendars N     calendars in each (default 5)
  --roster HOW      manual: mailboxes are put on the roster one by one (default); directory: it is discovered
  --page-size N     calendars per Graph page (default 50)
  --data DIR        keep the table between runs
  --mailbox ID      a real mailbox instead of simulated ones: me, with GRAPH_ACCESS_TOKEN set
  --port N          port of the HTTP functions (default: a free one)
  --app DIR         a built app elsewhere, such as an unpacked deployment, in the host stand-in
  --json            one JSON object per line instead of text`;

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
};

/** Reads the command line. @throws Error in one line for an option that is unknown or out of range. */
export function startOptions(args: readonly string[], env: NodeJS.ProcessEnv): StartOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      once: { type: "boolean", default: false },
      mailboxes: { type: "string", default: "50" },
      calendars: { type: "string", default: "5" },
      "page-size": { type: "string", default: env["GRAPH_PAGE_SIZE"] ?? "50" },
      roster: { type: "string", default: "manual" },
      data: { type: "string" },
      mailbox: { type: "string" },
      port: { type: "string", default: "0" },
      app: { type: "string" },
      build: { type: "boolean", default: false }, // For `npm start`, which always gives it.
      json: { type: "boolean", default: false },
    },
  });
  if (values.mailbox !== undefined && !env["GRAPH_ACCESS_TOKEN"]) {
    throw new Error("--mailbox mirrors a real mailbox: set GRAPH_ACCESS_TOKEN to a token that may read its calendars.");
  }
  const { roster } = values;
  if (roster !== "manual" && roster !== "directory")
    throw new Error(`--roster is manual or directory, not "${roster}".`);
  if (roster === "directory" && values.mailbox !== undefined) {
    throw new Error("--roster directory discovers simulated mailboxes: it does not go with --mailbox.");
  }
  return {
    roster,
    once: values.once,
    mailboxes: wholeNumber("mailboxes", values.mailboxes, 1, 1_000_000),
    calendars: wholeNumber("calendars", values.calendars, 1, 10_000),
    pageSize: String(wholeNumber("page-size", values["page-size"], 1, 999)),
    dataDir: values.data ?? null,
    mailbox: values.mailbox ?? null,
    port: wholeNumber("port", values.port, 0, 65_535),
    appDir: values.app ?? null,
    builds: values.build && values.app === undefined,
    json: values.json,
  };
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new Error(`--${name} must be a whole number from ${min} to ${max}, not "${text}".`);
}
