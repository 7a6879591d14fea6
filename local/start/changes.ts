import { type DequeuedMessageItem, QueueClient } from "@azure/storage-queue";
import type { Nudge } from "../../shared/messages.js";
import type { CalendarRow } from "../../shared/sync/types.js";
import type { MirrorView } from "./mirrorView.js";
import type { Screen } from "./screen.js";

const pollMs = 500;

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
  const known = new Map<string, Map<string, CalendarRow>>();
  let isStopped = false;
  const show = async ({ mailbox }: Nudge) => {
    const rows = await view.calendars(mailbox);
    const before = known.get(mailbox);
    known.set(mailbox, new Map(rows.map((row) => [row.calendarId, row])));
    if (before === undefined) return; // The first look: nothing to compare with.
    for (const row of rows) {
      const what = changeOf(row, before.get(row.calendarId));
      if (what !== null) screen.change(mailbox, what, String(row.resource["name"] ?? row.calendarId));
    }
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

function changeOf(row: CalendarRow, before: CalendarRow | undefined): string | null {
  if (row.sequence === (before?.sequence ?? 0)) return null;
  if (row.removedMs !== null) return "removed";
  return before === undefined || before.removedMs !== null ? "added  " : "changed";
}
