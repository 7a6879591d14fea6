import type { CalendarChange } from "../../shared/sync/changes.js";
import type { Snapshot } from "./mirrorView.js";

/** The result of a first synchronisation. */
type Summary = Snapshot & {
  readonly seconds: number;
  readonly requests: number | null;
  readonly pages: number | null;
  /** Null: there is no simulator to compare with. */
  readonly different: readonly string[] | null;
  /** How many mailboxes were compared with the simulator's. */
  readonly compared: number;
};

/** One change of a calendar, as it is shown. */
export type ShownChange = {
  readonly mailbox: string;
  /** Null: nobody named the mailbox. */
  readonly displayName: string | null;
  readonly what: CalendarChange["kind"];
  readonly calendar: string;
  /** The calendar that stood here before, in another folder; null for all changes but replacements. */
  readonly replaces: string | null;
  readonly name: string;
};

/** What the person at the terminal sees, or what a program reads with --json. */
export type Screen = {
  say(text: string, event: Record<string, unknown>): void;
  /** One line that is written over while the work goes on. */
  progress(snapshot: Snapshot): void;
  summary(summary: Summary): void;
  change(change: ShownChange): void;
  fail(text: string): void;
};

/** @param json One JSON object per line, for programs; else text. */
export function screenOf(json: boolean): Screen {
  return json ? jsonScreen() : textScreen();
}

function jsonScreen(): Screen {
  const print = (event: Record<string, unknown>) => process.stdout.write(`${JSON.stringify(event)}\n`);
  return {
    say: (_text, event) => print(event),
    progress: (snapshot) => print({ event: "progress", ...snapshot }),
    summary: (summary) => print({ event: "summary", ...summary }),
    change: (change) => print({ event: "change", ...change }),
    fail: (text) => print({ event: "failed", message: text }),
  };
}

function textScreen(): Screen {
  const isTerminal = process.stdout.isTTY === true;
  let last = "";
  const line = (text: string) => {
    if (isTerminal && last !== "") process.stdout.write("\r\u001b[K");
    last = "";
    process.stdout.write(`${text}\n`);
  };
  return {
    say: line,
    progress: (snapshot) => {
      const text = progressText(snapshot);
      if (text === last) return;
      if (!isTerminal) line(text);
      else process.stdout.write(`\r\u001b[K${text}`);
      last = text;
    },
    summary: (summary) => line(summaryText(summary)),
    change: (change) => line(`  ${new Date().toLocaleTimeString()}  ${changeText(change)}`),
    fail: (text) => {
      if (isTerminal && last !== "") process.stdout.write("\n");
      process.stderr.write(`${text}\n`);
    },
  };
}

function progressText({ mailboxes, fresh, calendars }: Snapshot): string {
  const width = 30;
  const done = mailboxes === 0 ? 0 : Math.floor((fresh / mailboxes) * width);
  return `  [${"#".repeat(done)}${".".repeat(width - done)}] ${fresh} of ${mailboxes} mailboxes fresh, ${calendars} calendars`;
}

function summaryText(summary: Summary): string {
  const { fresh, mailboxes, calendars, pages, requests, seconds, notFresh, different, compared } = summary;
  const traffic = requests === null ? "" : `, ${pages} pages by ${requests} Graph requests`;
  const lines = [`${fresh} of ${mailboxes} mailboxes fresh, ${calendars} calendars${traffic}, ${seconds.toFixed(1)} s`];
  for (const [why, count] of Object.entries(notFresh)) lines.push(`  ${count} not fresh: ${why}${hintOf(why)}`);
  const which = compared < mailboxes ? ` (${compared} of them compared)` : "";
  if (different?.length === 0) lines.push(`  identical to the simulator's mailboxes${which}`);
  if (different !== null && different.length > 0) {
    lines.push(`  ${different.length} mailboxes differ from the simulator: ${different.slice(0, 5).join(", ")}`);
  }
  return lines.join("\n");
}

/** What to do about the most frequent failures of a first try. */
function hintOf(why: string): string {
  if (/ECONN|ENOTFOUND|EAI_AGAIN|timeout/.test(why))
    return ". Graph cannot be reached: look at GRAPH_ENDPOINT and the network.";
  if (/Token|http401/.test(why)) return ". Graph refuses the token: get a new one for GRAPH_ACCESS_TOKEN.";
  if (/AccessDenied|Authorization|http403/.test(why)) return ". The token needs Calendars.Read.";
  return "";
}

/**
 * A change in the words of people: whose calendar, what happened, and its name.
 * @internal For tests.
 */
export function changeText({ mailbox, displayName, what, name }: ShownChange): string {
  const whose = displayName === null || displayName === "" ? mailbox : printable(displayName).slice(1, -1);
  return `${whose}  ${what}  ${printable(name)}`;
}

/** Escapes control characters: names come from mailbox owners, and must not control the terminal. */
function printable(name: string): string {
  return JSON.stringify(name).replace(/[\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "�");
}
