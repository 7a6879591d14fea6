import { TableClient } from "@azure/data-tables";
import { QueueServiceClient } from "@azure/storage-queue";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Product, startProduct } from "../worlds/product.js";

const soon = { timeout: 50_000, interval: 200 };

let product: Product;
beforeAll(async () => {
  product = await startProduct({ mailboxes: 3, calendars: 5 });
  await product.add();
});
afterAll(() => product?.stop());

test("I7: a table and a changes queue that are deleted under a running host are made again, and filled", async () => {
  const { connectionString } = product;
  const queue = QueueServiceClient.fromConnectionString(connectionString).getQueueClient("calendar-changes");
  const isWhole = async () => {
    expect(await product.different()).toEqual([]);
    expect((await queue.getProperties()).approximateMessagesCount).toBe(3);
  };
  await product.tick();
  await vi.waitFor(isWhole, soon);
  for (let time = 0; time < 2; time++) {
    const options = { allowInsecureConnection: true };
    await TableClient.fromConnectionString(connectionString, "calendarmirror", options).deleteTable();
    await queue.delete();
    await vi.waitFor(() => product.add(), soon); // The first request meets no table, and says 503.
    await product.tick();
    await vi.waitFor(isWhole, soon);
  }
});
