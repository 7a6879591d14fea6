import { expect, test } from "vitest";
import { keptFeedKey, readFeedKey } from "../../shared/store/meta.js";
import { StorageError } from "../../shared/table/errors.js";
import { memoryTable } from "../../shared/table/memoryTable.js";
import { interfered } from "../worlds/tables.js";

const drawing = (byte: number) => () => new Uint8Array(32).fill(byte);

async function opened() {
  const table = memoryTable();
  await table.createIfMissing();
  return table;
}

test("the key of the tokens is drawn once, and is the same for all that read it", async () => {
  const table = await opened();
  const first = await readFeedKey(table, drawing(1));
  expect([...first]).toEqual([...drawing(1)()]);
  expect(await readFeedKey(table, drawing(2))).toEqual(first);
});

test("of many that draw it at once, all go by the one that came first", async () => {
  const table = await opened();
  const late = interfered(table, {
    before: async ({ name }) => {
      if (name === "transact") await readFeedKey(table, drawing(1));
    },
  });
  expect([...(await readFeedKey(late, drawing(2)))]).toEqual([...drawing(1)()]);
});

test("a row that holds no key is reported, and no weaker one is taken", async () => {
  const table = await opened();
  await table.transact("~meta", [{ kind: "create", rowKey: "feedkey", columns: { key: "c2hvcnQ=" } }]);
  await expect(readFeedKey(table, drawing(1))).rejects.toThrow("column key holds no key of 32 bytes");
});

test("a key that could not be read is read again, and one that was read is kept", async () => {
  const table = await opened();
  let isAway = true;
  const store = interfered(table, {
    before: async () => {
      if (isAway) throw new StorageError("get", "~meta", 503, "ServerBusy");
    },
  });
  await expect(keptFeedKey(store, drawing(1))).rejects.toThrow("ServerBusy");
  isAway = false;
  expect([...(await keptFeedKey(store, drawing(1)))]).toEqual([...drawing(1)()]);
  isAway = true;
  expect([...(await keptFeedKey(store, drawing(1)))]).toEqual([...drawing(1)()]);
});
