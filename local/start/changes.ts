import { type DequeuedMessageItem, QueueClient } from "@azure/storage-queue";
import type { Nudge } from "../../shared/messages.js";
import { changesBetween } from "../../shared/sync/changes.js";
import type { CalendarRow } from "../../shared/sync/types.js";
import type { MirrorView } from "./mirrorView.js";
import type { Screen, ShownChange } from "./screen.js";

const pollMs = 500;

/**
 * Looks at mailboxes, and tells what changed since it last looked at each; nothing at the first look.
 * @returns A function that takes a mailbox's id.
 * @internal For tests.
 */
export function changesSeen(
  view: Pick<MirrorView, "calendars" | "displayName">,
): (mailbox: string) => Promise<readonly ShownChange[]> {
  const known = new Map<string, ReadonlyMap<string, CalendarRow>>();
  return async (mailbox) => {
    const rows = await view.calendars(mailbox);
    const before = known.get(mailbox);
    known.set(mailbox, new Map(rows.map((row) => [row.calendarId, row])));
    const changes = before === undefined ? [] : changesBetween(before, rows);
    if (changes.length === 0) return [];
    const displayName = await view.displayName(mailbox);
    return changes.map((change) => ({
      mailbox,
      displayName,
      what: change.kind,
      calendar: change.row.calendarId,
      replaces: change.kind === "replaced" ? change.old.calendarId : null,
      name: String(change.row.resource["name"] ?? change.row.calendarId),
    }));
  };
}

/**
 * Follows the mirror as other programs do: takes nudges from the changes queue and reads the calendars they are about.
 * @returns A function that ends it.
 */
export function followChanges(
  connectionString: string,
  queueName: string,
  view: MirrorView,
  screen: Screen,
): () => Promise<void> {
  const queue = new QueueClient(connectionString, queueName);
  const seen = changesSeen(view);
  let isStopped = false;
  const show = async ({ mailbox }: Nudge) => {
    for (const change of await seen(mailbox)) screen.change(change);
  };
  const loop = async () => {
    await queue.createIfNotExists();
    while (!isStopped) {
      const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 32 });
      for (const item of receivedMessageItems) {
        await show(nudgeOf(item));
        await queue.deleteMessage(item.messageId, item.popReceipt);
      }
      if (receivedMessageItems.length === 0) await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  };
  const running = loop().catch((error: unknown) => {
    if (!isStopped) screen.fail(`Changes are no longer followed: ${error instanceof Error ? error.message : error}`);
  });
  return async () => {
    isStopped = true;
    await running;
  };
}

function nudgeOf({ messageText }: DequeuedMessageItem): Nudge {
  return JSON.parse(Buffer.from(messageText, "base64").toString("utf8")) as Nudge;
}
