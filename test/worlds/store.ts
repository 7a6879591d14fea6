import type { PendingUnit, ShardClaim, Store, UnitResult } from "../../shared/store/store.js";
import { StorageError } from "../../shared/table/errors.js";
import type { Table } from "../../shared/table/table.js";
import { shardRow, storeOn } from "./rows.js";
import { type Interference, interfered, type NewTable } from "./tables.js";

/** All contract tests run with one shard. */
export const shard = "00";

/** A fresh table with a store on it, and a second store that a test may step in front of. */
export type World = {
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

export async function newWorld(newTable: NewTable): Promise<World> {
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
