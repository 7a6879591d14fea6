import { QueueClient } from "@azure/storage-queue";
import type { GraphSimulator } from "../../local/graph/graph.js";
import { tableClientOf } from "../../shared/azure/tableClient.js";
import { shardNames } from "../../shared/store/keys.js";
import { createStore, type Store } from "../../shared/store/store.js";
import { isUnlogged } from "../../shared/sync/logged.js";
import type { JsonObject } from "../../shared/sync/types.js";
import { azureTable } from "../../shared/table/azureTable.js";
import { contentText } from "../sim/views.js";
import { shards } from "../worlds/product.js";

/** The mirror's table as anybody with the connection string sees it. */
export function openMirror(connectionString: string): Store {
  const table = azureTable(tableClientOf({ kind: "connectionString", connectionString }, "calendarmirror", null));
  return createStore({ table, shards, newCommitId: () => "never written" });
}

/** A mailbox's calendars by id, as text. */
export function truthOf(graph: GraphSimulator, mailboxId: string): ReadonlyMap<string, string> {
  const calendars = graph.truth(mailboxId) as unknown as readonly JsonObject[];
  return new Map(calendars.map((calendar) => [String(calendar["id"]), contentText(calendar)]));
}

export function sameTexts(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([id, text]) => other.get(id) === text);
}

/** What differs between the mirror and the mailboxes, or is not told of yet, in words; empty when nothing is. */
export async function differences(store: Store, graph: GraphSimulator): Promise<readonly string[]> {
  const found: string[] = [];
  for (const id of graph.mailboxes.ids()) {
    const held = await store.readMailbox(id);
    if (held === null) {
      found.push(`${id} is not in the table`);
      continue;
    }
    const alive = (await store.readCalendars(id)).filter(({ removedMs }) => removedMs === null);
    const mirrored = new Map(alive.map(({ calendarId, resource }) => [calendarId, contentText(resource)]));
    const isSame = sameTexts(mirrored, truthOf(graph, id));
    const { phase, parkedReason, heldRemovals, notBeforeMs, lastErrorCode } = held.checkpoint;
    const isTold = !isUnlogged(held.checkpoint);
    if (isSame && isTold && phase === "idle" && parkedReason === null && heldRemovals === null) continue;
    const waits = notBeforeMs === null ? "" : `, waits until ${new Date(notBeforeMs).toISOString()}`;
    const state = [phase, parkedReason ?? "", lastErrorCode ?? ""].filter((word) => word !== "").join(" ");
    found.push(`${id}: ${isSame ? "same" : "differs"}, ${isTold ? "" : "not logged, "}${state}${waits}`);
    found.push(...wrongRows(id, mirrored, truthOf(graph, id)));
  }
  for (const shard of shardNames(shards)) {
    const log = (await store.readShardRow(shard))?.row.log ?? null;
    if (log === null || log.nudgedNumber < log.number) found.push(`shard ${shard}: nudges are still to be sent`);
  }
  return found;
}

/** Both contents of each calendar that differs: what led there cannot be played again. */
function wrongRows(id: string, mirrored: ReadonlyMap<string, string>, truth: ReadonlyMap<string, string>) {
  return [...new Set([...mirrored.keys(), ...truth.keys()])]
    .filter((calendarId) => mirrored.get(calendarId) !== truth.get(calendarId))
    .map((calendarId) => `${id}: mirrored ${mirrored.get(calendarId)}\n  in the mailbox ${truth.get(calendarId)}`);
}

/** The highest sequence of each mailbox that other programs were notified of, and in how many nudges. */
export async function nudgesSent(
  connectionString: string,
): Promise<{ readonly count: number; readonly highest: ReadonlyMap<string, number> }> {
  const client = new QueueClient(connectionString, "calendar-changes");
  const highest = new Map<string, number>();
  let count = 0;
  for (;;) {
    const { receivedMessageItems } = await client.receiveMessages({ numberOfMessages: 32, visibilityTimeout: 600 });
    if (receivedMessageItems.length === 0) return { count, highest };
    for (const { messageText } of receivedMessageItems) {
      const nudge = JSON.parse(Buffer.from(messageText, "base64").toString()) as { mailbox: string; sequence: number };
      highest.set(nudge.mailbox, Math.max(highest.get(nudge.mailbox) ?? 0, nudge.sequence));
      count += 1;
    }
  }
}

/** Mailboxes whose last change nobody was notified of. */
export async function unannounced(
  store: Store,
  ids: readonly string[],
  highest: ReadonlyMap<string, number>,
): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const id of ids) {
    const sequence = (await store.readMailbox(id))?.checkpoint.sequence ?? 0;
    const announced = highest.get(id) ?? 0;
    if (announced < sequence) missing.push(`${id}: notified of ${announced}, is at ${sequence}`);
  }
  return missing;
}
