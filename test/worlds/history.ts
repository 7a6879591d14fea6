import { logKey, shardNames, shardRowKey } from "../../shared/store/keys.js";
import { logColumns } from "../../shared/store/logRow.js";
import { shardRowColumns } from "../../shared/store/shardRow.js";
import type { Store } from "../../shared/store/store.js";
import type { LogEntry, LoggedChange } from "../../shared/sync/changeLog.js";
import type { Table } from "../../shared/table/table.js";
import { shardRow } from "./rows.js";
import { storeOn } from "./store.js";

/** A change log whose rows a test writes. Real: the store. Fake: what has changed, and the table in memory, or not. */
export type LogWorld = {
  readonly table: Table;
  readonly store: Store;
  readonly shards: readonly string[];
  /** Appends a row, as a run's transaction does. */
  append(shard: string, atMs: number, entries: readonly LogEntry[]): Promise<void>;
};

export async function logWorld(table: Table, shardCount: number): Promise<LogWorld> {
  const store = storeOn(table, { shards: shardCount, onUnreadable: () => undefined });
  await store.open();
  const numbers = new Map<string, number>();
  return {
    table,
    store,
    shards: shardNames(shardCount),
    append: async (shard, atMs, entries) => {
      const number = (numbers.get(shard) ?? 0) + 1;
      numbers.set(shard, number);
      await table.transact(shard, [
        { kind: "upsert", rowKey: logKey(number), columns: logColumns(atMs, entries) },
        {
          kind: "upsert",
          rowKey: shardRowKey,
          columns: shardRowColumns({ ...shardRow("run"), log: { number, nudgedNumber: number } }),
        },
      ]);
    },
  };
}

/** What a row tells of one mailbox. */
export function entry(mailboxId: string, told: Partial<LogEntry> = {}): LogEntry {
  return { mailboxId, epoch: "epoch-1", from: 1, to: 2, event: null, changes: [], leftOut: 0, ...told };
}

/** A calendar that was renamed, unless the test says otherwise. */
export function change(calendarId: string, told: Partial<LoggedChange> = {}): LoggedChange {
  const renamed = { before: { name: "Old" }, after: { name: "New" } };
  return { kind: "updated", sequence: 2, calendarId, name: "New", owner: "sam@contoso.example", ...renamed, ...told };
}
