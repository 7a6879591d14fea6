import {
  type DeliverEnd,
  type DeliverLimits,
  type DeliverPorts,
  deliver,
  deliverLimits,
  type Wire,
} from "../../shared/push/deliver.js";
import { seeSubscribers } from "../../shared/push/due.js";
import type { Notification } from "../../shared/push/notification.js";
import type { SendOutcome } from "../../shared/push/ports.js";
import { SharedLogs, type ShareLimits } from "../../shared/push/sharedLogs.js";
import { logKey, shardNames, shardRowKey } from "../../shared/store/keys.js";
import { logColumns } from "../../shared/store/logRow.js";
import { shardRowColumns } from "../../shared/store/shardRow.js";
import type { LogEntry } from "../../shared/sync/changeLog.js";
import type { Subscription } from "../../shared/sync/subscription.js";
import { type MemoryTableOptions, memoryTable } from "../../shared/table/memoryTable.js";
import { clockAt, countingIds, keptLog, startMs } from "./parts.js";
import { storeOn } from "./store.js";
import { subscriptionOf } from "./subscriptions.js";

/** What a receiver does with a request: what we learn of it, and whether it has kept what was in it. */
export type Reply = { readonly outcome: SendOutcome; readonly keeps: boolean; readonly kills?: boolean };

/** The end of an invocation: its process was killed. */
export class Killed extends Error {}

export const yes: Reply = { outcome: { kind: "accepted", status: 202 }, keeps: true };
/** It has kept all, and its 200 comes too late. */
export const late: Reply = { outcome: { kind: "unreachable", code: "timeout" }, keeps: true };
export const lost: Reply = { outcome: { kind: "unreachable", code: "ECONNRESET" }, keeps: false };
export const refused = (status: number, retryAfterMs: number | null = null): Reply => {
  return { outcome: { kind: "refused", status, retryAfterMs }, keeps: false };
};

/** A request as a receiver has got it. */
type Got = { readonly url: string; readonly told: readonly Notification[]; readonly lifecycle: string | null };

export type PushWorldOptions = {
  readonly shards?: number;
  readonly limits?: Partial<DeliverLimits>;
  readonly shareLimits?: Partial<ShareLimits>;
  /** Notifications that one request takes. */
  readonly perRequest?: number;
  readonly table?: MemoryTableOptions;
  /** What a receiver does; by default it says yes. A throw is the end of the invocation. */
  readonly receive?: (got: Got) => Reply | Promise<Reply>;
};

/** Deliveries without a network. Real: the loop, the store on a table in memory, and rows of the logs. Fake: receivers, and time. */
export async function pushWorld(options: PushWorldOptions = {}) {
  const clock = clockAt(startMs);
  const newId = countingIds();
  const table = memoryTable(options.table);
  const shards = shardNames(options.shards ?? 1);
  const { logged, log } = keptLog();
  const store = storeOn(table, { shards: shards.length, onUnreadable: (error) => log("error", error.message) });
  await store.open();
  const logs = new SharedLogs(clock.nowMs, options.shareLimits);
  const got: Got[] = [];
  /** Notifications in the order in which their receivers kept them, repeats and all, by address. */
  const kept = new Map<string, Notification[]>();
  const numbers = new Map<string, number>();
  const world = {
    clock,
    table,
    store,
    shards,
    got,
    logged,
    receive: options.receive ?? (() => yes),
    /** Notifications that deliveries have counted. */
    accepted: 0,
    position: (number = 0) => Object.fromEntries(shards.map((shard) => [shard, { number, entries: 0, sent: 0 }])),
    subscribe: async (changed: Partial<Subscription> = {}) => {
      const subscription = subscriptionOf({ position: world.position(), ...changed });
      const held = await store.writeSubscription(subscription, null);
      if (held === "superseded") throw new Error("There is such a subscription.");
      return subscription.subscriptionId;
    },
    held: async (id: string) => (await store.readSubscription(id))?.subscription,
    /** Appends a row to a shard's log, as a transaction does. @returns Its number. */
    tell: async (entries: readonly LogEntry[], shard = shards[0] ?? "00"): Promise<number> => {
      const number = (numbers.get(shard) ?? 0) + 1;
      numbers.set(shard, number);
      await table.transact(shard, [
        {
          kind: "upsert",
          rowKey: shardRowKey,
          columns: shardRowColumns({ run: null, log: { number, nudgedNumber: 0 } }),
        },
        { kind: "create", rowKey: logKey(number), columns: logColumns(clock.ms, entries) },
      ]);
      return number;
    },
    /** Deletes the first rows of a log, as retention does. */
    retire: (upTo: number, shard = shards[0] ?? "00") =>
      table.transact(
        shard,
        Array.from({ length: upTo }, (_, index) => ({ kind: "delete", rowKey: logKey(index + 1), etag: "*" }) as const),
      ),
    keptBy: (url: string) => kept.get(url) ?? [],
    ports: (): DeliverPorts => ({
      clock,
      random: { next: () => 1 },
      newId,
      store,
      logs,
      wire: wireOf(),
      log,
      limits: { ...deliverLimits, ...options.limits },
      onAccepted: (count) => {
        world.accepted += count;
      },
    }),
    deliver: (id: string): Promise<DeliverEnd> => deliver(id, world.ports()),
    due: async () => (await seeSubscribers(store, logs, clock.ms)).due,
    /** Delivers whatever is due, again and again, and lets waits pass, for so long at most. */
    calm: async (ms = 60 * 60_000) => {
      for (const untilMs = clock.ms + ms; clock.ms < untilMs; clock.ms += 60_000) {
        for (const id of await world.due()) await world.deliver(id);
      }
    },
  };
  function wireOf(): Wire {
    return {
      requestsOf: function* (subscription, notifications) {
        const size = options.perRequest ?? 100;
        for (let start = 0; start < notifications.length; start += size) {
          const told = notifications.slice(start, start + size);
          yield { url: subscription.notificationUrl, headers: {}, body: JSON.stringify(told), count: told.length };
        }
      },
      lifecycleRequestOf: ({ lifecycleNotificationUrl: url }, event) =>
        url === null ? null : { url, headers: {}, body: JSON.stringify(event), count: 1 },
      send: async ({ url, body }) => {
        const read = JSON.parse(body) as readonly Notification[] | { readonly lifecycleEvent: string };
        const told = Array.isArray(read) ? (read as readonly Notification[]) : [];
        const one: Got = { url, told, lifecycle: "lifecycleEvent" in read ? read.lifecycleEvent : null };
        got.push(one);
        const { outcome, keeps, kills = false } = await world.receive(one);
        if (keeps) kept.set(url, [...(kept.get(url) ?? []), ...told]);
        if (kills) throw new Killed();
        return outcome;
      },
    };
  }
  return world;
}

export type PushWorld = Awaited<ReturnType<typeof pushWorld>>;

let sequence = 0;

/** An entry of a log: a calendar of a mailbox was created, or something else. */
export function entryOf(mailboxId: string, calendarId = "work", more: Partial<LogEntry> = {}): LogEntry {
  sequence += 1;
  const change = { kind: "created", sequence, calendarId, name: null, owner: null } as const;
  return {
    mailboxId,
    epoch: "epoch",
    from: sequence - 1,
    to: sequence,
    event: null,
    changes: [change],
    leftOut: 0,
    ...more,
  };
}

/** What was told, as text for people: `created mailbox/calendar`. */
export function inWords(notifications: readonly Notification[]): readonly string[] {
  return notifications.map(({ changeType, subject }) => {
    const { kind, mailboxId } = subject;
    if (kind === "user") return `${changeType} ${mailboxId}`;
    return `${changeType} ${mailboxId}/${kind === "calendar" ? subject.calendarId : "*"}`;
  });
}
