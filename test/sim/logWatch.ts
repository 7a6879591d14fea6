import type { Action, Columns } from "../../shared/table/table.js";
import type { Change, MailboxView } from "./checks.js";
import { textAt } from "./views.js";
import type { Report } from "./violation.js";

/** An entry of the log as its columns say it. */
type Entry = {
  readonly mailboxId: string;
  readonly epoch: string;
  readonly from: number;
  readonly to: number;
  readonly event: string | null;
  readonly changes: readonly Told[];
  readonly leftOut: number;
};
type Told = {
  readonly kind: string;
  readonly sequence: number;
  readonly calendarId: string;
  readonly replacedId?: string;
};

/** A real change of a calendar, as the table has shown it. */
type Happened = { readonly calendarId: string; readonly isRemoved: boolean; readonly wasServed: boolean };

/** What is known of one mailbox in one epoch. `state`: as the log told last; null before it has told anything. */
type Story = {
  readonly happened: Map<number, Happened>;
  told: number;
  state: "served" | "suspended" | "left" | null;
};

/**
 * Watches the change log (I12): each real change and each coming and going stands in it exactly once, in the order of its
 * mailbox's sequences, in numbers without gaps, and not before its rows can be read. Knows the columns alone.
 */
export class LogWatch {
  /** Sequences up to which the log has told of a mailbox: nudges repeat one of them. */
  readonly #nudgeable = new Set<string>();
  readonly #stories = new Map<string, Story>();
  /** The last number of each shard's log, and the rows as they were written. */
  readonly #last = new Map<string, number>();
  readonly #heads = new Map<string, string>();

  constructor(
    private readonly mailbox: (mailboxId: string) => MailboxView,
    private readonly report: Report,
  ) {}

  /** Takes in what a transaction has changed of one mailbox. */
  changed({ mailboxId, before, after, named }: Change): void {
    const { checkpoint } = after;
    if (checkpoint === null) return;
    const isSameEpoch = before.checkpoint?.epoch === checkpoint.epoch;
    const wasServed = isSameEpoch && before.checkpoint?.hasHadFullRound === true;
    const { happened } = this.#story(mailboxId, checkpoint.epoch);
    for (const calendarId of named) {
      const row = after.rows.get(calendarId);
      if (row === undefined || row.sequence === before.rows.get(calendarId)?.sequence) continue;
      happened.set(row.sequence, { calendarId, isRemoved: row.isRemoved, wasServed });
    }
  }

  /** Takes in a transaction of a shard, after its mailboxes. */
  applied(partitionKey: string, actions: readonly Action[]): void {
    const shard = actions.find(({ rowKey }) => rowKey === "shard");
    const rows = actions.filter(({ rowKey }) => rowKey.startsWith("log|"));
    const before = this.#last.get(partitionKey) ?? 0;
    const said = shard !== undefined && shard.kind !== "delete" ? shard.columns["logNumber"] : before;
    const written = rows.filter(
      ({ kind, rowKey }) => kind !== "delete" && !this.#heads.has(`${partitionKey} ${rowKey}`),
    );
    if (written.length > 1)
      this.report("I12", `${partitionKey}: rows of the log in one transaction`, "1", `${written.length}`);
    const last = before + written.length;
    if (said !== last)
      this.report("I12", `${partitionKey}: the shard's row says where its log stands`, `${last}`, `${said}`);
    this.#last.set(partitionKey, last);
    for (const row of rows) {
      if (row.kind === "delete") continue;
      const heads = textAt(row.columns, "entries") ?? "";
      const key = `${partitionKey} ${row.rowKey}`;
      const known = this.#heads.get(key);
      this.#heads.set(key, heads);
      if (known === undefined) this.#row(row.rowKey, last, row.columns, actions);
      else if (known !== heads) this.report("I12", `${row.rowKey}: what readers follow was changed`, known, heads);
    }
  }

  /** A nudge left for other programs: the log has told of it by then. */
  nudged(mailboxId: string, sequence: number): void {
    if (this.#nudgeable.has(`${mailboxId} ${sequence}`)) return;
    this.report("I5", `${mailboxId}: a nudge for what the log does not tell`, "an entry first", `${sequence}`);
  }

  /** What is missing when all is quiet. */
  finish(report: Report, departures: readonly string[]): void {
    for (const rowKey of departures) report("I12", "a departure that the log has not told", "none", rowKey);
    for (const [key, { state }] of this.#stories) {
      const [mailboxId = "", epoch] = key.split(" ");
      const { checkpoint } = this.mailbox(mailboxId);
      const isThere = checkpoint?.epoch === epoch && checkpoint?.parkedReason !== "removing";
      const expected =
        checkpoint === null || !isThere
          ? [null, "left", "suspended"]
          : checkpoint.parkedReason === "suspended"
            ? checkpoint.hasHadFullRound
              ? ["suspended"]
              : [null]
            : checkpoint.hasHadFullRound
              ? ["served"]
              : [null];
      if (!expected.includes(state)) report("I12", `${key}: told of in the end`, expected.join(" or "), `${state}`);
    }
  }

  #row(rowKey: string, number: number, columns: Columns, actions: readonly Action[]): void {
    if (rowKey !== `log|${String(number).padStart(20, "0")}`) {
      this.report("I12", "a number of the log", `${number}`, rowKey);
    }
    const entries = entriesOf(columns);
    if (entries.length === 0) this.report("I12", `${rowKey}: a row that tells nothing`, "entries", "none");
    for (const entry of entries) this.#entry(rowKey, entry, actions);
  }

  #entry(rowKey: string, entry: Entry, actions: readonly Action[]): void {
    const { mailboxId, epoch, from, to, event } = entry;
    const report = (what: string, expected: string, seen: string) =>
      this.report("I12", `${rowKey} of ${mailboxId}: ${what}`, expected, seen);
    const story = this.#story(mailboxId, epoch);
    if (from !== story.told) report("goes on where the log stood", `${story.told}`, `${from}`);
    if (to < from || (to === from && event === null)) report("tells something", `above ${from}`, `${to} ${event}`);
    const { checkpoint } = this.mailbox(mailboxId);
    if (event === "left") {
      if (checkpoint?.epoch === epoch && checkpoint.parkedReason !== "removing") report("has left", "gone", "there");
      if (!actions.some(({ kind, rowKey: key }) => kind === "delete" && key.endsWith(`|${epoch}`))) {
        report("its departure goes with the entry", "deleted", "still there");
      }
    } else if (checkpoint?.epoch !== epoch || checkpoint.sequence !== to || checkpoint.loggedSequence !== to) {
      report("tells of what can be read", `${to} as stored`, `${checkpoint?.sequence} in ${checkpoint?.epoch}`);
    }
    this.#event(story, entry, report);
    if (event !== "left") checkChanges(story, entry, report);
    story.told = to;
    this.#nudgeable.add(`${mailboxId} ${to}`);
  }

  #event(story: Story, { event }: Entry, report: (what: string, expected: string, seen: string) => void): void {
    const before = story.state;
    const allowed: Readonly<Record<string, readonly (string | null)[]>> = {
      joined: [null],
      suspended: ["served", null], // It may have been served between two runs.
      resumed: ["suspended"],
      left: ["served", null],
      none: ["served"],
    };
    const expected = allowed[event ?? "none"] ?? [];
    if (!expected.includes(before)) report(`${event ?? "changes"} after`, expected.join(" or "), `${before}`);
    if (event === "joined" || event === "resumed") story.state = "served";
    if (event === "suspended" || event === "left") story.state = event;
  }

  #story(mailboxId: string, epoch: string): Story {
    const key = `${mailboxId} ${epoch}`;
    const story = this.#stories.get(key) ?? { happened: new Map<number, Happened>(), told: 0, state: null };
    this.#stories.set(key, story);
    return story;
  }
}

/** Each change since the mailbox was first served is told, as what it was. */
function checkChanges(
  { happened }: Story,
  { from, to, changes, leftOut }: Entry,
  report: (what: string, expected: string, seen: string) => void,
): void {
  const bare = changes.filter(({ sequence }) => sequence <= from || sequence > to);
  if (bare.length > 0) report("tells of its own sequences alone", `${from} to ${to}`, JSON.stringify(bare));
  const sequences = changes.map(({ sequence }) => sequence);
  if (sequences.some((sequence, index) => sequence < (sequences[index - 1] ?? 0))) {
    report("changes in the order of their sequences", "rising", sequences.join());
  }
  if (leftOut > 0) return;
  for (let sequence = from + 1; sequence <= to; sequence++) {
    const change = happened.get(sequence);
    if (change === undefined) report("a sequence without a change", "a row", `${sequence}`);
    if (change === undefined || !change.wasServed) continue;
    const isTold = changes.some(({ kind, calendarId, replacedId, sequence: at }) =>
      change.isRemoved
        ? (kind === "removed" && calendarId === change.calendarId && at === sequence) ||
          (kind === "replaced" && replacedId === change.calendarId)
        : kind !== "removed" && calendarId === change.calendarId && (at === sequence || kind === "replaced"),
    );
    if (!isTold)
      report(`change ${sequence} of ${change.calendarId}`, change.isRemoved ? "removed" : "told", "not told");
  }
}

function entriesOf(columns: Columns): readonly Entry[] {
  type Head = readonly [string, string, number, number, string | null];
  const heads = JSON.parse(textAt(columns, "entries") ?? "[]") as readonly Head[];
  const details = JSON.parse(textAt(columns, "changes") ?? "[]") as readonly Pick<Entry, "changes" | "leftOut">[];
  return heads.map(([mailboxId, epoch, from, to, event], index) => {
    const { changes, leftOut } = details[index] ?? { changes: [], leftOut: 0 };
    return { mailboxId, epoch, from, to, event, changes, leftOut };
  });
}
