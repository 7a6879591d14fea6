import { createFeed, type MirrorFeed } from "../../shared/feed/feed.js";
import { addMailbox } from "../../shared/roster/byHand.js";
import { runLimits } from "../../shared/rounds/ports.js";
import { applyRetention } from "../../shared/rounds/retention.js";
import { type Held, StorageError, type Store, type StoreParts } from "../../shared/store/store.js";
import { startOver } from "../../shared/sync/checkpoint.js";
import { decide } from "../../shared/sync/decide.js";
import { settle } from "../../shared/sync/settle.js";
import type { Item, Json, JsonObject } from "../../shared/sync/types.js";
import { type MemoryTable, type MemoryTableOptions, memoryTable } from "../../shared/table/memoryTable.js";
import { minuteMs, startMs } from "./parts.js";
import { storeOn } from "./store.js";

export const key = new Uint8Array(32).fill(7);
export const mailboxId = "adele";

/** What happens to one calendar on a page; `others`: its further properties. */
export type Edit = { readonly id: string; readonly name: string | null; readonly others?: JsonObject };

/**
 * One mailbox and its feed. Real: what decides, settles, stores, purges and serves. Fake: its pages, which a test writes as
 * edits of calendars, the table in memory, and the clock.
 */
export type MailboxWorld = {
  readonly table: MemoryTable;
  readonly store: Store;
  readonly feed: MirrorFeed;
  readonly clock: { ms: number };
  add(): Promise<void>;
  purge(): Promise<void>;
  /** One page of an incremental round; `isLast` ends the round. */
  page(edits: readonly Edit[], isLast?: boolean): Promise<void>;
  /** A full round over these calendars: what it does not see is gone. */
  fullRound(names: Readonly<Record<string, string>>): Promise<void>;
  /** As `page`, and the process ends after the first transaction. */
  tornPage(edits: readonly Edit[]): Promise<void>;
  /** Deletes all tombstones that there are. */
  retire(): Promise<void>;
  /** The names of the calendars that are alive, by id. */
  alive(): Promise<ReadonlyMap<string, Json>>;
  held(): Promise<Held>;
};

export async function mailboxWorld(
  options: { readonly table?: MemoryTableOptions; readonly store?: Partial<StoreParts> } = {},
): Promise<MailboxWorld> {
  const table = memoryTable(options.table);
  const store = storeOn(table, options.store);
  await store.open();
  const clock = { ms: startMs };
  let drawn = 0;
  const draw = (kind: string) => `${kind}-${++drawn}`;
  const moment = () => ({ nowMs: clock.ms, jitter: 0, roundId: draw("round"), tick: null });

  const held = async (): Promise<Held> => {
    const found = await store.readMailbox(mailboxId);
    if (found === null) throw new Error("The mailbox is not there.");
    return found;
  };
  const commit = async (by: Store, from: Held, items: readonly Item[], isLast: boolean) => {
    const link = `https://graph.example/${draw("link")}`;
    const outcome = isLast
      ? ({ kind: "lastPage", items, link } as const)
      : ({ kind: "page", items, link, payloadHash: draw("hash") } as const);
    const step = decide(from.checkpoint, outcome, moment());
    if (step.kind !== "apply") throw new Error(`The page was not applied: ${step.kind}`);
    const stored = await store.readCalendars(mailboxId);
    const unit = settle(step, from.checkpoint, stored, { nowMs: clock.ms, ...runLimits });
    return by.commitUnits([{ held: from, rows: unit.rows, next: unit.next }], null);
  };

  return {
    table,
    store,
    clock,
    feed: createFeed({ store, key }),
    held,
    add: async () => void (await addMailbox(mailboxId, {}, store, () => draw("epoch"))),
    purge: async () => void (await store.purgeMailbox(mailboxId)),
    page: async (edits, isLast = true) => void (await commit(store, await held(), edits.map(itemOf), isLast)),
    fullRound: async (names) => {
      const items = Object.entries(names).map(([id, name]) => itemOf({ id, name }));
      const { checkpoint, etag } = await held();
      // As confirmed: sudden mass removals have tests of their own.
      const from = { ...startOver(checkpoint, "reset"), heldRemovals: 0 };
      await commit(store, { checkpoint: from, etag }, items, true);
    },
    tornPage: async (edits) => {
      let transactions = 0;
      const dying = {
        ...table,
        transact: (partition: string, actions: Parameters<MemoryTable["transact"]>[1]) => {
          transactions += 1;
          if (transactions > 1) throw new StorageError("transaction", partition, null, "ECONNRESET");
          return table.transact(partition, actions);
        },
      };
      const by = storeOn(dying, options.store);
      const torn = commit(by, await held(), edits.map(itemOf), true);
      await torn.catch((error: unknown) => {
        if (!(error instanceof StorageError)) throw error;
      });
    },
    retire: async () => {
      clock.ms += 1;
      const ports = {
        clock: { nowMs: () => clock.ms },
        store,
        shards: ["00"],
        tombstoneMs: 0,
        historyMs: 30 * 86_400_000,
      };
      await applyRetention({ ...ports, runMsMax: minuteMs, log: () => undefined });
    },
    alive: async () => {
      const rows = await store.readCalendars(mailboxId);
      const alive = rows.filter(({ removedMs }) => removedMs === null);
      return new Map(alive.map(({ calendarId, resource }) => [calendarId, resource["name"] ?? null]));
    },
  };
}

function itemOf({ id, name, others = {} }: Edit): Item {
  const properties: JsonObject = name === null ? { id, "@removed": { reason: "deleted" } } : { id, name, ...others };
  return { calendarId: id, removed: name === null, properties };
}

/** A world whose mailbox has had its first full round. */
export async function worldWith(
  names: Readonly<Record<string, string>>,
  options: Parameters<typeof mailboxWorld>[0] = {},
): Promise<MailboxWorld> {
  const world = await mailboxWorld(options);
  await world.add();
  await world.fullRound(names);
  return world;
}
