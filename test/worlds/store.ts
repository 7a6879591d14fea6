import { newRosterRow } from "../../shared/store/rosterRows.js";
import {
  createStore,
  type Held,
  manualSource,
  type PendingUnit,
  type ShardClaim,
  type Store,
  type StoreParts,
  type UnitResult,
} from "../../shared/store/store.js";
import type { Checkpoint } from "../../shared/sync/types.js";
import { StorageError } from "../../shared/table/errors.js";
import type { Table } from "../../shared/table/table.js";
import { checkpoint, shardRow } from "./rows.js";
import { type Interference, interfered, type NewTable } from "./tables.js";

/** All contract tests run with one shard. */
export const shard = "00";

/** A store on a fresh table, in memory or on Azurite, and a second one on the same table that a test may step in front of. */
export type StoreWorld = {
  readonly table: Table;
  readonly store: Store;
  readonly interference: Interference;
  readonly interferedStore: Store;
  commit(units: readonly PendingUnit[], by?: Store): Promise<readonly UnitResult[]>;
  linkOf(mailboxId: string): Promise<string | null | undefined>;
  /** Lets the interfered store's next transactions be applied and their answers be lost. */
  loseAnswers(times: number, which?: (rowKeys: readonly string[]) => boolean): void;
  /** Takes the shard over. */
  claimed(runId: string): Promise<ShardClaim>;
};

export async function storeWorld(newTable: NewTable): Promise<StoreWorld> {
  const table = newTable();
  const store = storeOn(table);
  const interference: Interference = {};
  await store.open();
  return {
    table,
    store,
    interference,
    interferedStore: storeOn(interfered(table, interference)),
    commit: async (units, by = store) => (await by.commitUnits(units, null)).results,
    linkOf: async (mailboxId) => (await store.readMailbox(mailboxId))?.checkpoint.link,
    loseAnswers: (times, which = () => true) => {
      let left = times;
      interference.after = ({ name, rowKeys }) => {
        if (name !== "transact" || left === 0 || !which(rowKeys)) return;
        left -= 1;
        throw new StorageError("transaction", shard, null, "ECONNRESET");
      };
    },
    claimed: async (runId) => {
      const current = await store.readShardRow(shard);
      const claim = await store.writeShardRow({ shard, row: shardRow(runId), etag: current?.etag ?? null });
      if (claim === "superseded") throw new Error("The shard is held by another run.");
      return claim;
    },
  };
}

/** A store whose commit ids are counted up, so that runs of a test are alike. */
export function storeOn(table: StoreParts["table"], changed: Partial<StoreParts> = {}): Store {
  commitIds += 1;
  const writer = commitIds;
  let count = 0;
  const newCommitId = () => {
    count += 1;
    return `commit-${writer}-${count}`;
  };
  return createStore({ table, shards: 1, newCommitId, ...changed });
}

let commitIds = 0;

export async function added(store: Store, mailboxId: string, changed: Partial<Checkpoint> = {}): Promise<Held> {
  const row = newRosterRow(mailboxId, manualSource);
  const next = checkpoint(mailboxId, changed);
  const [result] = await store.roster.commit([{ row, etag: null, checkpoint: { next, etag: null } }]);
  const held = await store.readMailbox(mailboxId);
  if (result !== "committed" || held === null) throw new Error(`Mailbox ${mailboxId} was not added.`);
  return held;
}

export async function addedMany(store: Store, count: number): Promise<readonly Held[]> {
  const all: Held[] = [];
  for (let index = 0; index < count; index++) {
    all.push(await added(store, `m${String(index).padStart(3, "0")}`));
  }
  return all;
}
