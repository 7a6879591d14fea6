import type { Snapshot } from "./mirrorView.js";
import { isProof, type Proof } from "./proof.js";
import type { ShownChange } from "./shown.js";

/** The result of a first synchronisation. */
type Summary = Snapshot & {
  readonly seconds: number;
  readonly requests: number | null;
  readonly pages: number | null;
  /** Mailboxes that were read whole, and not asked for what is new. */
  readonly fullRounds: number | null;
  /** Null: there is no simulator to compare with. */
  readonly different: readonly string[] | null;
  /** How many mailboxes were compared with the simulator's. */
  readonly compared: number;
  /** What became of the copy that a receiver of notifications keeps; null: there was no receiver. */
  readonly receiver: Proof | null;
};

/** What the person at the terminal sees, or what a program reads with --json. */
export type Screen = {
  /** @param event Null: programs are told nothing of it. */
  say(text: string, event: Record<string, unknown> | null): void;
  /** One line that is written over while the work goes on. */
  progress(snapshot: Snapshot): void;
  summary(summary: Summary): void;
  /** What one request has told. */
  changes(changes: readonly ShownChange[]): void;
  fail(text: string): void;
};

/** @param json One JSON object per line, for programs; else text. */
export function screenOf(json: boolean): Screen {
  return json ? jsonScreen() : textScreen();
}

function jsonScreen(): Screen {
  const print = (event: Record<string, unknown>) => process.stdout.write(`${JSON.stringify(event)}\n`);
  return {
    say: (_text, event) => {
      if (event !== null) print(event);
    },
    progress: (snapshot) => print({ event: "progress", ...snapshot }),
    summary: (summary) => print({ event: "summary", ...summary }),
    changes: (changes) => {
      for (const change of changes) print({ event: "change", ...change });
    },
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
    changes: (changes) => {
      for (const text of changesTexts(changes)) line(`  ${new Date().toLocaleTimeString("en-GB")}  ${text}`);
    },
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
  const { fresh, mailboxes, calendars, pages, requests, fullRounds, seconds, notFresh, different, compared } = summary;
  const traffic = requests === null ? "" : `, ${pages} pages by ${requests} Graph requests`;
  const lines = [`${fresh} of ${mailboxes} mailboxes fresh, ${calendars} calendars${traffic}, ${seconds.toFixed(1)} s`];
  for (const [why, count] of Object.entries(notFresh))
    lines.push(`  ${count} not fresh: ${why}${different === null ? hintOf(why) : ""}`);
  if (fullRounds === 0) lines.push("  all of them asked for what is new since the last run, none read anew");
  const which = compared < mailboxes ? ` (${compared} of them compared)` : "";
  if (different?.length === 0) lines.push(`  identical to the simulator's mailboxes${which}`);
  if (different !== null && different.length > 0) {
    const who = different.length === 1 ? "1 mailbox differs" : `${different.length} mailboxes differ`;
    lines.push(`  ${who} from the simulator: ${different.slice(0, 5).join(", ")}`);
  }
  if (summary.receiver !== null) lines.push(`  ${proofText(summary.receiver)}`);
  return lines.join("\n");
}

function proofText(proof: Proof): string {
  const { notifications, refused, edits, untold, lagSeconds, different } = proof;
  const told = `${notifications} notifications`;
  const lag = lagSeconds === null ? "" : `, ${edits} edits within ${lagSeconds.toFixed(1)} s`;
  if (isProof(proof)) return `a subscriber's copy, kept by ${told}${lag}, is identical to the mirror`;
  const faults = [
    ...(untold === 0 ? [] : [`it was not told of ${untold} edits`]),
    ...(refused === 0 ? [] : [`${refused} requests were not signed as they should be`]),
    ...(different.length === 0
      ? []
      : [`its copy differs in ${different.length} mailboxes: ${different.slice(0, 5).join(", ")}`]),
  ];
  return `a subscriber was sent ${told}; ${faults.join("; ")}`;
}

/** What to do about the most frequent failures of a first try. */
function hintOf(why: string): string {
  if (/ECONN|ENOTFOUND|EAI_AGAIN|timeout/.test(why))
    return ". Graph cannot be reached: look at GRAPH_ENDPOINT and the network.";
  if (/Token|http401/.test(why)) return ". Graph refuses the token: get a new one for GRAPH_ACCESS_TOKEN.";
  if (/AccessDenied|Authorization|http403/.test(why)) return ". The token needs Calendars.Read.";
  return "";
}

/** More than so many lines of one request are counted. */
const linesMax = 20;
/** From so many mailboxes on that came or went at once, they are counted. */
const mailboxesMin = 4;

/**
 * What one request has told, in lines for people. Mailboxes that come or go together are counted.
 * @internal For tests.
 */
export function changesTexts(changes: readonly ShownChange[]): readonly string[] {
  const counted = (["joined", "suspended", "resumed", "left"] as const).flatMap((what) => {
    const count = changes.filter((change) => change.what === what).length;
    return count < mailboxesMin ? [] : [{ what, count }];
  });
  const isCounted = (change: ShownChange) => counted.some(({ what }) => what === change.what);
  const single = changes.filter((change) => !isCounted(change));
  return [
    ...counted.map(({ what, count }) => `${count} mailboxes ${mailboxWords[what]}`),
    ...single.slice(0, linesMax).map(changeText),
    ...(single.length > linesMax ? [`and ${single.length - linesMax} more changes`] : []),
  ];
}

const mailboxWords = {
  joined: "are mirrored now",
  suspended: "are suspended",
  resumed: "are mirrored again",
  left: "have left",
} as const;

/**
 * A change in the words of people: whose calendar, what happened to it, and how long ago.
 * @internal For tests.
 */
export function changeText(change: ShownChange): string {
  const { mailbox, displayName, secondsSinceEdit, secondsSinceLogged } = change;
  const whose = displayName === null || displayName === "" ? mailbox : printable(displayName).slice(1, -1);
  const [seconds, since] =
    secondsSinceEdit === null ? [secondsSinceLogged, "after it was logged"] : [secondsSinceEdit, "after the edit"];
  const lag = seconds === null ? "" : `  (${Math.max(0, seconds).toFixed(1)} s ${since})`;
  return `${whose}  ${eventText(change)}${lag}`;
}

function eventText({ what, calendar, name, before, after, count }: ShownChange): string {
  const named = printable(name ?? calendar ?? "");
  switch (what) {
    case "joined":
      return "is mirrored now";
    case "suspended":
      return "is suspended";
    case "resumed":
      return "is mirrored again";
    case "left":
      return "has left";
    case "calendars":
      return "calendars have changed";
    case "leftOut":
      return `${count} changes that are only counted`;
    case "replaced":
      return `moved  ${named}: another id, name and owner kept`;
    case "updated":
      return updateText(named, before ?? {}, after ?? {});
    default:
      return `${what}  ${named}`;
  }
}

/** A new name alone is a rename; all else is told property by property. */
function updateText(named: string, before: Shown, after: Shown): string {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  if (names.length === 1 && names[0] === "name") return `renamed  ${valueText(before["name"])} → ${named}`;
  const told = names.slice(0, propertiesMax).map((one) => {
    return `${printable(one).slice(1, -1)} ${valueText(before[one])} → ${valueText(after[one])}`;
  });
  if (names.length > propertiesMax) told.push(`and ${names.length - propertiesMax} more`);
  return told.length === 0 ? `updated  ${named}` : `updated  ${named}: ${told.join(", ")}`;
}

type Shown = Readonly<Record<string, unknown>>;
const propertiesMax = 3;
const valueUnitsMax = 60;

function valueText(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = printable(value);
  return text.length <= valueUnitsMax ? text : `${text.slice(0, valueUnitsMax).toWellFormed()}…`;
}

/** Escapes control characters: names come from mailbox owners, and must not control the terminal. */
function printable(value: unknown): string {
  return JSON.stringify(value).replace(/[\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "�");
}
