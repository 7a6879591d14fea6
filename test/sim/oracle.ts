import type { Action, Columns } from "../../shared/table/table.js";
import {
  aliveCount,
  type Change,
  checkHeld,
  checkSequences,
  checkTruth,
  hasMoved,
  type MailboxView,
} from "./checks.js";
import { LogWatch } from "./logWatch.js";
import { References } from "./references.js";
import { checkpointView, type RowView, rowView } from "./views.js";
import type { Report, Violation } from "./violation.js";

const nobody: MailboxView = { checkpoint: null, rows: new Map(), step: 0, writer: "", served: 0 };

/**
 * Watches the table from outside, transaction by transaction, and the wire. Knows the columns' names, Graph's answers
 * and the invariants, and nothing of how the product comes to what it writes.
 */
export class Oracle {
  readonly references: References;
  readonly violations: Violation[] = [];
  /** Mailboxes that the table holds, with all their rows. */
  readonly mailboxes = new Map<string, MailboxView>();
  readonly figures = new Map<string, Columns>();
  brake: { readonly untilMs: number; readonly step: number; readonly needsProbe: boolean } | null = null;
  /** Codes by which the whole application was refused: who was refused with them is asked again when that is over. */
  readonly refusedCodes = new Set<string>();
  transactions = 0;
  /** Departures that stand in the table. */
  readonly departures = new Set<string>();
  readonly log: LogWatch;
  readonly #pages = new Map<string, Set<string>>();
  readonly #mailboxOfKey = new Map<string, string>();
  /** The checkpoints' columns as they stand, by row key. */
  readonly #checkpoints = new Map<string, Columns>();
  readonly #calendarOfKey = new Map<string, { readonly mailboxId: string; readonly calendarId: string }>();

  constructor(
    root: string,
    private readonly stepNow: () => number,
    private readonly changed: (change: Change) => void,
  ) {
    this.references = new References(root);
    this.log = new LogWatch((mailboxId) => this.mailbox(mailboxId), this.report);
  }

  readonly report: Report = (invariant, what, expected, seen) => {
    this.violations.push({ invariant, what, expected, seen, step: this.stepNow() });
  };

  mailbox(mailboxId: string): MailboxView {
    return this.mailboxes.get(mailboxId) ?? nobody;
  }

  /** Takes in a transaction that has just become visible. */
  applied(writer: string, partitionKey: string, actions: readonly Action[]): void {
    this.transactions += 1;
    if (partitionKey === "~meta") this.#meta(actions);
    else if (partitionKey !== "~push") this.#shard(writer, partitionKey, actions);
  }

  #shard(writer: string, partitionKey: string, actions: readonly Action[]): void {
    const touched = new Map<string, { checkpoint: Action | null; calendars: Action[] }>();
    for (const given of actions) {
      const action = this.#whole(given);
      if (action.rowKey === "figures" && action.kind !== "delete") this.figures.set(partitionKey, action.columns);
      if (/^mailbox\|[^|]+\|/.test(action.rowKey)) {
        if (action.kind === "delete") this.departures.delete(action.rowKey);
        else this.departures.add(action.rowKey);
      }
      // Other rows hold nothing of a mailbox's list.
      if (!/^(mailbox\|[^|]+$|calendar\|)/.test(action.rowKey)) continue;
      const mailboxId = this.#ownerOf(action);
      const parts = touched.get(mailboxId) ?? { checkpoint: null, calendars: [] };
      touched.set(mailboxId, parts);
      if (action.rowKey.startsWith("mailbox|")) parts.checkpoint = action;
      else parts.calendars.push(action);
    }
    for (const [mailboxId, { checkpoint, calendars }] of touched) this.#take(writer, mailboxId, checkpoint, calendars);
    this.log.applied(partitionKey, actions);
  }

  /** A merge as the whole row that it makes. */
  #whole(action: Action): Action {
    if (action.kind === "delete" || !/^mailbox\|[^|]+$/.test(action.rowKey)) return action;
    const { rowKey } = action;
    const columns = action.kind === "merge" ? { ...this.#checkpoints.get(rowKey), ...action.columns } : action.columns;
    this.#checkpoints.set(rowKey, columns);
    return action.kind === "merge" ? { ...action, kind: "update", columns } : action;
  }

  #ownerOf(action: Action): string {
    if (action.kind === "delete") {
      return this.#mailboxOfKey.get(action.rowKey) ?? this.#calendarOfKey.get(action.rowKey)?.mailboxId ?? "";
    }
    const mailboxId = String(action.columns["mailboxId"]);
    if (action.rowKey.startsWith("mailbox|")) this.#mailboxOfKey.set(action.rowKey, mailboxId);
    else this.#calendarOfKey.set(action.rowKey, { mailboxId, calendarId: String(action.columns["calendarId"]) });
    return mailboxId;
  }

  #meta(actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.rowKey !== "brake" || action.kind === "delete") continue;
      const until = action.columns["until"];
      const needsProbe = action.columns["needsProbe"] === true;
      if (until instanceof Date) this.brake = { untilMs: until.getTime(), step: this.stepNow(), needsProbe };
      for (const code of String(action.columns["codes"] ?? "").split(" ")) this.refusedCodes.add(code);
    }
  }

  #take(writer: string, mailboxId: string, checkpoint: Action | null, calendars: readonly Action[]): void {
    this.#checkFence(mailboxId, checkpoint, calendars);
    const before = this.mailbox(mailboxId);
    const named = new Set<string>();
    const rows = calendars.length === 0 ? before.rows : new Map(before.rows);
    for (const action of calendars) {
      const calendarId = this.#calendarOfKey.get(action.rowKey)?.calendarId ?? "";
      named.add(calendarId);
      if (action.kind === "delete") (rows as Map<string, RowView>).delete(calendarId);
      else (rows as Map<string, RowView>).set(calendarId, rowView(action.columns));
    }
    const isDeleted = checkpoint?.kind === "delete";
    const view =
      checkpoint === null
        ? before.checkpoint
        : checkpoint.kind === "delete"
          ? null
          : checkpointView(checkpoint.columns);
    const isServed = view !== null && (view.phase === "idle" || view.phase === "incremental");
    const served = isServed ? aliveCount(rows) : before.served;
    const after: MailboxView = { checkpoint: view, rows, step: this.stepNow(), writer, served };
    if (isDeleted && rows.size === 0) this.mailboxes.delete(mailboxId);
    else this.mailboxes.set(mailboxId, after);
    this.#check({ mailboxId, before, after, named });
  }

  #check(change: Change): void {
    const { after, before } = change;
    const { checkpoint } = after;
    if (checkpoint !== null) {
      this.#checkPageCount(change);
    }
    // A wait or a note changes no row and no link: what was true before still is.
    if (change.named.size > 0 || hasMoved(change) || checkpoint?.phase !== before.checkpoint?.phase) {
      checkTruth(change, this.references, this.report);
    }
    checkSequences(change, this.report);
    checkHeld(change, this.report);
    this.log.changed(change);
    this.changed(change);
  }

  /** I2: rows never move without their checkpoint, and that never without the ETag that it was read with. */
  #checkFence(mailboxId: string, checkpoint: Action | null, calendars: readonly Action[]): void {
    if (checkpoint === null) {
      if (calendars.length > 0) this.report("I2", `${mailboxId}: rows without their checkpoint`, "both", "rows alone");
      return;
    }
    const isFenced =
      checkpoint.kind === "create" ||
      ((checkpoint.kind === "update" || checkpoint.kind === "delete") && checkpoint.etag !== "*");
    if (!isFenced) this.report("I2", `${mailboxId}: a checkpoint without a fence`, "If-Match", checkpoint.kind);
  }

  /** I9: each page of a round is committed once. */
  #checkPageCount(change: Change): void {
    const { checkpoint } = change.after;
    const was = change.before.checkpoint;
    if (checkpoint === null || checkpoint.roundId === null) return;
    if (was?.roundId === checkpoint.roundId && was.pageNumber === checkpoint.pageNumber) return;
    const page = `${checkpoint.roundId} ${checkpoint.pageNumber}`;
    const pages = this.#pages.get(change.mailboxId) ?? new Set<string>();
    this.#pages.set(change.mailboxId, pages);
    if (pages.has(page)) this.report("I9", `${change.mailboxId}: a page was committed twice`, "once", page);
    pages.add(page);
  }
}
