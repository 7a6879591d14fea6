import type { HistoryItem } from "../../shared/views/historySchema.js";
import type { Told } from "./receiver.js";

/** Something that changed, as it is shown: what a notification is about, in the words of the history. */
export type ShownChange = {
  /** The notification's id. */
  readonly notification: string;
  readonly mailbox: string;
  /** Null: nobody named the mailbox, or it has gone. */
  readonly displayName: string | null;
  /** `calendars`: those of the mailbox have changed as a whole. */
  readonly what: HistoryItem["kind"] | "deleted" | "calendars";
  /** Null: it is not about one calendar. */
  readonly calendar: string | null;
  readonly name: string | null;
  /** The calendar that stood here before, in another folder; null for all changes but replacements. */
  readonly replaces: string | null;
  /** Of an update, what changed: before and after it. */
  readonly before: HistoryItem["before"];
  readonly after: HistoryItem["after"];
  /** Changes that are only counted, of `leftOut`; else 0. */
  readonly count: number;
  /** Since the edit; null: it was not made here. */
  readonly secondsSinceEdit: number | null;
  /** Since the mirror has logged it; null: the history does not tell of it. */
  readonly secondsSinceLogged: number | null;
};

/** Where the history has what no calendar's change is, beside the numbers of these. */
const slots = { leftOut: 1_000_000, event: 1_000_001 } as const;

/**
 * The item of the history that tells what a notification is about. Both are named by their place in the log: shard, row, entry, and
 * place in the entry.
 * @internal For tests.
 */
export function historyIdOf(notificationId: string): string {
  const [shard, row, , entry, key = ""] = notificationId.split("-");
  const [, change] = /^(\d+)[cd]?$/.exec(key) ?? [];
  return [shard, row, entry, change ?? (key === "rest" ? slots.leftOut : slots.event)].join("-");
}

/** When the log was told of it. Epoch; NaN where the id is of another form. */
export function loggedMsOf(notificationId: string): number {
  return Number.parseInt(notificationId.split("-")[2] ?? "", 36);
}

/** What to show of notifications: one of each item of the history, of which a replacement has two notifications. */
export function shownOf(
  told: readonly Told[],
  items: readonly HistoryItem[],
  nowMs: number,
  editedMsOf: (mailboxId: string, calendarId: string) => number | null,
): readonly ShownChange[] {
  const byId = new Map(items.map((item) => [item.id, item]));
  const shown = new Map<string, ShownChange>();
  for (const one of told) {
    const historyId = historyIdOf(one.id);
    if (shown.has(historyId)) continue;
    const item = byId.get(historyId);
    const calendar = item?.calendar?.id ?? one.calendarId;
    const editedMs = calendar === null ? null : editedMsOf(one.mailboxId, calendar);
    shown.set(historyId, {
      notification: one.id,
      mailbox: one.mailboxId,
      displayName: item?.mailbox.displayName ?? null,
      what: item === undefined ? whatOf(one) : item.kind,
      calendar,
      name: item?.calendar?.name ?? null,
      replaces: item?.replacedId ?? null,
      before: item?.before ?? null,
      after: item?.after ?? null,
      count: item?.leftOut ?? 0,
      secondsSinceEdit: editedMs === null ? null : (nowMs - editedMs) / 1000,
      secondsSinceLogged: item === undefined ? null : (nowMs - Date.parse(item.time)) / 1000,
    });
  }
  return [...shown.values()];
}

/** What is known without the history. */
function whatOf({ about, changeType }: Told): ShownChange["what"] {
  if (about === "calendar") return changeType;
  return about === "calendars" ? "calendars" : changeType === "deleted" ? "left" : "joined";
}
