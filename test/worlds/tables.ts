import { randomUUID } from "node:crypto";
import { afterAll, beforeAll } from "vitest";
import { type Azurite, startAzurite } from "../../local/azurite.js";
import { tableClientOf } from "../../shared/azure/tableClient.js";
import { azureTable } from "../../shared/table/azureTable.js";
import type { Table } from "../../shared/table/table.js";

/** A way to tables that do not exist yet, each on its own. */
export type NewTable = () => Table;

/** Tables on an Azurite that lives as long as the surrounding suite. No Azurite is a failure, never a skip. */
export function azuriteTables(): NewTable {
  let azurite: Azurite | null = null;
  beforeAll(async () => {
    azurite = await startAzurite();
  });
  afterAll(() => azurite?.stop());
  return () => {
    if (azurite === null) throw new Error("Azurite is not running.");
    const { connectionString } = azurite;
    const name = `t${randomUUID().replaceAll("-", "")}`;
    return azureTable(tableClientOf({ kind: "connectionString", connectionString }, name, null));
  };
}

/** Where a test wants to step in. A throw from `before` keeps the call from being made, one from `after` loses its answer. */
export type Interference = {
  before?: (call: Call) => Promise<void> | void;
  after?: (call: Call) => Promise<void> | void;
};
type Call = { readonly name: "get" | "transact" | "page"; readonly rowKeys: readonly string[] };

/** A table that lets a test in between its caller and itself. */
export function interfered(table: Table, interference: Interference): Table {
  const through = async <T>(call: Call, run: () => Promise<T>): Promise<T> => {
    await interference.before?.(call);
    const result = await run();
    await interference.after?.(call);
    return result;
  };
  return {
    createIfMissing: () => table.createIfMissing(),
    get: (...asked) => through({ name: "get", rowKeys: [asked[1]] }, () => table.get(...asked)),
    transact: (partitionKey, actions) => {
      const rowKeys = actions.map(({ rowKey }) => rowKey);
      return through({ name: "transact", rowKeys }, () => table.transact(partitionKey, actions));
    },
    async *pages(...query) {
      const pages = table.pages(...query)[Symbol.asyncIterator]();
      for (;;) {
        const { value, done } = await through({ name: "page", rowKeys: [] }, () => pages.next());
        if (done === true) return;
        yield value;
      }
    },
  };
}
